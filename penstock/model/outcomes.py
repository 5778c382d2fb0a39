"""How each source of a run ended (`SourceResult`), and the run's numbers, which must add up (`RunReport`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Outcome = Literal["indexed", "unchanged", "empty", "partial", "skipped", "failed", "removed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""All outcomes; `removed` is the last, and the only one of a source that was not discovered."""
Stage = Literal["discover", "fetch", "sniff", "parse", "clean", "chunk", "embed", "commit", "follow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why one source could not be read: a value, so that it costs one document and not the run."""

    uri: str
    stage: Stage
    kind: str
    """Name of the error class: stable, for grouping."""
    message: str
    retryable: bool
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """The one outcome of one discovered source, with its reason."""

    uri: str
    outcome: Outcome
    reason: str = ""
    chunks: int = 0
    """Live chunks of the source after the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCounts:
    """Live chunks of a collection as each store counts them; the three are equal, or `doctor` says why not."""

    catalog: int
    keyword: int
    vector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What one part of a run did; all parts together are its `RunReport`."""

    results: tuple[SourceResult, ...] = ()
    parsed: int = 0
    embedded: int = 0
    pages: int = 0
    seconds: float = 0.0
    stage_seconds: Mapping[Stage, float] = field(default_factory=dict)
    attention: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    """URIs of known sources that somebody sees now who did not before."""
    exposed: tuple[str, ...] = ()
    """URIs of new sources that more readers see than most of their neighbours."""
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A finished run over a collection."""

    collection: str
    revision: int
    results: tuple[SourceResult, ...]
    parsed: int
    """Sources whose bytes were parsed."""
    embedded: int
    """Texts that the embedding model computed; cached ones are not counted."""
    chunks: ChunkCounts
    seconds: float
    stage_seconds: Mapping[Stage, float] = field(default_factory=dict)
    """Time spent in each stage, added up over all workers."""
    pages: int = 0
    """Pages, slides and sheets of the parsed sources."""
    attention: tuple[str, ...] = ()
    """What a person should look at besides single sources: an incomplete listing, a removal that the guard stopped."""
    interrupted: bool = False
    """Whether the run was stopped before every discovered source was looked at; what is committed stays."""
    failure: str = ""
    """Why the run as a whole counts as failed, such as too many sources that failed; empty where it does not."""

    def count(self, outcome: Outcome) -> int:
        """How many sources have this outcome."""
        return sum(result.outcome == outcome for result in self.results)

    @property
    def discovered(self) -> int:
        """Sources that the listing found: every outcome but `removed`, whose sources are no longer there."""
        return len(self.results) - self.count("removed")
