"""The record of runs and of revisions: who changed a collection, when, and how it ended."""

import time

from sqlalchemy import exists, select, update

from penstock.catalog.database.database import Database, inserted
from penstock.catalog.database.encoding import moment, pack_report, unpack_report
from penstock.catalog.database.schema import belongs, revisions, runs
from penstock.catalog.values import RevisionInfo, RunInfo
from penstock.model import RunReport

RUNNING = "running"
"""Status of a run that has not finished: it is running, or it was killed."""


def start_run(database: Database, collection: int, command: str) -> int:
    """Records that a run begins; gives its number."""
    values = {"collection": collection, "command": command, "status": RUNNING, "started": time.time_ns() // 1000}
    with database.write() as connection:
        return inserted(connection, runs, values)


def finish_run(database: Database, collection: int, run: int, report: RunReport | None, status: str) -> None:
    """Records how a run ended."""
    values = {"status": status, "finished": time.time_ns() // 1000}
    with database.write() as connection:
        connection.execute(
            update(runs)
            .where(belongs(runs, collection), runs.c.row == run)
            .values(**values, report=None if report is None else pack_report(report))
        )
        committed = exists().where(revisions.c.collection == collection, revisions.c.run == run)
        if connection.execute(select(committed)).scalar_one():
            database.backend.settle(connection)


def read_runs(database: Database, collection: int, *, last: int | None = None) -> tuple[RunInfo, ...]:
    """All runs, or the last `last`; oldest first."""
    query = select(runs).where(belongs(runs, collection)).order_by(runs.c.row.desc()).limit(last)
    with database.read() as connection:
        rows = connection.execute(query).all()[::-1]
    return tuple(
        RunInfo(
            id=row.row,
            command=row.command,
            started=moment(row.started),
            finished=None if row.finished is None else moment(row.finished),
            status=row.status,
            report=None if row.report is None else unpack_report(row.report),
        )
        for row in rows
    )


def read_revisions(database: Database, collection: int) -> tuple[RevisionInfo, ...]:
    """All commits, oldest first."""
    query = select(revisions).where(belongs(revisions, collection)).order_by(revisions.c.revision)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return tuple(
        RevisionInfo(revision=row.revision, time=moment(row.time), run=row.run, embedder=row.embedder) for row in rows
    )
