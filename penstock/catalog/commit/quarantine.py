"""Sources that could not be read, with the reason, until their bytes or their loader change."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, select

from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.encoding import moment, read_failure, read_source
from penstock.catalog.database.schema import belongs, quarantine
from penstock.catalog.values import Quarantined


def quarantined(database: Database, collection: int, uri: str) -> Quarantined | None:
    """The source's entry, if it has one."""
    query = select(quarantine).where(belongs(quarantine, collection), quarantine.c.uri == uri)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def read_quarantine(database: Database, collection: int, uris: Sequence[str] | None = None) -> tuple[Quarantined, ...]:
    """All entries, or those of some URIs, in the order of their URIs."""
    query = select(quarantine).where(belongs(quarantine, collection)).order_by(quarantine.c.uri)
    queries = [query] if uris is None else [query.where(quarantine.c.uri.in_(page)) for page in pages(sorted(uris))]
    with database.read() as connection:
        return tuple(_read(row) for page_query in queries for row in connection.execute(page_query))


def _read(row: Row[Any]) -> Quarantined:
    return Quarantined(
        source=read_source(SimpleNamespace(**json.loads(row.source))),
        loader=row.loader,
        failure=read_failure(row.failure),
        since=moment(row.since),
    )
