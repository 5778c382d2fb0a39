"""Opening a catalog: new, current, newer, damaged, another application's; and its schema."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from traceback import format_exception

import pytest

from penstock.catalog import Batch, Catalog, Collection, open_catalog, writing
from penstock.catalog.database.dialect import backend_of
from penstock.catalog.database.migrate import CURRENT, VERSIONS
from penstock.catalog.database.schema import metadata
from penstock.errors import CatalogError, NewerCatalog
from penstock.testing.contracts.catalog import cache_vectors, execute_on, make_put, make_source


def test_opening_makes_folder_and_tables_and_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'b 100%' / 'catalog.db'}"
    with open_catalog(url) as catalog:
        catalog.collection("books", create=True)
    with open_catalog(url) as catalog:
        assert [info.name for info in catalog.collections()] == ["books"]


def test_errors_do_not_tell_what_was_written(url: str, commit: Callable[..., int]) -> None:
    put = make_put("books", make_source("file:///the dismissals of May.pdf"), ["text"])
    execute_on(url, "ALTER TABLE sources RENAME TO elsewhere")
    with pytest.raises(CatalogError) as raised:
        commit(put)
    assert "dismissals" not in "".join(format_exception(raised.value))


def test_only_their_owner_may_look_at_what_documents_say(tmp_path: Path) -> None:
    home = tmp_path / "home"
    before = os.umask(0o022)
    try:
        with open_catalog(f"sqlite:///{home / 'catalog.db'}") as catalog, writing(home / "collections", "books"):
            catalog.collection("books", create=True)
            modes = {path.name: path.stat().st_mode & 0o077 for path in (home, *home.iterdir())}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("home", "catalog.db", "catalog.db-wal", "catalog.db-shm", "collections"), 0)


def test_the_migrations_make_the_tables_of_the_schema(empty_url: str) -> None:
    open_catalog(empty_url).close()
    autogenerate = importlib.import_module("alembic.autogenerate")
    context = importlib.import_module("alembic.runtime.migration").MigrationContext
    engines = backend_of(empty_url).connect()
    with engines.reading.connect() as connection:
        assert autogenerate.compare_metadata(context.configure(connection), metadata) == []
    engines.pool.dispose()


def test_the_known_versions_are_the_files() -> None:
    migrations = importlib.import_module("penstock.catalog.database.migrations")
    files = sorted((Path(migrations.__path__[0]) / "versions").glob("*.py"))
    assert tuple(file.name[:4] for file in files) == VERSIONS


def test_names_of_indexes_are_short_enough_for_every_database() -> None:
    assert all(len(str(index.name)) < 64 for table in metadata.sorted_tables for index in table.indexes)


def test_a_current_catalog_opens_without_alembic(catalog: Catalog, url: str) -> None:
    code = (
        "import sys; from penstock.catalog import open_catalog; open_catalog(sys.argv[1]).close(); "
        "print([name for name in ('alembic', 'mako', 'pydantic', 'sqlalchemy.orm') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_a_catalog_of_a_newer_version_is_left_alone(catalog: Catalog, url: str) -> None:
    catalog.close()
    execute_on(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerCatalog, match=f"'9999'.*'{CURRENT}'"):
        open_catalog(url)


def test_an_empty_version_table_is_a_new_catalog(empty_url: str) -> None:
    execute_on(empty_url, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    with open_catalog(empty_url) as catalog:
        assert catalog.collections() == ()


def test_the_tables_of_another_application_are_left_alone(empty_url: str) -> None:
    execute_on(empty_url, "CREATE TABLE songs (name TEXT)")
    with pytest.raises(CatalogError, match=r"another application.*songs.*choose another (file|database)"):
        open_catalog(empty_url)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(b"%PDF-1.7 is not what was expected here " * 200)
    with pytest.raises(CatalogError, match=r"c\.db.*not a database.*ingest again"):
        open_catalog(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"%PDF")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    url = f"sqlite:///{path}"
    open_catalog(url).close()
    data = bytearray(path.read_bytes())
    data[100:] = bytes(len(data) - 100)
    path.write_bytes(data)
    with pytest.raises(CatalogError, match="damaged"):
        open_catalog(url)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogError, match="permissions"):
        open_catalog(f"sqlite:///{tmp_path / 'file' / 'c.db'}")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(CatalogError, match="cannot be opened"):
        open_catalog(f"sqlite:///{tmp_path / 'folder.db'}")


@pytest.mark.parametrize("url", ["", "catalog.db", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "postgres"])
def test_addresses_that_cannot_hold_a_catalog(url: str) -> None:
    with pytest.raises(CatalogError, match=r"(allowed|one): sqlite:///PATH"):
        open_catalog(url)


def test_a_damaged_record_is_told(catalog: Catalog, collection: Collection, url: str) -> None:
    put = make_put("books", make_source("file:///a"), ["one"])
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    execute_on(url, "UPDATE contents SET body = substr(body, 1, 1)")
    with pytest.raises(CatalogError, match="damaged"):
        collection.document("file:///a")
    execute_on(url, "UPDATE vectors SET vector = substr(vector, 1, 1)")
    with pytest.raises(CatalogError, match="damaged"):
        list(collection.change(0, vectors=True).added)
    execute_on(url, "DELETE FROM vectors")
    with pytest.raises(CatalogError, match="has no vector"):
        list(collection.change(0, vectors=True).added)
