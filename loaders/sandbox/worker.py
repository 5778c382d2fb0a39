"""The process that parses: reads requests, answers each with an extraction or a failure, until its input ends."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from penstock.errors import BrokenSource, LimitExceeded, PenstockError, SettingsError
from penstock.loaders.confinement.confinement import MIB, confine
from penstock.loaders.confinement.readable import WRITABLE_DEVICES, reach
from penstock.loaders.detection.container_types import expanded_bytes
from penstock.loaders.detection.sniffing import declared_charset
from penstock.loaders.formats import LoaderOptions, loader_for
from penstock.loaders.sandbox.answers import MOST_ITEMS, OVERLAP, Parsed, encode_answer, extraction_of
from penstock.loaders.sandbox.given import received as received_loaders
from penstock.loaders.sandbox.protocol import read_frame, source_of
from penstock.loaders.sources.addresses import shown
from penstock.model import Blueprint, Draft, Extraction, Failure, Source
from penstock.registry import build

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Loader

GRACE_SECONDS = 15.0
"""How much longer than its limit a file is parsed when the parent process, which counts the time, cannot stop it."""
NOTHING = Extraction(title="", text="", blocks=())
"""In place of a text that the other side has already."""
_CONFINED = (
    "; a loader starts no programs, and reads code, libraries, the document, and what loaders.readable "
    "(PENSTOCK_LOADERS__READABLE) names"
)
_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate", "Cannot allocate memory", "out of memory")


class Preparation(Protocol):
    """What is done in the worker with the text of a file, before it is handed out."""

    def prepare(self, source: Source, extraction: Extraction) -> Parsed | Failure:
        """The extraction as it shall be kept, and where it is cut; or what went wrong with that."""
        ...

    def cut(self, source: Source, extraction: Extraction) -> tuple[Draft, ...] | Failure | None:
        """Where a text that was prepared before is cut now; None where that is left to the caller."""
        ...


class Worker:
    """Answers requests; loaders stay loaded from one file to the next."""

    def __init__(
        self,
        hello: dict[str, Any],
        preparation: Preparation | None = None,
        loaders: "Mapping[str, Loader | SettingsError] | None" = None,
    ) -> None:
        self._options = LoaderOptions(**hello["options"])
        self._text_mib = int(hello["text_mib"])
        self._memory_mib = int(hello["memory_mib"])
        self._preparation = preparation
        self._loaders: dict[tuple[str, str], Loader] = {}
        self._given = loaders or {}

    def answer(self, request: dict[str, Any], data: BinaryIO | None) -> Parsed | Failure:
        """The reply to one request, about an open file if there is one; never raises."""
        source = source_of(request["source"])
        try:
            return self._answer(source, request, data)
        except PenstockError as error:
            return _failure(source, memory_exceeded(source.uri, self._memory_mib) if is_out_of_memory(error) else error)
        except Exception as error:  # noqa: BLE001 - parsers raise anything; it goes into the failure
            if is_out_of_memory(error):
                return _failure(source, memory_exceeded(source.uri, self._memory_mib))
            return _failure(source, BrokenSource(f"{shown(source.uri)!r} cannot be parsed: {_error_text(error)}"))

    def _answer(self, source: Source, request: dict[str, Any], data: BinaryIO | None) -> Parsed | Failure:
        if data is None:
            return self._cut(source, extraction_of(request["extraction"]))
        if isinstance(unmade := self._given.get(source.media_type), SettingsError):
            return replace(_failure(source, unmade), retryable=True)
        extraction = self._extraction(source, data, declared_charset(request["declared"]))
        if not self._preparation:
            return Parsed(extraction=extraction)
        prepared = self._preparation.prepare(source, extraction)
        if isinstance(prepared, Parsed):
            _check_count(source, "blocks", len(prepared.extraction.blocks))
            _check_pieces(source, prepared.drafts or (), prepared.extraction.text)
        return prepared

    def _cut(self, source: Source, extraction: Extraction) -> Parsed | Failure:
        drafts = self._preparation.cut(source, extraction) if self._preparation else None
        if isinstance(drafts, Failure):
            return drafts
        _check_pieces(source, drafts or (), extraction.text)
        return Parsed(extraction=NOTHING, drafts=drafts)

    def _extraction(self, source: Source, data: BinaryIO, charset: str) -> Extraction:
        if expanded_bytes(data) > self._memory_mib * MIB:
            raise memory_exceeded(source.uri, self._memory_mib)
        data.seek(0)
        extraction = self._loader(source.media_type, charset).load(source, data)
        if len(extraction.text.encode("utf-8", "surrogatepass")) > self._text_mib * MIB:
            raise text_exceeded(source.uri, self._text_mib)
        return extraction

    def _loader(self, media_type: str, charset: str) -> "Loader":
        loader = self._given.get(media_type)
        if loader is not None and not isinstance(loader, SettingsError):
            return loader
        kind = (media_type, charset)
        if kind not in self._loaders:
            self._loaders[kind] = loader_for(media_type, self._options, charset=charset)
        return self._loaders[kind]


def _check_count(source: Source, unit: str, count: int) -> None:
    if count > MOST_ITEMS:
        raise LimitExceeded(
            f"{shown(source.uri)!r} has {count:,} {unit}, more than the {MOST_ITEMS:,} that a document may have; "
            "divide it into several files"
        )


def _check_pieces(source: Source, pieces: tuple[Draft, ...], text: str) -> None:
    _check_count(source, "pieces", len(pieces))
    length = sum(piece.span.end - piece.span.start for piece in pieces)
    if length > OVERLAP * len(text):
        raise LimitExceeded(
            f"{shown(source.uri)!r} is cut into pieces that say its text {length / max(len(text), 1):.1f} times, more "
            f"than the {OVERLAP} times that they may, all taken together; choose a chunker, or options of it, whose "
            "pieces overlap less"
        )


def memory_exceeded(uri: str, mib: int) -> LimitExceeded:
    """The refusal of a source that needs more memory than a worker may have."""
    return LimitExceeded(
        f"{shown(uri)!r} needs more than {mib} MiB of memory to be parsed; "
        "raise limits.parse_mib (PENSTOCK_LIMITS__PARSE_MIB) to read it"
    )


def text_exceeded(uri: str, mib: int) -> LimitExceeded:
    """The refusal of a source that gives more text than one may."""
    return LimitExceeded(
        f"{shown(uri)!r} gives more than {mib} MiB of text; "
        "raise limits.text_mib (PENSTOCK_LIMITS__TEXT_MIB) to read it"
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a failed allocation is behind an error, however many libraries wrapped it."""
    seen: BaseException | None = error
    while seen:
        if isinstance(seen, MemoryError) or says_out_of_memory(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def says_out_of_memory(text: str) -> bool:
    """Whether a library's message reports a failed allocation."""
    return any(sign in text for sign in _OUT_OF_MEMORY)


def serve(
    requests: BinaryIO, documents: Callable[[], BinaryIO], replies: BinaryIO, *, seconds: float, worker: Worker
) -> None:
    """Answers requests until they end. `documents` gives the open file that the next request is about."""
    while (request := read_frame(requests)) is not None:
        # Ends the process even where native code never returns to Python, should the parent not do it.
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
        with documents() if "extraction" not in request else nullcontext() as data:
            reply = encode_answer(request["number"], worker.answer(request, data))
        signal.setitimer(signal.ITIMER_REAL, 0)
        replies.write(reply)
        replies.flush()


def received(documents: socket.socket) -> BinaryIO:
    """The next file that the parent process opened and handed over.

    Raises:
        OSError: there will be none.
    """
    _, descriptors, _, _ = socket.recv_fds(documents, 1, 1, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    if not descriptors:
        raise ConnectionAbortedError("the parent process hands over no more files")
    return os.fdopen(descriptors[0], "rb")


def main() -> None:
    """Entry of the process: requests on standard input, replies on what was standard output.

    The number of the socket on which open files come is the last argument.
    """
    # What libraries print goes where the parent keeps error output; the replies' pipe is ours alone.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests, documents = sys.stdin.buffer, socket.socket(fileno=int(sys.argv[-1]))
    hello = read_frame(requests)
    if hello is None:
        return
    # What the preparation reads of this machine (a tokenizer, say) is read before the process gives up to read it.
    preparation, loaders = _preparation(hello["preparation"]), received_loaders(hello["given"])
    libraries = (*os.environ.get("LD_LIBRARY_PATH", "").split(":"), sys.pycache_prefix)
    confine(
        memory_mib=int(hello["memory_mib"]),
        reach=reach(sys.path, libraries=filter(None, (*libraries, *hello["readable"])), home=_home()),
        writable=(tempfile.gettempdir(), *WRITABLE_DEVICES),
    )
    worker = Worker(hello, preparation, loaders)
    serve(requests, lambda: received(documents), replies, seconds=float(hello["seconds"]), worker=worker)


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # a user without one
        return Path("/")


class _Unmade:
    """In place of a preparation that cannot be made, which is the fault of no file: each is tried again."""

    def __init__(self, error: PenstockError) -> None:
        self._error = error

    def prepare(self, source: Source, extraction: Extraction) -> Failure:
        """The error, as that of the file."""
        del extraction
        return replace(_failure(source, self._error), stage="chunk", retryable=True)

    cut = prepare


def _preparation(plain: dict[str, Any] | None) -> Preparation | None:
    if plain is None:
        return None
    try:
        made: Preparation = build(Blueprint(**plain))
    except PenstockError as error:
        return _Unmade(error)
    return made


def _failure(source: Source, error: PenstockError) -> Failure:
    return Failure(
        uri=source.uri, stage="parse", kind=type(error).__name__, message=str(error), retryable=error.retryable
    )


def _error_text(error: Exception) -> str:
    hint = _CONFINED if isinstance(error, PermissionError) and error.filename else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}{hint}".rstrip(": ")
