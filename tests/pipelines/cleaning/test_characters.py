"""Characters that a reader does not see, or sees as others, become the ordinary ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.pipelines.cleaning.characters import ordinary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("e\u0301", "\u00e9", id="composed"),
        pytest.param("a\u00a0b\u3000c\u2009d", "a b c d", id="spaces"),
        pytest.param("in\u00adfor\u200bma\u2060tion\ufeff", "information", id="invisible"),
        pytest.param("a\u202eb\u2066c", "abc", id="direction"),
        pytest.param("a\x00b\x07c\td", "abc\td", id="controls"),
        pytest.param("a\r\nb\rc\x0cd\u2028e", "a\nb\nc\nd\ne", id="line ends"),
        pytest.param("\u2f64\u6237\u2f7d\u518c", "用户而册", id="kangxi radicals"),
        pytest.param("\u2ed3\u5ea6 \u2ec5 \u2ee2", "长度 见 马", id="cjk radicals"),
        pytest.param("\uf900", "\u8c48", id="compatibility ideograph"),
        pytest.param("\ufb01le \ufb02ow", "file flow", id="ligatures"),
        pytest.param("\ufe8d\ufedf", "\u0627\u0644", id="arabic forms"),
        pytest.param("Ａ１，㎡ x² №", "Ａ１，㎡ x² №", id="full width and signs stay"),
        pytest.param("\uf0b7 item \ue123", "• item ", id="private use"),
        pytest.param("می\u200cشود क\u094d\u200dष", "می\u200cشود क\u094d\u200dष", id="joiners where scripts need them"),
        pytest.param("a\u200db\u200cc", "abc", id="joiners elsewhere"),
        pytest.param("👩\u200d💻 ❤\ufe0f x\ufe0f 水\ufe00", "👩\u200d💻 ❤\ufe0f x 水", id="emoji"),
        pytest.param("a\ud800b\uffff", "ab", id="what is no character"),
        pytest.param("plain", "plain", id="plain"),
    ],
)
def test_ordinary(text: str, expected: str) -> None:
    assert ordinary(text) == expected


@given(
    st.text(st.characters(codec=None), max_size=20)
    | st.text(alphabet="\u200d\u200c\ufe0f\u0301क\u094d👩a\ufb01\u2f64\u115f", max_size=8)
)
def test_twice_is_once_and_what_is_left_can_be_written(text: str) -> None:
    once = ordinary(text)
    assert ordinary(once) == once
    once.encode("utf-8")
