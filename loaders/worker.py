"""The process that parses: reads requests, answers each with an extraction or a failure, until its input ends."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import BrokenSource, LimitExceeded, PenstockError
from penstock.loaders.addresses import shown
from penstock.loaders.confinement import MIB, confine
from penstock.loaders.containers import expanded_bytes
from penstock.loaders.formats import LoaderOptions, loader_for
from penstock.loaders.readable import WRITABLE_DEVICES, reach
from penstock.loaders.sniffing import told_charset
from penstock.loaders.wire import encode, plain_extraction, read_frame, source_of
from penstock.model import Extraction, Source

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Loader

GRACE_SECONDS = 15.0
"""How much longer than its limit a file is parsed when the parent process, which counts the time, cannot stop it."""
_CONFINED = (
    "; a loader starts no programs, and reads code, libraries, the document, and what loaders.readable "
    "(PENSTOCK_LOADERS__READABLE) names"
)
_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate", "Cannot allocate memory", "out of memory")


class Worker:
    """Answers requests; loaders stay loaded from one file to the next."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._options = LoaderOptions(**hello["options"])
        self._text_mib = int(hello["text_mib"])
        self._memory_mib = int(hello["memory_mib"])
        self._loaders: dict[tuple[str, str], Loader] = {}

    def answer(self, request: dict[str, Any], data: BinaryIO) -> dict[str, Any]:
        """The reply to one request about an open file; never raises."""
        source = source_of(request["source"])
        try:
            charset = told_charset(request["declared"])
            return {"extraction": plain_extraction(self._extraction(source, data, charset))}
        except PenstockError as error:
            return _failure(memory_exceeded(source.uri, self._memory_mib) if is_out_of_memory(error) else error)
        except Exception as error:  # noqa: BLE001 - parsers raise anything; it goes into the failure
            if is_out_of_memory(error):
                return _failure(memory_exceeded(source.uri, self._memory_mib))
            return _failure(BrokenSource(f"{shown(source.uri)!r} cannot be parsed: {_told(error)}"))

    def _extraction(self, source: Source, data: BinaryIO, charset: str) -> Extraction:
        if expanded_bytes(data) > self._memory_mib * MIB:
            raise memory_exceeded(source.uri, self._memory_mib)
        kind = (source.media_type, charset)
        if kind not in self._loaders:
            self._loaders[kind] = loader_for(source.media_type, self._options, charset=charset)
        data.seek(0)
        extraction = self._loaders[kind].load(source, data)
        if len(extraction.text.encode("utf-8", "surrogatepass")) > self._text_mib * MIB:
            raise text_exceeded(source.uri, self._text_mib)
        return extraction


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
    """Whether a library's message tells of a failed allocation."""
    return any(sign in text for sign in _OUT_OF_MEMORY)


def serve(
    requests: BinaryIO, documents: Callable[[], BinaryIO], replies: BinaryIO, *, seconds: float, worker: Worker
) -> None:
    """Answers requests until they end. `documents` gives the open file that the next request is about."""
    while (request := read_frame(requests)) is not None:
        # Ends the process even where native code never returns to Python, should the parent not do it.
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
        with documents() as data:
            reply = encode(worker.answer(request, data))
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
    libraries = (*os.environ.get("LD_LIBRARY_PATH", "").split(":"), sys.pycache_prefix)
    confine(
        memory_mib=int(hello["memory_mib"]),
        reach=reach(sys.path, libraries=filter(None, (*libraries, *hello["readable"])), home=_home()),
        writable=(tempfile.gettempdir(), *WRITABLE_DEVICES),
    )
    worker = Worker(hello)
    serve(requests, lambda: received(documents), replies, seconds=float(hello["seconds"]), worker=worker)


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # a user without one
        return Path("/")


def _failure(error: PenstockError) -> dict[str, Any]:
    return {"failure": {"kind": type(error).__name__, "message": str(error), "retryable": error.retryable}}


def _told(error: Exception) -> str:
    hint = _CONFINED if isinstance(error, PermissionError) and error.filename else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}{hint}".rstrip(": ")
