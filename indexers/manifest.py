"""What an index on disk holds: written last, so that it never claims more than its data."""

import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from penstock.errors import DamagedIndex, IndexingError
from penstock.indexers.durable import unreadable, write_durably

NAME = "manifest.json"
SEAL = "checksum"
"""Key of the manifest's own checksum, over all its other keys."""

Stamp = tuple[int, int, int]
"""Number of the file on its device, time and size of a manifest: another file has another stamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file of an index: its name in the index's folder, its checksum, and how many entries are in it."""

    name: str
    crc32: int
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Entries that were written together, and those of them that were removed since."""

    data: DataFile
    removed: DataFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The state of an index at one revision."""

    revision: int
    entries: int
    """How many entries a search can find, at least: data may be ahead of its manifest after a crash, never behind."""
    segments: tuple[Segment, ...] = ()
    """The index's own files; where its library lists them itself, the file with that list."""
    coming: int = 0
    """The revision of the data where its files are no longer those of `segments`: a writer is at work, or died."""


class ManifestFile:
    """The manifest of one index folder, for an index of one kind, format and content."""

    def __init__(self, folder: Path, *, kind: str, version: int, built_for: str) -> None:
        self.path = folder / NAME
        self._expected = {"kind": kind, "version": version, "built_for": built_for}

    def stamp(self) -> Stamp | None:
        """What changes when another process has written the manifest; None where there is none."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise IndexingError(f"{self.path} cannot be looked at: {error.strerror or error}") from error
        return status.st_ino, status.st_mtime_ns, status.st_size

    def read(self) -> Manifest | None:
        """The manifest; None where there is none.

        Raises:
            DamagedIndex: it cannot be read, or the index was built by another version or for other content.
            IndexingError: it cannot be read now.
        """
        try:
            text = self.path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, MemoryError) as error:
            raise unreadable(f"{self.path} cannot be read", error) from error
        except UnicodeDecodeError as error:
            raise DamagedIndex(f"{self.path} cannot be read: {error}") from error
        try:
            held = _unsealed(json.loads(text))
            found = {key: held[key] for key in self._expected}
            manifest = _manifest(held) if found == self._expected else None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedIndex(f"{self.path} is not a manifest: {error!r}") from error
        if manifest is None:
            raise DamagedIndex(
                f"{self.path.parent} was built as {found}, and {self._expected} is needed: build it anew"
            )
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Puts the manifest in place, safe on disk when it returns.

        Raises:
            IndexingError: it cannot be written.
        """
        held = {**self._expected, **asdict(manifest)}
        write_durably(self.path, json.dumps({**held, SEAL: _seal(held)}, indent=1).encode())


def _seal(held: dict[str, object]) -> int:
    return zlib.crc32(json.dumps(held, sort_keys=True).encode())


def _unsealed(held: dict[str, object]) -> dict[str, object]:
    """The manifest without its checksum; earlier versions wrote none."""
    seal = held.pop(SEAL, None)
    if seal is not None and seal != _seal(held):
        raise ValueError("its checksum differs")
    return held


def _manifest(held: dict[str, object]) -> Manifest:
    segments = held["segments"]
    if not isinstance(segments, list):
        raise TypeError("segments are no list")
    return Manifest(
        revision=_count(held["revision"]),
        entries=_count(held["entries"]),
        segments=tuple(_segment(segment) for segment in segments),
        coming=_count(held.get("coming", 0)),
    )


def _segment(held: dict[str, object]) -> Segment:
    removed = held["removed"]
    return Segment(data=_file(held["data"]), removed=None if removed is None else _file(removed))


def _file(held: object) -> DataFile:
    if not isinstance(held, dict) or not isinstance(held["name"], str) or Path(held["name"]).name != held["name"]:
        raise TypeError(f"{held!r} is no file of the index")
    return DataFile(name=held["name"], crc32=_count(held["crc32"]), entries=_count(held["entries"]))


def _count(held: object) -> int:
    if not isinstance(held, int) or held < 0:
        raise TypeError(f"{held!r} is no count")
    return held
