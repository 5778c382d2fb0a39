"""What upkeep did, as a person reads it on a terminal; the last line is always the room on disk."""

from collections.abc import Sequence

from penstock.catalog import RevisionEntry
from penstock.cli.output.screen import Screen
from penstock.cli.output.tables import LISTED, show_rows
from penstock.loaders import shown
from penstock.pipelines.history.compacting import Compacted
from penstock.pipelines.history.differing import Difference
from penstock.pipelines.history.disk import DiskUse, Measured
from penstock.pipelines.history.exporting import Exported
from penstock.pipelines.history.importing import Imported
from penstock.pipelines.history.removing import Removed, Renamed
from penstock.pipelines.history.returning import RolledBack


def show_history(entries: Sequence[RevisionEntry], use: DiskUse, *, oldest: int) -> None:
    """The revisions, and what all of the home takes."""
    rows = [
        {
            "revision": entry.revision,
            "time": f"{entry.time:%Y-%m-%d %H:%M:%S}",
            "cause": entry.cause,
            "added": entry.added,
            "changed": entry.changed,
            "removed": entry.removed,
        }
        for entry in entries
    ]
    show_rows(rows, empty="no revisions")
    screen = Screen()
    if entries and entries[-1].revision > max(oldest, 1):
        screen.say(f"earlier ones: penstock history --before {entries[-1].revision}")
    screen.say(("disk: ", "cyan"), _size(use.total))


def show_compacted(done: Compacted, *, stderr: bool) -> None:
    """What was removed, or would be."""
    screen = Screen(stderr=stderr)
    goes = "would go" if done.dry_run else "went"
    freed = done.freed
    left = f"revision {done.newest}" if done.oldest == done.newest else f"revisions {done.oldest} to {done.newest}"
    stays = "would be left" if done.dry_run else "left"
    screen.say((done.collection, "bold"), f": {left} {stays}")
    screen.say(
        f"{goes}: {freed.revisions} revisions, {freed.documents} documents, {freed.chunks} chunks, "
        f"{freed.vectors} vectors, {freed.sources} sources, {freed.runs} accounts of runs"
    )
    for folder in done.aside:
        screen.say(f"{goes}: index set aside, {_size(folder.bytes)}: ", str(folder.path))
    for remark in done.remarks:
        screen.say(("attention: ", "yellow"), remark)
    _show_use(screen, done)


def show_rolled_back(done: RolledBack, *, stderr: bool) -> None:
    """What going back changed, and what it did not."""
    screen = Screen(stderr=stderr)
    screen.say((done.collection, "bold"), f": revision {done.revision} holds what revision {done.to} held")
    screen.say(f"sources: {done.added} added, {done.changed} changed, {done.removed} removed; nothing was read again")
    for uri in done.left_out[:LISTED]:
        screen.say("  stays    ", shown(uri))
    for remark in done.remarks:
        screen.say(("note: ", "yellow"), remark)
    _show_use(screen, done)


def show_difference(found: Difference) -> None:
    """Sources that were added, changed and removed, one a line."""
    screen = Screen()
    screen.say((found.collection, "bold"), f", from revision {found.first} to {found.second}")
    lines = [("added", uri, "") for uri in found.added]
    lines += [("changed", change.uri, f": {', '.join(change.what) or 'read or cut again'}") for change in found.changed]
    lines += [("removed", uri, "") for uri in found.removed]
    for kind, uri, how in lines[:LISTED]:
        screen.say(f"  {kind:<8} ", shown(uri), how)
    if len(lines) > LISTED:
        screen.say(f"  ... and {len(lines) - LISTED} more; --json lists them all")
    screen.say(f"{len(found.added)} added, {len(found.changed)} changed, {len(found.removed)} removed")


def show_exported(done: Exported, *, stderr: bool) -> None:
    """A file, and how to know it again."""
    screen = Screen(stderr=stderr)
    screen.say((done.collection, "bold"), f", revision {done.revision}, is in ", str(done.file))
    screen.say(f"{_size(done.bytes)}, SHA-256 {done.sha256}")
    _show_use(screen, done)


def show_imported(done: Imported, *, stderr: bool) -> None:
    """A collection out of a file."""
    screen = Screen(stderr=stderr)
    screen.say((done.collection, "bold"), f": {done.sources} sources, {done.chunks} chunks; nothing was read again")
    for remark in done.remarks:
        screen.say(("note: ", "yellow"), remark)
    _show_use(screen, done)


def show_removed(done: Removed, *, stderr: bool) -> None:
    """A collection that is gone."""
    screen = Screen(stderr=stderr)
    screen.say(f"collection {done.collection!r} is gone: {done.chunks} chunks, {done.vectors} vectors")
    for remark in done.remarks:
        screen.say(("attention: ", "yellow"), remark)
    _show_use(screen, done)


def show_renamed(done: Renamed, *, described: bool, stderr: bool) -> None:
    """A collection with a new name; `described` says that penstock.toml still has the old one."""
    screen = Screen(stderr=stderr)
    screen.say(f"collection {done.collection!r} is {done.new!r} now; its documents keep their ids")
    if described:
        screen.say(
            ("attention: ", "yellow"),
            f"penstock.toml describes [collections.{done.collection}]: rename that too, or the next sync makes it",
        )
    _show_use(screen, done)


def _show_use(screen: Screen, done: Measured) -> None:
    screen.say(("disk: ", "cyan"), f"{_size(done.before.total)} before, {_size(done.after.total)} after")


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"
