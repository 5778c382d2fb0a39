"""Exchanges two folders in one step of the kernel, so that no process finds either of them missing."""

import ctypes
import errno
import os
import sys
from pathlib import Path

AT_FDCWD, AT_FDCWD_OF_MACOS = -100, -2
EXCHANGE = 2
"""`RENAME_EXCHANGE` of Linux (renameat2), and `RENAME_SWAP` of macOS (renameatx_np)."""


def exchange(first: Path, second: Path) -> bool:
    """Exchanges two folders; gives False, and does nothing, where the system or the file system does not support it.

    Raises:
        OSError: it is supported, and was refused.
    """
    name, here = ("renameatx_np", AT_FDCWD_OF_MACOS) if sys.platform == "darwin" else ("renameat2", AT_FDCWD)
    try:
        rename = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError, TypeError):  # an older C library, or another system
        return False
    if rename(here, os.fsencode(first), here, os.fsencode(second), ctypes.c_uint(EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number))
