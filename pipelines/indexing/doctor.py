"""Compares both indexes with the catalog, chunk by chunk; with `deep`, also the content of each chunk."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.catalog import Collection
from penstock.errors import DamagedIndex
from penstock.pipelines.access.visibility import View
from penstock.pipelines.indexing.following import Follower, Followers
from penstock.ports import Index, Verifiable

if TYPE_CHECKING:
    from penstock.loaders.confinement.confinement import Confinement

log = logging.getLogger(__name__)

Rows = NDArray[np.int64]
SHOWN = 5
"""Chunk ids named in one problem; the count is always whole."""
MOST_LISTED = 20
"""Flaws of the catalog that are listed individually."""
TRIES = 5
"""How often the comparison is repeated where others commit during it."""
REMEDY = "put the catalog back from a copy, or remove what is named and ingest it again"
WHOLE_VIEW = "`penstock doctor --deep --set access.required=false`, without --as, names them"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProblem:
    """A difference between a store and the catalog."""

    where: Literal["catalog", "keyword", "vector"]
    what: Literal["damaged", "ahead", "behind", "missing", "surplus", "differs", "unembedded", "rejected"]
    message: str
    chunk_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `doctor` found in one collection."""

    collection: str
    revision: int
    chunks: int
    problems: tuple[IndexProblem, ...]
    confinement: "Confinement"
    """What confines parsers on this machine; it is never a problem of the collection."""

    @property
    def ok(self) -> bool:
        """Whether catalog, keyword index and vector index hold the same chunks."""
        return not self.problems


def examine(view: View, followers: Followers, *, deep: bool = False) -> Diagnosis:
    """Compares the catalog's live chunks with the rows of each index, by row and so by chunk id.

    All chunks are compared; only those that the reader sees are named and counted in `chunks`. With `deep` their
    content is compared as well: hashes and ids in the catalog, tokens, vectors and files of the indexes.
    """
    from penstock.loaders.confinement.confinement import available  # here: only this command asks the kernel

    collection = view.collection
    revision = collection.revision()
    live, seen = collection.live_rows(at=revision), view.rows()
    problems = [
        *(_corrupt(collection, seen) if deep else ()),
        *_unembedded(collection),
        *_compare(collection, (live, seen), revision, "keyword", followers.keyword, deep=deep),
        *_compare(collection, (live, seen), revision, "vector", followers.vector, deep=deep),
    ]
    chunks = len(live if view.principals is None or seen is None else np.intersect1d(live, seen))
    return Diagnosis(
        collection=collection.name,
        revision=revision,
        chunks=chunks,
        problems=tuple(problems),
        confinement=available(),
    )


def _corrupt(collection: Collection, seen: Rows | None) -> list[IndexProblem]:
    """Values of the catalog that differ from what was written; only counted for a reader: they name documents."""
    flaws = collection.verify()
    if seen is not None:
        count = sum(1 for _ in flaws)
        messages = [f"the catalog has {count} flaws, which may name hidden documents; {WHOLE_VIEW}"] if count else []
    else:
        messages = [f"{flaw}; {REMEDY}" for flaw in islice(flaws, MOST_LISTED)]
        messages += ["and more"] if next(flaws, None) is not None else []
    return [IndexProblem(where="catalog", what="damaged", message=message) for message in messages]


def _unembedded(collection: Collection) -> list[IndexProblem]:
    identity = collection.embedder()
    missing = sum(1 for _ in collection.missing_vectors(identity)) if identity else 0
    if not missing:
        return []
    message = f"{missing} texts have no stored vector of model {identity!r}; ingest again to compute them"
    return [IndexProblem(where="catalog", what="unembedded", message=message)]


def _compare(
    collection: Collection,
    rows: tuple[Rows, Rows | None],
    revision: int,
    where: Literal["keyword", "vector"],
    follower: Follower[Any],
    *,
    deep: bool,
) -> list[IndexProblem]:
    try:
        index = follower.index
        held, applied = index.rows(), index.revision
        problems = _verified(collection, revision, where, index, rows[1]) if deep and applied == revision else []
    except DamagedIndex as error:
        return [IndexProblem(where=where, what="damaged", message=str(error))]
    live, seen = rows
    if applied != revision:
        message = f"the {where} index is at revision {applied}, the catalog at {revision}"
        problems.append(IndexProblem(where=where, what="behind" if applied < revision else "ahead", message=message))
    missing, surplus = np.setdiff1d(live, held), np.setdiff1d(held, live)
    if missing.size:
        problems.append(_difference(collection, where, "missing", "are not in", missing, seen))
    if surplus.size:
        problems.append(_difference(collection, where, "surplus", "are no longer live but still in", surplus, seen))
    return [*problems, *_rejected(collection, where, follower, seen)]


def _verified(
    collection: Collection,
    revision: int,
    where: Literal["keyword", "vector"],
    index: Index[Any],
    seen: Rows | None,
) -> list[IndexProblem]:
    """Entries of an index that differ from what was written; empty for an index of a plug-in that cannot verify."""
    if not isinstance(index, Verifiable) or not revision:
        return []
    live = collection.change(0, to=revision, vectors=index.wants_vectors).added
    problems = []
    for flaw in index.verify(live):
        if flaw.rows:
            verb = f"({flaw.message}) are not what was written into"
            problems.append(_difference(collection, where, "differs", verb, np.array(flaw.rows), seen))
        else:
            problems.append(IndexProblem(where=where, what="damaged", message=flaw.message))
    return problems


def refusals(collection: Collection, followers: Followers) -> list[str]:
    """Messages about chunks that the servers of indexes refused, for the report of a run."""
    both: tuple[tuple[Literal["keyword", "vector"], Follower[Any]], ...]
    both = (("keyword", followers.keyword), ("vector", followers.vector))
    return [problem.message for where, follower in both for problem in _rejected(collection, where, follower)]


def _rejected(
    collection: Collection, where: Literal["keyword", "vector"], follower: Follower[Any], seen: Rows | None = None
) -> Iterator[IndexProblem]:
    """Chunks that the index refused: a rebuild would refuse them again."""
    refused = follower.rejected()
    if refused:
        rows = np.array(sorted(refused), np.int64)
        found = _difference(collection, where, "rejected", "were refused by the server of", rows, seen)
        reasons = [refused[int(row)] for row in rows[:1] if seen is None or row in seen]  # it may quote the chunk
        yield replace(found, message=": ".join((found.message, *reasons)))


def _difference(
    collection: Collection,
    where: Literal["keyword", "vector"],
    what: Literal["missing", "surplus", "differs", "rejected"],
    verb: str,
    rows: Rows,
    seen: Rows | None,
) -> IndexProblem:
    shown = (rows if seen is None else np.intersect1d(rows, seen))[:SHOWN]
    named: Sequence[str] = sorted(collection.chunk_ids([int(row) for row in shown]).values())
    names = f" ({', '.join(named)}{', ...' if rows.size > len(named) else ''})" if named else ""
    message = f"{rows.size} chunks {verb} the {where} index{names}"
    return IndexProblem(where=where, what=what, message=message, chunk_ids=tuple(named))


def repair(view: View, followers: Followers, *, deep: bool = False) -> Diagnosis:
    """Replays missing revisions, rebuilds each index that still differs beside the live one, and compares again."""
    followers.catch_up(insist=True)
    for where, follower in (("keyword", followers.keyword), ("vector", followers.vector)):
        found = _settled(view, followers, deep=deep)  # compared again: a rebuild may repair both
        if any(problem.where == where and problem.what != "rejected" for problem in found.problems):
            log.warning("the %s index disagrees with the catalog and is rebuilt", where)
            follower.rebuild()
            followers.catch_up(insist=True)
    return _settled(view, followers, deep=deep)


def _settled(view: View, followers: Followers, *, deep: bool) -> Diagnosis:
    """The diagnosis once the indexes are at the catalog's revision, after up to `TRIES` tries while others commit."""
    for _ in range(TRIES):
        found = examine(view, followers, deep=deep)
        if all(problem.what != "behind" for problem in found.problems):
            break
        followers.catch_up(insist=True)
    return found
