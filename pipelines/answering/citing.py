"""Checks the citations of an answer against the passages that were given: what does not check out is not shown.

The rules, for each claim (a sentence with its marks):

1. A mark `[n]` refers only to a passage that was given.
2. A quotation belongs to the marks that follow it; to those before it, if their passages contain it or none follow.
   One of these passages must contain the quotation (`quoting` compares them). A mark is dropped if its passage contains
   none of its quotations; if any quotation is in no passage at all, all marks are dropped.
3. A mark without a quotation, or with one shorter than `MIN_WEIGHT`, is kept only if one sentence of the passage has
   at least `MIN_SHARE` of the claim's distinct tokens (not counting function words and marks), at least `MIN_SHARED`
   of them (or both, if there are only two), and every number of the claim. Two consecutive sentences count as one, but
   need `MORE_OF_TWO` more. The matching sentences become the quote. This compares words, not meaning: a sentence that
   denies the claim can match.

A claim with more than `MOST_QUOTES` quotations gets no citation: comparing them all would take too long.

The check is conservative on purpose: a correct citation may be dropped, for instance if the answer is in another
language than its source and does not quote it; but every citation shown can be looked up.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from penstock.analysis.scripts import is_cjk
from penstock.analysis.sentences import sentence_spans
from penstock.analysis.stopwords import STOP_WORDS
from penstock.model import Citation, Span
from penstock.pipelines.answering.passages import MARKER, Passage
from penstock.pipelines.answering.quoting import canonical, find_quote, quotes_in, weight
from penstock.ports import Analyser

MIN_WEIGHT = 8
"""Letters that a quotation needs to be evidence by itself; a Han character counts as two."""
MIN_SHARE = 0.6
MIN_SHARE_HAN = 0.5
"""For claims mainly in Han characters: their tokens include pairs across words, which a paraphrase changes."""
MORE_OF_TWO = 0.2
"""Added to the share for two consecutive sentences, where more words match by chance."""
MIN_SHARED = 3
MOST_QUOTES = 32
MODALS = frozenset(["may", "might", "will", "shall", "must", "would", "should"])
"""Function words that the analyser keeps, because they are names too."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True, slots=True)
class Mark:
    """One citation mark in a claim and the numbers in it."""

    span: Span
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim as it may be shown, and the citations in it that check out."""

    text: str
    citations: tuple[Citation, ...]


def check_claim(claim: str, passages: Sequence[Passage], analyser: Analyser) -> Checked:
    """The claim with the marks that check out, written `[n]`, and a citation for each."""
    groups = _groups(list(_marks(claim, len(passages))), claim)
    quoted = quotes_in(claim) if groups else []
    if len(quoted) > MOST_QUOTES:
        return Checked(_rewritten(claim, groups, [[] for _ in groups]), ())
    quotes = _belonging(quoted, groups, passages)

    @cache  # many marks may name one passage
    def support(number: int) -> Span | None:
        return _supporting(claim, passages[number - 1], analyser)

    kept: list[list[int]] = []
    citations: list[Citation] = []
    for at, group in enumerate(groups):
        numbers = dict.fromkeys(number for mark in group for number in mark.numbers if 0 < number <= len(passages))
        evidence = _evidence(list(numbers), quotes[at], passages, support)
        kept.append([number for number in numbers if number in evidence])
        citations += (citation for number in numbers for citation in evidence.get(number, ()))
    return Checked(_rewritten(claim, groups, kept), distinct(citations))


def distinct(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """The citations in order, each quote of a chunk once."""
    return tuple({(citation.chunk_id, citation.quote): citation for citation in citations}.values())


def without_marks(text: str) -> str:
    """The text without any citation mark."""
    return MARKER.sub("", text)


def _marks(claim: str, count: int) -> Iterator[Mark]:
    code = [match.span() for match in _CODE.finditer(claim)]
    starts = [start for start, _ in code]
    for match in MARKER.finditer(claim):
        before = bisect_right(starts, match.start())
        if not before or code[before - 1][1] <= match.start():
            yield Mark(Span(*match.span()), tuple(_numbers(match["numbers"], count)))


def _numbers(written: str, count: int) -> Iterator[int]:
    ends = re.fullmatch(r"(\d+)\s*[–~-]\s*(\d+)", written)
    if ends and int(ends[1]) < int(ends[2]) <= count:
        yield from range(int(ends[1]), int(ends[2]) + 1)
        return
    yield from dict.fromkeys(map(int, re.findall(r"\d+", written)))


def _groups(marks: Sequence[Mark], claim: str) -> list[list[Mark]]:
    """Marks side by side, which support the same words."""
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and not claim[groups[-1][-1].span.end : mark.span.start].strip(" \t,，、;；"):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _belonging(
    quoted: Iterable[tuple[Span, str]], groups: Sequence[Sequence[Mark]], passages: Sequence[Passage]
) -> list[list[str]]:
    """The quotations of each group of marks."""
    found: list[list[str]] = [[] for _ in groups]
    starts, ends = [group[0].span.start for group in groups], [group[-1].span.end for group in groups]
    for span, quote in quoted:
        after, before = bisect_left(starts, span.end), bisect_right(ends, span.start) - 1
        near = [at for at in (after, before) if 0 <= at < len(groups)]
        if near:
            found[next((at for at in near if _is_said_in(quote, groups[at], passages)), near[0])].append(quote)
    return found


def _is_said_in(quote: str, group: Sequence[Mark], passages: Sequence[Passage]) -> bool:
    numbers = {number for mark in group for number in mark.numbers if 0 < number <= len(passages)}
    return any(find_quote(quote, passages[number - 1].text) for number in numbers)


def _evidence(
    numbers: Sequence[int],
    quotes: Sequence[str],
    passages: Sequence[Passage],
    supporting: Callable[[int], Span | None],
) -> dict[int, list[Citation]]:
    """What supports each of the numbers; a number that nothing supports is absent."""
    spans = {number: [find_quote(quote, passages[number - 1].text) for quote in quotes] for number in numbers}
    if any(all(spans[number][at] is None for number in numbers) for at in range(len(quotes))):
        return {}
    evidence: dict[int, list[Citation]] = {}
    for number in numbers:
        passage = passages[number - 1]
        found = [span for placed in spans[number] for span in placed or ()]
        if quotes and not found:
            continue
        if max((weight(quote) for quote in quotes), default=0) < MIN_WEIGHT:
            support = supporting(number)
            if support is None:
                continue
            found = found or [support]
        citations = [citation for span in found if (citation := _citation(passage, span)) is not None]
        if citations:
            evidence[number] = citations
    return evidence


def _supporting(claim: str, passage: Passage, analyser: Analyser) -> Span | None:
    """The sentence of a passage that supports a claim best, by the third rule; None where none does."""
    unmarked = without_marks(claim)
    wanted = set(analyser.tokens(unmarked)) - _function_words(analyser)
    han = sum(is_cjk(token[0]) for token in wanted) * 2 > len(wanted)
    least = MIN_SHARE_HAN if han else MIN_SHARE
    numbers = set(_NUMBER.findall(canonical(unmarked).text))
    sentences = sentence_spans(passage.text)
    pairs = [Span(first.start, second.end) for first, second in pairwise(sentences)]
    best, best_share = None, 0.0
    for span, needed in (*((span, least) for span in sentences), *((span, least + MORE_OF_TWO) for span in pairs)):
        text = passage.text[span.start : span.end]
        shared = wanted.intersection(analyser.tokens(text))
        share = len(shared) / len(wanted) if len(shared) >= max(2, min(MIN_SHARED, len(wanted))) else 0.0
        if share >= needed and share > best_share and numbers <= set(_NUMBER.findall(canonical(text).text)):
            best, best_share = span, share
    return best


def _function_words(analyser: Analyser) -> frozenset[str]:
    """The tokens of function words."""
    return frozenset(token for word in STOP_WORDS | MODALS for token in analyser.tokens(word))


def _citation(passage: Passage, span: Span) -> Citation | None:
    hit, part = passage.part(span)
    quote = hit.chunk.text[part.start : part.end].strip()
    if not quote:
        return None
    return Citation(chunk_id=hit.chunk.id, source=hit.source, places=hit.chunk.places, quote=quote)


def _rewritten(claim: str, groups: Sequence[Sequence[Mark]], kept: Sequence[Sequence[int]]) -> str:
    """The claim with `[n]` for each number that is kept, and nothing where none of a group is."""
    parts: list[str] = []
    at = 0
    for group, numbers in zip(groups, kept, strict=True):
        before = claim[at : group[0].span.start]
        parts.append(before if numbers else before.rstrip(" \t"))
        parts += (f"[{number}]" for number in numbers)
        at = group[-1].span.end
    return "".join(parts) + claim[at:]
