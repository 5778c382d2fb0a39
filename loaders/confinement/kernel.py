"""Calls to the kernel of Linux for which Python's library has no function."""

import ctypes
import os
import sys
from functools import cache
from typing import Any


def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """The result of a system call, by its number.

    Raises:
        OSError: the kernel refuses it, or does not know it.
    """
    return _checked(_library().syscall, number, *arguments)


def prctl(option: int, value: int) -> int:
    """Sets or asks one property of this process.

    Raises:
        OSError: the kernel refuses it, or does not know it.
    """
    return _checked(_library().prctl, option, value, 0, 0, 0)


@cache
def machine() -> str:
    """The architecture whose numbers of system calls this process uses; empty where Penstock does not know them.

    A 32-bit interpreter on a 64-bit kernel uses others, and a big-endian machine lays out arguments otherwise.
    """
    if sys.platform != "linux" or sys.maxsize < 2**32 or sys.byteorder != "little":
        return ""
    return os.uname().machine if os.uname().machine in ("x86_64", "aarch64") else ""


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def _checked(function: Any, *arguments: Any) -> int:
    # An integer without a type is passed as 32 bits, and the rest of the register is left to chance.
    found = int(
        function(*(ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments))
    )
    if found == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return found
