"""What a search asks for (`Filter`) and what it finds (`Hit`), with the reason (`Trace`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from penstock.model.documents import Chunk, Labels, Source

Leg = Literal["keyword", "vector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which chunks may be found: all given conditions must hold; within one condition any value may match.

    It is applied inside the indexes, before their top k is cut.
    """

    sources: tuple[str, ...] = ()
    """URIs, or glob patterns over URIs (`*`, `?`, `[...]`)."""
    labels: Labels = field(default_factory=dict)
    media_types: tuple[str, ...] = ()
    """Media types; `image/*` matches every image."""
    languages: tuple[str, ...] = ()
    pages: tuple[int, int] | None = None
    """First and last page, both included; a chunk matches when any of its places lies between them."""
    modified_from: datetime | None = None
    modified_before: datetime | None = None
    principals: frozenset[str] | None = None
    """Who asks: sources restricted to other principals are invisible. None: no restriction is applied."""

    @property
    def is_empty(self) -> bool:
        """Whether every chunk matches."""
        return self == Filter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why a hit has its rank: each leg's rank and score, and its share of the fused score."""

    ranks: Mapping[Leg, int]
    """1-based rank in each leg that found the chunk; a leg that did not find it is absent."""
    scores: Mapping[Leg, float]
    """Raw score of each leg: BM25, or the inner product. BM25 is absent for readers: hidden chunks count in it."""
    shares: Mapping[Leg, float]
    """What each leg contributed to `Hit.score`; the shares add up to it before reranking. Empty for readers, whose
    hits are scored by their places alone."""
    weights: Mapping[Leg, float]
    """The weight that each leg had for this question."""
    matched: tuple[str, ...] = ()
    """Tokens that the question and the chunk have in common."""
    notes: tuple[str, ...] = ()
    """What a reader should know of this hit: that it is a neighbour added on request, that it was reranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chunk found for a question, with its source, score (higher is better) and trace."""

    chunk: Chunk
    sources: tuple[Source, ...]
    """Where the chunk's document lies, first the one it was read from; several when exact copies exist."""
    title: str
    """Title of the document, or its file name where the content gives none."""
    score: float
    trace: Trace

    @property
    def source(self) -> Source:
        """The source that is cited."""
        return self.sources[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """The hits for a question, and the revision of the collection at which all of them are live."""

    question: str
    revision: int
    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()
    """What a reader should know of the whole search: a leg that got little or no weight, and why."""
