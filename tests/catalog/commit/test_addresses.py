"""Access of addresses: the last run wins, within a run the longer address; and catalogs of older versions."""

import importlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.catalog import Batch, Catalog, Collection, open_catalog
from penstock.catalog.commit.addresses import ROOT, Given, folders_of, last_given
from penstock.catalog.database.dialect import backend_of
from penstock.catalog.database.migrate import upgrade
from penstock.model import EVERYBODY, Access, Filter, is_wider, lets_in, may_see, narrowest
from penstock.testing.contracts.catalog import cache_vectors, execute_on, make_put, make_source
from tests.examples import examples

STAFF, BOARD = frozenset({"staff"}), frozenset({"board"})
ACCESS = st.sampled_from((EVERYBODY, STAFF, BOARD, STAFF | BOARD))
READERS = st.frozensets(st.sampled_from(("staff", "board", "eve")))


def last(collection: Collection, uri: str) -> Access | str | None:
    found = last_given(uri, collection.given([uri]))
    assert found == last_given(uri, collection.given())
    return "nothing" if found is None else found.access


@pytest.mark.parametrize(
    ("uri", "folders"),
    [
        ("file:///a/b/c", ["file:///a/b", "file:///a", ROOT]),
        ("file:///a", [ROOT]),
        (ROOT, []),
        ("https://example.org/a/b", []),
        ("memo:a/b", []),
    ],
)
def test_folders_of(uri: str, folders: Sequence[str]) -> None:
    assert list(folders_of(uri)) == folders


def test_the_longer_address_wins_and_a_later_run_over_both(collection: Collection) -> None:
    first, second = collection.start_run("ingest"), collection.start_run("ingest")
    collection.remember([("file:///hr", STAFF), ("file:///hr/board", BOARD), ("file:///", EVERYBODY)], run=first)
    assert [last(collection, f"file:///{name}") for name in ("hr/a", "hr/board/a", "hr/board", "hrx", "x")] == [
        STAFF,
        BOARD,
        BOARD,
        EVERYBODY,
        EVERYBODY,
    ]
    collection.remember([("file:///hr", EVERYBODY)], run=second)
    assert last(collection, "file:///hr/board/a") == EVERYBODY
    assert set(collection.given()) == {"file:///hr", ROOT}
    collection.remember([("file:///hr/board", BOARD)], run=first)  # a repeated step of the run before
    assert last(collection, "file:///hr/board/a") == EVERYBODY


def test_one_run_that_says_two_things_of_an_address(collection: Collection) -> None:
    run = collection.start_run("ingest")
    collection.remember([("file:///a", STAFF | BOARD), ("file:///a", STAFF)], run=run)
    assert last(collection, "file:///a/x") == STAFF
    for _ in range(2):
        collection.remember([("file:///a", BOARD)], run=run)
        assert last(collection, "file:///a/x") is None
    collection.remember([("file:///a", BOARD)], run=collection.start_run("ingest"))
    assert last(collection, "file:///a/x") == BOARD


def test_a_page_stands_for_itself_alone(collection: Collection) -> None:
    run = collection.start_run("ingest")
    collection.remember([("https://a.org/b", BOARD)], run=run)
    collection.remember([("https://a.org/", STAFF)], run=collection.start_run("ingest"))
    assert last(collection, "https://a.org/b") == BOARD
    assert last(collection, "https://a.org/c") == "nothing"


def test_a_collection_that_is_removed_is_forgotten(catalog: Catalog, collection: Collection) -> None:
    collection.remember([("file:///a", STAFF)], run=collection.start_run("ingest"))
    second = catalog.collection("other", create=True)
    assert second.given() == {}
    collection.remove()
    assert catalog.collection("books", create=True).given() == {}


def test_signs_that_patterns_and_databases_give_a_meaning(collection: Collection) -> None:
    run = collection.start_run("ingest")
    odd = "file:///50%25_off 'a' \\ [x]*/手册"
    collection.remember([(odd, STAFF), ("file:///" + "x" * 5000, STAFF)], run=run)
    assert last(collection, f"{odd}/new") == STAFF
    assert last(collection, "file:///50%25Xoff 'a' \\ [x]*/手册/new") == "nothing"


def test_who_may_see_what_is_in_a_folder_and_below_it(catalog: Catalog, collection: Collection) -> None:
    files = {"hr/a": STAFF, "hr/b": EVERYBODY, "hr/deep/c": BOARD, "hr.txt": STAFF, "hra/d": BOARD, "e": EVERYBODY}
    puts = [
        make_put("books", make_source(f"file:///{name}", access=access, sha256="1" * 64), [name])
        for name, access in files.items()
    ]
    cache_vectors(catalog, "model-a", puts)
    before, run = collection.start_run("ingest"), collection.start_run("ingest")
    collection.commit(Batch(puts=tuple(puts)), run=before, embedder="model-a")
    collection.commit(Batch(removed=("file:///hr/a",)), run=run, embedder="model-a")
    assert dict(collection.access_below("file:///hr")) == {
        "file:///hr/a": STAFF,
        "file:///hr/b": EVERYBODY,
        "file:///hr/deep/c": BOARD,
    }
    assert len(list(collection.access_below(ROOT))) == len(files)
    assert list(collection.access_below("file:///hr", at=0)) == []
    assert collection.access_in("file:///hr", before_run=run) == {STAFF: 1, EVERYBODY: 1}
    assert collection.access_in("file:///hr", before_run=before) == {}
    assert collection.access_in(ROOT, before_run=collection.start_run("ingest")) == {STAFF: 1, EVERYBODY: 1}
    assert collection.access_of_removed() == collection.access_of_removed(["file:///hr/a"]) == {"file:///hr/a": STAFF}
    assert set(collection.access_of_bytes("1" * 64)) == {STAFF, BOARD, EVERYBODY}
    assert [known.source.uri for known in collection.sources(where=Filter(principals=frozenset()))] == [
        "file:///e",
        "file:///hr/b",
    ]
    assert (collection.restricts(), catalog.collection("other", create=True).restricts()) == (True, False)
    assert collection.access_of_bytes("2" * 64) == []
    collection.commit(Batch(removed=("file:///e", "file:///hr/b")), run=run, embedder="model-a")
    rest = ("file:///hr/deep/c", "file:///hra/d")
    collection.commit(Batch(removed=("file:///hr.txt",)), run=run, embedder="model-a")
    assert collection.access_of_bytes("1" * 64) == [BOARD]
    collection.commit(Batch(removed=rest), run=run, embedder="model-a")
    assert collection.access_of_bytes("1" * 64) == [BOARD]


def test_a_catalog_of_the_first_version_is_upgraded_and_keeps_everything(empty_url: str) -> None:
    backend = backend_of(empty_url)
    engines = backend.connect()
    with engines.writing.begin() as connection:
        backend.prepare_schema(connection)
        upgrade(connection, "0001")
    engines.pool.dispose()
    execute_on(
        empty_url,
        "INSERT INTO collections (row, name, uid, revision, embedder, updated) VALUES (1, 'old', 'u', 0, '', 0)"
        if empty_url.startswith("sqlite")
        else "INSERT INTO collections (name, uid, revision, embedder, updated) VALUES ('old', 'u', 0, '', 0)",
    )
    with open_catalog(empty_url) as catalog:
        old = catalog.collection("old")
        assert old.given() == {}
        put = make_put("old", make_source("file:///hr/a", access=STAFF), ["one"])
        cache_vectors(catalog, "model-a", [put])
        run = old.start_run("ingest")
        old.remember([("file:///hr", STAFF)], run=run)
        old.commit(Batch(puts=(put,)), run=run, embedder="model-a")
    with open_catalog(empty_url) as catalog:
        assert catalog.collection("old").given() == {"file:///hr": Given(access=STAFF, run=run)}
    versions = importlib.import_module("penstock.catalog.database.migrate").VERSIONS
    assert all(int(version) + 1 == int(next_) for version, next_ in pairwise(versions))


@given(st.lists(ACCESS, max_size=4), READERS)
def test_the_narrowest_shows_nothing_that_one_of_them_hides(several: list[Access], reader: frozenset[str]) -> None:
    found = narrowest(several)
    if found is not None and may_see(found, reader):
        assert all(may_see(access, reader) for access in several)


@given(ACCESS, ACCESS, READERS)
def test_who_is_let_in_sees_what_was_hidden(now: Access, before: Access, reader: frozenset[str]) -> None:
    if may_see(now, reader) and not may_see(before, reader):
        assert lets_in(now, before)
    if is_wider(now, before):
        assert lets_in(now, before)
        assert may_see(now, reader) or not may_see(before, reader)


ADDRESSES = ("file:///", "file:///a", "file:///a/b", "file:///a/b/c", "file:///ab")
SAID = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ADDRESSES), ACCESS), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40), deadline=None)
@given(given_access=SAID)
def test_the_access_last_given_is_that_of_a_plain_search(
    catalog: Catalog, given_access: list[tuple[int, str, Access]]
) -> None:
    """The latest run at or above the address wins, in it the longest address; of two for the same, the narrower."""
    collection = catalog.collection("words", create=True)
    runs = [collection.start_run("ingest") for _ in range(3)]
    for number, run in enumerate(runs):
        for _ in range(2):  # steps may be repeated
            collection.remember([(uri, access) for turn, uri, access in given_access if turn == number], run=run)
    for uri in (*ADDRESSES[1:], "file:///a/b/c/d", "file:///x"):
        above = {uri, *folders_of(uri)}
        spoken = [(turn, len(address), access) for turn, address, access in given_access if address in above]
        best = max((word[:2] for word in spoken), default=None)
        expected = narrowest(access for *word, access in spoken if tuple(word) == best) if best else "nothing"
        assert last(collection, uri) == expected
    collection.remove()
