"""What differs between two revisions of a collection, source by source."""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.catalog import Collection, KnownSource
from penstock.model import Filter

PARTS = ("text", "access", "labels", "bytes", "outcome")
"""What of a source can differ, in the order in which it is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSource:
    """A source that is in both revisions."""

    uri: str
    what: tuple[str, ...]
    """Of `PARTS`, those that differ; where none does, how it was read or cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The changes that lead from the first revision to the second."""

    collection: str
    first: int
    second: int
    added: tuple[str, ...]
    changed: tuple[ChangedSource, ...]
    removed: tuple[str, ...]


def difference(collection: Collection, first: int, second: int, where: Filter) -> Difference:
    """Compares two revisions, either of which may be the earlier; only sources that the filter lets through.

    Raises:
        RevisionGone: one of them was compacted away.
        CatalogError: there is no such revision.
    """
    added, changed, removed = [], [], []
    for old, new in _side_by_side(
        collection.sources(at=first, where=where), collection.sources(at=second, where=where)
    ):
        if old is None and new is not None:
            added.append(new.source.uri)
        elif new is None and old is not None:
            removed.append(old.source.uri)
        elif old is not None and new is not None and old.added_rev != new.added_rev:
            changed.append(ChangedSource(uri=old.source.uri, what=_what(old, new)))
    return Difference(
        collection=collection.name,
        first=first,
        second=second,
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
    )


def _side_by_side(
    first: Iterator[KnownSource], second: Iterator[KnownSource]
) -> Iterator[tuple[KnownSource | None, KnownSource | None]]:
    """Both streams, which are in the order of their addresses, with equal addresses together."""
    old, new = next(first, None), next(second, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.source.uri < new.source.uri):
            yield old, None
            old = next(first, None)
        elif old is None or new.source.uri < old.source.uri:
            yield None, new
            new = next(second, None)
        else:
            yield old, new
            old, new = next(first, None), next(second, None)


def _what(old: KnownSource, new: KnownSource) -> tuple[str, ...]:
    differs = {
        "text": old.content != new.content,
        "access": old.source.access != new.source.access,
        "labels": dict(old.source.labels) != dict(new.source.labels),
        "bytes": old.source.sha256 != new.source.sha256,
        "outcome": (old.outcome, old.reason) != (new.outcome, new.reason),
    }
    return tuple(part for part in PARTS if differs[part])
