"""Parts as another developer writes them: they use only the ports; copied beside the metadata of a distribution."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, SecretStr

from penstock.chunkers.sentence import SentenceChunker
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.model import (
    Candidate,
    Change,
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
    Index,
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
QueryT = TypeVar("QueryT")

TOKEN = 4
"""Characters of a token."""


class Called(BaseModel):
    """Options of a part that is called over a network."""

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
    """The arguments of each instance."""


class NotedWords(RankBM25Index):
    """A keyword index at an address."""

    Options = Noting

    def __init__(self, folder: Path, *, analyser: Analyser, url: str, key: SecretStr) -> None:
        super().__init__(folder, analyser=analyser)
        Noting.made.append((url, key.get_secret_value()))


class View(Generic[QueryT]):
    """The tokens or the vectors of a shelf, as a separate index."""

    def __init__(self, shelf: "Shelf", leg: Callable[[], Index[QueryT]], *, wants_vectors: bool) -> None:
        self._shelf, self._leg = shelf, leg
        self.wants_vectors = wants_vectors

    @property
    def revision(self) -> int:
        return self._leg().revision

    def apply(self, change: Change) -> None:
        self._shelf.apply(change)

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        return self._leg().search(query, k=k, scope=scope)

    def rows(self) -> NDArray[np.int64]:
        return self._leg().rows()

    def close(self) -> None:
        self._leg().close()


class Shelf:
    """Tokens and vectors on a server, which is a folder for the test: a file names the version in it that is live."""

    on_servers: ClassVar[bool] = True
    Options = Called

    def __init__(
        self, name: str, *, analyser: Analyser | None, identity: str, dimension: int, url: str, key: SecretStr
    ) -> None:
        self._made_again = partial(
            Shelf, name, analyser=analyser, identity=identity, dimension=dimension, url=url, key=key
        )
        self._analyser, self._identity, self._dimension = analyser, identity, dimension
        self._place = Path(url.removeprefix("file:")) / name
        self._building = ""
        self._words: dict[str, RankBM25Index] = {}
        self._vectors: dict[str, FaissIndex] = {}
        self.keyword: KeywordIndex = View(self, self._own_words, wants_vectors=dimension > 0)
        self.vector: VectorIndex = View(self, self._own_vectors, wants_vectors=dimension > 0)

    @property
    def _version(self) -> str:
        live = self._place / "live"
        return self._building or (live.read_text("utf-8") if live.exists() else "first")

    def _own_words(self) -> RankBM25Index:
        assert self._analyser is not None
        if self._version not in self._words:
            folder = self._place / self._version / "words"
            self._words[self._version] = RankBM25Index(folder, analyser=self._analyser)
        return self._words[self._version]

    def _own_vectors(self) -> FaissIndex:
        if self._version not in self._vectors:
            folder = self._place / self._version / "vectors"
            self._vectors[self._version] = FaissIndex(folder, identity=self._identity, dimension=self._dimension)
        return self._vectors[self._version]

    def _held(self) -> list[RankBM25Index | FaissIndex]:
        words = [self._own_words()] if self._analyser else []
        return [*words, self._own_vectors()] if self._dimension else [*words]

    def apply(self, change: Change) -> None:
        entries = list(change.added)
        for index in self._held():
            index.apply(replace(change, added=iter(entries)))
        if self._building:
            (self._place / "live").write_text(self._building, "utf-8")
            self._building = ""

    @property
    def visible_revision(self) -> int:
        return min(index.revision for index in self._held())

    @property
    def last_seen_revision(self) -> int:
        return self.visible_revision

    def is_at(self, revision: int) -> bool:
        return self.visible_revision == revision

    def search(
        self, tokens: Sequence[str] | None, vector: Float32Array | None, *, k: int, scope: Scope
    ) -> tuple[list[Candidate], list[Candidate], int]:
        words = self.keyword.search(tokens, k=k, scope=scope) if tokens else []
        near = self.vector.search(vector, k=k, scope=scope) if vector is not None else []
        return words, near, self.visible_revision

    def count(self) -> int:
        return max(len(index.rows()) for index in self._held())

    def rejected(self) -> Mapping[int, str]:
        return {}

    def delete(self) -> None:
        for folder in (self._place, *self._place.parent.glob(f"{self._place.name}-*")):
            shutil.rmtree(folder, ignore_errors=True)

    def replacement(self) -> "Shelf":
        shelf = self._made_again()
        shelf._building = token_hex(4)
        return shelf


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
    """Answers with the messages that it gets."""

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
