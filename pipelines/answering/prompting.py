"""Assembles the prompt: the question, the best hits that fit the budget, and the rules of answering."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, TypedDict, runtime_checkable

from penstock.analysis.scripts import language_of, script_shares
from penstock.errors import SettingsError, UsageError
from penstock.ids import digest
from penstock.model import Hit, LeftOut, Message, Prompt
from penstock.pipelines.answering.passages import Passage, harmless, one_line, passage, passages
from penstock.pipelines.answering.places import place_name
from penstock.pipelines.answering.templating import renderer

Policy = Literal["strict", "open"]
"""strict: an answer from the sources or none; open: what the sources do not say may be added, marked as such."""

MESSAGE_TOKENS = 8
"""Tokens that chat formats put around each message, at most."""
SAMPLE_NUMBER, SAMPLE_BOUNDARY = 99, "0f1e2d3c4b5a"
"""Stand for a source's number and for the fence's word while one hit is counted; few words take more tokens."""
REFUSALS: Mapping[str, str] = {
    "en": "The sources do not answer this question.",
    "zh": "所给资料无法回答这个问题。",
}
"""The refusal that the prompt asks the model for, and by which refusals are recognised; by language of the prompt."""
_NAMES: Mapping[str, tuple[str, str, str, str]] = {
    "en": ("Title", "Place", "Section", "Columns"),
    "zh": ("标题", "位置", "章节", "表头"),
}
"""Names of title, place, headings and table header."""


class Prompting(TypedDict):
    """How prompts are assembled, as keyword arguments."""

    budget: int | None
    answer_tokens: int
    policy: Policy
    template: Path | None


@runtime_checkable
class Target(Protocol):
    """What a prompt needs to know of the model that answers: every `LLM` has it."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A numbered source as a template sees it; every text in it is harmless."""

    number: int
    title: str
    place: str
    headings: str
    table_header: str
    text: str
    fenced: str = ""
    """All of it between the fence's lines."""


def assemble(
    question: str,
    hits: Sequence[Hit],
    *,
    llm: Target,
    budget: int | None = None,
    answer_tokens: int = 1024,
    policy: Policy = "strict",
    template: Path | None = None,
) -> Prompt:
    """The prompt for a question with the best hits that fit, in order of score.

    `budget` is in tokens of the model, for all messages; by default, and at most, the model's context less
    `answer_tokens`. A hit that does not fit is left out and the next one is tried, so that a long one does not keep
    short ones away. Equal input gives an equal prompt.

    Raises:
        UsageError: the question is blank, or is over the budget with the instructions alone.
        SettingsError: the template cannot be used; says why and in which line.
    """
    if not harmless(question).strip():
        raise UsageError("the question is blank")
    allowed = min(budget or llm.context_tokens, llm.context_tokens - answer_tokens)
    draft = _Draft(question, llm, policy, template)
    needed = draft.needed([])
    if needed > allowed:
        raise UsageError(
            f"the question needs {needed} tokens with its instructions, but {allowed} are allowed: the model's window "
            f"is {llm.context_tokens} tokens, {answer_tokens} are kept for the answer"
            + (f", and the budget is {budget}" if budget else "")
        )
    chosen, left_out = _choose(hits, _Room(draft, allowed, needed))
    found = passages(chosen)
    messages = draft.messages(found)
    if draft.tokens(messages) > allowed:  # a template of one's own that shows a text twice: each step counts in full
        chosen, left_out = _choose(hits, _Room(draft, allowed, needed, in_full=True))
        found = passages(chosen)
        messages = draft.messages(found)
    return Prompt(
        question=question,
        messages=messages,
        passages=tuple(group.hits for group in found),
        left_out=tuple(left_out),
        tokens=draft.tokens(messages),
        language=draft.language,
    )


def prompt_language(question: str) -> str:
    """The language of the prompt for a question: `zh` for Chinese, also beside foreign terms, `en` for all others."""
    language = language_of(question)
    shares = script_shares(question)
    mixed = language == "und" and "han" in shares and "kana" not in shares
    return "zh" if language == "zh" or mixed else "en"


def _choose(hits: Sequence[Hit], room: "_Room") -> tuple[list[Hit], list[LeftOut]]:
    chosen: list[Hit] = []
    left_out: list[LeftOut] = []
    ids, texts = set[str](), dict[str, str]()
    for hit in sorted(hits, key=lambda hit: -hit.score):
        key = re.sub(r"\s+", "", hit.chunk.text)
        if hit.chunk.id in ids:
            reason = "duplicate: the same chunk was given before"
        elif key in texts:
            reason = f"duplicate: the same text as in chunk {texts[key]}"
        else:
            ids.add(hit.chunk.id)
            reason = room.refusal(chosen, hit)
        if reason:
            left_out.append(LeftOut(chunk_id=hit.chunk.id, reason=reason))
        else:
            chosen.append(hit)
            texts[key] = hit.chunk.id
    return chosen, left_out


class _Room:
    """Whether another hit fits: far from the limit by its own tokens, near the limit by counting the whole prompt."""

    def __init__(self, draft: "_Draft", allowed: int, empty: int, *, in_full: bool = False) -> None:
        self._draft = draft
        self._allowed = allowed
        self._guess = empty
        self._used: int | None = empty
        self._in_full = in_full

    def refusal(self, chosen: Sequence[Hit], hit: Hit) -> str:
        """Why the hit does not fit beside the chosen ones; empty where it does, and is to be chosen."""
        guess = self._guess + self._draft.tokens_of(hit)
        if guess <= self._allowed and not self._in_full:
            self._guess, self._used = guess, None
            return ""
        needed = self._draft.needed([*chosen, hit])
        if needed <= self._allowed:
            self._guess = self._used = needed
            return ""
        if self._used is None:
            self._guess = self._used = self._draft.needed(chosen)
        return (
            f"over the budget: {needed - self._used} tokens more, {self._allowed - self._used} of {self._allowed} left"
        )


class _Draft:
    """One question's template, rendered with more and more passages."""

    def __init__(self, question: str, llm: Target, policy: Policy, template: Path | None) -> None:
        self.language = prompt_language(question)
        self._question = harmless(question).strip()
        self._llm = llm
        self._policy = policy
        self._template = template
        self._render = renderer(template, self.language)

    def messages(self, found: Sequence[Passage]) -> tuple[Message, ...]:
        views = [_view(number, group, self.language) for number, group in enumerate(found, 1)]
        boundary = _boundary(self._question, views)
        then_user = f"<<<{boundary} user>>>"
        text = self._render(
            {
                "question": self._question,
                "policy": self._policy,
                "refusal": REFUSALS[self.language],
                "boundary": boundary,
                "sources": [replace(view, fenced=_fenced(view, boundary, self.language)) for view in views],
                "then_user": then_user,
                "language": self.language,
            }
        )
        system, divided, user = text.rpartition(then_user)
        if self._question not in user:
            raise SettingsError(f"the template {str(self._template)!r} does not show {{{{ question }}}}")
        parts: list[Message] = []
        if divided and system.strip():
            parts.append(Message(role="system", content=_tidy(system)))
        return (*parts, Message(role="user", content=_tidy(user)))

    def needed(self, hits: Sequence[Hit]) -> int:
        """Tokens of the prompt with these hits."""
        return self.tokens(self.messages(passages(hits)))

    def tokens_of(self, hit: Hit) -> int:
        """Tokens that a hit adds as a source of its own, nearly."""
        view = _view(SAMPLE_NUMBER, passage([hit]), self.language)
        return self._llm.count_tokens(_fenced(view, SAMPLE_BOUNDARY, self.language) + "\n\n")

    def tokens(self, messages: Sequence[Message]) -> int:
        return sum(self._llm.count_tokens(message.content) + MESSAGE_TOKENS for message in messages)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _view(number: int, found: Passage, language: str) -> Shown:
    first = found.hits[0]
    places = [place for hit in found.hits for place in hit.chunk.places]
    return Shown(
        number=number,
        title=one_line(first.title),
        place=one_line(place_name(places, first.source.media_type, "zh" if language == "zh" else "en")),
        headings=" > ".join(filter(None, map(one_line, first.chunk.headings))),
        table_header=one_line(first.chunk.table_header),
        text=harmless(found.text).strip(),
    )


def _boundary(question: str, views: Sequence[Shown]) -> str:
    """A word that no text of the prompt contains, the same whenever the texts are the same."""
    texts = [question, *(text for view in views for text in _texts(view))]
    everything = "\n".join(texts).casefold()
    trial = 0
    while (word := digest("fence", str(trial), *texts)[:12]) in everything:
        trial += 1
    return word


def _texts(view: Shown) -> tuple[str, ...]:
    return view.title, view.place, view.headings, view.table_header, view.text


def _fenced(view: Shown, boundary: str, language: str) -> str:
    *about, text = _texts(view)
    lines = [f"{name}: {value}" for name, value in zip(_NAMES[language], about, strict=True) if value]
    return "\n".join([f"[{view.number}]", f"<<<{boundary}", *lines, "", text, f"{boundary}>>>"])
