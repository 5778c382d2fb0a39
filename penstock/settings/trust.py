"""Files that a person trusted: noted by place and content in a file of the user's own, outside of every project.

A file is trusted as it was read: any change to it ends the trust, as with direnv. The place is that of the file itself,
not of what it links to, because relative paths in it are taken from there.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path

from penstock.errors import SettingsError
from penstock.files import write_durably

State = Literal["trusted", "changed", "unknown"]
_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as it was read, once: what is checked is what is used."""

    path: Path
    """Absolute; links in its folder are resolved, one that it is itself is not."""
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Of its content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The record that a file was trusted."""

    sha256: str
    since: str
    """ISO 8601, UTC."""


def place_of(path: Path) -> Path:
    """The path under which the trust in a file is recorded."""
    return path.expanduser().parent.resolve() / path.name


def read(path: Path) -> File:
    """The file.

    Raises:
        OSError: it cannot be read.
    """
    return File(path=place_of(path), content=path.expanduser().read_bytes())


def state(file: File) -> State:
    """Whether the file was trusted as it is now, only as it was before, or never.

    Raises:
        SettingsError: the notes cannot be used; says why.
    """
    note = notes().get(str(file.path))
    if note is None:
        return "unknown"
    return "trusted" if note.sha256 == file.sha256 else "changed"


def notes() -> dict[str, Note]:
    """All files that were trusted, by their paths.

    Raises:
        SettingsError: the notes cannot be read, or somebody else may write them.
    """
    path = notes_path()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                raise SettingsError(
                    f"{path} does not say what you trust: it belongs to somebody else, or others may write it; "
                    "delete it, and run `penstock trust` again"
                )
            return {name: Note(**note) for name, note in json.load(file)["files"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            f"{path}, which says what you trust, cannot be read: {error}; delete it, and run `penstock trust` again"
        ) from error


def trust(file: File) -> None:
    """Records that the file is trusted as it is.

    Raises:
        SettingsError: the note cannot be written.
    """
    with _changing() as kept:
        kept[str(file.path)] = Note(sha256=file.sha256, since=datetime.now(UTC).isoformat(timespec="seconds"))


def revoke(path: Path) -> bool:
    """Takes the trust in a file back; whether there was any.

    Raises:
        SettingsError: the notes cannot be written.
    """
    with _changing() as kept:
        return kept.pop(str(place_of(path)), None) is not None


def notes_path() -> Path:
    """Where the notes are: never in a project or a home of Penstock, which may come from others."""
    return user_config_path("penstock", appauthor=False) / "trusted.json"


@contextmanager
def _changing() -> Iterator[dict[str, Note]]:
    """The notes, to be changed; written when the context ends, one process after the other."""
    from filelock import FileLock

    path = notes_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), mode=0o600):
            kept = notes()
            yield kept
            values = {"files": {name: _plain(note) for name, note in sorted(kept.items())}}
            write_durably(path, json.dumps(values, indent=2).encode(), private=True)
    except OSError as error:
        raise SettingsError(
            f"{path}, which says what you trust, cannot be written: {error.strerror or error}; "
            "where there is no place for it, PENSTOCK_TRUST names the one file to trust"
        ) from error


def _plain(note: Note) -> dict[str, str]:
    return {"sha256": note.sha256, "since": note.since}
