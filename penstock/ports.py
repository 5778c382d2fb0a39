"""The seams of Penstock: what each replaceable part promises, as protocols of one or two verbs.

Implementations are found by entry points (see `penstock.registry`) and proved by the contract suites in
`penstock.testing`. All ports are synchronous; behaviour is added by wrapping one implementation in another.

A part that a setting names is made by calling its class or factory with keyword arguments: those of the pipeline that
its signature names (each port lists them), and its own options (`Configurable`). From Python a part is given as an
instance. Either way its fingerprint or identity has to name every option that changes what it gives.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.model import (
    Blueprint,
    Candidate,
    Change,
    Chunk,
    Document,
    Entry,
    Extraction,
    FileKind,
    Filter,
    Flaw,
    Hit,
    Message,
    Retrieved,
    Scope,
    Source,
    Usage,
)
from penstock.source_ports import Connector as Connector
from penstock.source_ports import Fetcher as Fetcher
from penstock.source_ports import Lister as Lister

if TYPE_CHECKING:  # a process that parses has no use for it
    from pydantic import BaseModel

Float32Array = NDArray[np.float32]
Role = Literal["query", "passage"]

SPECIAL_TOKENS = 2
"""Tokens that a model puts around a text: its window less these is the largest size of a chunk."""
FEWEST_TOKENS = SPECIAL_TOKENS + 16
"""What a model has to see at least, so that a chunk holds a sentence."""

QueryT = TypeVar("QueryT", contravariant=True)


@runtime_checkable
class Configurable(Protocol):
    """A class or factory of a part that takes options: `[chunker.options]`, `[indexes.options.NAME]` and so on.

    The table of the settings is validated by the model; each of its fields becomes a keyword argument of that name,
    with its default where nothing is set. A field of type `SecretStr` is shown nowhere. What the pipeline gives and a
    field is named after is validated with the rest, unless the table sets it. A part without `Options` takes none.
    """

    Options: ClassVar[type["BaseModel"]]


class Loader(Protocol):
    """Reads one kind of file, or several that are alike, in a process of its own.

    Made with `ocr`, `ocr_dpi`, `encoding` (the setting, or what the origin declared), `charset` (only the latter).
    """

    @property
    def takes(self) -> tuple[FileKind, ...]:
        """The kinds of files that it reads: an attribute of its class, known without making a loader."""
        ...

    @property
    def fingerprint(self) -> str:
        """Name, version and options, of the loader and of the library behind it: a change means reading again."""
        ...

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """Everything that the source says, in reading order.

        `data` is seekable and starts at its first byte. An extraction without text is an empty source, not an error.

        Raises:
            SourceError: the source cannot be read; the subclass says why.
        """
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """Counts text in the tokens of one model."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The position of each token in the text, as half-open ranges of code points, in order."""
        ...


@runtime_checkable
class PortableCounter(Protocol):
    """A token counter, or a model with one, that another process can make for itself.

    With it, documents are cut in the process that parsed them, under its limits; without it, in the calling process.
    """

    @property
    def counter(self) -> Blueprint:
        """Makes a `TokenCounter` that counts the same; no network and no model's weights are needed for it."""
        ...


class Chunker(Protocol):
    """Cuts a document into answerable pieces.

    Made with a `TokenCounter` first, then `size` (at most what the embedding model sees), `tokenizer` (which names the
    counter, as counters have no identity) and `overlap`. A part that is named in the settings is made in the process
    that parses where the counter can be made there too (`PortableCounter`); an instance cuts in the calling process.
    """

    @property
    def fingerprint(self) -> str:
        """Name, version and options, the size and the tokenizer among them: part of every chunk id."""
        ...

    @property
    def size(self) -> int:
        """Tokens of a chunk as it is embedded (`Chunk.context`), at most; only one single token may be more with its
        headings. The model would not see what a chunk has beyond that."""
        ...

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        """The document's chunks in reading order; `content` is its content hash, from which chunk ids are made.

        Each chunk's text is exactly its span of the document's text, no chunk is blank, furniture is in none, and
        every other character that is not white space is in at least one. A chunk is limited in characters too, whatever
        the model takes for a token: those of the built-in chunkers to 96 for each token of their size.
        """
        ...


class Embedder(TokenCounter, Protocol):
    """Turns texts into vectors, and counts them in the tokens of its model: by these, documents are cut.

    Made with `model`, `home`, `precision`, `batch`, `threads`. Threads share one, and so do collections of a library.
    """

    @property
    def identity(self) -> str:
        """Model, weights and precision: vectors of equal identity may be compared, others not."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """How much of a text the model sees, in its own tokens, special tokens included; `FEWEST_TOKENS` or more."""
        ...

    def embed(self, texts: Sequence[str], *, role: Role) -> Float32Array:
        """Unit vectors, float32, shape (len(texts), dimension); the inner product of two is their cosine.

        Raises:
            EngineError: the model cannot be loaded or called.
        """
        ...

    def coverage(self, text: str) -> float:
        """Share of the text that the model's vocabulary can distinguish, 0 to 1.

        Measured from the tokenizer: characters that become unknown or single-character pieces of a script that is
        written without spaces count as not covered. 0 means that a vector of this text says next to nothing.
        """
        ...


class Index(Protocol[QueryT]):
    """A follower of the catalog: holds chunks of one collection up to a revision, and finds them.

    Made with a folder of its own first, then `analyser` for a keyword index, `identity` and `dimension` for a vector
    index. In an empty folder the index is new; an index is discarded by renaming its folder. On servers: `ServerIndex`.
    """

    @property
    def revision(self) -> int:
        """The last revision that was applied and is safe on disk; 0 for a new index."""
        ...

    @property
    def wants_vectors(self) -> bool:
        """Whether entries of a change must carry vectors."""
        ...

    def apply(self, change: Change) -> None:
        """Brings the index to `change.revision`; when it returns, that is safe on disk.

        Raises:
            IndexingError: the index cannot be written.
        """
        ...

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` candidates in the scope by (-score, row); none that the query does not match.

        Raises:
            IndexingError: the index cannot be read.
        """
        ...

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted; `doctor` compares them with the catalog."""
        ...

    def close(self) -> None:
        """Closes files and frees memory; the index is not used afterwards."""
        ...


@runtime_checkable
class Verifiable(Protocol):
    """An index that can also prove that it still holds what it was given: every index that ships with Penstock."""

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """What differs from the entries, all that is live at the index's revision, and which of its files changed.

        Raises:
            IndexingError: the index cannot be read.
        """
        ...


KeywordIndex = Index[Sequence[str]]
"""Searched with the analysed tokens of a question."""
VectorIndex = Index[Float32Array]
"""Searched with one vector, float32 of shape (d,)."""


class ServerIndex(Protocol):
    """Tokens, vectors, or both of one collection on servers, where other homes find them too.

    Its class says so by `on_servers = True`. Made with a name first, which no other content has (a to z, digits, `_`,
    `-`), then `analyser` (None: it holds no tokens), `identity` and `dimension` (0: no vectors). Nothing is asked of
    the servers before it is needed.
    """

    on_servers: ClassVar[bool]

    @property
    def keyword(self) -> KeywordIndex:
        """The tokens; the first of the two views that gets a change applies it for both."""
        ...

    @property
    def vector(self) -> VectorIndex:
        """The vectors."""
        ...

    @property
    def visible_revision(self) -> int:
        """The revision that searches see: later than that of the indexes while removed rows are deleted."""
        ...

    @property
    def last_seen_revision(self) -> int:
        """The revision at which the last search saw the index."""
        ...

    def is_at(self, revision: int) -> bool:
        """Whether the index has that revision, as the last search saw it or the servers say now."""
        ...

    def search(
        self, tokens: Sequence[str] | None, vector: Float32Array | None, *, k: int, scope: Scope
    ) -> tuple[list[Candidate], list[Candidate], int]:
        """The hits by the tokens and by the vector, shape (d,), and the index's revision after that, in one request.

        Raises:
            IndexingError: the index cannot be searched.
        """
        ...

    def count(self) -> int:
        """How many rows the index holds."""
        ...

    def rejected(self) -> Mapping[int, str]:
        """Rows that are held and cannot be found, because the servers refused what they say, with the reasons."""
        ...

    def delete(self) -> None:
        """Deletes the index, and all indexes whose names begin with its own and `-`: so a collection is dropped.

        Raises:
            IndexingError: the servers do not answer, or do not allow it.
        """
        ...

    def replacement(self) -> "ServerIndex":
        """An empty index that takes the place of this one when it has been given a change from revision 0."""
        ...


class Retriever(Protocol):
    """Finds chunks for a question. Threads share one."""

    def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
        """At most `k` hits by (-score, chunk id), of one revision; what is added follows its hit and is noted on it."""
        ...


class Reranker(Protocol):
    """Orders hits by a closer look at each, whatever order they had. Threads share one."""

    def rerank(self, question: str, hits: Sequence[Hit], *, k: int) -> list[Hit]:
        """The best `k` of the hits by (-score, chunk id), with the new scores in `Hit.score`."""
        ...


class LLM(Protocol):
    """A language model, local or remote.

    Made with `model`, `base_url`, `api_key`, `context_tokens`, `timeout_seconds`, `attempts`, `temperature`, `preset`,
    `tokenizer`, `analyser`. Threads share one.
    """

    @property
    def name(self) -> str:
        """The name that answers give for the model."""
        ...

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text for this model: exact where its tokenizer is at hand, else a stated upper estimate."""
        ...

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The answer piece by piece; last of all the usage, where the server reports it.

        Raises:
            EngineError: the model cannot be called; the subclass says why.
        """
        ...


class Analyser(Protocol):
    """The tokens that every keyword index stores and every question is asked with. Threads share one."""

    @property
    def fingerprint(self) -> str:
        """Version and options: an index that was built with another one is rebuilt."""
        ...

    def tokens(self, text: str) -> list[str]:
        """Tokens in order, repeats included; none is empty, holds white space or is longer than 200 bytes."""
        ...

    def query_tokens(self, text: str) -> list[str]:
        """The tokens to search a question with: its tokens without those that only phrase it, and synonyms."""
        ...
