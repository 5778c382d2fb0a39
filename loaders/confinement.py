"""What a worker process gives up before it opens a file of somebody else's making."""

import os
import resource
import signal
import sys
import threading
import time
from typing import Any

MIB = 1024 * 1024
STACKS_MIB_A_CORE = 16
"""Allowance for the stacks of a library's threads, which count as data though hardly any of it is used."""
_REACHING_OUT = frozenset(
    ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname")
)


def confine(*, memory_mib: int) -> None:
    """Limits this process for the rest of its life.

    No network for Python code, no core dumps, memory and the size of written files limited, interrupts left to the
    parent process, and an end when the parent process ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_within(memory_mib * MIB, most), most))
    limit_memory(memory_mib + STACKS_MIB_A_CORE * (os.cpu_count() or 1))
    sys.addaudithook(_refuse_network)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True, name="watching the parent").start()


def limit_memory(mib: int) -> None:
    """Makes every allocation beyond that fail.

    RLIMIT_DATA and not RLIMIT_AS: mapped files and address space that is merely reserved (onnxruntime, OpenCV) are not
    memory in use. Measured with OCR of a page: data 690 MiB, resident 650 MiB at most, address space 1,460 MiB.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_within(mib * MIB, hard), hard))


def _within(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    if event in _REACHING_OUT:
        raise PermissionError(f"parsers have no network ({event})")


def _end_with(parent: int, pause: float = 1.0) -> None:
    """Ends this process once its parent is gone: a parent that was killed cannot end it any more."""
    while os.getppid() == parent:
        time.sleep(pause)
    os._exit(1)
