"""Two folders that change places in one step of the kernel, so that nobody finds one of them missing."""

import ctypes
import errno
import os
import sys
from pathlib import Path

AT_FDCWD, AT_FDCWD_OF_MACOS = -100, -2
EXCHANGE = 2
"""`RENAME_EXCHANGE` of Linux (renameat2), and `RENAME_SWAP` of macOS (renameatx_np)."""


def exchange(one: Path, other: Path) -> bool:
    """Whether the two changed places; not where the system or the file system cannot do that: then nothing happened.

    Raises:
        OSError: it can, and was refused.
    """
    name, here = ("renameatx_np", AT_FDCWD_OF_MACOS) if sys.platform == "darwin" else ("renameat2", AT_FDCWD)
    try:
        rename = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError, TypeError):  # an older C library, or another system
        return False
    if rename(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number))
