"""The built-in answerer: the sentences of the sources that answer best, word for word. It writes nothing of its own.

A sentence is scored like a document of BM25, the sentences of all passages being the collection: each token of the
question that it holds counts by how rare it is there, damped by repetition and by the sentence's length. A token that
only the sentence before it, its headings or its table's header hold counts `CONTEXT_WEIGHT`; a row of a table does not
take from the row before. The score is then weighted by that of the hit. A sentence answers when it holds at least
`MIN_COVERAGE` of the question, measured in the same weights, and says something that the question does not. The words
inside an address (a URL, a path) are not the sentence's own, unless the question asks for one.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.2.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.analysis.sentences import sentence_spans
from penstock.analysis.stopwords import STOP_WORDS
from penstock.engines.llms.tokens import estimated_tokens
from penstock.model import Hit, Span
from penstock.ports import Analyser

K1 = 1.2
B = 0.4
"""Less than for documents: a long sentence is no worse an answer than a short one by much."""
CONTEXT_WEIGHT = 0.4
MIN_COVERAGE = 0.3
"""Higher, and many right answers are refused; lower, and questions that nothing answers get a quote."""
NEAR_BEST = 0.7
"""Share of the best score from which on another sentence is quoted too."""
MAX_QUOTES = 3
_ASCII_WORD = re.compile(r"[!-~]+")
HIT_WEIGHT = 0.4
"""How much of a sentence's score hangs on its hit's score, as a share of the best hit's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence that answers: from which numbered passage, which hit, and which characters of that hit's text."""

    number: int
    hit: Hit
    span: Span
    score: float

    @property
    def text(self) -> str:
        """The sentence, exactly as the chunk has it."""
        return self.hit.chunk.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class _Sentence:
    number: int
    hit: Hit
    span: Span
    tokens: Counter[str]
    context: frozenset[str]


class ExtractiveLLM:
    """Answers by quoting; needs no model, no key and no network. It reads hits instead of messages."""

    def __init__(self, *, analyser: Analyser | None = None) -> None:
        self._own_analyser = analyser

    @property
    def name(self) -> str:
        """`extractive`."""
        return "extractive"

    @property
    def context_tokens(self) -> int:
        """As much as a large model reads: quoting has no window, but an answer lists what it was chosen from."""
        return 131072

    def count_tokens(self, text: str) -> int:
        """The upper estimate of `penstock.engines.llms.tokens`."""
        return estimated_tokens(text)

    def quotes(self, question: str, passages: Sequence[Sequence[Hit]]) -> list[Quote]:
        """At most three sentences that answer, best first; none where the passages do not answer the question."""
        analyser = self._analyser()
        stop_tokens = {token for word in STOP_WORDS for token in analyser.tokens(word)}
        wanted = [token for token in dict.fromkeys(analyser.tokens(question)) if token not in stop_tokens]
        candidates = _candidates(passages, analyser, addresses="/" in question)
        if not wanted or not candidates:
            return []
        rarity = _rarity(wanted, candidates)
        mean = sum(candidate.tokens.total() for candidate in candidates) / len(candidates)
        top = max(hit.score for hits in passages for hit in hits)
        found = [
            Quote(
                number=candidate.number,
                hit=candidate.hit,
                span=candidate.span,
                score=_score(candidate, rarity, mean, top),
            )
            for candidate in candidates
            if _coverage(candidate, rarity) >= MIN_COVERAGE and not candidate.tokens.keys() <= {*wanted, *stop_tokens}
        ]
        found.sort(key=lambda quote: (-quote.score, quote.number, quote.hit.chunk.id, quote.span))
        different: dict[str, Quote] = {}
        for quote in found:
            different.setdefault("".join(quote.text.split()), quote)
        best = list(different.values())[:MAX_QUOTES]
        return [quote for quote in best if quote.score >= NEAR_BEST * found[0].score]

    def _analyser(self) -> Analyser:
        if self._own_analyser is None:
            from penstock.analysis.analyser import TextAnalyser

            self._own_analyser = TextAnalyser()
        return self._own_analyser


def _candidates(passages: Sequence[Sequence[Hit]], analyser: Analyser, *, addresses: bool) -> list[_Sentence]:
    """Every sentence once, also where hits overlap; a heading is no answer."""
    found: dict[tuple[str, Span], _Sentence] = {}
    for number, hits in enumerate(passages, 1):
        for hit in hits:
            chunk = hit.chunk
            context = frozenset(analyser.tokens("\n".join((hit.title, *chunk.headings, chunk.table_header))))
            before = frozenset[str]()
            for span in sentence_spans(chunk.text):
                place = Span(span.start + chunk.span.start, span.end + chunk.span.start)
                text = chunk.text[span.start : span.end]
                tokens = Counter(analyser.tokens(text if addresses else _ASCII_WORD.sub(_own_word, text)))
                if text not in chunk.headings and (chunk.document_id, place) not in found:
                    found[chunk.document_id, place] = _Sentence(number, hit, span, tokens, context | before)
                before = frozenset(() if chunk.table_header else tokens)
    return list(found.values())


def _own_word(found: re.Match[str]) -> str:
    """The word, or nothing where it is an address."""
    word = found[0]
    return "" if "://" in word or word.startswith("www.") or word.count("/") > 1 else word


def _rarity(wanted: Sequence[str], candidates: Sequence[_Sentence]) -> Mapping[str, float]:
    """Inverse document frequency of each token of the question among the sentences."""
    total = len(candidates)
    holding = {token: sum(token in candidate.tokens for candidate in candidates) for token in wanted}
    return {token: math.log(1 + (total - count + 0.5) / (count + 0.5)) for token, count in holding.items()}


def _score(candidate: _Sentence, rarity: Mapping[str, float], mean: float, top: float) -> float:
    length = 1 - B + B * candidate.tokens.total() / mean if mean else 1.0
    score = 0.0
    for token, rare in rarity.items():
        times = candidate.tokens[token]
        if times:
            score += rare * times * (K1 + 1) / (times + K1 * length)
        elif token in candidate.context:
            score += rare * CONTEXT_WEIGHT
    share = max(0.0, candidate.hit.score / top) if top > 0 else 1.0
    return score * (1 - HIT_WEIGHT + HIT_WEIGHT * share)


def _coverage(candidate: _Sentence, rarity: Mapping[str, float]) -> float:
    """Share of the question that a sentence holds, its tokens weighted by their rarity."""
    held = sum(rare for token, rare in rarity.items() if token in candidate.tokens)
    near = sum(rare for token, rare in rarity.items() if token in candidate.context and token not in candidate.tokens)
    return (held + CONTEXT_WEIGHT * near) / sum(rarity.values())
