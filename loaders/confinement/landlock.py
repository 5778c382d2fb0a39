"""Landlock: a process shuts itself out of all files but those that it names, for good and for all that it starts.

Source: https://docs.kernel.org/userspace-api/landlock.html; values from include/uapi/linux/landlock.h
"""

import os
import stat
import struct
import sys
from collections.abc import Iterable

from penstock.loaders.confinement.kernel import call

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""Numbers of the three system calls: the same on every architecture."""
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_ALL_OF_ABI_1 = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""Rights that a rule for a single file may name."""
_TCP = 0b11
"""To bind and to connect."""
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

READ = _READ_FILE | _READ_DIR
WRITE = READ | _WRITE_FILE | _TRUNCATE | _REFER | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG
"""Regular files and folders: no links, sockets, pipes or devices are made."""


def version() -> int:
    """The version of Landlock that this kernel speaks; 0 where it has none or it is switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return call(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(*, readable: Iterable[str], listable: Iterable[str], writable: Iterable[str]) -> None:
    """Leaves this thread, and what it starts from now on, nothing but these files, and folders with all below them.

    Nothing may be executed. TCP, and signals and abstract sockets of other processes, are shut where the kernel's
    version knows them. Paths that do not exist are left out. Needs `no_new_privs`.

    Raises:
        OSError: the kernel has no Landlock, or no more of it for this process.
    """
    known = version()
    handled = _handled(known)
    attributes = struct.pack(
        "QQQ", handled, _TCP if known >= 4 else 0, _ABSTRACT_SOCKETS_AND_SIGNALS if known >= 6 else 0
    )
    ruleset = call(_CREATE, attributes, len(attributes), 0)
    try:
        for paths, rights in ((readable, READ), (listable, _READ_DIR), (writable, WRITE)):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _handled(known: int) -> int:
    """The rights on files that a version knows; a ruleset that names others is refused."""
    since = ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV))
    return _ALL_OF_ABI_1 | sum(right for first, right in since if known >= first)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        if rights:
            call(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)
