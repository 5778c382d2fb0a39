"""Brings the schema of a catalog up to date. Alembic is imported only where there is something to do."""

from importlib import import_module
from typing import Final

from sqlalchemy import Connection, inspect, text

from penstock.catalog.database.database import Database
from penstock.errors import CatalogError, NewerCatalog

VERSIONS: Final = ("0001", "0002", "0003", "0004")
"""All versions of the schema, oldest first: the files in `migrations/versions`."""
CURRENT: Final = VERSIONS[-1]


def ensure_schema(database: Database) -> None:
    """Creates or upgrades the tables; a catalog that is up to date costs one short read.

    Raises:
        NewerCatalog: a newer version of Penstock wrote it.
        CatalogError: the file is no catalog, or cannot be read or written.
    """
    with database.read() as connection:
        version = schema_version(connection, database.backend.elsewhere)
    if version == CURRENT:
        return
    with database.write() as connection:
        database.backend.prepare_schema(connection)
        version = schema_version(
            connection, database.backend.elsewhere
        )  # another process may have upgraded it meanwhile
        if version == CURRENT:
            return
        if version is not None and version not in VERSIONS:
            raise NewerCatalog(
                f"catalog {database.name!r} has schema {version!r}, and this version of Penstock knows "
                f"schemas up to {CURRENT!r}: a newer Penstock wrote it. Upgrade Penstock, or choose another home"
            )
        upgrade(connection, CURRENT)


def schema_version(connection: Connection, elsewhere: str = "file") -> str | None:
    """The version of the schema; None for an empty database. `elsewhere` is what else could hold a catalog.

    Raises:
        CatalogError: the tables are another application's.
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables and ("collections" in tables or tables == {"alembic_version"}):
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found
    if tables:
        raise CatalogError(
            f"{connection.engine.url.database!r} holds tables of another application: {', '.join(sorted(tables)[:5])}; "
            f"choose another {elsewhere}"
        )
    return None


def upgrade(connection: Connection, version: str) -> None:
    """Runs the migrations up to a version, in the connection's transaction."""
    command = import_module("alembic.command")
    config = import_module("alembic.config").Config()
    folder = import_module("penstock.catalog.database.migrations").__path__[0]
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, version)
