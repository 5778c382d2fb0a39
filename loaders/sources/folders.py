"""Walking a folder: streamed, in sorted order, through such links as may be followed, and honest about the rest."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from penstock.errors import ExcludedSource
from penstock.loaders.sources.addresses import shown, uri_of
from penstock.loaders.sources.failures import discover_failure
from penstock.loaders.sources.files import SECONDS, listed_file
from penstock.loaders.sources.opening import is_of_kernel, lies_below
from penstock.loaders.sources.waiting import Stalled, within
from penstock.model import Failure, Listed

Identity = tuple[int, int]
Links = Literal["inside", "all", "none"]
"""Which links are followed: those to what lies in the listed folder anyway, every one, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scanned:
    """An entry of a folder, links followed."""

    name: str
    path: str
    status: os.stat_result | OSError
    leads_to: str
    """The real path behind a link; empty where it is none."""

    @property
    def is_folder(self) -> bool:
        return not isinstance(self.status, OSError) and stat.S_ISDIR(self.status.st_mode)


class FolderLister:
    """Lists the files of a folder and of the folders in it.

    Hidden files and folders (`.name`) and the lock files of Office (`~$name`) are no sources, nor is what is no regular
    file or what the kernel makes up. The folder itself may be a link: it was named. A link in it that is not followed
    is left out and reported, and the listing covers what is behind it: it is no longer there. A linked folder that lies
    within this one anyway, holds it, or was seen already, is not walked again. A folder that cannot be read is a
    failure and makes the listing incomplete. A link that leads nowhere is a failure of its own: the listing stays
    complete but does not speak for what was behind the link.

    Hard links look like any other file, to whatever they lead.
    """

    def __init__(
        self,
        path: Path,
        *,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        links: Links = "inside",
        seconds: float = SECONDS,
    ) -> None:
        """`seconds` is how long a folder may take to say what is in it."""
        self._root = os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps `..`
        self._include, self._exclude = tuple(include), tuple(exclude)
        self._links = links
        self._seconds = seconds
        self._complete = False
        self._dead: list[str] = []

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        self._complete, self._dead = False, []
        self._readable = True
        self._real = self._root
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
        """The entries of one folder, sorted by name: files as listed, folders to walk as paths."""
        try:
            entries = within(self._seconds, lambda: self._looked_at(folder), name=f"listing {folder}")
        except (OSError, Stalled) as error:
            self._readable = False
            uri = uri_of(folder)
            reason = error.strerror if isinstance(error, OSError) else error
            yield discover_failure(uri, f"the folder {shown(uri)!r} cannot be listed: {reason}")
            return
        for entry in entries:
            yield from self._entry(entry)

    def _looked_at(self, folder: str) -> tuple[_Scanned, ...]:
        """Makes all calls to the system about one folder: on a dead network share each of them may never return."""
        if folder == self._root:
            self._real = os.path.realpath(folder)
        with os.scandir(folder) as scanned:
            entries = [_entry(item) for item in scanned if not item.name.startswith((".", "~$"))]
        # The slash puts a folder where its files belong in the order of whole paths.
        return tuple(sorted(entries, key=lambda entry: entry.name + "/" * entry.is_folder))

    def _entry(self, entry: _Scanned) -> Iterator[Listed | Failure | str]:
        refusal = self._refusal(entry)
        if refusal and (entry.is_folder or self._is_wanted(entry.path)):
            yield discover_failure(uri_of(entry.path), str(refusal), refusal)
        elif refusal:
            return
        elif isinstance(entry.status, OSError):
            yield self._unseen(entry, entry.status)
        elif entry.is_folder:
            if self._is_new(entry, entry.status):
                yield entry.path
        elif stat.S_ISREG(entry.status.st_mode) and self._is_wanted(entry.path):
            yield listed_file(entry.path, entry.status, below=self._below(entry))

    def _refusal(self, entry: _Scanned) -> ExcludedSource | None:
        """Why an entry is not looked into, where a link or its file system is the reason."""
        name = shown(uri_of(entry.path))
        if entry.leads_to and self._links == "none":
            return ExcludedSource(f"{name!r} is a link, and folders.links = 'none' follows none")
        if entry.leads_to and self._links == "inside" and not lies_below(entry.leads_to, self._real):
            return ExcludedSource(
                f"the link {name!r} leads out of the folder, to {shown(uri_of(entry.leads_to))!r}; set "
                "folders.links = 'all' (PENSTOCK_FOLDERS__LINKS) if all links in this folder may be followed"
            )
        if not isinstance(entry.status, OSError) and is_of_kernel(entry.status):
            return ExcludedSource(
                f"{name!r} is no document: the kernel makes up what is in it; such files are never read"
            )
        return None

    def _below(self, entry: _Scanned) -> str:
        """Where the file must really be when it is opened: a link may have come in its place by then."""
        if self._links == "none":
            return os.path.join(self._real, os.path.relpath(entry.path, self._root))  # noqa: PTH118 - strings, for speed
        return self._real if self._links == "inside" else ""

    def _unseen(self, entry: _Scanned, error: OSError) -> Failure:
        uri = uri_of(entry.path)
        if entry.leads_to:
            self._dead.append(uri)
            return discover_failure(uri, f"the link {shown(uri)!r} leads nowhere: {error.strerror}")
        self._readable = False
        return discover_failure(uri, f"{shown(uri)!r} cannot be looked at: {error.strerror}")

    def _is_new(self, entry: _Scanned, status: os.stat_result) -> bool:
        if entry.leads_to and (lies_below(entry.leads_to, self._real) or _is_below(self._real, entry.leads_to)):
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


def _entry(scanned: os.DirEntry[str]) -> _Scanned:
    try:
        status: os.stat_result | OSError = scanned.stat()
    except OSError as error:  # links in a circle or into nowhere: one entry's fault, reported when its turn comes
        status = error
    leads_to = os.path.realpath(scanned.path) if scanned.is_symlink() else ""
    return _Scanned(name=scanned.name, path=scanned.path, status=status, leads_to=leads_to)


def _is_below(uri: str, folder: str) -> bool:
    return uri.startswith(folder.rstrip("/") + "/")
