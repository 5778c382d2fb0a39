"""What a process may do because of who it is: given up in a worker, kept to itself in the command line."""

import ctypes
import signal
import struct
import sys
from contextlib import suppress

from penstock.loaders.confinement.kernel import call, machine, prctl
from penstock.loaders.confinement.syscalls import NUMBERS

_PARENT_DEATH_SIGNAL, _DUMPABLE, _DROP_FROM_BOUNDS, _NO_NEW_PRIVILEGES = 1, 4, 24, 38
"""Options of prctl(2), from include/uapi/linux/prctl.h."""
_CAPABILITIES_VERSION = 0x20080522
_MOST_CAPABILITIES = 64
_READ_ALL = 1 << 2
"""CAP_DAC_READ_SEARCH stays: which files may be read is Landlock's matter, and without it an administrator could not
import from the private folder of a user in which Penstock is installed."""


def give_up() -> None:
    """Gives up what only an administrator may do, and the ways to win it back.

    Raises:
        OSError: the kernel refuses it.
        KeyError: the numbers of its calls are not known on this machine.
    """
    prctl(_NO_NEW_PRIVILEGES, 1)
    with suppress(OSError):  # there are fewer, or this is no administrator
        for number in range(_MOST_CAPABILITIES):
            prctl(_DROP_FROM_BOUNDS, number)
    header = struct.pack("Ii", _CAPABILITIES_VERSION, 0)
    held = ctypes.create_string_buffer(24)
    call(NUMBERS["capget"][machine()], header, held)
    kept = struct.unpack("6I", held.raw)[1] & _READ_ALL
    call(NUMBERS["capset"][machine()], header, struct.pack("6I", kept, kept, 0, 0, 0, 0))


def end_with_parent() -> None:
    """Has this process killed once the thread that started it ends.

    Raises:
        OSError: the kernel refuses it.
    """
    prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def keep_memory_private() -> None:
    """Shuts this process's memory and environment to the user's other processes, and writes no core dumps.

    For programs of their own: it shuts out the user's debuggers and profilers too, so a library must not decide it for
    the application that uses it. Does nothing on other systems.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            prctl(_DUMPABLE, 0)
