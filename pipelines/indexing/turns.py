"""Whose turn it is to write the indexes of a collection: no commit waits for it, and a search only for so long."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.catalog import Collection, held


class Turns:
    """Two locks that the kernel holds in the folder of a collection's indexes; those on servers have two more.

    Whoever needs both takes that for building anew first.
    """

    def __init__(self, place: Path, collection: Collection, *, shared: bool, seconds: float) -> None:
        """`shared` where processes of other machines write the same indexes; `seconds` is how long one waits."""
        self._place = place
        self._collection = collection
        self._shared = shared
        self.seconds = seconds

    @contextmanager
    def following(self, timeout: float | None = None) -> Iterator[None]:
        """The turn to replay what indexes miss, or to put a new one in its place: as long as that takes.

        Raises:
            CollectionLocked: another process has it; names it.
            CatalogError: nothing can be written here.
        """
        with self._turn("following", "brings up to date the indexes", timeout):
            yield

    @contextmanager
    def rebuilding(self, timeout: float | None = None) -> Iterator[None]:
        """The turn to build an index beside the one that is searched: may be held for long.

        Raises: as `following`.
        """
        with self._turn("rebuilding", "builds anew an index", timeout):
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
