"""What Penstock logs, on stderr: nothing unless it is asked for; then each record on a line of its own, escaped."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

OURS = "penstock"


class ScreenHandler(logging.Handler):
    """Shows records to a person; above a bar of progress, where one is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line: when, where, what."""
        from penstock.cli.output.screen import Screen

        try:
            line = f"{datetime.fromtimestamp(record.created):%H:%M:%S} {record.name}: {record.getMessage()}"
            Screen(stderr=True).say((line, "dim"))
        except OSError:  # nobody reads stderr any more: no reason to end the run
            return
        except (TypeError, ValueError):  # a message of somebody's that does not fit its arguments
            self.handleError(record)


@contextmanager
def showing_logs(verbosity: int) -> Iterator[None]:
    """Shows what Penstock logs (1), and its details and the warnings of libraries (2)."""
    ours, handler = logging.getLogger(OURS), ScreenHandler()
    place, before = logging.getLogger() if verbosity > 1 else ours, ours.level
    place.addHandler(handler)
    ours.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    try:
        yield
    finally:
        place.removeHandler(handler)
        ours.setLevel(before)
