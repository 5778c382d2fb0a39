"""Bytecode of the libraries that parse, kept before workers are confined.

A confined worker cannot write it, and would compile the libraries at each start: 3 s for PyMuPDF alone. Installers such
as uv leave it to the first import.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LIBRARIES = ("pymupdf", "pypdfium2", "pptx", "trafilatura", "rapidocr", "markdown_it", "olefile")
"""Those that take long to compile, with what they import."""
SECONDS = 120.0
_PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception:
        pass  # reported when a file needs the library
"""


def keep_bytecode(environment: Mapping[str, str]) -> None:
    """Imports what is not compiled yet in a process of its own, which no document ever reaches."""
    missing = [] if sys.dont_write_bytecode else [name for name in LIBRARIES if _lacks_bytecode(name)]
    if missing:
        try:
            subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-c", _PROGRAM, *missing],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return  # workers compile for themselves, as long as that takes


def _lacks_bytecode(name: str) -> bool:
    """Whether a library is there, was not compiled, and its bytecode could be kept."""
    spec = importlib.util.find_spec(name)
    if spec is None or not (spec.origin or "").endswith(".py"):
        return False
    compiled = Path(importlib.util.cache_from_source(str(spec.origin)))
    return not compiled.exists() and _may_be_made(compiled)


def _may_be_made(path: Path) -> bool:
    nearest = next(folder for folder in path.parents if folder.exists())
    return os.access(nearest, os.W_OK)
