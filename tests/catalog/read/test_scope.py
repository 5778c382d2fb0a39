"""What a search may see: filters, access, revisions; against a plain Python reading of the same filter."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, literal, select

from penstock.catalog import Batch, Catalog, Collection, Upsert, open_catalog
from penstock.catalog.database.dialect import ExactText, backend_of, matches
from penstock.errors import UsageError
from penstock.model import Chunk, Filter, Labels, Source
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
from tests.examples import examples
from tests.servers.postgresql import fresh_database

Committer = Callable[..., int]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def shelf() -> tuple[Upsert, ...]:
    """A few documents that differ in everything that a filter can restrict; the last is a copy of the first."""
    rows: list[tuple[str, str, int | None, Labels, list[str], str]] = [
        ("file:///a/One.pdf", "application/pdf", 0, {"team": "red", "year": 2024}, [], "one"),
        ("file:///a/two[1].png", "image/png", 1, {"team": "blue", "year": 2024.5}, ["ann"], "two"),
        ("https://x.org/p?q=1", "text/html", None, {"year": "2024"}, ["ann", "bob"], "three"),
        ("https://x.org/pxq=1", "text/html", 3, {}, ["bob"], "four"),
        ("file:///b/手册.pdf", "image/jpeg", 2, {"team": "red"}, ["bob"], "one"),
    ]
    return tuple(
        make_put(
            "books",
            make_source(
                uri,
                media_type=kind,
                modified=None if day is None else DAY + timedelta(days=day),
                labels=labels,
                access=access,
            ),
            [f"{text} {n}" for n in range(4)],
            languages=["en", "zh"],
            pages=[[1], [1, 2], [2, 5], []],
        )
        for uri, kind, day, labels, access, text in rows
    )


@pytest.fixture
def shelved(commit: Committer, collection: Collection) -> Collection:
    commit(*shelf())
    return collection


@pytest.fixture(scope="module")
def lasting_url(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('shelf') / 'c.db'}"
        return
    with fresh_database(request.getfixturevalue("postgresql_url")) as url:
        yield url


@pytest.fixture(scope="module")
def lasting(lasting_url: str) -> Iterator[Collection]:
    with open_catalog(lasting_url) as catalog:
        collection = catalog.collection("books", create=True)
        cache_vectors(catalog, "m", shelf())
        collection.commit(Batch(puts=shelf()), run=None, embedder="m")
        yield collection


def lets_through(where: Filter, chunk: Chunk, source: Source) -> bool:
    """The filter, implemented in plain Python."""
    first, last = where.pages or (0, 0)
    return all(
        [
            not where.sources or any(p == source.uri or fnmatchcase(source.uri, p) for p in where.sources),
            all(
                name in source.labels
                and source.labels[name] == value
                and isinstance(value, str) == isinstance(source.labels[name], str)
                for name, value in where.labels.items()
            ),
            not where.media_types or any(fnmatchcase(source.media_type, kind) for kind in where.media_types),
            not where.languages or chunk.language in where.languages,
            where.pages is None or any(first <= place.page <= last for place in chunk.places),
            where.modified_from is None or (source.modified is not None and source.modified >= where.modified_from),
            where.modified_before is None or (source.modified is not None and source.modified < where.modified_before),
            where.principals is None or not source.access or bool(source.access & where.principals),
        ]
    )


days = st.none() | st.integers(-1, 4).map(lambda day: DAY + timedelta(days=day))
filters = st.builds(
    Filter,
    sources=st.lists(
        st.sampled_from(
            ["file:///a/*", "*.pdf", "FILE:*", "https://x.org/p?q=1", "*[1]*", "file:///a/two[1].png", "*册*"]
        ),
        max_size=2,
    ).map(tuple),
    labels=st.dictionaries(st.sampled_from(["team", "year"]), st.sampled_from(["red", 2024, 2024.0, 2024.5, "2024"])),
    media_types=st.lists(st.sampled_from(["image/*", "text/html", "application/pdf", "ima*"]), max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(["en", "zh", "fr"]), max_size=2).map(tuple),
    pages=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)),
    modified_from=days,
    modified_before=days,
    principals=st.none() | st.frozensets(st.sampled_from(["ann", "bob", "eve"])),
)


@settings(max_examples=examples(150), deadline=None)
@given(where=filters)
@example(where=Filter(pages=(3, 4)))
@example(where=Filter(sources=("https://x.org/p?q=1",)))
def test_rows_and_hydration_agree_with_a_plain_reading(lasting: Collection, where: Filter) -> None:
    everything = lasting.hydrate(lasting.live_rows().tolist(), scope=lasting.scope(Filter()))
    expected = {}
    for row, hydrated in everything.items():
        sources = tuple(source for source in hydrated.sources if lets_through(where, hydrated.chunk, source))
        if sources:
            expected[row] = sources
    scope = lasting.scope(where)
    rows = scope.rows()
    found = lasting.hydrate(list(everything), scope=scope)
    assert {row: hydrated.sources for row, hydrated in found.items()} == expected
    assert (rows is None) == where.is_empty
    assert rows is None or rows.tolist() == sorted(expected)


@pytest.fixture(scope="module")
def connection(lasting_url: str) -> Iterator[Connection]:
    engines = backend_of(lasting_url).connect()
    with engines.reading.connect() as connection:
        yield connection
    engines.pool.dispose()


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pattern=st.text("ab-[]!?*^\\.册", max_size=8), text=st.text("ab-[]!^\\.册", max_size=5))
@example(pattern="[]", text="[]")
@example(pattern="[!]", text="[!]")
@example(pattern="[^]", text="^")
@example(pattern="[^a]", text="b")
@example(pattern="[]a]", text="]")
@example(pattern="[!]a]", text="b")
@example(pattern="[b-a]", text="b")
@example(pattern="[b-a]]", text="b]")
@example(pattern="[b-a!]", text="c")
@example(pattern="[!b-a]", text="c")
@example(pattern="[!-^]", text="]")
@example(pattern="[^-]", text="-")
@example(pattern="[[.a.]]", text=".]")
@example(pattern="a.b", text="axb")
@example(pattern="?", text="\n")
@example(pattern="*", text="a\nb\r\n")
@example(pattern="[A-Z]", text="b")
@example(pattern="A", text="a")
def test_globs_mean_what_fnmatch_means(connection: Connection, pattern: str, text: str) -> None:
    found = connection.execute(select(matches(literal(text, ExactText), pattern))).scalar_one()
    assert bool(found) == fnmatchcase(text, pattern)


def test_a_hit_shows_only_the_sources_that_the_asker_may_see(shelved: Collection) -> None:
    open_, secret = "file:///a/One.pdf", "file:///b/手册.pdf"
    rows = shelved.live_rows().tolist()
    everybody = shelved.hydrate(rows, scope=shelved.scope(Filter(principals=frozenset())))
    bob = shelved.hydrate(rows, scope=shelved.scope(Filter(principals=frozenset({"bob"}), sources=("*手册*",))))
    assert {source.uri for hydrated in everybody.values() for source in hydrated.sources} == {open_}
    assert {source.uri for hydrated in bob.values() for source in hydrated.sources} == {secret}
    assert {hydrated.title for hydrated in bob.values()} == {"手册.pdf"}


def test_hydration_keeps_to_the_revision_of_the_scope(commit: Committer, shelved: Collection) -> None:
    before = shelved.scope(Filter())
    rows = shelved.live_rows().tolist()
    then = shelved.hydrate(rows, scope=before)
    commit(removed=("file:///a/One.pdf", "https://x.org/p?q=1"))
    assert shelved.hydrate(rows, scope=before) == then
    now = shelved.hydrate(rows, scope=shelved.scope(Filter()))
    assert len(now) == 8
    assert shelved.hydrate(rows, scope=shelved.scope(Filter(), at=1)) == then


def test_rows_of_another_collection_or_of_none_are_absent(catalog: Catalog, shelved: Collection) -> None:
    second = catalog.collection("other", create=True)
    scope = second.scope(Filter())
    assert second.hydrate(shelved.live_rows().tolist(), scope=scope) == {}
    assert second.chunk_ids(shelved.live_rows().tolist()) == {}
    assert second.neighbours(int(shelved.live_rows()[0]), 1, 1, scope=scope) == ()
    assert shelved.hydrate([], scope=shelved.scope(Filter())) == {}


def test_numbers_of_an_array_are_rows(shelved: Collection) -> None:
    rows = shelved.live_rows()
    assert list(shelved.hydrate(rows, scope=shelved.scope(Filter()))) == rows.tolist()
    assert len(shelved.chunk_ids(rows)) == len(rows)


def test_chunks_beside_a_chunk_are_known_by_id(shelved: Collection, commit: Committer) -> None:
    documents = list(shelved.documents())
    found = [documents[1].chunks[0], documents[0].chunks[3], documents[1].chunks[1]]
    (first, second, third, _), last = (chunk.id for chunk in documents[1].chunks), documents[0].chunks[2].id
    revision = shelved.revision()
    expected = {first: ("", second), found[1].id: (last, ""), second: (first, third)}
    assert shelved.adjacent(found, at=revision) == expected
    commit(removed=(documents[1].document.source.uri,))
    assert shelved.adjacent(found, at=revision) == expected
    assert shelved.adjacent(found, at=shelved.revision()) == {found[1].id: (last, "")}
    assert shelved.adjacent([], at=revision) == {}


def test_neighbours_stand_around_a_chunk_in_reading_order(shelved: Collection) -> None:
    rows = shelved.live_rows().tolist()[:4]
    scope = shelved.scope(Filter())
    assert [hydrated.row for hydrated in shelved.neighbours(rows[1], 1, 2, scope=scope)] == [rows[0], rows[2], rows[3]]
    assert [hydrated.ordinal for hydrated in shelved.neighbours(rows[3], 1, 5, scope=scope)] == [2]
    english = shelved.scope(Filter(languages=("en",)))
    assert [hydrated.row for hydrated in shelved.neighbours(rows[1], 1, 2, scope=english)] == [rows[0], rows[2]]


def test_a_chunk_that_a_search_gave_leads_back_to_its_row(commit: Committer, shelved: Collection) -> None:
    scope = shelved.scope(Filter())
    found = shelved.hydrate(shelved.live_rows(), scope=scope)
    assert [shelved.row_of(hydrated.chunk, scope=scope) for hydrated in found.values()] == list(found)
    commit(removed=("https://x.org/p?q=1",))
    gone = next(hydrated.chunk for hydrated in found.values() if hydrated.chunk.text.startswith("three"))
    assert shelved.row_of(gone, scope=shelved.scope(Filter())) is None
    assert shelved.row_of(gone, scope=scope) is not None


@pytest.mark.parametrize(
    ("uri", "title"),
    [
        pytest.param("file:///a/%E6%89%8B%E5%86%8C.pdf", "手册.pdf", id="file name, decoded"),
        pytest.param("https://x.org/guide/?page=2", "guide", id="last part of the path"),
        pytest.param("https://x.org", "https://x.org", id="no path"),
    ],
)
def test_a_document_without_a_title_is_called_by_its_address(
    commit: Committer, collection: Collection, uri: str, title: str
) -> None:
    commit(make_put("books", make_source(uri), ["text"]))
    (found,) = collection.hydrate(collection.live_rows().tolist(), scope=collection.scope(Filter())).values()
    (entry,) = collection.change(0, vectors=False).added
    assert (found.title, entry.title) == (title, title)


def test_a_filter_time_without_a_zone_is_refused(shelved: Collection) -> None:
    with pytest.raises(UsageError, match="time zone"):
        shelved.scope(Filter(modified_from=datetime(2026, 1, 1))).rows()
