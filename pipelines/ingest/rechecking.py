"""Checks whether a run's outcomes still fit the collection: under the writer's lock, right before a commit.

A run reads and embeds while others commit. The state of a source at its look-up is compared with its state now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from penstock.catalog import Collection
from penstock.ids import text_hash
from penstock.pipelines.ingest.lookups import NEW
from penstock.pipelines.ingest.outcomes import SourceOutcome
from penstock.pipelines.ingest.reading import KnownState

ItemT = TypeVar("ItemT")
ReadableT = TypeVar("ReadableT", contravariant=True)


class Origin(Protocol[ReadableT]):
    """Where the sources of a run come from."""

    def known(self, items: Sequence[ReadableT]) -> Mapping[str, KnownState]:
        """What the catalog knows of these sources, by URI; unknown ones are absent."""
        ...

    def read(self, item: ReadableT, before: KnownState) -> SourceOutcome:
        """The outcome of a source, given what was known of it before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[ItemT]):
    """A source that was read, and what was known of it then."""

    item: ItemT
    before: KnownState
    outcome: SourceOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked(Generic[ItemT]):
    """Sources that may be committed as they were read, and those that other runs changed, with their present state."""

    fit: tuple[Read[ItemT], ...]
    changed: tuple[tuple[ItemT, KnownState], ...]


def rechecked(collection: Collection, reads: Sequence[Read[ItemT]], origin: Origin[ItemT]) -> Rechecked[ItemT]:
    """Separates outcomes that still fit from sources to read again; the caller holds the writer's lock."""
    now = origin.known([read.item for read in reads])

    def known(read: Read[ItemT]) -> KnownState:
        return now.get(read.outcome.result.uri, NEW)

    same = [read for read in reads if not read.outcome.overtaken and _is_same(read.before, known(read))]
    gone = _gone_contents(collection, same)
    fit = [read for read in same if not _is_copy_of(read, gone)]
    kept = {read.outcome.result.uri for read in fit}
    changed = [(read.item, known(read)) for read in reads if read.outcome.result.uri not in kept]
    return Rechecked(fit=tuple(fit), changed=tuple(changed))


def lack_vectors(collection: Collection, reads: Sequence[Read[ItemT]], identity: str) -> bool:
    """Whether a text has lost its vector: a compaction may delete a vector that no committed chunk needs yet."""
    chunks = [chunk for read in reads if read.outcome.upsert for chunk in read.outcome.upsert.chunks]
    return bool(chunks) and collection.lacks_vectors([text_hash(chunk.context) for chunk in chunks], identity)


def still_gone(collection: Collection, uris: Sequence[str], since: int | None) -> list[str]:
    """The sources that may be removed: with a revision, only those that did not change after it."""
    known = {} if since is None else collection.known_map(uris)
    return [uri for uri in uris if uri not in known or since is None or known[uri].added_rev <= since]


def _is_same(before: KnownState, now: KnownState) -> bool:
    if before.known is None or now.known is None:
        same = before.known is now.known and before.inherited == now.inherited
    else:
        same = before.known.added_rev == now.known.added_rev
    return same and before.failed == now.failed


def _gone_contents(collection: Collection, reads: Sequence[Read[ItemT]]) -> set[str]:
    """Contents of which sources are copies, but which are neither live nor among the upserts."""
    upserts = [read.outcome.upsert for read in reads if read.outcome.upsert]
    copied = {upsert.content for upsert in upserts if upsert.content} - {
        upsert.content for upsert in upserts if upsert.document
    }
    return copied - set(collection.live_contents(copied)) if copied else set()


def _is_copy_of(read: Read[ItemT], contents: set[str]) -> bool:
    upsert = read.outcome.upsert
    return upsert is not None and upsert.document is None and upsert.content in contents
