"""Parsing where it can do no harm: in child processes with limits on time, memory and output."""

import os
import queue
import tempfile
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from penstock.errors import BrokenSource, LimitExceeded, ParserCrashed, SourceError
from penstock.loaders.formats import LoaderOptions
from penstock.loaders.sandbox.answers import Parsed, plain_extraction
from penstock.loaders.sandbox.bytecode import keep_bytecode
from penstock.loaders.sandbox.child import MIB, Child, Ended, OutOfMemory, OutOfTime, TooMuch, environment
from penstock.loaders.sandbox.leftovers import remove_abandoned
from penstock.loaders.sandbox.protocol import BadFrame, plain_source
from penstock.loaders.sandbox.worker import memory_exceeded, says_out_of_memory, text_exceeded
from penstock.loaders.sources.addresses import shown
from penstock.model import Blueprint, Draft, Extraction, Failure, Source

DOCUMENTS_A_CHILD = 500
"""A child is replaced after this many documents, so that what parsers leak does not add up."""
WORN_SHARE = 0.7
"""A child that still holds more than this share of its memory after a document is replaced too."""
FRAME_FACTOR = 2
"""How much larger than the text an answer may be: blocks, places and cuts come with it."""
FRAME_ALLOWANCE_MIB = 16
CLOSED = "the sandbox was closed; nothing more is parsed in it"


class Sandbox:
    """Parses files in child processes, which start at the first file and serve one after the other.

    A file that hangs, crashes or explodes its parser costs that file: the child is ended, with all that it started, and
    replaced. Safe to use from several threads; each gets a child of its own, up to `workers`.

    Args:
        options: how files are read.
        seconds: time for one file.
        memory_mib: memory of one child, in MiB.
        text_mib: text that one file may give, in MiB of UTF-8.
        workers: children at the same time.
        readable: files and folders that children may read besides code, libraries and the one document: data of loaders
            of other distributions.
        given: loaders by media type that a program gave, as `portable` packs them; they go before all others.
        preparation: makes what prepares and cuts the text of a file, in the child that parsed it; see `Preparation`.
    """

    def __init__(
        self,
        *,
        options: LoaderOptions,
        seconds: float,
        memory_mib: int,
        text_mib: int,
        workers: int,
        readable: Iterable[Path] = (),
        given: Mapping[str, str] | None = None,
        preparation: Blueprint | None = None,
    ) -> None:
        self._hello = {
            "options": asdict(options),
            "given": dict(given or {}),
            "preparation": asdict(preparation) if preparation else None,
            "seconds": seconds,
            "memory_mib": memory_mib,
            "text_mib": text_mib,
            "readable": [str(path.absolute()) for path in readable],
        }
        self._seconds = seconds
        self._memory_mib = memory_mib
        self._text_mib = text_mib
        self._frame_bytes = (text_mib * FRAME_FACTOR + FRAME_ALLOWANCE_MIB) * MIB
        self._places: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)
        self._lock = threading.Lock()
        self._children: set[Child] = set()
        self._starter: ThreadPoolExecutor | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all children; a caller that still waits for one gets `RuntimeError`."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, set()
            starter, self._starter = self._starter, None
        for child in children:
            child.kill()
        if starter:
            starter.shutdown()
        self._clear_idle()

    def parse(self, source: Source, path: Path, declared: str = "") -> Extraction | Failure:
        """What the file at `path` says, or why it cannot be read: `prepare` without the cuts."""
        answer = self.prepare(source, path, declared)
        return answer if isinstance(answer, Failure) else answer.extraction

    def prepare(self, source: Source, path: Path, declared: str = "") -> Parsed | Failure:
        """What the file at `path` says, prepared and cut, or why it cannot be read. Waits while all children are busy.

        `declared` is the media type that the origin declared, for its charset.

        A file whose child was killed by somebody else is tried once more: it need not be the file's fault.

        Raises:
            RuntimeError: the sandbox was closed.
        """
        try:
            document = open(path, "rb", buffering=0, opener=_opened)  # noqa: SIM115 - closed below
        except OSError as error:
            return _unopened(source.uri, error)
        with document:
            return self._answer(source, {"declared": declared}, document)

    def cut(self, source: Source, extraction: Extraction) -> tuple[Draft, ...] | Failure | None:
        """Where a text that was prepared before is cut by the preparation; None where it cuts nothing.

        Raises:
            RuntimeError: the sandbox was closed.
        """
        answer = self._answer(source, {"extraction": plain_extraction(extraction)}, None)
        return answer if isinstance(answer, Failure) else answer.drafts

    def _answer(self, source: Source, request: dict[str, Any], document: BinaryIO | None) -> Parsed | Failure:
        request = {"source": plain_source(source), **request}
        answer, was_killed = self._answered(request, document)
        return self._answered(request, document)[0] if was_killed else answer

    def _answered(self, request: dict[str, Any], document: BinaryIO | None) -> tuple[Parsed | Failure, bool]:
        child = self._places.get()
        kept: Child | None = None
        try:
            if child and not child.is_quiet:  # the file before this one wrote more than its answer, or ended the child
                self._ended(child)
                child = None
            child = child or self._started()
            answer = self._asked(child, request, document)
            kept = child if self._is_fit(child, answer) else None
        finally:
            # Also when an interrupt comes: a child in the middle of a file is of no more use.
            if child is not None and kept is None:
                self._ended(child)
            self._places.put(kept)
            if self._closed:  # it may have been closed between the answer and now
                self._clear_idle()
        return answer, isinstance(answer, Failure) and answer.kind == ParserCrashed.__name__ and child.was_killed

    def _clear_idle(self) -> None:
        """Frees the ended children that nobody uses; their places stay, for threads that wait for one."""
        waiting: list[Child | None] = []
        with suppress(queue.Empty):
            while True:
                waiting.append(self._places.get_nowait())
        for child in waiting:
            if child is not None:
                child.clear()
            self._places.put(None)

    def _started(self) -> Child:
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if self._starter is None:
                remove_abandoned()
                keep_bytecode(environment(tempfile.gettempdir()))
                # The kernel ends a child with the thread that started it: one that stays, not the one that asks.
                self._starter = ThreadPoolExecutor(1, thread_name_prefix="starting parsers")
            starting = self._starter.submit(
                Child, self._hello, memory_mib=self._memory_mib, frame_bytes=self._frame_bytes
            )
            child = starting.result()
            self._children.add(child)
        return child

    def _ended(self, child: Child) -> None:
        with self._lock:
            self._children.discard(child)
        child.end()
        child.clear()

    def _asked(self, child: Child, request: dict[str, Any], document: BinaryIO | None) -> Parsed | Failure:
        try:
            return child.ask(request, document, seconds=self._seconds)
        except (Ended, BadFrame) as error:
            if self._closed:
                raise RuntimeError(CLOSED) from error
            cause = self._reason(child, request["source"]["uri"], error)
            return Failure(
                uri=request["source"]["uri"],
                stage="parse",
                kind=type(cause).__name__,
                message=str(cause),
                retryable=cause.retryable,
            )

    def _reason(self, child: Child, uri: str, error: Exception) -> SourceError:
        if isinstance(error, OutOfTime):
            return LimitExceeded(
                f"{shown(uri)!r} took more than {self._seconds:g} seconds to be parsed; "
                "raise limits.parse_seconds (PENSTOCK_LIMITS__PARSE_SECONDS) to read it"
            )
        if isinstance(error, TooMuch):
            return text_exceeded(uri, self._text_mib)
        how = child.end() or " ".join(str(error).split())
        printed = child.printed()
        if isinstance(error, OutOfMemory) or says_out_of_memory(printed) or "MemoryError" in printed:
            return memory_exceeded(uri, self._memory_mib)
        last = printed.splitlines()[-1][:300] if printed else ""
        return ParserCrashed(
            f"the process that parsed {shown(uri)!r} ended without an answer ({how}{': ' + last if last else ''}); "
            "the file may be damaged, or its parser has a fault"
        )

    def _is_fit(self, child: Child, answer: Parsed | Failure) -> bool:
        """Whether a child may parse another file."""
        if isinstance(answer, Failure) and answer.kind in ("LimitExceeded", "ParserCrashed"):
            return False
        return (
            not self._closed
            and child.answered < DOCUMENTS_A_CHILD
            and child.resident_bytes() < WORN_SHARE * self._memory_mib * MIB
        )


def _opened(path: str, flags: int) -> int:
    # Without O_NONBLOCK, a named pipe that took the file's place would be waited for.
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _unopened(uri: str, error: OSError) -> Failure:
    failure = BrokenSource(f"{shown(uri)!r} cannot be opened to be parsed: {error.strerror}")
    return Failure(uri=uri, stage="parse", kind="BrokenSource", message=str(failure), retryable=failure.retryable)
