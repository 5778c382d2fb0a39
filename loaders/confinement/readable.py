"""Which files a worker may still read: code and libraries, what they need of the system, and nothing of the user's."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    # What libraries ask for: where other libraries are, the time zone, kinds of files, fonts, how OpenSSL is set.
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/fonts",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    # How many processors there are and of which kind, by which onnxruntime and OpenBLAS choose; this process itself.
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/self",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
WRITABLE_DEVICES = ("/dev/null",)
_INSTALLED = (".dist-info", ".egg-info")
_MODULES = (".py", ".pyc", ".so")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Paths by what may be done with them."""

    readable: tuple[str, ...]
    """Files, and folders with all below them."""
    listable: tuple[str, ...]
    """Folders of which only the names below them may be seen."""


def reach(entries: Iterable[str], *, libraries: Iterable[str], home: Path) -> Reach:
    """What code needs that imports from the folders and archives `entries`.

    A folder into which distributions were installed is open as a whole. Any other one, such as that of the program or
    of a checkout, may hold anything: only the modules and packages in it are open, and the names of all.
    """
    readable = [*SYSTEM, *libraries, str(Path(os.__file__).parent)]
    readable += [f"{prefix}/{name}" for prefix in {sys.prefix, sys.base_prefix} for name in ("lib", "lib64")]
    listable = []
    code = tuple(f"{path}/" for path in readable)
    for entry in map(Path, entries):
        if str(entry).startswith(code):
            continue
        below = _below(entry)
        installed = any(path.suffix in _INSTALLED for path in below) and not home.is_relative_to(entry.resolve())
        if installed or entry.is_file():  # a file: an archive of modules
            readable.append(str(entry))
        else:
            listable.append(str(entry))
            readable += [str(path) for path in below if _is_module(path)]
    return Reach(readable=tuple(dict.fromkeys(readable)), listable=tuple(listable))


def _is_module(path: Path) -> bool:
    return path.suffix in _MODULES or (path / "__init__.py").is_file()


def _below(entry: Path) -> tuple[Path, ...]:
    """What lies in a folder; nothing where it is none, or an empty one."""
    try:
        return tuple(entry.iterdir())
    except OSError:
        return ()
