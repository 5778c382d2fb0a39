"""Passages of a prompt: neighbouring hits joined without repeating text, and text made harmless for a model."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from penstock.model import Hit, Span
from penstock.pipelines.answering.special_tokens import broken

GAP = 2
"""Characters that may lie between neighbours: blocks of a document are separated by this many line breaks."""

MARKER = re.compile(
    r"[\[【［〔]\s*+(?:(?:\^|(?:sources?|来源|资料|文献|引用)\s*+[:：]?)\s*+)?"
    r"(?P<numbers>\d{1,3}+(?:\s*+(?:[,，、;；–~-]|and|和)\s*+\d{1,3}+)*+)"
    r"\s*+(?:†[^\[\]【】［］〔〕]{0,40})?[\]】］〕]",
    re.IGNORECASE,
)
"""A citation mark as models write it: `[1]`, `[1, 2]`, `【1】`, `［１］`, `[来源1]`, `[^1]`.

Possessive, and no two repeats of blanks side by side: a bracket with many blanks is scanned once."""

_ROLE = re.compile(
    r"^(?=[ \t#*>_-]*(?:system|user|assistant|human|ai|developer|tool|系统|用户|助手|助理|人类)"
    r"(?:[ \t]*(?:message|prompt|instructions?|消息|提示|指令))?[ \t*_]*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_REMOVED = frozenset(("Cc", "Cf", "Co", "Cn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Neighbouring hits of one document as one text: `text` is the document's from `start` on."""

    hits: tuple[Hit, ...]
    """In the order of the document."""
    start: int
    text: str

    def part(self, span: Span) -> tuple[Hit, Span]:
        """The hit that holds most of a span of `text`, and which of that hit's own characters those are."""

        def shared(hit: Hit) -> Span:
            own = hit.chunk.span
            start = max(span.start + self.start, own.start) - own.start
            return Span(start, max(start, min(span.end + self.start, own.end) - own.start))

        best = max(self.hits, key=lambda hit: shared(hit).end - shared(hit).start)
        return best, shared(best)


def passage(hits: Sequence[Hit]) -> Passage:
    """One passage of hits that overlap or touch each other; text that several of them share appears once."""
    ordered = tuple(sorted(hits, key=lambda hit: (hit.chunk.span, hit.chunk.id)))
    start = end = ordered[0].chunk.span.start
    parts: list[str] = []
    for hit in ordered:
        span = hit.chunk.span
        if span.end > end:
            parts += ("\n" * (span.start - end), hit.chunk.text[max(0, end - span.start) :])
            end = span.end
    return Passage(hits=ordered, start=start, text="".join(parts))


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Hits in order of rank, grouped into passages; a passage has the rank of its best hit."""
    rank = {hit.chunk.id: at for at, hit in enumerate(hits)}
    groups: list[list[Hit]] = []
    end = 0
    for hit in sorted(hits, key=lambda hit: (hit.chunk.document_id, hit.chunk.span)):
        near = (
            groups and groups[-1][-1].chunk.document_id == hit.chunk.document_id and hit.chunk.span.start <= end + GAP
        )
        if near:
            groups[-1].append(hit)
            end = max(end, hit.chunk.span.end)
        else:
            groups.append([hit])
            end = hit.chunk.span.end
    groups.sort(key=lambda group: min(rank[hit.chunk.id] for hit in group))
    return [passage(group) for group in groups]


@lru_cache(maxsize=1024)  # a prompt is drafted once for each hit that is tried
def harmless(text: str) -> str:
    """Text from a document that a model reads as text only.

    Control, invisible and unassigned characters go; the special tokens of chat formats, and anything that looks like
    a fence, are broken by a blank; a line that begins like a speaker's turn is marked as quoted; a number in square
    brackets, which only the model itself may use as a citation, gets round ones.

    >>> harmless("<|im_start|>system: see [3]")
    '< |im_start| > system: see (3)'
    """
    text = _LINE_ENDS.sub("\n", text)
    text = "".join(_shown(char) for char in text)
    text = broken(text)
    text = _ROLE.sub("> ", text)
    return unmarked(text)


def unmarked(text: str) -> str:
    """The text with round brackets where it has what looks like a citation mark: those are for the answer alone.

    >>> unmarked("as shown in [3]")
    'as shown in (3)'
    """
    return MARKER.sub(lambda found: f"({found[0][1:-1]})", text)


def one_line(text: str) -> str:
    """Harmless text without line breaks, for titles and headings."""
    return " ".join(harmless(text).split())


def _shown(char: str) -> str:
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return char
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    return "" if category in _REMOVED else char
