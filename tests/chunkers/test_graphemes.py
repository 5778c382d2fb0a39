"""No cut goes through what a reader sees as one character."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.chunkers.graphemes import is_boundary

regex = pytest.importorskip("regex")


@given(st.text(alphabet="ae\u0301\u0308👩\u200d💻🏽🇨🇳🇬한각\u1112\u1161\u11ab\r\n水\ufe0f❤क\u094d", max_size=12))
def test_agrees_with_unicode_about_where_not_to_cut(text: str) -> None:
    # a virama without a consonant before it joins nothing (UAX 29, GB9c), but the oracle lets it
    assume(not regex.search(r"(?<!क)\u094d|\u094d(?!क)", text))
    ends = {match.end() for match in regex.finditer(r"\X", text)} | {0}
    for at in range(len(text) + 1):
        if is_boundary(text, at):
            assert at in ends


@pytest.mark.parametrize("text", ["plain", "水库", "e\u0301a", "🇨🇳🇬🇧", "👩\u200d💻a", "क\u094dक"])
def test_finds_the_boundaries_that_there_are(text: str) -> None:
    ends = {match.end() for match in regex.finditer(r"\X", text)} | {0}
    assert {at for at in range(len(text) + 1) if is_boundary(text, at)} == ends
