"""SHA-256 of large files, read once: the result is kept beside the home under the file's path, size and time."""

import json
import os
import tempfile
from pathlib import Path

from penstock.engines.models.weights import sha256
from penstock.ids import digest


class Checksums:
    """Checksums of files, remembered in `home` where it can be written."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._folder = home / "models" / "checksums"
        self._known: dict[Path, tuple[list[int], str]] = {}

    def of(self, path: Path) -> str:
        """The file's SHA-256, from memory when its size and modification time are the remembered ones.

        Raises:
            OSError: the file cannot be read.
        """
        path = path.resolve()
        stamp = _stamp(path)
        known = self._known.get(path) or self._noted(path)
        if known is None or known[0] != stamp:
            self.remember(path, sha256(path))
            return self._known[path][1]
        self._known[path] = known
        return known[1]

    def remember(self, path: Path, checksum: str) -> None:
        """Notes a checksum that is known already, as of a file that was just written."""
        path = path.resolve()
        self._known[path] = (_stamp(path), checksum)
        write_atomically(self._note(path), json.dumps(self._known[path]).encode())

    def _noted(self, path: Path) -> tuple[list[int], str] | None:
        try:
            stamp, checksum = json.loads(self._note(path).read_text())
        except (OSError, ValueError, TypeError):
            return None  # not remembered, or not readable: computed again
        return stamp, str(checksum)

    def _note(self, path: Path) -> Path:
        return self._folder / f"{digest('file', str(path))}.json"


def write_atomically(path: Path, content: bytes) -> bool:
    """Writes a file that is complete whenever it is there; False where the folder cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        return False
    return True


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
