"""Cutting a stretch of text that is too long for one chunk: at sentences, at lines, at last between words."""

import re

from penstock.analysis.scripts import CJK
from penstock.analysis.sentences import sentence_spans
from penstock.chunkers.graphemes import is_boundary
from penstock.chunkers.measure import Ruler
from penstock.model import Span

_CLAUSE = re.compile(r"[，、；：。]|[,;:|](?=\s)")
_GAP = re.compile(rf"\s+|(?<=[{CJK}])(?=[{CJK}])")


def trimmed(text: str, start: int, end: int) -> Span:
    """The range without white space at its ends; empty where there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def sentences(text: str, span: Span) -> list[Span]:
    """The sentences of a stretch."""
    return [Span(span.start + start, span.start + end) for start, end in sentence_spans(text[span.start : span.end])]


def lines(text: str, span: Span) -> list[Span]:
    """The lines of a stretch that are not blank, without white space at their ends."""
    found: list[Span] = []
    start = span.start
    while start < span.end:
        end = text.find("\n", start, span.end)
        end = span.end if end < 0 else end
        line = trimmed(text, start, end)
        if line.start < line.end:
            found.append(line)
        start = end + 1
    return found


def by_tokens(text: str, span: Span, limit: int, ruler: Ruler) -> list[Span]:
    """Pieces of at most `limit` tokens: cut after a clause if one ends late enough, else after a word.

    Only a single word, and at last a single character, that is longer than the limit is cut inside.
    """
    pieces = []
    rest = trimmed(text, *span)
    while rest.start < rest.end:
        end = ruler.reach(rest.start, limit)
        end = rest.end if end >= rest.end else best_cut(text, rest.start, end)
        piece = trimmed(text, rest.start, end)
        if piece.start < piece.end:
            pieces.append(piece)
        rest = trimmed(text, end, rest.end)
    return pieces


def best_cut(text: str, start: int, end: int) -> int:
    """The best place to cut at or before `end`, beyond `start`."""
    for pattern, share in ((_CLAUSE, 0.7), (_GAP, 0.3)):
        floor = start + 1 + int((end - start) * share)
        cuts = [match.end() for match in pattern.finditer(text, floor, end)]
        if pattern is _GAP and _GAP.match(text, end):
            return end
        for cut in reversed(cuts):
            if is_boundary(text, cut):
                return cut
    cut = end
    while cut > start and not is_boundary(text, cut):
        cut -= 1
    return cut if cut > start else end


def fitted(text: str, spans: list[Span], limit: int, ruler: Ruler) -> list[Span]:
    """The spans, those of more than `limit` tokens cut by tokens."""
    fitting: list[Span] = []
    for span in spans:
        fitting += [span] if ruler.tokens(*span) <= limit else by_tokens(text, span, limit, ruler)
    return fitting
