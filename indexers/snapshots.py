"""What one search sees of an index: a state that stays as it is while another thread or process writes the next."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from penstock.errors import DamagedIndex
from penstock.indexers.manifest import Manifest, ManifestFile, Stamp

DataT = TypeVar("DataT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Generic[DataT]):
    """The data of an index as it was at a revision."""

    stamp: Stamp | None
    revision: int
    data: DataT


class Snapshots(Generic[DataT]):
    """Gives the newest snapshot, which it loads when the manifest has changed: a look at one file otherwise.

    Raises:
        DamagedIndex: the manifest, or what it names, cannot be used.
    """

    def __init__(self, manifest: ManifestFile, load: Callable[[Manifest, DataT], DataT], empty: DataT) -> None:
        self._manifest = manifest
        self._load = load
        self._nothing = Snapshot(stamp=None, revision=0, data=empty)
        self._held = self._nothing
        self._lock = threading.Lock()
        self.newest()

    def newest(self) -> Snapshot[DataT]:
        """The newest snapshot on disk.

        Raises:
            DamagedIndex: the manifest, or what it names, cannot be used.
            IndexingError: the manifest cannot be looked at.
        """
        held = self._held
        if self._manifest.stamp() == held.stamp:
            return held
        with self._lock:
            self._held = self._read()
            return self._held

    def put(self, revision: int, data: DataT) -> None:
        """Takes the data that the caller has just written, so that it is not read again."""
        with self._lock:
            self._held = Snapshot(stamp=self._manifest.stamp(), revision=revision, data=data)

    def forget(self) -> None:
        """Frees what is loaded."""
        self._held = self._nothing

    def _read(self) -> Snapshot[DataT]:
        while True:
            stamp = self._manifest.stamp()
            if stamp == self._held.stamp:  # another thread has just loaded it
                return self._held
            try:
                manifest = self._manifest.read()
                if manifest is None:
                    return self._nothing
                return Snapshot(stamp=stamp, revision=manifest.revision, data=self._load(manifest, self._held.data))
            except DamagedIndex:
                if stamp == self._manifest.stamp():  # else a writer has just replaced what the manifest named
                    raise
