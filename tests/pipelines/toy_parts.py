"""Parts as somebody else writes them: nothing of ours but the ports; copied beside the metadata of a distribution."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from pydantic import BaseModel, Field, SecretStr

from penstock.chunkers.sentence import SentenceChunker
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.model import (
    Candidate,
    Chunk,
    Document,
    Extraction,
    ExtractionWriter,
    FileKind,
    Message,
    Scope,
    Source,
    Usage,
)
from penstock.ports import (
    LLM,
    Analyser,
    Chunker,
    Embedder,
    Float32Array,
    KeywordIndex,
    Loader,
    Role,
    ServerIndex,
    TokenCounter,
    VectorIndex,
)

PARTS = {
    ("embedders", "letters"): "toy_parts:Letters",
    ("chunkers", "parts-of"): "toy_parts:PartsOf",
    ("indexers", "noted-words"): "toy_parts:NotedWords",
    ("indexers", "shelf"): "toy_parts:Shelf",
    ("loaders", "pdf-toy"): "toy_parts:ToyPdf",
    ("llms", "echo"): "toy_parts:Echo",
}
TOKEN = 4
"""Characters of a token."""


class Called(BaseModel):
    """Options of what is called over a network."""

    url: str = Field(pattern="^(memory|file):")
    key: SecretStr = SecretStr("")


class LetterOptions(Called):
    dimension: int = Field(16, ge=2)


class Letters:
    """Counts letters; its tokens are words in pieces of four characters."""

    Options = LetterOptions
    max_tokens = 40

    def __init__(self, *, url: str, key: SecretStr = Called.model_fields["key"].default, dimension: int = 16) -> None:
        self.url, self.key, self.dimension = url, key.get_secret_value(), dimension

    @property
    def identity(self) -> str:
        return f"letters/{self.dimension}"

    def embed(self, texts: Sequence[str], *, role: Role) -> Float32Array:
        del role
        vectors: Float32Array = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for letter in text.casefold():
                vectors[row, ord(letter) % self.dimension] += 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def coverage(self, text: str) -> float:
        return 1.0 if text.strip() else 0.0

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self.offsets(text)) for text in texts]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for at, letter in enumerate(text):
            if letter.isspace():
                continue
            if found and found[-1][1] == at and at - found[-1][0] < TOKEN and letter.isascii():
                found[-1] = (found[-1][0], at + 1)
            else:
                found.append((at, at + 1))
        return found


class Share(BaseModel):
    share: float = Field(1.0, gt=0, le=1)


class PartsOf(SentenceChunker):
    """Chunks of a share of the size that they may have."""

    Options = Share
    version = "parts-of-1"

    def __init__(self, counter: TokenCounter, *, size: int, tokenizer: str, share: float = 1.0) -> None:
        super().__init__(counter, size=max(16, int(size * share)), tokenizer=tokenizer)


class Noting(Called):
    made: ClassVar[list[tuple[str, str]]] = []
    """What was given to each that was made."""


class NotedWords(RankBM25Index):
    """A keyword index at an address."""

    Options = Noting

    def __init__(self, folder: Path, *, analyser: Analyser, url: str, key: SecretStr) -> None:
        super().__init__(folder, analyser=analyser)
        Noting.made.append((url, key.get_secret_value()))


class Shelf:
    """Tokens and vectors on a server, which is a folder for the test."""

    on_servers: ClassVar[bool] = True
    Options = Called

    def __init__(
        self, name: str, *, analyser: Analyser | None, identity: str, dimension: int, url: str, key: SecretStr
    ) -> None:
        del key
        self._given: dict[str, Any] = {"analyser": analyser, "identity": identity, "dimension": dimension}
        place = Path(url.removeprefix("file:")) / name
        self._place, self._url = place, url
        self._keyword = RankBM25Index(place / "words", analyser=analyser) if analyser else None
        self._vector = FaissIndex(place / "vectors", identity=identity, dimension=dimension) if dimension else None

    @property
    def keyword(self) -> KeywordIndex:
        assert self._keyword is not None
        return self._keyword

    @property
    def vector(self) -> VectorIndex:
        assert self._vector is not None
        return self._vector

    @property
    def told(self) -> int:
        return min(one.revision for one in (self._keyword, self._vector) if one)

    @property
    def last_revision(self) -> int:
        return self.told

    def stands_at(self, revision: int) -> bool:
        return self.told == revision

    def search(
        self, tokens: Sequence[str] | None, vector: Float32Array | None, *, k: int, scope: Scope
    ) -> tuple[list[Candidate], list[Candidate], int]:
        words = self.keyword.search(tokens, k=k, scope=scope) if tokens else []
        near = self.vector.search(vector, k=k, scope=scope) if vector is not None else []
        return words, near, self.told

    def count(self) -> int:
        return max(len(one.rows()) for one in (self._keyword, self._vector) if one)

    def rejected(self) -> Mapping[int, str]:
        return {}

    def delete(self) -> None:
        for folder in (self._place, *self._place.parent.glob(f"{self._place.name}-*")):
            shutil.rmtree(folder, ignore_errors=True)

    def anew(self) -> "Shelf":
        return Shelf(f"{self._place.name}-anew", **self._given, url=self._url, key=SecretStr(""))


class Prefix(BaseModel):
    prefix: str = "read: "


class ToyPdf:
    """Reads every file as a text, behind a prefix."""

    takes = (FileKind(media_type="application/pdf", suffixes=(".pdf",)),)
    Options = Prefix

    def __init__(self, *, prefix: str = "read: ", ocr_dpi: int = 1) -> None:
        self._prefix, self._dpi = prefix, ocr_dpi

    @property
    def fingerprint(self) -> str:
        return f"toy-1({self._prefix},{self._dpi})"

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        del source
        writer = ExtractionWriter()
        writer.add("paragraph", self._prefix + data.read().decode("utf-8", "replace"))
        return writer.finish()


class Voice(BaseModel):
    voice: str = "quiet"


class Echo:
    """Answers with what it was asked."""

    Options = Voice

    def __init__(self, *, voice: str = "quiet", temperature: float = 1.0) -> None:
        self._voice, self._temperature = voice, temperature

    @property
    def name(self) -> str:
        return f"echo-{self._voice}-{self._temperature:g}"

    @property
    def context_tokens(self) -> int:
        return 8192

    def count_tokens(self, text: str) -> int:
        return len(text)

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        del max_tokens
        yield messages[-1].content


class OneChunk:
    """A whole document in one piece, whatever its size."""

    fingerprint = "one-chunk-1"

    def __init__(self, *, size: int = 32) -> None:
        self.size = size

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        from penstock.chunkers import chunks_of
        from penstock.model import Draft, Span

        drafts = [Draft(span=Span(0, len(document.text)), headings=())] if document.text else []
        return chunks_of(drafts, document, content, fingerprint=self.fingerprint)


_: tuple[type[Embedder], type[Chunker], type[Chunker]] = (Letters, PartsOf, OneChunk)
__: tuple[type[Loader], type[LLM], type[ServerIndex]] = (ToyPdf, Echo, Shelf)
