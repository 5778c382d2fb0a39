"""Seccomp: a process gives up system calls, for good and for all that it starts.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html; values from include/uapi/linux/{seccomp,bpf_common}.h
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator

from penstock.loaders.confinement.kernel import call, machine
from penstock.loaders.confinement.syscalls import NUMBERS, REFUSED

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2
_ALL_THREADS = 1
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in the description of a call; arguments take 8 bytes each, the low half first."""
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
"""Numbers from here on are those of x86's second set of calls, which would go around a filter of the first."""

_THREAD = 0x00010000
_NEW_NAMESPACES = 0x7E020000
_PRCTL_REFUSED = (1, 4, 35, 36, 0x59616D61)
"""Signal at the parent's death, dumpable, memory layout, subreaper, who may trace."""
_FCNTL_REFUSED = (8, 10, 15, 1024)
"""Who gets which signal when something can be read (it may be another process), and leases."""
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, how large is it, how much can be read, do not wait, close on exec or not."""

Instruction = tuple[int, int, int, int]


def available() -> bool:
    """Whether this kernel takes filters, and this module knows the numbers of its calls."""
    if not machine():
        return False
    try:
        call(NUMBERS["seccomp"][machine()], _GET_ACTION_AVAILABLE, 0, struct.pack("I", _KILL))
    except OSError:
        return False
    return True


def restrict() -> None:
    """Refuses, in all threads of this process, what reading a file does not need. Needs `no_new_privs`.

    Threads can be started, processes and programs cannot. A call of another architecture ends the process.

    Raises:
        OSError: the kernel takes no filter.
    """
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions(machine(), os.getpid()))
    held = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they are.
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    call(NUMBERS["seccomp"][machine()], _SET_MODE_FILTER, _ALL_THREADS, filter_)


def instructions(architecture: str, pid: int) -> list[Instruction]:
    """The filter for the process `pid`, as (code, jump if true, jump if false, value).

    Source: "The BSD Packet Filter" (McCanne, Jacobson, 1993), as linux/filter.h numbers it.
    """
    found = [_load(_ARCHITECTURE), (_EQUAL, 1, 0, _AUDIT[architecture]), _returned(_KILL), _load(_NUMBER)]
    if architecture == "x86_64":
        found += [(_AT_LEAST, 0, 1, _X32), _refused(errno.ENOSYS)]
    for name, rule in _rules(pid):
        number = NUMBERS[name].get(architecture)
        if number is not None:
            found += _when(number, rule)
    return [*found, _returned(_ALLOW)]


def _rules(pid: int) -> Iterator[tuple[str, list[Instruction]]]:
    for name in REFUSED:
        yield name, [_refused()]
    # It hides its flags in memory, where no filter sees them; glibc then asks for `clone`.
    yield "clone3", [_refused(errno.ENOSYS)]
    yield "clone", [_load(_argument(0)), *_unless_bits(_NEW_NAMESPACES), *_only_bits(_THREAD)]
    for name in ("kill", "tkill", "tgkill"):
        yield name, _only(0, (pid,))
    for name in ("prlimit64", "sched_setaffinity"):
        yield name, _only(0, (0, pid))
    yield "ioctl", _only(1, _IOCTL_ALLOWED)
    yield "fcntl", _never(1, _FCNTL_REFUSED)
    yield "prctl", _never(0, _PRCTL_REFUSED)


def _only(argument: int, values: Iterable[int]) -> list[Instruction]:
    checks = [step for value in values for step in _when(value, [_returned(_ALLOW)])]
    return [_load(_argument(argument)), *checks, _refused()]


def _never(argument: int, values: Iterable[int]) -> list[Instruction]:
    checks = [step for value in values for step in _when(value, [_refused()])]
    return [_load(_argument(argument)), *checks, _returned(_ALLOW)]


def _unless_bits(bits: int) -> list[Instruction]:
    return [(_ANY_BIT, 0, 1, bits), _refused()]


def _only_bits(bits: int) -> list[Instruction]:
    return [(_ANY_BIT, 0, 1, bits), _returned(_ALLOW), _refused()]


def _when(value: int, then: list[Instruction]) -> list[Instruction]:
    """Instructions for calls whose loaded word is `value`; they end with a return."""
    return [(_EQUAL, 0, len(then), value), *then]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _argument(index: int) -> int:
    return _ARGUMENTS + 8 * index


def _returned(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _refused(error: int = errno.EPERM) -> Instruction:
    return _returned(_REFUSE | error)
