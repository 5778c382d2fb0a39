"""What Prefect's page shows of a run over a collection: progress, outcomes, first failures, what changed."""

import re
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect.artifacts import (  # isort: skip
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from penstock.flows.artifacts.markdown import cell
from penstock.flows.artifacts.summary import headline, summary
from penstock.loaders import shown
from penstock.model import OUTCOMES

LISTED = 50
"""Sources that a table names one by one; it says how many more there are."""
SECONDS_BETWEEN_UPDATES = 2.0
"""Of the progress bar: each costs a call to Prefect's server."""
__all__ = ["account", "headline", "key", "progress"]
TO_LOOK_AT = ("failed", "partial", "empty", "skipped")


def key(collection: str, kind: str) -> str:
    """The key under which a collection's artifacts follow one another: small ASCII letters, digits and dashes.

    >>> key("handbook", "outcomes")
    'penstock-handbook-outcomes'
    >>> key("员工手册", "outcomes")
    'penstock-c29db8f-outcomes'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", collection.lower()).strip("-")
    if plain != collection:
        plain = "-".join(filter(None, (plain, f"c{sha256(collection.encode()).hexdigest()[:6]}")))
    return f"penstock-{plain}-{kind}"


class Progress:
    """A bar that grows with the sources that are done; sent to Prefect every few seconds."""

    def __init__(self, artifact: UUID, total: int) -> None:
        self._artifact, self._total, self._done = artifact, total, 0
        self._updated = time.monotonic()

    def add(self, sources: int) -> None:
        """Counts further sources as done."""
        self._done += sources
        if time.monotonic() - self._updated > SECONDS_BETWEEN_UPDATES:
            self.update()

    def update(self) -> None:
        """Updates the bar."""
        share = 100.0 * self._done / self._total if self._total else 100.0
        update_progress_artifact(artifact_id=self._artifact, progress=round(min(share, 100.0), 1))
        self._updated = time.monotonic()


@contextmanager
def progress(collection: str, total: int) -> Iterator[Progress]:
    """A progress bar of a run over `total` sources; its last value shows how far the run came."""
    description = f"{collection}: share of {total} sources to read that are done"
    artifact = create_progress_artifact(0.0, key=key(collection, "progress"), description=description)
    bar = Progress(cast(UUID, artifact), total)  # a coroutine only where a loop runs
    yield bar
    bar.update()


def account(report: Mapping[str, Any], new: Container[str]) -> None:
    """The tables and the summary of a finished run, from its report as a dictionary and the URIs of new sources."""
    collection = report["collection"]
    rows = [{"outcome": outcome, "sources": report[outcome]} for outcome in OUTCOMES]
    create_table_artifact(rows, key=key(collection, "outcomes"), description=f"{collection}: how each source ended")
    create_markdown_artifact(
        summary(report, new), key=key(collection, "summary"), description=f"{collection}: what changed"
    )
    attention = [source for source in report["sources"] if source["outcome"] in TO_LOOK_AT]
    if attention:
        create_table_artifact(
            _rows(attention), key=key(collection, "attention"), description=f"{collection}: {_counted(attention)}"
        )


def _rows(attention: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources that a table names, failures before what is only partial, empty or skipped."""
    first = sorted(attention, key=lambda source: TO_LOOK_AT.index(source["outcome"]))[:LISTED]
    return [
        {"source": cell(shown(source["uri"])), "outcome": source["outcome"], "reason": cell(source["reason"])}
        for source in first
    ]


def _counted(attention: Sequence[Mapping[str, Any]]) -> str:
    more = len(attention) - LISTED
    heading = f"{len(attention)} sources to look at" if len(attention) > 1 else "one source to look at"
    return f"{heading}; {more} more are not listed" if more > 0 else heading
