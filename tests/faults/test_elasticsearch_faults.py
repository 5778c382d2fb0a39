"""Busy servers, bad networks, blocked, closed, foreign and missing indexes, readers meanwhile: never a wrong answer,
a message that says what to do, and the next run that can catches up.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from penstock.errors import IndexingError, IndexUnavailable
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.proxy import Asked, Fault, Forward, Proxy, Reply, refusal

pytestmark = [pytest.mark.elasticsearch, pytest.mark.usefixtures("following_at_once")]

Opener = Callable[..., Penstock]
KINDS = ("turbine", "valve", "pump", "gate 年假", "reservoir 压力")


def records(first: int, last: int, edition: str = "") -> list[Record]:
    return [
        Record(uri=f"record:{number}", text=f"{KINDS[number % 5]} {number * 7919 % 1000} {edition} n{number}")
        for number in range(first, last)
    ]


@pytest.fixture
def client(elasticsearch_url: str, client_of: Callable[[str], Elasticsearch]) -> Elasticsearch:
    return client_of(elasticsearch_url)


@pytest.fixture
def proxy(elasticsearch_url: str, proxied: Callable[[str], Proxy], client: Elasticsearch) -> Proxy:
    return proxied(elasticsearch_url)


@pytest.fixture
def filled(elasticsearch_url: str, client: Elasticsearch, opened: Opener) -> Penstock:
    """A collection of twenty records, at revision 1."""
    penstock = opened(elasticsearch_url)
    penstock.add(records(0, 20))
    return penstock


def index_of(client: Elasticsearch, penstock: Penstock) -> str:
    (name,) = client.indices.get(index=f"*{penstock.collection.uid}*", expand_wildcards="all")
    return str(name)


def alias_of(client: Elasticsearch, penstock: Penstock) -> str:
    name = index_of(client, penstock)
    (alias,) = client.indices.get(index=name)[name]["aliases"]
    return str(alias)


def holds_what_the_catalog_holds(client: Elasticsearch, penstock: Penstock) -> None:
    diagnosis = penstock.doctor()
    assert diagnosis.ok, diagnosis.problems
    alias = alias_of(client, penstock)
    query = {"exists": {"field": "row"}}
    found = client.search(index=alias, query=query, size=10_000, source_includes=["row", "chunk_id"])
    held = sorted((hit["_source"]["row"], hit["_source"]["chunk_id"]) for hit in found["hits"]["hits"])
    assert held == sorted(penstock.collection.chunk_ids(penstock.collection.live_rows().tolist()).items())


def are_nearest(penstock: Penstock, model: LittleModel, question: str, revision: int, ids: list[str]) -> bool:
    """Whether these ten were the live chunks of a revision with the largest inner products, all of them compared."""
    scope = penstock.collection.scope(Filter(), at=revision)
    live = penstock.collection.hydrate(penstock.collection.live_rows(at=revision), scope=scope)
    own = LittleModel(dimension=model.dimension)  # the model of the readers records what it embeds
    vectors = own.embed([hydrated.chunk.context for hydrated in live.values()], role="passage")
    products = vectors @ own.embed([question], role="query")[0]
    scores = dict(zip((hydrated.chunk.id for hydrated in live.values()), products.tolist(), strict=True))
    best = sorted(scores.values(), reverse=True)[:10]
    return len(set(ids)) == 10 and [scores.get(id_, -1) for id_ in ids] == pytest.approx(best, abs=1e-6)


def found_by_words(penstock: Penstock, question: str) -> tuple[int, set[str]]:
    found = penstock.retriever_of("keyword").retrieve(question, k=100, where=Filter())
    return found.revision, {hit.sources[0].uri for hit in found.hits}


# Busy servers and bad networks


def is_bulk(asked: Asked) -> bool:
    return asked.path.partition("?")[0].endswith("_bulk")


def busy_for_every_third_item() -> Fault:
    """Drops every third item of bulk requests, and answers that it was refused."""
    numbers = count(1)

    def fault(asked: Asked, forward: Forward) -> Reply:
        if not is_bulk(asked):
            return forward(asked.body)
        lines = iter(asked.body.splitlines())
        items: list[tuple[str, dict[str, Any], bytes, bool]] = []
        for line in lines:
            ((kind, meta),) = json.loads(line).items()
            whole = line + b"\n" + (next(lines) + b"\n" if kind != "delete" else b"")
            items.append((kind, meta, whole, next(numbers) % 3 == 0))
        sent = b"".join(whole for _, _, whole, refused in items if not refused)
        reply = forward(sent) if sent else Reply(status=200, body=b'{"items": []}', headers=refusal(429, "").headers)
        answered = iter(json.loads(reply.body)["items"])
        error = {"type": "es_rejected_execution_exception", "reason": "as a test wants it"}
        all_items = [
            {kind: {"_id": meta["_id"], "status": 429, "error": error}} if refused else next(answered)
            for kind, meta, _, refused in items
        ]
        body = json.dumps({"took": 1, "errors": True, "items": all_items}).encode()
        return Reply(status=200, body=body, headers=reply.headers)

    return fault


def busy_twice_for_every_path() -> Fault:
    seen: dict[str, int] = {}

    def fault(asked: Asked, forward: Forward) -> Reply:
        path = asked.path.partition("?")[0]
        seen[path] = seen.get(path, 0) + 1
        if seen[path] < 3:
            return refusal((429, 503)[seen[path] % 2], "es_rejected_execution_exception")
        return forward(asked.body)

    return fault


def cut_every_other_answer_to_a_bulk() -> Fault:
    numbers = count(1)

    def fault(asked: Asked, forward: Forward) -> Reply:
        reply = forward(asked.body)
        if is_bulk(asked) and next(numbers) % 2:
            return Reply(status=reply.status, body=reply.body, headers=reply.headers, cut=len(reply.body) // 2)
        return reply

    return fault


def late_with_every_other_answer_to_a_bulk() -> Fault:
    numbers = count(1)

    def fault(asked: Asked, forward: Forward) -> Reply:
        reply = forward(asked.body)
        if is_bulk(asked) and next(numbers) % 2:
            time.sleep(3)
        return reply

    return fault


@pytest.mark.parametrize(
    "make",
    [
        busy_for_every_third_item,
        busy_twice_for_every_path,
        cut_every_other_answer_to_a_bulk,
        late_with_every_other_answer_to_a_bulk,
    ],
)
def test_a_run_comes_through(make: Callable[[], Fault], proxy: Proxy, client: Elasticsearch, opened: Opener) -> None:
    """In the end everything is written, and only once, however often it was sent."""
    penstock = opened(proxy.url, batch=400, attempts=3, timeout_seconds=2)
    proxy.fault = make()
    penstock.add(records(0, 600))
    penstock.add(records(500, 900, "anew"))
    holds_what_the_catalog_holds(client, penstock)
    assert client.count(index=alias_of(client, penstock), query={"exists": {"field": "row"}})["count"] == 900


@pytest.mark.parametrize(
    ("status", "message"),
    [
        pytest.param(429, "cannot do it now", id="429"),
        pytest.param(503, "cannot do it now", id="503"),
        pytest.param(0, "no answer", id="no answer"),
    ],
)
def test_a_server_that_stays_away_ends_the_run_and_the_next_catches_up(
    status: int, message: str, proxy: Proxy, client: Elasticsearch, opened: Opener
) -> None:
    penstock = opened(proxy.url)
    penstock.add(records(0, 20))

    def away(asked: Asked, forward: Forward) -> Reply:
        if status:
            return refusal(status, "es_rejected_execution_exception")
        raise ConnectionAbortedError

    working, proxy.fault = proxy.fault, away
    for call in (lambda: penstock.add(records(20, 40)), lambda: penstock.search("turbine"), penstock.doctor):
        with pytest.raises(IndexUnavailable, match=message):
            call()
    proxy.fault = working
    assert penstock.search("turbine").revision == 1
    penstock.add(records(20, 40))
    holds_what_the_catalog_holds(client, penstock)


def test_a_search_that_waits_too_long_is_told_as_unavailable(proxy: Proxy, opened: Opener) -> None:
    penstock = opened(proxy.url, timeout_seconds=1)
    penstock.add(records(0, 20))
    assert penstock.search("turbine").hits

    def slow(asked: Asked, forward: Forward) -> Reply:
        time.sleep(2)
        return forward(asked.body)

    proxy.fault = slow
    with pytest.raises(IndexUnavailable, match="no answer"):
        penstock.search("turbine")


# Indexes that cannot be written, or were changed


@pytest.mark.parametrize("block", ["write", "read_only_allow_delete", "read_only"])
def test_a_blocked_index_is_searched_and_catches_up_when_the_block_is_lifted(
    block: str, filled: Penstock, client: Elasticsearch
) -> None:
    name = index_of(client, filled)
    client.indices.put_settings(index=name, settings={f"index.blocks.{block}": True})
    with pytest.raises(IndexingError, match=r"may not be written now.*lift the block"):
        filled.add(records(10, 40, "anew"))
    last = filled.collection.last_run()
    assert last is not None
    assert (filled.collection.chunk_count(), last.status) == (40, "failed")
    assert found_by_words(filled, "turbine") == (1, {f"record:{number}" for number in range(0, 20, 5)})
    client.indices.put_settings(index=name, settings={f"index.blocks.{block}": None})
    filled.add(records(10, 40, "anew"))
    holds_what_the_catalog_holds(client, filled)
    assert found_by_words(filled, "turbine") == (2, {f"record:{number}" for number in range(0, 40, 5)})


def test_the_command_line_tells_of_a_blocked_index(
    filled: Penstock, client: Elasticsearch, elasticsearch_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from penstock.cli.app import app

    there = {"urls": [elasticsearch_url], "replicas": 0, "attempts": 1}
    monkeypatch.setenv("PENSTOCK_HOME", str(filled.settings.home))
    monkeypatch.setenv("PENSTOCK_INDEXES", json.dumps({"keyword": "elasticsearch", "vector": "elasticsearch"}))
    monkeypatch.setenv("PENSTOCK_ELASTICSEARCH", json.dumps(there))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.txt").write_text("A turbine that came later.", "utf-8")
    name = index_of(client, filled)
    client.indices.put_settings(index=name, settings={"index.blocks.read_only_allow_delete": True})
    refused = CliRunner().invoke(app, ["ingest", "more.txt"])
    assert refused.exit_code == 1
    assert "may not be written now" in refused.stderr
    assert "run again" in " ".join(refused.stderr.split())
    behind = CliRunner().invoke(app, ["doctor", "--json"])
    assert behind.exit_code != 0
    assert {problem["what"] for problem in json.loads(behind.stdout)["problems"]} == {"behind", "missing"}
    client.indices.put_settings(index=name, settings={"index.blocks.read_only_allow_delete": None})
    assert CliRunner().invoke(app, ["doctor", "--repair"]).exit_code == 0
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0


def test_a_closed_index_is_told_and_opened_again_is_searched(filled: Penstock, client: Elasticsearch) -> None:
    name = index_of(client, filled)
    client.indices.close(index=name)
    for call in (lambda: filled.search("turbine"), lambda: filled.add(records(20, 30)), filled.doctor):
        with pytest.raises(IndexingError, match="is closed; open it"):
            call()
    client.indices.open(index=name)
    filled.add(records(20, 30))
    holds_what_the_catalog_holds(client, filled)


def delete_index(client: Elasticsearch, penstock: Penstock) -> None:
    client.indices.delete(index=index_of(client, penstock))


def delete_alias(client: Elasticsearch, penstock: Penstock) -> None:
    client.indices.delete_alias(index=index_of(client, penstock), name=alias_of(client, penstock))


def put_a_foreign_index_behind_the_alias(client: Elasticsearch, penstock: Penstock) -> None:
    alias, name = alias_of(client, penstock), index_of(client, penstock)
    client.indices.create(index=f"{alias}-foreign", mappings={"properties": {"tokens": {"type": "text"}}})
    client.index(index=f"{alias}-foreign", document={"tokens": "turbine"}, refresh=True)
    actions = [{"remove": {"index": name, "alias": alias}}, {"add": {"index": f"{alias}-foreign", "alias": alias}}]
    client.indices.update_aliases(actions=actions)


def say_that_it_is_of_a_newer_format(client: Elasticsearch, penstock: Penstock) -> None:
    name = index_of(client, penstock)
    meta = client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
    client.indices.put_mapping(index=name, meta={**meta, "format": 99})


def leave_a_build_of_another_format(client: Elasticsearch, penstock: Penstock) -> None:
    alias = alias_of(client, penstock)
    client.indices.create(index=f"{alias}-v2", aliases={f"{alias}-building": {}})
    delete_index_of(client, alias, f"{alias}-v1")


def delete_index_of(client: Elasticsearch, alias: str, name: str) -> None:
    assert alias in client.indices.get(index=name)[name]["aliases"]
    client.indices.delete(index=name)


def delete_the_state(client: Elasticsearch, penstock: Penstock) -> None:
    client.delete(index=alias_of(client, penstock), id="state", refresh=True)


@pytest.mark.parametrize("opens_anew", [False, True], ids=["open", "opened anew"])
@pytest.mark.parametrize(
    "spoil",
    [
        delete_index,
        delete_alias,
        put_a_foreign_index_behind_the_alias,
        say_that_it_is_of_a_newer_format,
        leave_a_build_of_another_format,
        delete_the_state,
    ],
)
def test_a_search_builds_anew_what_was_spoilt(
    spoil: Callable[[Elasticsearch, Penstock], None],
    opens_anew: bool,
    filled: Penstock,
    client: Elasticsearch,
    opened: Opener,
    elasticsearch_url: str,
) -> None:
    """For a workspace that searched before and for one opened afterwards; foreign indexes stay."""
    expected = found_by_words(filled, "turbine")
    assert expected == (1, {f"record:{number}" for number in range(0, 20, 5)})
    filled.search("turbine")
    before = {name for name in client.indices.get(index="*") if "foreign" in name}
    spoil(client, filled)
    reader = opened(elasticsearch_url) if opens_anew else filled
    found = reader.search("turbine", k=20)
    assert (found.revision, {hit.sources[0].uri for hit in found.hits}) == (1, {f"record:{n}" for n in range(20)})
    assert found_by_words(reader, "turbine") == expected
    assert reader.doctor().ok
    reader.add(records(20, 30))
    assert reader.doctor().ok
    assert before <= set(client.indices.get(index="*"))


def test_an_index_of_our_name_that_is_not_ours_is_left_alone(filled: Penstock, client: Elasticsearch) -> None:
    alias = alias_of(client, filled)
    delete_index(client, filled)
    client.indices.create(index=alias)
    client.index(index=alias, document={"theirs": True}, refresh=True)
    filled.close()
    for call in (lambda: filled.search("turbine"), lambda: filled.add(records(20, 30)), filled.doctor):
        with pytest.raises(IndexingError, match=r"no alias; delete it, or set another elasticsearch\.prefix"):
            call()
    assert client.count(index=alias)["count"] == 1


# What the server refuses


def test_a_poison_item_is_quarantined_with_its_reason_and_doctor_shows_it(
    filled: Penstock, client: Elasticsearch
) -> None:
    """A text with more sources than the server lets a document have."""
    client.indices.put_settings(index=index_of(client, filled), settings={"index.mapping.nested_objects.limit": 3})
    copies = [Record(uri=f"copy:{number}", text="turbine of many copies") for number in range(5)]
    report = filled.add([*copies, *records(20, 30)])
    assert any("1 chunks were refused" in line and "nested" in line for line in report.attention), report.attention
    problems = filled.doctor().problems
    assert {problem.what for problem in problems} == {"rejected"}
    assert all("nested" in problem.message and len(problem.chunk_ids) == 1 for problem in problems)
    assert "record:20" in found_by_words(filled, "turbine")[1]
    filled.remove("copy:0", "copy:1", "copy:2")
    holds_what_the_catalog_holds(client, filled)
    assert {"copy:3"} <= found_by_words(filled, "copies")[1] | {"copy:3"}
    assert filled.doctor().ok


# Readers meanwhile


class Readers:
    """Threads that search all the time, each in a workspace of its own; every answer is kept."""

    def __init__(self, workspaces: list[Penstock], question: str) -> None:
        self.answers: list[tuple[int, list[str]]] = []
        self.errors: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(workspace, question)) for workspace in workspaces]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, penstock: Penstock, question: str) -> None:
        while not self._stop.is_set():
            try:
                found = penstock.retriever_of("vector").retrieve(question, k=10, where=Filter())
                self.answers.append((found.revision, [hit.chunk.id for hit in found.hits]))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                self.errors.append(error)


def test_readers_see_whole_revisions_while_the_index_is_written_and_built_anew(
    filled: Penstock, client: Elasticsearch, opened: Opener, elasticsearch_url: str, model: LittleModel
) -> None:
    readers = [opened(elasticsearch_url, candidates=20) for _ in range(2)]
    for reader in readers:
        reader.search("turbine")
    with Readers(readers, "turbine 500 anew") as reading:
        filled.add(records(0, 600, "anew"))
        between = len(reading.answers)
        filled._followers.keyword.rebuild()
        filled.add(records(0, 300, "again"))
    assert not reading.errors
    assert len(reading.answers) > between > 0
    for revision, ids in {(revision, tuple(ids)) for revision, ids in reading.answers}:
        assert are_nearest(filled, model, "turbine 500 anew", revision, list(ids)), revision
    holds_what_the_catalog_holds(client, filled)


def test_one_writer_comes_and_goes_while_another_is_at_work(
    filled: Penstock, client: Elasticsearch, opened: Opener, elasticsearch_url: str
) -> None:
    second = opened(elasticsearch_url)

    def meanwhile() -> Iterator[Record]:
        yield from records(20, 30)
        assert second.add(records(30, 40)).count("indexed") == 10
        yield from records(40, 50)

    assert filled.add(meanwhile()).count("indexed") == 20
    holds_what_the_catalog_holds(client, filled)
    assert filled.collection.chunk_count() == 50
