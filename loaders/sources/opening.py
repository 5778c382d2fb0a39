"""Opening a file that somebody else may have put there: what was looked at is what is read, by its descriptor."""

import os
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

from penstock.errors import ExcludedSource, FetchError, TransientFetchError
from penstock.loaders.sources.addresses import shown, uri_of

_DESCRIPTORS = Path("/proc/self/fd")
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOUNTS = Path("/proc/self/mountinfo")
_OF_THE_KERNEL = frozenset(
    (
        "proc",
        "sysfs",
        "configfs",
        "debugfs",
        "tracefs",
        "securityfs",
        "cgroup",
        "cgroup2",
        "bpf",
        "pstore",
        "efivarfs",
        "selinuxfs",
        "smackfs",
        "binfmt_misc",
        "fusectl",
        "mqueue",
        "devpts",
        "nsfs",
    )
)
"""File systems in which the kernel makes up what is in a file."""


def open_regular(path: Path, *, below: str = "") -> int:
    """A descriptor of a regular file, to read from; nothing else is opened, not even for a moment.

    Where the system can, the file is looked at before it is opened: opening a device may already do something.

    Args:
        path: of the file; links in it are followed.
        below: real path that the file must have or lie below; empty: any.

    Raises:
        OSError: it is not there, or may not be read.
        FetchError: it is a folder, a pipe, a device, or a file that the kernel makes up.
        ExcludedSource: a link leads elsewhere.
        TransientFetchError: it was removed in this very moment.
    """
    if not (hasattr(os, "O_PATH") and _DESCRIPTORS.exists()):
        descriptor = os.open(path, _READING)
        try:
            _check(path, descriptor, below)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _check(path, handle, below)
        return os.open(_DESCRIPTORS / str(handle), _READING)
    finally:
        os.close(handle)


def path_of_descriptor(descriptor: int) -> Path:
    """A path that opens the very file of a descriptor, whatever became of its name; valid while the descriptor is open.

    It names this process, so that its children may use it too.
    """
    return Path(f"/proc/{os.getpid()}/fd/{descriptor}") if _DESCRIPTORS.exists() else Path(f"/dev/fd/{descriptor}")


def is_of_kernel(status: os.stat_result) -> bool:
    """Whether what is in a file or folder is made up by the kernel, such as all of /proc and /sys."""
    return _file_system(status.st_dev) in _OF_THE_KERNEL


def lies_below(real: str, folder: str) -> bool:
    """Whether a real path is that of the folder or of something in it.

    >>> lies_below("/docs/a/b.txt", "/docs/a"), lies_below("/docs/ab.txt", "/docs/a"), lies_below("/docs", "/")
    (True, False, True)
    """
    return real == folder or real.startswith(folder.rstrip("/") + "/")


def _check(path: Path, descriptor: int, below: str) -> None:
    status = os.fstat(descriptor)
    name = shown(uri_of(path))
    if not stat.S_ISREG(status.st_mode):
        raise FetchError(f"{name!r} is not a regular file but a folder, pipe or device")
    if is_of_kernel(status):
        raise FetchError(f"{name!r} is no document: the kernel makes up what is in it; such files are never read")
    if not below:
        return
    if not status.st_nlink:
        raise TransientFetchError(f"{name!r} was removed or replaced when it was opened; it is read at the next run")
    real = _real_path(path, descriptor)
    if not lies_below(real, below):
        raise ExcludedSource(
            f"{name!r} leads to {shown(uri_of(real))!r}, which is not where its folder had it; "
            "links to other places are followed with folders.links = 'all' (PENSTOCK_FOLDERS__LINKS)"
        )


def _real_path(path: Path, descriptor: int) -> str:
    if _DESCRIPTORS.exists():
        return str((_DESCRIPTORS / str(descriptor)).readlink())
    real = os.path.realpath(path)
    if not os.path.samestat(os.lstat(real), os.fstat(descriptor)):
        raise TransientFetchError(
            f"{shown(uri_of(path))!r} was replaced when it was opened; it is read at the next run"
        )
    return real


@cache
def _file_system(device: int) -> str:
    """The type of a mounted file system; empty where the system does not say.

    By the table of mounts and not by statfs(2), which asks the server of a network share, once a file.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in _MOUNTS.read_text("utf-8", "replace").splitlines():
            place, _, kind = line.partition(" - ")
            if place.split()[2] == number:
                return kind.split()[0]
    return ""
