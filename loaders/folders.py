"""Walking a folder: streamed, in sorted order, through links, and honest about what could not be seen."""

import os
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from penstock.loaders.addresses import shown, uri_of
from penstock.loaders.listing import discover_failure, listed_file
from penstock.model import Failure, Listed

Identity = tuple[int, int]


class FolderLister:
    """Lists the files of a folder and of the folders in it.

    Hidden files and folders (`.name`) and the lock files of Office (`~$name`) are no sources, nor is what is no regular
    file. Links are followed; a linked folder that lies within this one anyway, holds it, or was seen already, is not
    walked again. A folder that cannot be read is a failure and makes the listing incomplete. A link that leads nowhere
    is a failure of its own: the listing stays complete but does not speak for what was behind the link.
    """

    def __init__(self, path: Path, *, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        self._root = os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps `..`
        self._include, self._exclude = tuple(include), tuple(exclude)
        self._complete = False
        self._dead: list[str] = []

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        self._complete, self._dead = False, []
        self._readable = True
        self._real = os.path.realpath(self._root)
        self._walked: set[Identity] = set()
        # Depth first with a stack of our own: folders may be nested deeper than Python calls may be.
        stack = [self._entries(self._root)]
        while stack:
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
            elif isinstance(found, str):
                stack.append(self._entries(found))
            else:
                yield found
        self._complete = self._readable

    def complete(self) -> bool:
        """See `Lister`."""
        return self._complete

    def covers(self, uri: str) -> bool:
        """Everything below the folder, except behind links that lead nowhere."""
        return _is_below(uri, uri_of(self._root)) and not any(
            uri == dead or _is_below(uri, dead) for dead in self._dead
        )

    def _entries(self, folder: str) -> Iterator[Listed | Failure | str]:
        """What stands in one folder, sorted by name: files as listed, folders to walk as paths."""
        try:
            with os.scandir(folder) as scanned:
                # The slash puts a folder where its files belong in the order of whole paths.
                entries = sorted(scanned, key=lambda entry: entry.name + "/" * _is_folder(entry))
        except OSError as error:
            self._readable = False
            uri = uri_of(folder)
            yield discover_failure(uri, f"the folder {shown(uri)!r} cannot be listed: {error.strerror}")
            return
        for entry in entries:
            if not entry.name.startswith((".", "~$")):
                yield from self._entry(entry)

    def _entry(self, entry: os.DirEntry[str]) -> Iterator[Listed | Failure | str]:
        try:
            status = entry.stat()
        except OSError as error:
            yield self._unseen(entry, error)
            return
        if stat.S_ISDIR(status.st_mode):
            if self._is_new(entry, status):
                yield entry.path
        elif stat.S_ISREG(status.st_mode) and self._is_wanted(entry.path):
            yield listed_file(entry.path, status)

    def _unseen(self, entry: os.DirEntry[str], error: OSError) -> Failure:
        uri = uri_of(entry.path)
        if entry.is_symlink():
            self._dead.append(uri)
            return discover_failure(uri, f"the link {shown(uri)!r} leads nowhere: {error.strerror}")
        self._readable = False
        return discover_failure(uri, f"{shown(uri)!r} cannot be looked at: {error.strerror}")

    def _is_new(self, entry: os.DirEntry[str], status: os.stat_result) -> bool:
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if _is_below(real + "/", self._real) or _is_below(self._real, real):
                return False  # walked under its own name
        identity = (status.st_dev, status.st_ino)
        if identity in self._walked:
            return False
        self._walked.add(identity)
        return True

    def _is_wanted(self, path: str) -> bool:
        relative = os.path.relpath(path, self._root)
        names = (relative, os.path.basename(path))  # noqa: PTH119 - strings all through, for speed
        if any(fnmatchcase(name, pattern) for pattern in self._exclude for name in names):
            return False
        return not self._include or any(fnmatchcase(name, pattern) for pattern in self._include for name in names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle: one entry's fault, told when its turn comes
        return False


def _is_below(uri: str, folder: str) -> bool:
    return uri.startswith(folder.rstrip("/") + "/")
