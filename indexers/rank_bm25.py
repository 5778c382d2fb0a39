"""The keyword index in memory: the rank-bm25 package, for notebooks and to test the other keyword index against.

The tokens of all entries are in memory and are scored one by one, so that this is for some ten thousand chunks. They
are in one file as well, which each change rewrites: other processes search what one of them wrote.
"""

import json
import math
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from penstock.indexers.changes import is_step
from penstock.indexers.comparing import compared
from penstock.indexers.durable import read_checked, remove_others, write_durably
from penstock.indexers.manifest import DataFile, Manifest, ManifestFile, Segment
from penstock.indexers.ordering import best, contained
from penstock.indexers.snapshots import Snapshots
from penstock.model import Candidate, Change, Entry, Flaw, Scope
from penstock.ports import Analyser

FORMAT = 1
SUFFIX = ".tokens"


class LuceneBM25(BM25Okapi):  # type: ignore[misc]  # rank-bm25 has no types
    """The library's BM25 with the inverse document frequency of Lucene, which is never negative.

    Source: Kamphuis, de Vries, Boytsov, Lin, "Which BM25 Do You Mean?" (ECIR 2020), table 1, row Lucene (accurate):
    idf = log(1 + (N - df + .5) / (df + .5)). The factor k1 + 1, which Lucene leaves out, changes no ranking.
    """

    def _calc_idf(self, nd: dict[str, int]) -> None:
        for word, count in nd.items():
            self.idf[word] = math.log(1 + (self.corpus_size - count + 0.5) / (count + 0.5))


@dataclass(frozen=True, kw_only=True)  # no slots: what is computed is kept in it
class _Tokens:
    """The tokens of each row, and what is made of them when it is asked for."""

    tokens: dict[int, list[str]]

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The rows with tokens: int64, shape (rows,), sorted."""
        return np.array(sorted(self.tokens), np.int64)

    @cached_property
    def bm25(self) -> LuceneBM25 | None:
        """None where no entry has a token, which the library cannot take."""
        if not any(self.tokens.values()):
            return None
        return LuceneBM25([self.tokens[int(row)] for row in self.rows], k1=1.2, b=0.75)


class RankBM25Index:
    """Keyword index in memory, with its tokens in a file of the folder.

    Raises:
        DamagedIndex: the folder holds what this version, or this analyser, cannot use.
    """

    wants_vectors = False

    def __init__(self, folder: Path, *, analyser: Analyser) -> None:
        self._folder = folder
        self._analyser = analyser
        self._manifest = ManifestFile(folder, kind="rank-bm25", version=FORMAT, built_for=analyser.fingerprint)
        self._snapshots = Snapshots(self._manifest, lambda manifest, _before: self._read(manifest), _Tokens(tokens={}))

    @property
    def revision(self) -> int:
        """The last revision that was applied and is safe on disk."""
        return self._snapshots.newest().revision

    def apply(self, change: Change) -> None:
        """Brings the index to the change's revision.

        Raises:
            IndexingError: the index cannot be written; what it held can still be searched.
        """
        snapshot = self._snapshots.newest()
        if not is_step(change, snapshot.revision):
            return
        gone = set(change.removed)
        tokens = {row: held for row, held in snapshot.data.tokens.items() if row not in gone}
        tokens.update((entry.row, self._analyser.tokens(entry.chunk.context)) for entry in change.added)
        data = zlib.compress("\n".join(json.dumps(item) for item in tokens.items()).encode(), 1)
        file = DataFile(name=f"{uuid.uuid4().hex}{SUFFIX}", crc32=zlib.crc32(data), entries=len(tokens))
        write_durably(self._folder / file.name, data)
        self._manifest.write(Manifest(revision=change.revision, entries=len(tokens), segments=(Segment(data=file),)))
        self._snapshots.put(change.revision, _Tokens(tokens=tokens))
        remove_others(self._folder, SUFFIX, {file.name})

    def search(self, query: Sequence[str], *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` rows that hold a token of the query; a token that it has twice counts twice."""
        held = self._snapshots.newest().data
        if not query or k < 1 or held.bm25 is None:
            return []
        allowed = scope.rows()
        scores = np.asarray(held.bm25.get_scores(query), np.float64)
        kept = scores > 0
        if allowed is not None:
            kept &= contained(held.rows, allowed)
        return best(held.rows[kept], scores[kept], k)

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted."""
        return self._snapshots.newest().data.rows

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """Reads the file once more, and compares the tokens of each entry with those that its text gives.

        Raises:
            DamagedIndex: the file is not what was written.
        """
        manifest = self._manifest.read()
        held = self._read(manifest).tokens if manifest else {}
        return compared(held, live, lambda entry: self._analyser.tokens(entry.chunk.context), "tokens")

    def close(self) -> None:
        """Frees the memory."""
        self._snapshots.forget()

    def _read(self, manifest: Manifest) -> _Tokens:
        tokens: dict[int, list[str]] = {}
        for segment in manifest.segments:
            data = zlib.decompress(read_checked(self._folder / segment.data.name, segment.data.crc32))
            tokens.update(json.loads(line) for line in data.decode().splitlines())
        return _Tokens(tokens=tokens)
