"""The sentences that answer, word for word, in Chinese and English; none where nothing answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engines.llms.extractive import MAX_QUOTES, ExtractiveLLM
from penstock.model import Chunk, Hit, Source, Span, Trace
from penstock.registry import load

LLM = ExtractiveLLM()


def hit(
    text: str,
    *,
    document: str = "d",
    start: int = 0,
    score: float = 1.0,
    headings: tuple[str, ...] = (),
    table_header: str = "",
) -> Hit:
    source = Source(uri=f"file:///{document}", media_type="text/plain", sha256="", size=1, labels={})
    span = Span(start, start + len(text))
    chunk = Chunk(
        id=f"{document}-{start}",
        document_id=document,
        span=span,
        text=text,
        language="und",
        headings=headings,
        table_header=table_header,
    )
    trace = Trace(ranks={}, scores={}, shares={}, weights={})
    return Hit(chunk=chunk, sources=(source,), title="", score=score, trace=trace)


LEAVE = "Annual leave is twenty days. Up to ten unused days carry over. The canteen opens at noon."
CHINESE = "年假为每年二十天。最多十天可结转至下一年度。食堂中午开放。"


@pytest.mark.parametrize(
    ("question", "hits", "expected"),
    [
        pytest.param(
            "How many unused days carry over?", [hit(LEAVE)], ["Up to ten unused days carry over."], id="English"
        ),
        pytest.param("最多几天可以结转到下一年度?", [hit(CHINESE)], ["最多十天可结转至下一年度。"], id="Chinese"),
        pytest.param(
            "When does the canteen open?",
            [hit(LEAVE, document="a"), hit(CHINESE)],
            ["The canteen opens at noon."],
            id="among two",
        ),
        pytest.param(
            "What does the Basic plan cost?",
            [hit("Basic | 5 EUR\nPlus | 9 EUR", headings=("Plans",), table_header="Plan | Cost")],
            ["Basic | 5 EUR"],
            id="a table's row by its header",
        ),
        pytest.param(
            "carry over",
            [hit("Carry over\nTen days carry over.", headings=("Carry over",))],
            ["Ten days carry over."],
            id="no heading",
        ),
        pytest.param(
            "Unused days?",
            [hit("Unused days. | Unused days\nUnused days lapse.")],
            ["Unused days lapse."],
            id="not what was asked",
        ),
        pytest.param(
            "Days lapse?",
            [hit("Ten days lapse."), hit("Ten  days lapse.", document="e")],
            ["Ten days lapse."],
            id="not twice",
        ),
        pytest.param("carry over days", [hit("See https://a.org/carry/over/days now.")], [], id="no address"),
        pytest.param(
            "Where is /etc/hosts?",
            [hit("See /etc/hosts there.")],
            ["See /etc/hosts there."],
            id="an address that is asked for",
        ),
        pytest.param("Who invented the telephone?", [hit(LEAVE)], [], id="not answered"),
        pytest.param("谁发明了电话?", [hit(CHINESE)], [], id="not answered, Chinese"),
        pytest.param("What is it?", [hit(LEAVE)], [], id="nothing asked"),
        pytest.param("leave", [], [], id="no passages"),
    ],
)
def test_quotes_what_answers(question: str, hits: list[Hit], expected: list[str]) -> None:
    assert [quote.text for quote in LLM.quotes(question, [[hit] for hit in hits])] == expected


def test_a_sentence_in_two_hits_is_quoted_once_and_the_better_hit_wins() -> None:
    again = hit(LEAVE[29:], start=29, score=0.2)
    assert len(LLM.quotes("How many unused days carry over?", [[hit(LEAVE), again]])) == 1
    good, bad = hit("Ten days carry over.", score=0.9), hit("Two days carry over.", document="e", score=0.1)
    best = LLM.quotes("How many days carry over?", [[bad], [good]])[0]
    assert (best.text, best.number) == ("Ten days carry over.", 2)


@given(
    st.lists(st.text(alphabet="年假结转十天。. days leave carry\n", min_size=1), min_size=1, max_size=6),
    st.sampled_from(["年假几天", "days of leave"]),
)
def test_quotes_are_in_their_chunks(texts: list[str], question: str) -> None:
    found = LLM.quotes(question, [[hit(text, document=str(at))] for at, text in enumerate(texts)])
    assert len(found) <= MAX_QUOTES
    for quote in found:
        assert quote.text
        assert quote.text in quote.hit.chunk.text
        assert quote.hit.chunk.document_id == str(quote.number - 1)


def test_is_found_by_its_name() -> None:
    made = load("llms", "extractive")()
    assert made.name == "extractive"
    assert made.context_tokens > 100_000
    assert made.count_tokens("年假") == 3
