"""What must hold inside the catalog, checked with separate SQL and not with the catalog's code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection, text

from benchmarks.faults.work import Held, State

LIVE = 2**62
NEVER: Mapping[str, str] = {
    "a live source without a live document": """
        SELECT s.uri FROM sources s WHERE s.removed_rev = :live AND s.content <> '' AND 1 <> (SELECT count(*)
        FROM documents d WHERE d.collection = s.collection AND d.content = s.content AND d.removed_rev = :live)""",
    "a live document without a live source": """
        SELECT d.uri FROM documents d WHERE d.removed_rev = :live AND NOT EXISTS (SELECT 1 FROM sources s
        WHERE s.collection = d.collection AND s.content = d.content AND s.removed_rev = :live)""",
    "a document with other chunks than it counts": """
        SELECT d.uri FROM documents d WHERE d.removed_rev > (SELECT oldest FROM collections)
        AND (d.chunks <> (SELECT count(*) FROM chunks c WHERE c.document = d.row)
        OR d.chunks <> (SELECT count(DISTINCT c.ordinal) FROM chunks c
        WHERE c.document = d.row AND c.ordinal >= 0 AND c.ordinal < d.chunks))""",
    "a chunk that came or went without its document": """
        SELECT c.id FROM chunks c LEFT JOIN documents d ON d.row = c.document
        WHERE d.row IS NULL OR c.added_rev <> d.added_rev OR c.removed_rev <> d.removed_rev""",
    "a document without its text": """
        SELECT d.uri FROM documents d LEFT JOIN contents b ON b.collection = d.collection AND b.hash = d.content
        WHERE b.hash IS NULL""",
    "labels or readers of no source": """
        SELECT name FROM source_labels WHERE source NOT IN (SELECT row FROM sources) UNION ALL
        SELECT principal FROM source_access WHERE source NOT IN (SELECT row FROM sources)""",
    "a row of a revision that is not there": """
        SELECT t.added_rev FROM (SELECT added_rev, removed_rev FROM sources UNION ALL
        SELECT added_rev, removed_rev FROM documents UNION ALL SELECT added_rev, removed_rev FROM chunks) t
        WHERE t.added_rev > (SELECT max(revision) FROM collections) OR t.removed_rev <= t.added_rev
        OR (t.removed_rev <> :live AND t.removed_rev > (SELECT max(revision) FROM collections))""",
    "a gap in the revisions": """
        SELECT c.revision FROM collections c
        WHERE c.revision - CASE WHEN c.oldest > 0 THEN c.oldest - 1 ELSE 0 END <> (SELECT count(*) FROM revisions r
        WHERE r.collection = c.row AND r.revision BETWEEN c.oldest AND c.revision)""",
    "a live chunk without a vector": """
        SELECT c.id FROM chunks c JOIN collections k ON k.row = c.collection WHERE c.removed_rev = :live
        AND NOT EXISTS (SELECT 1 FROM vectors v JOIN models m ON m.row = v.model
        WHERE m.identity = k.embedder AND v.hash = c.context_hash)""",
    "a chunk of a revision that is kept without its vector": """
        SELECT c.id FROM chunks c JOIN collections k ON k.row = c.collection JOIN revisions r ON r.collection = k.row
        AND r.revision >= k.oldest AND c.added_rev <= r.revision AND c.removed_rev > r.revision
        WHERE NOT EXISTS (SELECT 1 FROM vectors v JOIN models m ON m.row = v.model
        WHERE m.identity = r.embedder AND v.hash = c.context_hash)""",
}
"""Queries that must give no rows, by what a row would be. The database holds one collection."""


@dataclass(slots=True, kw_only=True)
class History:
    """What earlier checks saw: past revisions must not change."""

    digests: dict[int, str] = field(default_factory=dict)
    """By revision: a hash of the live rows and their chunk ids."""
    rows: int = 0
    """The largest row number of a chunk."""


def broken_rules(connection: Connection) -> Iterator[str]:
    """Rows that must never exist."""
    for what, query in NEVER.items():
        found = connection.execute(text(query), {"live": LIVE} if ":live" in query else {}).first()
        if found is not None:
            yield f"catalog: {what} ({found[0]})"


def damaged_files(connection: Connection) -> Iterator[str]:
    """Flaws of its files that the database itself finds."""
    if connection.dialect.name == "sqlite":
        for pragma in ("integrity_check", "foreign_key_check"):
            for row in connection.exec_driver_sql(f"PRAGMA {pragma}"):
                if row[0] != "ok":
                    yield f"catalog: {pragma} says {tuple(row)}"
        return
    names = connection.exec_driver_sql(
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
    )
    for (name,) in names.all():
        connection.execute(text("SELECT bt_index_check(CAST(:name AS regclass), true)"), {"name": name})  # or it raises


def changed_history(connection: Connection, history: History) -> Iterator[str]:
    """Past revisions that changed, and row numbers that were used twice; adds new revisions to the history."""
    newest = connection.execute(text("SELECT max(revision) FROM collections")).scalar() or 0
    oldest = connection.execute(text("SELECT max(oldest) FROM collections")).scalar() or 0
    every = connection.execute(text("SELECT row, id, added_rev, removed_rev FROM chunks ORDER BY row")).all()
    known = max(history.digests, default=0)
    if known > newest:
        yield f"catalog: revision {known} was there, and the newest is {newest} now"
    for revision in range(max(1, oldest), newest + 1):
        live = "".join(f"{row} {id_}\n" for row, id_, came, went in every if came <= revision < went)
        digest = sha256(live.encode()).hexdigest()
        if history.digests.setdefault(revision, digest) != digest:
            yield f"catalog: revision {revision} is not what it was"
    late = [row for row, _, came, _ in every if came > known and row <= history.rows]
    if known and late:
        yield f"catalog: row number {late[0]} was given to a chunk before"
    history.rows = max([history.rows, *(row for row, *_ in every)])


def state_of(connection: Connection) -> State:
    """The live sources with a label each; the content hash in place of the text."""
    rows = connection.execute(
        text(
            "SELECT s.uri, s.content, l.value FROM sources s LEFT JOIN source_labels l ON l.source = s.row "
            "WHERE s.removed_rev = :live"
        ),
        {"live": LIVE},
    )
    return {uri: Held(content, str(value).removeprefix("s:")) for uri, content, value in rows}
