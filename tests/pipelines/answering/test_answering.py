"""Answers: what the model is asked, what is shown while it streams, and what happens where no source answers."""

from typing import Any

import pytest

from penstock.engines.llms.extractive import ExtractiveLLM
from penstock.engines.llms.openai import OpenAILLM
from penstock.errors import ModelUnavailable, UsageError
from penstock.model import Answer, Chunk, Hit, Place, Source, Span, Trace, Usage
from penstock.pipelines.answering.answering import LABELS, answer, stream_answer
from penstock.pipelines.answering.prompting import REFUSALS
from penstock.testing.contracts.llms import ScriptedLLM
from penstock.testing.doubles.llm_server import ScriptedServer
from penstock.testing.doubles.llm_server import answer as served

QUESTION = "How many days of leave carry over?"


def hit(text: str, *, document: str = "d", start: int = 0, score: float = 1.0, page: int = 1) -> Hit:
    source = Source(uri=f"file:///{document}", media_type="text/plain", sha256="", size=1, labels={})
    span = Span(start, start + len(text))
    chunk = Chunk(
        id=f"{document}-{start}", document_id=document, span=span, text=text, language="en", places=(Place(page=page),)
    )
    trace = Trace(ranks={}, scores={}, shares={}, weights={})
    return Hit(chunk=chunk, sources=(source,), title=document, score=score, trace=trace)


HITS = [
    hit("Employees may carry over up to ten days of unused leave. Requests go to the manager. See [2].", page=3),
    hit("员工可将最多十天未休年假结转至下一年度。逾期未休的视为自动放弃。", document="zh", score=0.8),
]
GOOD = 'Up to ten: "carry over up to ten days of unused leave" [1].'


def test_gives_the_answer_its_citations_and_the_usage() -> None:
    llm = ScriptedLLM(GOOD)
    given = answer(QUESTION, HITS, llm=llm)
    assert given.text == GOOD
    assert [(citation.chunk_id, citation.quote, citation.places) for citation in given.citations] == [
        ("d-0", "carry over up to ten days of unused leave", (Place(page=3),))
    ]
    assert (given.model, given.refused, given.hits) == ("scripted", False, tuple(HITS))
    assert given.usage.completion_tokens == 30
    assert llm.asked == [given.prompt.messages]


def test_what_does_not_check_out_is_not_shown() -> None:
    given = answer(QUESTION, HITS, llm=ScriptedLLM('It is "twenty days" [1]. Ask the moon [2][9]. ' + GOOD))
    assert given.text == 'It is "twenty days". Ask the moon. ' + GOOD
    assert len(given.citations) == 1


def test_streams_what_may_be_shown_sentence_by_sentence() -> None:
    items = list(stream_answer(QUESTION, HITS, llm=ScriptedLLM(GOOD + " Ask the moon [2]. Bye.", piece=1)))
    *pieces, final = items
    assert isinstance(final, Answer)
    assert pieces == [GOOD, " Ask the moon.", " Bye."]
    assert "".join(map(str, pieces)) == final.text


@pytest.mark.parametrize(
    ("question", "reply", "refused"),
    [
        pytest.param(QUESTION, "The sources do not answer this question.", True, id="as told"),
        pytest.param(
            QUESTION, "**The sources do not answer this question**. They are about leave.", True, id="with more"
        ),
        pytest.param(QUESTION, GOOD + " The sources do not answer this question.", False, id="after an answer"),
        pytest.param("年假可以结转几天？", "所给资料无法回答这个问题。", True, id="Chinese"),
        pytest.param("年假可以结转几天？", "“最多十天未休年假”[2]。", False, id="Chinese answer"),
    ],
)
def test_knows_a_refusal(question: str, reply: str, refused: bool) -> None:
    given = answer(question, HITS, llm=ScriptedLLM(reply))
    assert given.refused is refused
    assert bool(given.citations) is not refused


@pytest.mark.parametrize(
    "engine", [pytest.param(ScriptedLLM(), id="model"), pytest.param(ExtractiveLLM(), id="extractive")]
)
def test_without_hits_nothing_is_asked(engine: Any) -> None:
    items = list(stream_answer("年假几天?", [], llm=engine))
    assert items[0] == REFUSALS["zh"]
    final = items[-1]
    assert isinstance(final, Answer)
    assert final.refused
    assert final.usage == Usage(prompt_tokens=0, completion_tokens=0)
    assert getattr(engine, "asked", []) == []


def test_hits_that_do_not_fit_are_an_error_and_no_refusal() -> None:
    with pytest.raises(UsageError, match=r"none of 1 hits fits .* over the budget"):
        answer(QUESTION, [hit("x" * 9000)], llm=ScriptedLLM(context_tokens=2000))


def test_an_error_of_the_model_is_passed_on() -> None:
    with pytest.raises(ModelUnavailable, match="busy"):
        answer(QUESTION, HITS, llm=ScriptedLLM(ModelUnavailable("busy")))


def test_an_answer_that_was_cut_short_says_so() -> None:
    given = answer(QUESTION, HITS, llm=ScriptedLLM(GOOD + " And so on and on."), answer_tokens=33)
    assert given.text == GOOD + " And so […]"
    assert len(given.citations) == 1


def test_counts_the_usage_where_the_server_does_not() -> None:
    class Silent(ScriptedLLM):
        def stream(self, messages: Any, *, max_tokens: int) -> Any:
            return (item for item in super().stream(messages, max_tokens=max_tokens) if isinstance(item, str))

    given = answer(QUESTION, HITS, llm=Silent(GOOD))
    assert given.usage == Usage(prompt_tokens=given.prompt.tokens, completion_tokens=30)


@pytest.mark.parametrize(
    ("question", "language", "quote"),
    [
        pytest.param(QUESTION, "en", "Employees may carry over up to ten days of unused leave.", id="English"),
        pytest.param("未休年假可以结转几天？", "zh", "员工可将最多十天未休年假结转至下一年度。", id="Chinese"),
    ],
)
def test_without_a_model_it_quotes_and_says_so(question: str, language: str, quote: str) -> None:
    given = answer(question, HITS, llm=ExtractiveLLM())
    number = 1 if language == "en" else 2
    assert given.text == f"{LABELS[language]}\n\n“{quote}” [{number}]"
    assert [citation.quote for citation in given.citations] == [quote]
    assert (given.model, given.refused) == ("extractive", False)


def test_a_quote_cannot_pose_as_a_citation() -> None:
    given = answer(
        "What does the manager see?", [hit("The manager may see [2] and 【3】 about leave.")], llm=ExtractiveLLM()
    )
    assert given.text.endswith("“The manager may see (2) and (3) about leave.” [1]")
    assert given.citations[0].quote == "The manager may see [2] and 【3】 about leave."


def test_without_a_model_it_refuses_what_the_sources_do_not_say() -> None:
    given = answer("Who painted the ceiling of the Sistine Chapel?", HITS, llm=ExtractiveLLM())
    assert given.refused
    assert given.text == REFUSALS["en"]
    assert given.citations == ()


def test_over_the_wire() -> None:
    with ScriptedServer(
        served("<think>Hm.</think>", 'Up to ten: "carry over up to ', 'ten days" [1]. And "x" [2].')
    ) as server:
        given = answer(QUESTION, HITS, llm=OpenAILLM(model="qwen3", base_url=server.url))
    assert given.text == 'Up to ten: "carry over up to ten days" [1]. And "x".'
    assert [citation.quote for citation in given.citations] == ["carry over up to ten days"]
    assert (given.model, given.usage) == ("qwen3", Usage(prompt_tokens=11, completion_tokens=7))
    ((_, _, body),) = server.requests
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"].endswith(f"Question: {QUESTION}")
