"""What a worker process gives up before it opens a file made by a stranger."""

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from penstock.loaders.confinement import landlock, privileges, seccomp
from penstock.loaders.confinement.readable import Reach

MIB = 1024 * 1024
STACKS_MIB_A_CORE = 16
"""Allowance for the stacks of a library's threads, which count as data though hardly any of it is used."""
MOST_OPEN_FILES = 256
_REACHING_OUT = frozenset(
    ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Which means this machine's kernel has to confine a parser that a hostile file took over."""

    landlock: int
    """Version of Landlock, which shuts files; 0: the kernel has none."""
    seccomp: bool
    """Whether system calls can be refused: sockets, other processes, new processes."""

    def __str__(self) -> str:
        has = [f"landlock {self.landlock}"] if self.landlock else []
        has += ["seccomp"] if self.seccomp else []
        lacks = ([] if self.landlock else ["landlock"]) + ([] if self.seccomp else ["seccomp"])
        if not has:
            return f"parsing is not confined by this kernel, which lacks {' and '.join(lacks)}"
        return f"parsing is confined by {' and '.join(has)}" + (f"; this kernel lacks {lacks[0]}" if lacks else "")


def available() -> Confinement:
    """What this kernel offers; asks it, and starts nothing."""
    return Confinement(landlock=landlock.version(), seccomp=seccomp.available())


def confine(*, memory_mib: int, reach: Reach, writable: tuple[str, ...]) -> None:
    """Limits this process for the rest of its life.

    No files but those within reach, no network, no other processes, no programs, where the kernel can do that; nowhere
    network for Python code, core dumps, or more memory and longer files than allowed. Interrupts are left to the parent
    process, and this one ends with it. Threads that exist already keep their files: to be called before any starts.

    Raises:
        OSError: the kernel could close this process, and failed to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, MOST_OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, memory_mib * MIB)
    limit_memory(memory_mib + STACKS_MIB_A_CORE * (os.cpu_count() or 1))
    sys.addaudithook(_refuse_network)
    if sys.platform == "linux":
        _close(reach, writable)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True, name="watching the parent").start()


def limit_memory(mib: int) -> None:
    """Makes every allocation beyond that fail.

    RLIMIT_DATA and not RLIMIT_AS: mapped files and address space that is merely reserved (onnxruntime, OpenCV) are not
    memory in use. Measured with OCR of a page: data 690 MiB, resident 650 MiB at most, address space 1,460 MiB.
    """
    _limit(resource.RLIMIT_DATA, mib * MIB)


def _limit(which: int, wanted: int) -> None:
    """Sets a limit that this process cannot raise again."""
    _, hard = resource.getrlimit(which)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (most, most))


def _close(reach: Reach, writable: tuple[str, ...]) -> None:
    for step in (privileges.give_up, privileges.end_with_parent):
        with suppress(OSError, KeyError):
            step()
    # A kernel without them parses with less around it, as `penstock doctor` says; one that has them and fails does not.
    offered = available()
    if offered.landlock:
        landlock.restrict(readable=reach.readable, listable=reach.listable, writable=writable)
    if offered.seccomp:
        seccomp.restrict()


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    if event in _REACHING_OUT:
        raise PermissionError(f"parsers have no network ({event})")


def _end_with(parent: int, pause: float = 1.0) -> None:
    """Ends this process once its parent is gone: a parent that was killed cannot end it any more."""
    while os.getppid() == parent:
        time.sleep(pause)
    os._exit(1)
