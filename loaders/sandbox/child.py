"""One worker process as its parent holds it: started, asked, watched, ended."""

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import Any, BinaryIO

from penstock import telemetry
from penstock.loaders.sandbox.answers import Parsed, decode_answer
from penstock.loaders.sandbox.leftovers import WorkFolder
from penstock.loaders.sandbox.protocol import LENGTH_BYTES, BadFrame, encode
from penstock.model import Failure

MIB = 1024 * 1024
POLL_SECONDS = 0.1
"""How often the memory of a busy worker is looked at."""
NUMBER_BITS = 64
"""Of the random number of a request."""
STDERR_BYTES = 2000
"""How much of what a worker printed last is looked at when it ended without an answer."""
_BOOT = (
    "import json, sys; sys.path.extend(p for p in json.loads(sys.argv[1]) if p not in sys.path); "
    "from penstock.loaders.sandbox.worker import main; main()"
)
PASSED_ON = frozenset(("PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV"))
"""What every program needs of the environment: neither keys nor settings."""
PASSED_ON_PREFIXES = ("LC_", "PYTHON", "OMP_")


class Ended(Exception):
    """The worker ended without an answer."""


class OutOfTime(Ended):
    """It was ended for taking too long."""


class OutOfMemory(Ended):
    """It was ended for taking too much memory."""


class TooMuch(Ended):
    """Its answer is larger than any that is taken."""


class Child:
    """A worker process. Not for several threads at once."""

    def __init__(self, hello: Mapping[str, Any], *, memory_mib: int, frame_bytes: int) -> None:
        self._memory = memory_mib * MIB
        self._frame_bytes = frame_bytes
        # Whatever parsers leave behind goes with the child, also when it is killed.
        self._folder = WorkFolder()
        self._printed = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `end`
        self._documents, its_documents = socket.socketpair()
        # -P: the working folder is not looked in for modules; a user's own csv.py must not be run.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [
                *(sys.executable, "-P", "-c", _BOOT),
                *(json.dumps([path for path in sys.path if path]), str(its_documents.fileno())),
            ],
            pass_fds=[its_documents.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env=environment(self._folder.path),
            bufsize=0,
            start_new_session=True,  # Ctrl-C at the terminal reaches the parent only, and the group can be ended
        )
        its_documents.close()
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        # A child that was taken over may take no more of a long request than a pipe holds: nobody waits for it longer.
        os.set_blocking(self._process.stdin.fileno(), False)
        import psutil  # here: a run in which nothing is parsed has no use for it

        self._watched = psutil.Process(self._process.pid)
        self._hello: bytes = encode(hello)
        self._lock = threading.Lock()
        self._hung_up = False
        self.answered = 0

    def ask(self, request: Mapping[str, Any], document: BinaryIO | None, *, seconds: float) -> Parsed | Failure:
        """The answer to a request about `request["source"]` and an open file, read through the same descriptor.

        The request gets a number that cannot be guessed: what was written before it was sent does not answer it.

        Raises:
            Ended: there will be none; the subclass says why. The child is of no more use.
            BadFrame: it is none.
        """
        request = {**request, "number": secrets.randbits(NUMBER_BITS)}
        deadline = time.monotonic() + seconds
        try:
            if document:
                no_signal = getattr(socket, "MSG_NOSIGNAL", 0)
                socket.send_fds(self._documents, [b"."], [document.fileno()], no_signal)
            self._write(self._hello + encode(request), deadline)
        except OSError as error:
            self._hung_up = True
            raise Ended("it did not take the request") from error
        self._hello = b""
        length = int.from_bytes(self._read(LENGTH_BYTES, deadline), "big")
        if length > self._frame_bytes:
            raise TooMuch(f"an answer of {length / MIB:.0f} MiB")
        answer = decode_answer(self._read(length, deadline), request)
        if not self.is_quiet:
            raise BadFrame("more than one answer")
        self.answered += 1
        self._printed.truncate(0)
        return answer

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was written that nobody asked for: a worker that does is not to be asked."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for as a pipe
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            return not ready.select(0)

    def resident_bytes(self) -> int:
        """Memory that the process and its own children hold; 0 when it is gone."""
        import psutil

        try:
            return sum(
                int(process.memory_info().rss) for process in (self._watched, *self._watched.children(recursive=True))
            )
        except psutil.Error:
            return 0

    def end(self) -> str:
        """Ends the process and all that it started; gives how it had ended on its own, empty where it had not."""
        self.kill()
        code = self._process.returncode
        return _exit_text(code) if self._hung_up else ""

    @property
    def was_killed(self) -> bool:
        """Whether somebody else had killed it before it was ended: a person, or a system short of memory."""
        return self._hung_up and self._process.returncode == -signal.SIGKILL

    def kill(self) -> None:
        """Ends the process now; a caller that waits for its answer gets `Ended`."""
        with self._lock:
            # Once it was waited for, its number may belong to somebody else.
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.kill()
                self._process.wait()

    def printed(self) -> str:
        """The end of what the process printed, libraries included; empty after a good answer."""
        size = os.fstat(self._printed.fileno()).st_size
        self._printed.seek(max(0, size - STDERR_BYTES))
        return self._printed.read().decode("utf-8", "replace").strip()

    def clear(self) -> None:
        """Frees all that is left of an ended process."""
        for pipe in (self._process.stdin, self._process.stdout, self._printed, self._documents):
            if pipe:
                pipe.close()
        self._folder.remove()

    def _write(self, request: bytes, deadline: float) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was asked for as a pipe
        rest = memoryview(request)
        with selectors.DefaultSelector() as ready:
            ready.register(stdin, selectors.EVENT_WRITE)
            while rest:
                if self._wait(ready, deadline):
                    rest = rest[os.write(stdin.fileno(), rest) :]

    def _read(self, size: int, deadline: float) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for as a pipe
        parts: list[bytes] = []
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            while size:
                if not self._wait(ready, deadline):
                    continue
                part = os.read(stdout.fileno(), min(size, MIB))
                if not part:
                    self._hung_up = True
                    raise Ended("it ended")
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _wait(self, ready: selectors.BaseSelector, deadline: float) -> bool:
        """Whether the pipe is ready after a short wait, in which the process kept to its limits."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        if ready.select(min(POLL_SECONDS, left)):
            return True
        if self.resident_bytes() > self._memory:
            raise OutOfMemory
        return False


def environment(folder: str) -> dict[str, str]:
    """The environment of a parser: no keys, proxies or settings. Libraries are switched to report nothing."""
    kept = {
        name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    return {**kept, "TMPDIR": folder, **telemetry.everything()}


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
