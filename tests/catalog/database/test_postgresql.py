"""What only a server can do to a catalog: refuse, stop, restart; and the lock that all machines share."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from penstock.catalog import Batch, Catalog, Collection, open_catalog
from penstock.catalog.database.dialect import backend_of
from penstock.errors import CatalogError, CatalogUnavailable, CollectionLocked, LimitExceeded, MissingExtra
from penstock.model import Filter
from penstock.testing.contracts.catalog import cache_vectors, execute_on, make_put, make_source
from tests.servers.postgresql import PostgresqlServer, fresh_database

pytestmark = pytest.mark.postgresql
Committer = Callable[..., int]
SECRET = "s3cret-word"


@pytest.fixture
def kind() -> str:
    return "postgresql"


def credentials(url: str) -> tuple[str, str]:
    """The address without its password, and the password."""
    user, _, rest = url.partition("@")
    before, _, password = user.rpartition(":")
    return f"{before}@{rest}", password


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda url: url, id="as it is"),
        pytest.param(lambda url: url.replace("postgresql:", "postgres:"), id="short scheme"),
        pytest.param(lambda url: url.replace("postgresql:", "postgresql+psycopg:"), id="with the driver"),
        pytest.param(lambda url: f"{url}?sslmode=disable&application_name=mine", id="parameters"),
        pytest.param(lambda url: f"{url}?options=-cwork_mem=8MB%20-cstatement_timeout=0", id="options"),
    ],
)
def test_addresses_of_one_database(collection: Collection, url: str, change: Callable[[str], str]) -> None:
    with open_catalog(change(url)) as catalog:
        assert [info.name for info in catalog.collections()] == ["books"]


def test_a_password_may_stand_beside_the_address(url: str, collection: Collection) -> None:
    plain, password = credentials(url)
    with open_catalog(plain, password=password) as catalog:
        assert [info.name for info in catalog.collections()] == ["books"]


@pytest.mark.parametrize("form", ["?host={0}&port={1}", "{0}:{1}"])
def test_a_unix_socket(mortal_postgresql: PostgresqlServer, form: str) -> None:
    place = str(mortal_postgresql.folder)
    if form.startswith("?"):
        url = f"postgresql://penstock@/postgres{form.format(place, mortal_postgresql.port)}"
    else:
        url = f"postgresql://penstock@{place.replace('/', '%2F')}:{mortal_postgresql.port}/postgres"
    with open_catalog(url) as catalog:
        assert catalog.collections() == ()


def test_a_schema_of_the_user_s_choice(empty_url: str) -> None:
    chosen = f"{empty_url}?options=-csearch_path=library"
    with pytest.raises(CatalogError, match="CREATE SCHEMA"):
        open_catalog(chosen)
    execute_on(empty_url, "CREATE SCHEMA library")
    with open_catalog(chosen) as catalog:
        catalog.collection("books", create=True)
    with open_catalog(empty_url) as catalog:
        assert catalog.collections() == ()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param(lambda u: u.rpartition("/")[0] + "/nothing", CatalogError, "createdb", id="no database"),
        pytest.param(lambda u: u.replace("penstock:", "eve:"), CatalogError, "CATALOG__PASSWORD", id="no user"),
        pytest.param(lambda u: credentials(u)[0], CatalogError, "CATALOG__PASSWORD", id="no password"),
        pytest.param(lambda u: f"{u}?sslmode=require", CatalogError, "sslmode", id="no TLS there"),
        pytest.param(lambda u: f"{u}?sslmode=sometimes", CatalogError, "sslmode", id="no such mode"),
        pytest.param(lambda u: f"{u}?colour=red", CatalogError, "parameters in the address", id="no such parameter"),
        pytest.param(lambda u: f"{u}?port=1", CatalogUnavailable, "check that the server runs", id="nobody listens"),
        pytest.param(lambda u: u.rpartition("/")[0], CatalogError, "names no database", id="no name"),
        pytest.param(lambda u: u.replace("postgresql:", "postgresql+asyncpg:"), CatalogError, "allowed", id="driver"),
        pytest.param(lambda u: u.replace("://", ":/"), CatalogError, "no database address", id="not readable"),
    ],
)
def test_what_cannot_be_opened_is_told_without_the_password(
    url: str, change: Callable[[str], str], error: type[CatalogError], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        open_catalog(change(url))
    assert raised.type is error
    assert credentials(url)[1] not in str(raised.value)


def test_a_wrong_password_is_told_and_not_shown(url: str) -> None:
    plain, _ = credentials(url)
    with pytest.raises(CatalogError, match=r"penstock@127.*password authentication failed.*PASSWORD") as raised:
        open_catalog(plain, password=SECRET)
    shown = [str(raised.value), repr(raised.value), repr(backend_of(plain, SECRET)), backend_of(plain, SECRET).name]
    assert SECRET not in " ".join(shown)


def test_without_the_driver_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"penstock\[postgresql\]"):
        open_catalog("postgresql://ann@127.0.0.1/books")


def test_a_database_that_does_not_hold_unicode_is_refused(postgresql_url: str) -> None:
    with fresh_database(postgresql_url) as spare:
        name = spare.rpartition("/")[2]
        execute = f"UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1') WHERE datname = '{name}'"
        execute_on(postgresql_url, execute)
        with pytest.raises(CatalogError, match=r"LATIN1.*UTF8"):
            open_catalog(spare)


def test_a_user_who_may_not_make_tables_is_told(empty_url: str) -> None:
    user = f"reader_{time.time_ns()}"
    execute_on(empty_url, f"CREATE USER {user} PASSWORD '{SECRET}'")
    plain, _ = credentials(empty_url)
    with pytest.raises(CatalogError, match=r"permission denied.*owner of the database"):
        open_catalog(plain.replace("penstock@", f"{user}@"), password=SECRET)
    execute_on(empty_url, f"DROP USER {user}")


def test_a_standby_is_read_and_says_that_it_cannot_be_written(mortal_postgresql: PostgresqlServer) -> None:
    with open_catalog(mortal_postgresql.url) as catalog:
        catalog.collection("books", create=True)
    mortal_postgresql.stop()
    (mortal_postgresql.folder / "data" / "standby.signal").touch()
    mortal_postgresql.start()
    with open_catalog(mortal_postgresql.url) as catalog:
        collection = catalog.collection("books")
        assert collection.chunk_count() == 0
        with pytest.raises(CatalogError, match="cannot be written"):
            collection.start_run("ingest")


EVERYTHING = "".join(map(chr, range(1, 0xD800))) + "".join(map(chr, range(0xE000, 0x10000))) + "\U0001f600\U0010ffff"


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x00", "\ufdd0", "\ufdd00\x00\ufdd01", EVERYTHING, "\\000 'a' %s :b {x}"], ids=ascii
)
def test_any_character_comes_back(commit: Committer, collection: Collection, text: str) -> None:
    source = make_source(f"file:///{text[:100]}", media_type=text, labels={text: text}, access=[text])
    commit(make_put("books", source, [f"x{text}"], title=f"t{text}"))
    known = collection.known(source.uri)
    assert known is not None
    assert known.source == source
    where = Filter(labels={text: text}, principals=frozenset({text}), sources=(source.uri,))
    (found,) = collection.hydrate(collection.live_rows(), scope=collection.scope(where)).values()
    assert (found.chunk.text, found.title) == (f"x{text}", f"t{text}")
    run = collection.start_run(text)
    assert (collection.runs()[-1].id, collection.runs()[-1].command) == (run, text)


def test_labels_and_principals_may_be_long(commit: Committer, collection: Collection) -> None:
    long = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(5000))
    source = make_source("file:///a", labels={"note": long, long: "n", "beside": long + "."}, access=[long])
    commit(make_put("books", source, ["one"]))
    for labels, count in (({"note": long}, 1), ({long: "n"}, 1), ({"note": long + "."}, 0)):
        rows = collection.scope(Filter(labels=labels, principals=frozenset({long}))).rows()
        assert rows is not None
        assert len(rows) == count
    assert collection.known("file:///a").source == source  # type: ignore[union-attr] # it is there


def test_the_longest_address_is_kept_and_a_longer_one_is_told(commit: Committer, collection: Collection) -> None:
    letters = "".join(f"{n * 7919 % 65536:04x}" for n in range(1000))
    uri = f"file:///{letters}"[:2600]
    collection.check_uri(uri)
    commit(make_put("books", make_source(uri), ["one"]))
    assert collection.known(uri) is not None
    with pytest.raises(LimitExceeded, match=r"2601 bytes long.*at most 2600"):
        collection.check_uri(uri + "a")


def test_order_is_by_code_points_whatever_the_language_of_the_database(
    commit: Committer, collection: Collection, url: str
) -> None:
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 'a' < 'B'").fetchone() == (True,), "the database sorts by a language"
    uris = [f"file:///{name}" for name in ("B", "a", "C", "é", "-", "_", "中", "Ａ", "\U0001f600", "z")]
    commit(*(make_put("books", make_source(uri), [uri]) for uri in uris))
    assert [known.source.uri for known in collection.sources()] == sorted(uris)


def test_row_numbers_are_never_given_twice(catalog: Catalog, commit: Committer, collection: Collection) -> None:
    commit(make_put("books", make_source("file:///a"), ["one", "two"]))
    before = collection.live_rows().tolist()
    collection.remove()
    again = catalog.collection("books", create=True)
    put = make_put("books", make_source("file:///a"), ["one", "two"])
    again.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    assert min(again.live_rows()) > max(before)


# The lock that all machines share

HOLD = """
import sys, time
from penstock.catalog import open_catalog
with open_catalog(sys.argv[1]) as catalog, catalog.writing("books"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_told_who_writes_and_where(catalog: Catalog, url: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(CollectionLocked, match=rf"process {process.pid} on .* is writing to collection 'books'"):
        catalog.writing("books").__enter__()
    with catalog.writing("other"):
        pass
    process.kill()
    process.communicate(timeout=60)
    with catalog.writing("books", timeout=10):
        pass


def test_a_lock_is_let_go_of_at_once_and_threads_hold_it_apart(catalog: Catalog) -> None:
    def holds(_: int) -> bool:
        try:
            with catalog.writing("books"):
                time.sleep(0.3)
        except CollectionLocked:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(holds, range(4))) == 1
    for _ in range(10):
        assert holds(0) or pytest.fail("the lock was kept")


def test_a_writer_who_lost_the_lock_commits_no_more(
    catalog: Catalog, commit: Committer, collection: Collection, url: str
) -> None:
    first, second = (make_put("books", make_source(f"file:///{n}"), [str(n)]) for n in range(2))
    with catalog.writing("books"):
        assert commit(first) == 1
        with psycopg.connect(url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> "
                "pg_backend_pid()"
            )
            assert ended.fetchall()
        with pytest.raises(CollectionLocked, match="lost"):
            commit(second)
        with open_catalog(url) as opened, opened.writing("books"), pytest.raises(CollectionLocked, match="lost"):
            commit(second)
    assert collection.revision() == 1
    with catalog.writing("books"):
        assert commit(second) == 2


def test_what_fails_inside_of_the_lock_comes_out_as_it_is(catalog: Catalog) -> None:
    with pytest.raises(FileNotFoundError), catalog.writing("books"):
        Path("/nowhere/at/all").read_text()
    with catalog.writing("books"):
        pass


# A server that stops and restarts


def test_a_server_that_was_restarted_does_not_fail_the_next_call(mortal_postgresql: PostgresqlServer) -> None:
    with open_catalog(mortal_postgresql.url) as catalog:
        collection = catalog.collection("books", create=True)
        put = make_put("books", make_source("file:///a"), ["one"])
        cache_vectors(catalog, "m", [put])
        collection.commit(Batch(puts=(put,)), run=None, embedder="m")
        mortal_postgresql.kill()
        with pytest.raises(CatalogUnavailable, match="check that the server runs"):
            collection.revision()
        mortal_postgresql.start()
        assert collection.revision() == 1
        with catalog.writing("books"):
            mortal_postgresql.stop()
            mortal_postgresql.start()
            with pytest.raises(CollectionLocked, match="lost"):
                collection.commit(Batch(removed=("file:///a",)), run=None, embedder="m")
        assert collection.commit(Batch(removed=("file:///a",)), run=None, embedder="m") == 2


def test_a_server_killed_at_any_moment_of_a_commit_leaves_it_whole_or_undone(
    mortal_postgresql: PostgresqlServer,
) -> None:
    with open_catalog(mortal_postgresql.url) as catalog:
        collection = catalog.collection("books", create=True)
        for attempt in range(6):
            puts = [
                make_put("books", make_source(f"file:///{attempt}/{n}"), [f"{attempt} {n}"] * 30) for n in range(40)
            ]
            puts = [put for put in puts if put.chunks]
            cache_vectors(catalog, "m", puts)
            before, chunks = collection.revision(), collection.chunk_count()
            with ThreadPoolExecutor(1) as threads:
                committed = threads.submit(collection.commit, Batch(puts=tuple(puts)), run=None, embedder="m")
                time.sleep(0.05 * attempt)
                mortal_postgresql.kill()
                error = committed.exception(timeout=60)
            assert error is None or isinstance(error, CatalogUnavailable), error
            mortal_postgresql.start()
            after = collection.revision()
            assert after == before + 1 if error is None else after in (before, before + 1)
            assert collection.chunk_count() == chunks + (after - before) * sum(len(put.chunks) for put in puts)
            assert len(collection.revisions()) == after
            assert collection.commit(Batch(puts=tuple(puts)), run=None, embedder="m") == before + 1


def test_a_commit_that_waits_too_long_for_another_says_so(url: str, collection: Collection) -> None:
    with (
        psycopg.connect(url) as connection,
        open_catalog(f"{url}?options=-clock_timeout=200") as impatient,
        open_catalog(f"{url}?options=-cstatement_timeout=200") as hasty,
    ):
        connection.execute("SELECT * FROM collections FOR UPDATE")
        for catalog, message in ((impatient, "kept the collection locked"), (hasty, "statement_timeout")):
            with pytest.raises(CatalogUnavailable, match=message):
                catalog.collection("books").commit(Batch(removed=("file:///a",)), run=None, embedder="m")


def test_the_server_s_modules_are_not_imported_for_a_file(tmp_path: Path) -> None:
    code = (
        "import sys; from penstock.catalog import open_catalog; open_catalog(sys.argv[1]).close(); "
        "print([name for name in sys.modules "
        "if name.startswith('psycopg') or name == 'penstock.catalog.database.postgresql'])"
    )
    url = f"sqlite:///{tmp_path / 'c.db'}"
    finished = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
