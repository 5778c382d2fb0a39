"""Answers a question from its hits: a prompt, a model that streams, citations checked before they are shown."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from penstock.analysis.analyser import TextAnalyser
from penstock.engines.llms.extractive import Quote
from penstock.errors import UsageError
from penstock.model import Answer, Citation, Hit, Prompt, Usage
from penstock.pipelines.answering.citing import check_claim, distinct
from penstock.pipelines.answering.claims import claims
from penstock.pipelines.answering.passages import passage, unmarked
from penstock.pipelines.answering.prompting import REFUSALS, Policy, Target, assemble
from penstock.pipelines.answering.quoting import canonical
from penstock.ports import LLM, Analyser

LABELS = {
    "en": "Quoted from the sources (no language model was asked):",
    "zh": "以下为资料原文摘录（未使用语言模型）：",
}
"""The first line of an answer that only quotes."""
CUT_SHORT = " […]"
"""Ends an answer that was cut off because it used all the tokens allowed."""


@runtime_checkable
class Quoter(Target, Protocol):
    """Answers by choosing sentences from hits instead of reading a prompt."""

    @property
    def name(self) -> str:
        """The name that answers give as their model."""
        ...

    def quotes(self, question: str, passages: Sequence[Sequence[Hit]]) -> list[Quote]:
        """The sentences that answer, best first; none where nothing does."""
        ...


def answer(
    question: str,
    hits: Sequence[Hit],
    *,
    llm: LLM | Quoter,
    analyser: Analyser | None = None,
    budget: int | None = None,
    answer_tokens: int = 1024,
    policy: Policy = "strict",
    template: Path | None = None,
) -> Answer:
    """The answer to a question from its hits; see `stream_answer`, whose last item it is."""
    final: Answer | None = None
    for item in stream_answer(
        question,
        hits,
        llm=llm,
        analyser=analyser,
        budget=budget,
        answer_tokens=answer_tokens,
        policy=policy,
        template=template,
    ):
        if isinstance(item, Answer):
            final = item
    assert final is not None  # noqa: S101 - the stream's last item, always
    return final


def stream_answer(
    question: str,
    hits: Sequence[Hit],
    *,
    llm: LLM | Quoter,
    analyser: Analyser | None = None,
    budget: int | None = None,
    answer_tokens: int = 1024,
    policy: Policy = "strict",
    template: Path | None = None,
) -> Iterator[str | Answer]:
    """The answer sentence by sentence as it may be shown, then the whole `Answer`, with the joined text.

    Without hits no model is called: the answer says that the sources do not answer. With the extractive engine the
    answer is quotations, labelled as such. `analyser` compares claims with sources; by default it is the analyser of
    the indexes without a user dictionary.

    Raises:
        UsageError: the question is blank or over the budget, or no hit fits the budget.
        SettingsError: the template cannot be used.
        EngineError: the model cannot be called; the subclass says why.
    """
    prompt = assemble(
        question, hits, llm=llm, budget=budget, answer_tokens=answer_tokens, policy=policy, template=template
    )
    if hits and not prompt.passages:
        raise UsageError(f"none of {len(hits)} hits fits into the prompt; {prompt.left_out[0].reason}")
    if not hits:
        yield from _without_model(prompt, hits, llm.name, [REFUSALS[prompt.language]], [])
    elif isinstance(llm, Quoter):
        yield from _quoted(prompt, hits, llm)
    else:
        yield from _asked(prompt, hits, llm, analyser or TextAnalyser(), answer_tokens)


def _asked(
    prompt: Prompt, hits: Sequence[Hit], llm: LLM, analyser: Analyser, answer_tokens: int
) -> Iterator[str | Answer]:
    """Streams a model's answer, each claim checked before it is given out."""
    found = [passage(group) for group in prompt.passages]
    usage: list[Usage] = []
    raw: list[str] = []
    shown: list[str] = []
    citations: list[Citation] = []
    for claim in claims(_text(llm.stream(prompt.messages, max_tokens=answer_tokens), usage, raw)):
        checked = check_claim(claim, found, analyser)
        citations += checked.citations
        if checked.text:
            shown.append(checked.text)
            yield checked.text
    counted = Usage(prompt_tokens=prompt.tokens, completion_tokens=llm.count_tokens("".join(raw)))
    used = usage[-1] if usage else counted
    if usage and used.completion_tokens >= answer_tokens:
        shown.append(CUT_SHORT)
        yield CUT_SHORT
    yield _final(prompt, hits, llm.name, shown, citations, used)


def _text(items: Iterator[str | Usage], usage: list[Usage], raw: list[str]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Usage):
            usage.append(item)
        else:
            raw.append(item)
            yield item


def _quoted(prompt: Prompt, hits: Sequence[Hit], quoter: Quoter) -> Iterator[str | Answer]:
    quotes = quoter.quotes(prompt.question, prompt.passages)
    if not quotes:
        yield from _without_model(prompt, hits, quoter.name, [REFUSALS[prompt.language]], [])
        return
    citations = [
        Citation(chunk_id=quote.hit.chunk.id, source=quote.hit.source, places=quote.hit.chunk.places, quote=quote.text)
        for quote in quotes
    ]
    lines = [f"\n\n“{unmarked(quote.text)}” [{quote.number}]" for quote in quotes]
    yield from _without_model(prompt, hits, quoter.name, [LABELS[prompt.language], *lines], citations)


def _without_model(
    prompt: Prompt, hits: Sequence[Hit], name: str, parts: Sequence[str], citations: Sequence[Citation]
) -> Iterator[str | Answer]:
    """An answer for which no model was called."""
    yield from parts
    yield _final(prompt, hits, name, parts, citations, Usage(prompt_tokens=0, completion_tokens=0))


def _final(
    prompt: Prompt, hits: Sequence[Hit], name: str, parts: Sequence[str], citations: Sequence[Citation], usage: Usage
) -> Answer:
    text = "".join(parts)
    refusal = canonical(REFUSALS[prompt.language]).text.rstrip(".。")
    return Answer(
        text=text,
        citations=distinct(citations),
        hits=tuple(hits),
        prompt=prompt,
        usage=usage,
        refused=not citations and canonical(text).text.lstrip('*_#>"').startswith(refusal),
        model=name,
    )
