"""Locks for writing the indexes of a collection: no commit waits for them, and a search only for a limited time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.catalog import Collection, held


class Turns:
    """Two file locks in the folder of a collection's indexes; indexes on servers have two more in the database.

    A process that needs both takes the lock for rebuilding first.
    """

    def __init__(self, place: Path, collection: Collection, *, shared: bool, seconds: float) -> None:
        """`shared` where processes on other machines write the same indexes; `seconds` is the default timeout."""
        self._place = place
        self._collection = collection
        self._shared = shared
        self.seconds = seconds

    @contextmanager
    def following(self, timeout: float | None = None) -> Iterator[None]:
        """Holds the lock for replaying missing revisions, or for replacing an index.

        Raises:
            CollectionLocked: another process still holds it after `timeout` seconds; names that process.
            CatalogError: the lock file cannot be written.
        """
        with self._turn("following", "updates the indexes", timeout):
            yield

    @contextmanager
    def rebuilding(self, timeout: float | None = None) -> Iterator[None]:
        """Holds the lock for building an index beside the live one; may be held for long.

        Raises: as `following`.
        """
        with self._turn("rebuilding", "rebuilds an index", timeout):
            yield

    @contextmanager
    def _turn(self, name: str, doing: str, timeout: float | None) -> Iterator[None]:
        wait = self.seconds if timeout is None else timeout
        what = f"{doing} of collection {self._collection.name!r}"
        with held(self._place / f"{name}.lock", what, timeout=wait):
            if self._shared:
                with self._collection.locked(name, what, timeout=wait):
                    yield
            else:
                yield
