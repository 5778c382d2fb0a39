"""A quote is found where the text contains it, character by character, however it is typeset; and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.pipelines.answering.quoting import canonical, find_quote, quotes_in, weight

TEXT = "员工可将 10 天\n未休年假（含调休）结转。The limit—“ten days”—doesn't\u00a0change;\nsee ［3］ for ﬁles 2\u00adb."


def found(quote: str, text: str = TEXT) -> list[str] | None:
    spans = find_quote(quote, text)
    return None if spans is None else [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        pytest.param("员工可将", ["员工可将"], id="exact"),
        pytest.param("可将10天未休年假", ["可将 10 天\n未休年假"], id="white space"),
        pytest.param("年假(含调休)结转", ["年假（含调休）结转"], id="width"),
        pytest.param(
            'limit - "ten days" - doesn’t change', ["limit—“ten days”—doesn't\u00a0change"], id="dashes and marks"
        ),
        pytest.param("limit—'ten days'—doesn't", ["limit—“ten days”—doesn't"], id="inner marks"),
        pytest.param("see (3) for files", ["see ［3］ for ﬁles"], id="brackets and ligatures"),
        pytest.param("the limit", ["The limit"], id="first letter"),
        pytest.param("doesn't change.", ["doesn't\u00a0change"], id="mark at the end"),
        pytest.param("员工可将……结转", ["员工可将", "结转"], id="ellipsis"),
        pytest.param("The limit [...] change", ["The limit", "change"], id="bracketed ellipsis"),
        pytest.param("结转...员工", None, id="parts in the wrong order"),
        pytest.param("THE LIMIT", None, id="case"),
        pytest.param("员工可将12天", None, id="another number"),
        pytest.param("he limit", None, id="begins in a word"),
        pytest.param("The lim", None, id="ends in a word"),
        pytest.param("将 1", None, id="ends in a number"),
        pytest.param("……", None, id="nothing"),
        pytest.param("", None, id="empty"),
        pytest.param("2b", ["2\u00adb"], id="soft hyphen"),
    ],
)
def test_finds_quotes(quote: str, expected: list[str] | None) -> None:
    assert found(quote) == expected


def test_looks_on_after_a_place_in_a_word() -> None:
    assert found("ten", "often ten") == ["ten"]


@given(st.text(), st.data())
def test_what_is_found_is_what_was_quoted(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]
    for span in find_quote(quote, text) or ():
        part = text[span.start : span.end]
        assert part
        assert canonical(part).text.casefold() in canonical(quote).text.casefold()


@given(st.text())
def test_positions_of_the_canonical_form_ascend_and_lie_in_the_text(text: str) -> None:
    form = canonical(text)
    assert len(form.text) == len(form.at)
    assert list(form.at) == sorted(form.at)
    assert all(0 <= at < len(text) for at in form.at)


def test_reads_quotation_marks_of_any_style() -> None:
    text = '“a” "b" 「c」 『d』 «e» „f“ ＂g＂ it\'s 5" long'
    assert [quote for _, quote in quotes_in(text)] == ["a", "b", "c", "d", "e", "f", "g"]
    assert all(text[span.start + 1 : span.end - 1] == quote for span, quote in quotes_in(text))


@pytest.mark.parametrize(
    ("quote", "expected"),
    [pytest.param("10", 2, id="digits"), pytest.param("年假十天。", 8, id="Han"), pytest.param("a b!", 2, id="Latin")],
)
def test_weighs_quotes(quote: str, expected: int) -> None:
    assert weight(quote) == expected
