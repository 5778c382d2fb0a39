"""The vector index: FAISS, exact inner products over vectors in memory, with snapshots on disk.

Vectors lie in segments of limited size. A change writes a new segment and lists of what was removed from the others;
small neighbours are merged as they come, so that n changes write each vector some log n times, and a segment that has
lost a share of its vectors is rewritten.
"""

import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from penstock.errors import DamagedIndex, IndexingError
from penstock.indexers.changes import in_batches, is_step
from penstock.indexers.comparing import compared
from penstock.indexers.durable import read_checked, remove_others, write_durably
from penstock.indexers.manifest import DataFile, Manifest, ManifestFile, Segment
from penstock.indexers.ordering import best, contained
from penstock.indexers.snapshots import Snapshots
from penstock.model import Candidate, Change, Entry, Flaw, Scope
from penstock.ports import Float32Array

FORMAT = 1
BATCH = 4096
"""Entries of a change that are in memory at a time."""
SEGMENT = 65_536
"""Most vectors of a segment: what is in memory twice while segments are merged."""
REMOVED_SHARE = 0.25
"""A segment that has lost more than this share of its vectors is rewritten without them."""
VECTORS, REMOVED = ".vectors", ".removed"
"""Files of a segment: the rows (int64) and then the vectors (float32), both little-endian; the rows removed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoadedSegment:
    """A segment in memory: a FAISS index, and by position in it the row, and whether it still counts: shape (n,)."""

    index: Any  # faiss.IndexFlatIP: the types that FAISS ships leave out most of its methods
    rows: NDArray[np.int64]
    live: NDArray[np.bool_]
    data: DataFile | None = None
    removed: DataFile | None = None

    @property
    def vectors(self) -> Float32Array:
        """All vectors, float32 of shape (n, d): a view on FAISS's own memory, valid as long as the part."""
        count, dimension = self.index.ntotal, self.index.d
        view: Float32Array = faiss.rev_swig_ptr(self.index.get_xb(), count * dimension).reshape(count, dimension)
        return view

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.live))


Parts = tuple[_LoadedSegment, ...]


class FaissIndex:
    """Vector index in a folder; any number of processes read while one writes.

    Raises:
        DamagedIndex: the folder holds what this version, or this model, cannot use.
    """

    wants_vectors = True

    def __init__(self, folder: Path, *, identity: str, dimension: int) -> None:
        self._folder = folder
        self._dimension = dimension
        built_for = f"{identity}; dimension {dimension}"
        self._manifest = ManifestFile(folder, kind="faiss", version=FORMAT, built_for=built_for)
        self._snapshots: Snapshots[Parts] = Snapshots(self._manifest, self._load, ())

    @property
    def revision(self) -> int:
        """The last revision that was applied and is safe on disk."""
        return self._snapshots.newest().revision

    def apply(self, change: Change) -> None:
        """Brings the index to the change's revision.

        Raises:
            IndexingError: the index cannot be written, or an entry has no vector of the index's dimension; what the
                index held can still be searched.
        """
        snapshot = self._snapshots.newest()
        if not is_step(change, snapshot.revision):
            return
        parts = _without(snapshot.data, np.array(sorted(change.removed), np.int64))
        for entries in in_batches(change.added, BATCH):
            added = self._part(entries)
            parts = _merged((*_without(parts, added.rows), added), self._dimension)
        parts = tuple(self._written(part) for part in _renewed(parts, self._dimension))
        segments = tuple(Segment(data=part.data, removed=part.removed) for part in parts if part.data)
        total = sum(part.count for part in parts)
        self._manifest.write(Manifest(revision=change.revision, entries=total, segments=segments))
        self._snapshots.put(change.revision, parts)
        named = {file.name for segment in segments for file in (segment.data, segment.removed) if file}
        remove_others(self._folder, VECTORS, named)
        remove_others(self._folder, REMOVED, named)

    def search(self, query: Float32Array, *, k: int, scope: Scope) -> list[Candidate]:
        """The `k` rows with the largest inner products with the query, float32 of shape (d,).

        Raises:
            IndexingError: the query is not a finite vector of the index's dimension.
        """
        if query.shape != (self._dimension,) or not np.isfinite(query).all():
            raise IndexingError(f"a query is a finite vector of shape ({self._dimension},); found shape {query.shape}")
        parts = self._snapshots.newest().data
        allowed = scope.rows() if parts and k > 0 else None
        wanted = np.ascontiguousarray(query, np.float32)
        found = [_nearest(part, wanted, k, allowed) for part in parts] if k > 0 else []
        if not found:
            return []
        return best(np.concatenate([rows for rows, _ in found]), np.concatenate([scores for _, scores in found]), k)

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted."""
        held = [part.rows[part.live] for part in self._snapshots.newest().data]
        return np.sort(np.concatenate(held)) if held else np.empty(0, np.int64)

    def count(self) -> int:
        """How many rows the index holds."""
        return sum(part.count for part in self._snapshots.newest().data)

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """Reads all files once more, and compares each vector with the entry's, byte by byte.

        Raises:
            DamagedIndex: a file is not what was written.
        """
        parts = self._snapshots.newest().data
        for file in (file for part in parts for file in (part.data, part.removed) if file):
            read_checked(self._folder / file.name, file.crc32)
        held = {
            int(row): part.vectors[place].tobytes()
            for part in parts
            for place, row in enumerate(part.rows)
            if part.live[place]
        }
        return compared(held, live, lambda entry: self._vector(entry).tobytes(), "vectors")

    def close(self) -> None:
        """Frees the memory."""
        self._snapshots.forget()

    def _part(self, entries: list[Entry]) -> _LoadedSegment:
        newest = {entry.row: entry for entry in entries}
        vectors = np.stack([self._vector(entry) for entry in newest.values()])
        return _new_part(np.array(list(newest), np.int64), vectors)

    def _vector(self, entry: Entry) -> Float32Array:
        """The entry's vector, checked: float32 of shape (d,), finite."""
        vector = entry.vector
        if vector is None or vector.shape != (self._dimension,) or not np.isfinite(vector).all():
            shape = "none" if vector is None else f"shape {vector.shape}"
            raise IndexingError(
                f"row {entry.row} needs a finite vector of shape ({self._dimension},); found {shape}"
                + (
                    " with values that are no numbers"
                    if vector is not None and vector.shape == (self._dimension,)
                    else ""
                )
            )
        return vector

    def _written(self, part: _LoadedSegment) -> _LoadedSegment:
        data, removed = part.data, part.removed
        if data is None:
            data = self._write(part.rows.astype("<i8").tobytes() + part.vectors.tobytes(), VECTORS, len(part.rows))
        gone = part.rows[~part.live]
        if len(gone) != (removed.entries if removed else 0):
            removed = self._write(gone.astype("<i8").tobytes(), REMOVED, len(gone))
        return _LoadedSegment(index=part.index, rows=part.rows, live=part.live, data=data, removed=removed)

    def _write(self, content: bytes, suffix: str, entries: int) -> DataFile:
        file = DataFile(name=f"{uuid.uuid4().hex}{suffix}", crc32=zlib.crc32(content), entries=entries)
        write_durably(self._folder / file.name, content)
        return file

    def _load(self, manifest: Manifest, before: Parts) -> Parts:
        known = {part.data.name: part for part in before if part.data}
        return tuple(self._read(segment, known.get(segment.data.name)) for segment in manifest.segments)

    def _read(self, segment: Segment, known: _LoadedSegment | None) -> _LoadedSegment:
        if known and known.removed == segment.removed:
            return known
        part = known or self._new(segment.data)
        live = np.ones(len(part.rows), bool)
        if segment.removed:
            content = read_checked(self._folder / segment.removed.name, segment.removed.crc32)
            live = ~contained(part.rows, np.sort(np.frombuffer(content, "<i8")))
        return _LoadedSegment(index=part.index, rows=part.rows, live=live, data=segment.data, removed=segment.removed)

    def _new(self, file: DataFile) -> _LoadedSegment:
        content = read_checked(self._folder / file.name, file.crc32)
        if len(content) != file.entries * (8 + 4 * self._dimension):
            raise DamagedIndex(f"{self._folder / file.name} holds other vectors than the manifest says")
        vectors = np.frombuffer(content, "<f4", offset=8 * file.entries).reshape(-1, self._dimension)
        return _new_part(np.frombuffer(content, "<i8", count=file.entries).astype(np.int64), vectors)


def _new_part(rows: NDArray[np.int64], vectors: Float32Array) -> _LoadedSegment:
    """A segment of `rows`, shape (n,), with their `vectors`, float32 of shape (n, d)."""
    index: Any = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, np.float32))
    return _LoadedSegment(index=index, rows=rows, live=np.ones(len(rows), bool))


def _without(parts: Parts, rows: NDArray[np.int64]) -> Parts:
    """The parts with the given rows, int64 of shape (n,) in any order, no longer live."""
    gone = np.sort(rows)
    return tuple(
        _LoadedSegment(
            index=part.index,
            rows=part.rows,
            live=part.live & ~contained(part.rows, gone),
            data=part.data,
            removed=part.removed,
        )
        for part in parts
    )


def _merged(parts: Parts, dimension: int) -> Parts:
    """The parts with the last ones joined while they are of like size, as a binary counter carries."""
    while len(parts) > 1:
        left, right = parts[-2].count, parts[-1].count
        if left > 2 * right or left + right > SEGMENT:
            break
        parts = (*parts[:-2], _joined(parts[-2:], dimension))
    return parts


def _renewed(parts: Parts, dimension: int) -> Parts:
    """The parts that have live vectors; those that lost many are rewritten."""
    return tuple(
        _joined((part,), dimension) if part.count < (1 - REMOVED_SHARE) * len(part.rows) else part
        for part in parts
        if part.count
    )


def _joined(parts: Parts, dimension: int) -> _LoadedSegment:
    rows = np.concatenate([part.rows[part.live] for part in parts])
    vectors = np.concatenate([part.vectors[part.live] for part in parts]).reshape(-1, dimension)
    return _new_part(rows, vectors)


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS on one core, in the calling thread only: sharing one question out costs more than it gives."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _only(seen: NDArray[np.bool_]) -> Any:
    """FAISS's options for a search of some positions: `seen` has one flag a vector of the segment, shape (n,)."""
    library: Any = faiss  # its types do not know the constructors that its Python part adds
    return library.SearchParameters(sel=library.IDSelectorBitmap(np.packbits(seen, bitorder="little")))


def _nearest(
    part: _LoadedSegment, query: Float32Array, k: int, allowed: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of one part that are among its best `k`, with all that tie with the last of them, and their scores.

    `query` is float32 of shape (d,), `allowed` sorted rows of shape (m,); both results have shape (found,).
    """
    seen = part.live if allowed is None else part.live & contained(part.rows, allowed)
    count = int(np.count_nonzero(seen))
    options = _only(seen) if count < len(seen) else None
    limit = min(k + 16, count)
    places = np.empty(0, np.int64)
    while limit:
        with _one_thread():
            approximate, found = part.index.search(query[None], limit, params=options)
        places = found[0]
        if limit == count or approximate[0][-1] < approximate[0][k - 1] - 1e-6:
            break
        limit = min(limit * 4, count)
    # FAISS adds up in an order that depends on the place of a vector: equal vectors must have equal scores
    scores = (part.vectors[places].astype(np.float64) * query).sum(axis=1)
    return part.rows[places], scores
