"""Proof that both indexes agree with the catalog, chunk by chunk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.catalog import Collection
from penstock.errors import DamagedIndex
from penstock.pipelines.following import Follower, Followers

SHOWN = 5
"""Chunk ids named in one problem; the count is always whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One way in which a store does not agree with the catalog."""

    where: Literal["catalog", "keyword", "vector"]
    what: Literal["damaged", "behind", "missing", "surplus", "unembedded", "rejected"]
    message: str
    chunk_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `doctor` found in one collection."""

    collection: str
    revision: int
    chunks: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether catalog, keyword index and vector index hold the same chunks."""
        return not self.problems


def examine(collection: Collection, followers: Followers) -> Diagnosis:
    """Compares the catalog's live chunks with what each index holds, by row and so by chunk id."""
    revision = collection.revision()
    live = collection.live_rows(at=revision)
    problems = [
        *_unembedded(collection),
        *_compare(collection, live, revision, "keyword", followers.keyword),
        *_compare(collection, live, revision, "vector", followers.vector),
    ]
    return Diagnosis(collection=collection.name, revision=revision, chunks=len(live), problems=tuple(problems))


def _unembedded(collection: Collection) -> list[Problem]:
    identity = collection.embedder()
    missing = sum(1 for _ in collection.missing_vectors(identity)) if identity else 0
    if not missing:
        return []
    told = f"{missing} texts have no stored vector of model {identity!r}; ingest again to compute them"
    return [Problem(where="catalog", what="unembedded", message=told)]


def _compare(
    collection: Collection,
    live: NDArray[np.int64],
    revision: int,
    where: Literal["keyword", "vector"],
    follower: Follower[Any],
) -> list[Problem]:
    try:
        index = follower.index
        held, applied = index.rows(), index.revision
    except DamagedIndex as error:
        return [Problem(where=where, what="damaged", message=str(error))]
    problems = []
    if applied < revision:
        told = f"the {where} index stands at revision {applied}, the catalog at {revision}"
        problems.append(Problem(where=where, what="behind", message=told))
    missing, surplus = np.setdiff1d(live, held), np.setdiff1d(held, live)
    if missing.size:
        problems.append(_difference(collection, where, "missing", "are not in", missing))
    if surplus.size:
        problems.append(_difference(collection, where, "surplus", "are no longer live but still in", surplus))
    return [*problems, *_rejected(collection, where, follower)]


def refusals(collection: Collection, followers: Followers) -> list[str]:
    """What the servers of indexes refused, for the report of a run; empty where there was nothing to refuse."""
    both: tuple[tuple[Literal["keyword", "vector"], Follower[Any]], ...]
    both = (("keyword", followers.keyword), ("vector", followers.vector))
    return [problem.message for where, follower in both for problem in _rejected(collection, where, follower)]


def _rejected(
    collection: Collection, where: Literal["keyword", "vector"], follower: Follower[Any]
) -> Iterator[Problem]:
    """What the index would not take: to build it anew would end the same."""
    refused = follower.rejected()
    if refused:
        rows = np.array(sorted(refused), np.int64)
        found = _difference(collection, where, "rejected", "were refused by the server of", rows)
        yield replace(found, message=f"{found.message}: {refused[int(rows[0])]}")


def _difference(
    collection: Collection,
    where: Literal["keyword", "vector"],
    what: Literal["missing", "surplus", "rejected"],
    verb: str,
    rows: NDArray[np.int64],
) -> Problem:
    named: Sequence[str] = sorted(collection.chunk_ids([int(row) for row in rows[:SHOWN]]).values())
    message = f"{rows.size} chunks {verb} the {where} index ({', '.join(named)}{', ...' if rows.size > SHOWN else ''})"
    return Problem(where=where, what=what, message=message, chunk_ids=tuple(named))


def repair(collection: Collection, followers: Followers) -> Diagnosis:
    """Replays what is missing, builds anew each index that still disagrees, and looks again; for the writer alone."""
    followers.catch_up(insist=True)
    for where, follower in (("keyword", followers.keyword), ("vector", followers.vector)):
        found = examine(collection, followers)  # anew: one rebuild may mend both
        if any(problem.where == where and problem.what != "rejected" for problem in found.problems):
            follower.rebuild()
    return examine(collection, followers)
