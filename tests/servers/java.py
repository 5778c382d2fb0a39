"""Finding a Java of this machine that is new enough."""

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.servers.processes import ServerMissing

HOMES = Path("/usr/lib/jvm")
"""Where Linux distributions put Java."""
VARIABLE = "PENSTOCK_TEST_JAVA_HOME"
"""Names the Java to use; with `_8` or `_9` at its end only for that version of Elasticsearch."""


def java_home(oldest: int, purpose: str = "") -> Path:
    """The home of the oldest Java of this machine that is at least of the version `oldest`, or of the one set.

    Raises:
        ServerMissing: there is none.
    """
    for variable in (f"{VARIABLE}_{purpose}", VARIABLE):
        if folder := os.environ.get(variable):
            if java_version(Path(folder)) < oldest:
                raise ServerMissing(f"{variable} is {folder!r}, which is no Java {oldest} or later")
            return Path(folder)
    fitting = {home: version for home in _homes() if (version := java_version(home)) >= oldest}
    if not fitting:
        raise ServerMissing(
            f"no Java {oldest} or later in JAVA_HOME or {HOMES}; install one, or set {VARIABLE} to where it is"
        )
    return min(fitting, key=lambda home: (fitting[home], str(home)))


@cache
def java_version(home: Path) -> int:
    """The main version of the Java there; 0 where there is none that runs."""
    try:
        run = subprocess.run(
            [home / "bin" / "java", "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', run.stderr)
    return int(found[1]) if found else 0


def _homes() -> Iterator[Path]:
    if folder := os.environ.get("JAVA_HOME"):
        yield Path(folder)
    if HOMES.is_dir():
        yield from sorted(path for path in HOMES.iterdir() if path.is_dir())
