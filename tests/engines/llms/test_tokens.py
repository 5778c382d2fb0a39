"""The estimate of tokens is never below a real tokenizer's count, and not absurdly above it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engines.llms.tokens import estimated_tokens

ENGLISH = (
    "Employees may carry over up to ten days of unused annual leave into the next calendar year, provided that the "
    "request is approved by their manager before 31 December 2025. See form HR-7 (https://example.org/forms/hr7)."
)
CHINESE = (
    "员工可将最多十天未休年假结转至下一年度，但须在2025年12月31日前经直属主管批准，并填写表格HR-7。"
    "逾期未休的年假视为自动放弃。"
)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param("", 0, 0, id="nothing"),
        pytest.param(ENGLISH, 45, 110, id="English"),  # 45 to 50 tokens in common vocabularies
        pytest.param(CHINESE, 60, 110, id="Chinese"),  # 40 to 75
        pytest.param("0x80070005", 10, 12, id="digits one by one"),
        pytest.param("🦜", 4, 4, id="bytes of what is rare"),
        pytest.param("a\n\n\n\nb", 4, 6, id="white space"),
        pytest.param("\ud800", 3, 3, id="lone surrogate"),
    ],
)
def test_estimates(text: str, least: int, most: int) -> None:
    assert least <= estimated_tokens(text) <= most


@given(st.text(), st.text())
def test_more_text_never_has_fewer_tokens(first: str, second: str) -> None:
    assert estimated_tokens(first + second) >= max(estimated_tokens(first), estimated_tokens(second)) - 1
