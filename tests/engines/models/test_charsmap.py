"""Rules for single characters do in the library `tokenizers` what they say."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers

from penstock.engines.models.charsmap import charsmap

CHARACTERS = st.characters(min_codepoint=1, exclude_categories=["Cs", "M"])
"""All but marks: with what a mark stands on, the library reads it as one character."""


def _normalizer(rules: dict[str, str]) -> Any:
    return normalizers.Precompiled(charsmap(rules))


def test_characters_become_what_the_rules_say() -> None:
    rules = {"\t": " ", "\x01": "", "½": "1⁄2", "Ａ": "A", "㍿": "株式会社", "𝐀": "A", "ﬁ": "fi"}
    normalizer = _normalizer(rules)
    assert normalizer.normalize_str("a\tb\x01c ½ ＡＢ ㍿ 𝐀𝐁 ﬁn 年假") == "a bc 1⁄2 AＢ 株式会社 A𝐁 fin 年假"
    assert normalizer.normalize_str("") == ""


@given(rules=st.dictionaries(CHARACTERS, st.text(CHARACTERS, max_size=4), min_size=1, max_size=40), data=st.data())
def test_any_rules_hold_for_any_text(rules: dict[str, str], data: st.DataObject) -> None:
    letters = data.draw(st.lists(st.one_of(st.sampled_from(sorted(rules)), CHARACTERS), max_size=20))
    normalizer = _normalizer(rules)
    for letter in letters:  # one at a time: some join with their neighbours
        assert normalizer.normalize_str(letter) == rules.get(letter, letter)
