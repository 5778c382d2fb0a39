"""The built-in indexes keep the contract of the port."""

from collections.abc import Sequence
from pathlib import Path

from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.ports import Float32Array, KeywordIndex, VectorIndex
from penstock.testing.contracts.indexes import WORDS, FolderIndexContract, vector_of


class Words:
    """An analyser that cuts at white space."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


class TestTantivy(FolderIndexContract[Sequence[str]]):
    def open(self, folder: Path, *, content: str = "a") -> KeywordIndex:
        return TantivyIndex(folder, analyser=Words(content))

    def ask(self, text: str) -> Sequence[str]:
        return text.split()


class TestRankBM25(FolderIndexContract[Sequence[str]]):
    def open(self, folder: Path, *, content: str = "a") -> KeywordIndex:
        return RankBM25Index(folder, analyser=Words(content))

    def ask(self, text: str) -> Sequence[str]:
        return text.split()


class TestFaiss(FolderIndexContract[Float32Array]):
    def open(self, folder: Path, *, content: str = "a") -> VectorIndex:
        return FaissIndex(folder, identity=content, dimension=len(WORDS))

    def ask(self, text: str) -> Float32Array:
        return vector_of(text)
