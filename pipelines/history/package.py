"""The file in which a collection travels: a zip of lines of JSON and raw vectors, and a manifest with their checksums.

    documents.jsonl    text, blocks, and where the chunks are cut
    sources.jsonl      the sources, with their labels and who may see them
    gone.jsonl         removed sources, with who could see them
    quarantine.jsonl   sources that could not be read
    addresses.jsonl    the access that was given to addresses
    hashes.txt         the keys of the vectors, in order
    vectors.f32        one after the other, as little-endian 32-bit floats
    manifest.json      the version of this form, the collection, size and SHA-256 of each of the others

Nothing in it is code. The file may come from a stranger: everything read from it is bounded and checked.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from penstock.errors import BrokenSource, NewerCatalog
from penstock.model import Block, Failure, Outcome, Place, Source, Span

FORMAT = 1
MANIFEST = "manifest.json"
MEMBERS = (
    "documents.jsonl",
    "sources.jsonl",
    "gone.jsonl",
    "quarantine.jsonl",
    "addresses.jsonl",
    "hashes.txt",
    "vectors.f32",
)
LONGEST_LINE = 256 * 2**20
"""Bytes of one document with its blocks and chunks."""
LONGEST_MANIFEST = 64 * 2**10
MOST_AT_OPENING = 128 * 2**10
"""Bytes that the zip's directory may take: in our own exports it is under one thousand."""
MOST_TIMES = 100
"""How many times the size of the file it may unpack to; text gives ten, at most."""
ALWAYS_ALLOWED = 64 * 2**20
"""Bytes that any file may unpack to."""
READ_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedChunk:
    """A chunk without its text, which is its span of the document's."""

    id: str
    span: Span
    headings: tuple[str, ...]
    places: tuple[Place, ...]
    language: str
    table_header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedDocument:
    """A line of `documents.jsonl`."""

    id: str
    uri: str
    content: str
    title: str
    language: str
    loader: str
    chunker: str
    text: str
    blocks: tuple[Block, ...]
    chunks: tuple[CarriedChunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedSource:
    """A line of `sources.jsonl`."""

    source: Source
    outcome: Outcome
    reason: str
    content: str
    loader: str
    chunker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFailure:
    """A line of `quarantine.jsonl`."""

    source: Source
    loader: str
    failure: Failure
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedAddress:
    """A line of `addresses.jsonl`."""

    uri: str
    access: tuple[str, ...] | None
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Checksum and size of a part in the manifest."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a file holds."""

    format: int
    penstock: str
    name: str
    origin: str
    revision: int
    embedder: str
    dimension: int
    members: dict[str, Member]


@cache
def adapter(kind: Any) -> Any:
    """What reads and writes values of a kind as JSON, strictly by their types."""
    return import_module("pydantic").TypeAdapter(kind)


def parsed(kind: Any, line: bytes, where: str) -> Any:
    """The value of a line of JSON.

    Raises:
        BrokenSource: it is not of that kind.
    """
    try:
        return adapter(kind).validate_json(line, strict=True)
    except (ValueError, RecursionError) as error:
        errors = getattr(error, "errors", None)
        why = (
            "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in errors()[:3])
            if errors
            else str(error)
        )
        raise BrokenSource(f"{where}: {why}") from None


class _Guarded(io.RawIOBase):
    """A file of which at most `most` bytes are read at a time, whatever sizes it claims."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self.most = most

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            here = self._file.tell()
            size = self._file.seek(0, io.SEEK_END) - here
            self._file.seek(here)
        if size > self.most:
            raise BrokenSource("its list of parts is longer than that of any export")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


class _Counted(io.RawIOBase):
    """A part while it is read, with its checksum and its size."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.sha = hashlib.sha256()
        self.bytes = 0

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self.sha.update(data)
        self.bytes += len(data)
        return len(data)

    def readable(self) -> bool:
        return True


class Package:
    """An export that is read; raises as soon as it finds an error in the file."""

    def __init__(self, zipped: zipfile.ZipFile, size: int, where: str) -> None:
        """Raises `BrokenSource` where it is none of ours, `NewerCatalog` where a newer Penstock wrote it."""
        self._zip = zipped
        self.where = where
        listed = zipped.infolist()
        if sorted(info.filename for info in listed) != sorted((*MEMBERS, MANIFEST)):
            raise BrokenSource(f"{where} is no export of a collection: it does not have the parts of one, each once")
        allowed = max(ALWAYS_ALLOWED, MOST_TIMES * size)
        if sum(info.file_size for info in listed) > allowed:
            raise BrokenSource(f"{where} unpacks to more than {MOST_TIMES} times its size: no export does")
        if any(info.flag_bits & 1 for info in listed):
            raise BrokenSource(f"{where} is encrypted: no export is")
        with self._translated(), zipped.open(MANIFEST) as file:
            data = file.read(LONGEST_MANIFEST)
        form = parsed(dict[str, Any], data, f"{where}, {MANIFEST}").get("format")
        if isinstance(form, int) and form > FORMAT:
            raise NewerCatalog(
                f"{where} is of format {form}, and this version of Penstock knows up to {FORMAT}: a newer one wrote "
                "it. Upgrade Penstock"
            )
        self.manifest: Manifest = parsed(Manifest, data, f"{where}, {MANIFEST}")
        for info in listed:
            member = self.manifest.members.get(info.filename)
            if info.filename != MANIFEST and (member is None or member.bytes != info.file_size):
                raise BrokenSource(f"{where}: {info.filename} is not as long as its manifest says")

    @contextmanager
    def part(self, name: str) -> Iterator[io.BufferedReader]:
        """A part to read; when it was read to its end, its checksum is compared.

        Raises:
            BrokenSource: it is not what was written.
        """
        with self._translated(), self._zip.open(name) as inner:
            counted = _Counted(inner)
            yield io.BufferedReader(counted, READ_AT_ONCE)
            if (counted.sha.hexdigest(), counted.bytes) != _expected(self.manifest.members[name]):
                raise BrokenSource(f"{self.where}: {name} is not what was exported: its checksum differs")

    def lines(self, name: str) -> Iterator[tuple[bytes, str]]:
        """The lines of a part, each with its name for messages."""
        with self.part(name) as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise BrokenSource(f"{self.where}: line {number} of {name} is longer than {LONGEST_LINE} bytes")
                yield line, f"{self.where}, line {number} of {name}"

    def check(self) -> None:
        """Reads everything once, against the checksums.

        Raises:
            BrokenSource: something is not what was written.
        """
        for name in MEMBERS:
            with self.part(name) as file:
                while file.read(READ_AT_ONCE):
                    pass

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
            raise BrokenSource(f"{self.where} cannot be read: {error}") from error


def _expected(member: Member) -> tuple[str, int]:
    return member.sha256, member.bytes


@contextmanager
def reading(path: Path) -> Iterator[Package]:
    """The export in a file.

    Raises:
        BrokenSource: it is none, or damaged.
        NewerCatalog: a newer version of Penstock wrote it.
    """
    where = f"export {str(path)!r}"
    try:
        with path.open("rb") as file:
            guarded = _Guarded(file, MOST_AT_OPENING)
            try:
                zipped = zipfile.ZipFile(guarded)
            except BrokenSource as error:
                raise BrokenSource(f"{where}: {error}") from None
            guarded.most = 4 * READ_AT_ONCE
            with zipped:
                yield Package(zipped, path.stat().st_size, where)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BrokenSource(f"{where} is no export of a collection: {error}") from error
    except OSError as error:
        raise BrokenSource(f"{where} cannot be read: {error.strerror or error}") from error
