"""Reasoning is cut off the answer wherever the stream happens to be cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engines.llms.thinking import without_thoughts


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        pytest.param("Ten days.", "Ten days.", id="no block"),
        pytest.param("<think>\nHm.\n</think>\n\nTen days.", "Ten days.", id="block"),
        pytest.param("<think></think>\nTen", "Ten", id="empty block"),
        pytest.param("<thinking>Hm</thinking>Ten <think>", "Ten <think>", id="tag in the answer"),
        pytest.param("<think>a</think> <think>b</think>Ten", "Ten", id="two blocks"),
        pytest.param("<think>a</think>" * 1500 + "Ten", "Ten", id="very many blocks"),
        pytest.param("<think>Hm", "", id="never closed"),
        pytest.param("<thi", "<thi", id="only like a tag"),
        pytest.param("  \n", "", id="blank"),
        pytest.param("<b>Ten</b>", "<b>Ten</b>", id="another tag"),
    ],
)
@given(data=st.data())
def test_cuts_reasoning(data: st.DataObject, whole: str, expected: str) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert "".join(without_thoughts(iter(pieces))) == expected
