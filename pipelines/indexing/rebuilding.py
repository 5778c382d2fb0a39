"""Records when an index was rebuilt, and why, so that a rebuild that did not help is not repeated again and again."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from penstock.errors import IndexingError
from penstock.indexers.durable import write_durably

NAME = "rebuilds.json"
PAUSE = timedelta(hours=1)
"""An index is not rebuilt twice within this time for the same cause, unless the user asks for it."""
LONGEST_CAUSE = 500
"""Characters of a cause that are kept and compared."""
MOST_CAUSES = 100
"""Causes of the last hour that are kept for all indexes of a collection."""
_NAMES = re.compile("[0-9a-f]{8,}")
"""File names made by programs: they differ in each new index, so they do not count as part of a cause."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Rebuilds:
    """The rebuilds of an index, in a file that the indexes of a collection share; only the writer uses it."""

    def __init__(self, folder: Path, index: str, *, clock: Callable[[], datetime] = now) -> None:
        self._path = folder / NAME
        self._index = index
        self._clock = clock

    def begin(self, cause: str) -> None:
        """Records that the index is about to be rebuilt.

        Raises:
            IndexingError: it was rebuilt for the same cause within the last hour, or the file cannot be written.
        """
        at = self._clock()
        known = {cause: when for cause, when in self._read().items() if abs(at - when) < PAUSE}
        own = self._own(cause)
        if own in known:
            raise IndexingError(
                f"{cause}; the index was rebuilt for the same cause at {known[own]:%Y-%m-%d %H:%M} UTC, which did "
                "not help: look after the disk and the memory of this machine, then run `penstock doctor --repair`"
            )
        newest = sorted({**known, own: at}.items(), key=lambda item: item[1])[-MOST_CAUSES:]
        write_durably(self._path, json.dumps({cause: when.isoformat() for cause, when in newest}, indent=1).encode())

    def has_begun(self, cause: str, *, after: datetime) -> bool:
        """Whether any process has rebuilt the index for that cause since a time."""
        return self._read().get(self._own(cause), after) > after

    def _own(self, cause: str) -> str:
        return f"{self._index}: {_NAMES.sub('#', cause)[:LONGEST_CAUSE]}"

    def _read(self) -> Mapping[str, datetime]:
        try:
            noted = json.loads(self._path.read_text("utf-8"))
            return {str(cause): datetime.fromisoformat(when).astimezone(UTC) for cause, when in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # no file yet, or an unreadable one, which costs at most an extra rebuild
