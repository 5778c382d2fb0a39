"""When was an index built anew, and why? Noted beside it, so that what did not help is not done again and again."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from penstock.errors import IndexingError
from penstock.indexers.durable import write_durably

NAME = "rebuilds.json"
PAUSE = timedelta(hours=1)
"""For so long nothing is built anew a second time for the same cause, unless a person asks for it."""
LONGEST_CAUSE = 500
"""Characters by which a cause is known."""
MOST_CAUSES = 100
"""Causes of the last hour that are remembered of all indexes."""
_NAMES = re.compile("[0-9a-f]{8,}")
"""Names that programs give to files: of each new index they are others."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Rebuilds:
    """The rebuilds of one index, in a file that the indexes of a collection share; for the writer alone."""

    def __init__(self, folder: Path, index: str, *, clock: Callable[[], datetime] = now) -> None:
        self._path = folder / NAME
        self._index = index
        self._clock = clock

    def begin(self, cause: str) -> None:
        """Notes that the index is about to be built anew.

        Raises:
            IndexingError: it was within the last hour, for the same cause; or that cannot be noted.
        """
        at = self._clock()
        known = {cause: when for cause, when in self._read().items() if abs(at - when) < PAUSE}
        own = self._own(cause)
        if own in known:
            raise IndexingError(
                f"{cause}; the index was built anew for the same cause at {known[own]:%Y-%m-%d %H:%M} UTC, which did "
                "not help: look after the disk and the memory of this machine, then run `penstock doctor --repair`"
            )
        newest = sorted({**known, own: at}.items(), key=lambda item: item[1])[-MOST_CAUSES:]
        write_durably(self._path, json.dumps({cause: when.isoformat() for cause, when in newest}, indent=1).encode())

    def has_begun(self, cause: str, *, after: datetime) -> bool:
        """Whether the index was built anew for that cause since a time, by whichever process."""
        return self._read().get(self._own(cause), after) > after

    def _own(self, cause: str) -> str:
        return f"{self._index}: {_NAMES.sub('#', cause)[:LONGEST_CAUSE]}"

    def _read(self) -> Mapping[str, datetime]:
        try:
            noted = json.loads(self._path.read_text("utf-8"))
            return {str(cause): datetime.fromisoformat(when).astimezone(UTC) for cause, when in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # none yet; or a note that nobody can read, which costs a rebuild at most
