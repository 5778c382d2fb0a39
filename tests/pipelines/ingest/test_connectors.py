"""Failing sources of a connector: nothing is lost, nothing gets more readers, and the rest of the run continues."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock.errors import FetchError
from penstock.loaders import fetched_bytes
from penstock.model import EVERYBODY, Failure, Fetched, Listed, Removed, RunReport
from penstock.pipelines.extracting import extract
from penstock.pipelines.stepwise import Stepwise
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.plugins import Parts, install, write_distribution

Ingest = Callable[..., RunReport]


@dataclass
class Desk:
    """A connector whose listing a test writes."""

    listed: list[Any] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)
    """The cursors that its listings were given."""
    fetched: list[str] = field(default_factory=list)

    def lister(self, address: str, cursor: str) -> "DeskLister":
        self.cursors.append(cursor)
        return DeskLister(self, cursor)

    def fetcher(self) -> "Desk":
        return self

    def fetch(self, listed: Listed, known: object) -> Any:
        self.fetched.append(listed.uri)
        if listed.uri not in self.texts:
            raise FetchError("the desk is closed")
        return fetched_bytes(self.texts[listed.uri].encode(), declared_type="text/plain")

    def put(self, *names: str, cursor: str = "", **given: Any) -> None:
        """Makes the next listings name these, and nothing else."""
        self.listed = [Listed(uri=f"desk://{name}", cursor=cursor, **({"version": "1"} | given)) for name in names]
        self.texts.update((listed.uri, f"what {listed.uri} says") for listed in self.listed)


@dataclass
class DeskLister:
    desk: Desk
    cursor: str

    def list(self) -> Iterator[Any]:
        for listed in self.desk.listed:
            if isinstance(listed, Exception):
                raise listed
            yield listed

    def complete(self) -> bool:
        return not self.cursor

    def covers(self, uri: str) -> bool:
        return True


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The connector of the scheme `desk`, installed."""
    parts: Parts = {("sources", "desk"): "desk_connector:made"}
    made = Desk()
    module = ModuleType("desk_connector")
    module.made = lambda: made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "desk_connector", module)
    install(monkeypatch, write_distribution(tmp_path / "site", parts, name="desks"))
    return made


@pytest.fixture
def penstock(desk: Desk, kind: str, model: LittleModel, home: Path) -> Iterator[Stepwise]:
    with Stepwise(home, embedder=model) as opened:
        yield opened


@pytest.fixture(params=["one call", "steps"])
def ingest(request: pytest.FixtureRequest, penstock: Stepwise) -> Ingest:
    if request.param == "one call":
        return penstock.ingest

    def in_steps(*addresses: str, **given: Any) -> RunReport:
        plan, run = penstock.plan(*addresses, **given), penstock.begin("ingest")
        return penstock.finish(plan, [penstock.take(batch, run=run) for batch in plan.batches(2)], run=run)

    return in_steps


def there(penstock: Stepwise) -> dict[str, frozenset[str]]:
    return {known.source.uri.removeprefix("desk://"): known.source.access for known in penstock.collection.sources()}


def outcomes(report: RunReport) -> dict[str, str]:
    return {result.uri.removeprefix("desk://"): result.outcome for result in report.results}


def test_a_listing_goes_on_where_the_last_one_ended(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    desk.put("a", "b", "c", cursor="1")
    ingest("desk://")
    desk.put("b", cursor="2", version="2")
    desk.texts["desk://b"] = "another text"
    desk.listed.append(Removed(uri="desk://c", cursor="3"))
    desk.listed.append(Removed(uri="desk://unknown", cursor="4"))
    assert outcomes(ingest("desk://")) == {"b": "indexed", "c": "removed"}
    assert sorted(there(penstock)) == ["a", "b"]
    desk.listed = []
    report = ingest("DESK://")
    assert (report.results, report.attention) == ((), ())
    assert desk.cursors == ["", "1", "4"]


def test_what_a_whole_listing_does_not_name_is_gone(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    desk.put("a", "b")
    ingest("desk://")
    desk.put("a")
    assert outcomes(ingest("desk://")) == {"a": "unchanged", "b": "removed"}
    assert desk.fetched == ["desk://a", "desk://b"]


def test_what_could_not_be_fetched_is_listed_again(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    desk.put("a", "b", cursor="1")
    del desk.texts["desk://b"]
    assert outcomes(ingest("desk://")) == {"a": "indexed", "b": "failed"}
    desk.put("a", "b", cursor="2")
    assert outcomes(ingest("desk://")) == {"a": "unchanged", "b": "indexed"}
    ingest("desk://")
    assert desk.cursors == ["", "", "2"]


def test_a_run_that_ends_before_its_time_lists_the_same_again(penstock: Stepwise, desk: Desk) -> None:
    desk.put("a", "b", "c", cursor="1")
    plan, run = penstock.plan("desk://"), penstock.begin("ingest")
    penstock.take(plan.batches(1)[0], run=run)  # and then the process is killed
    plan, run = penstock.plan("desk://"), penstock.begin("ingest")
    penstock.finish(plan, [], run=run)  # interrupted
    assert outcomes(penstock.ingest("desk://")) == {"a": "unchanged", "b": "indexed", "c": "indexed"}
    assert desk.cursors == ["", "", ""]


def test_the_guard_holds_for_what_a_listing_says_is_gone(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    names = [f"n{number}" for number in range(20)]
    desk.put(*names, cursor="1")
    ingest("desk://")
    desk.listed = [Removed(uri=f"desk://{name}", cursor="2") for name in names]
    report = ingest("desk://")
    assert "20 of 20 sources are no longer there" in report.attention[0]
    assert len(there(penstock)) == 20
    ingest("desk://")
    assert desk.cursors == ["", "1", "1"]


NO_SOURCES: list[Any] = [
    Listed(uri="file:///etc/passwd"),
    Listed(uri="http://169.254.169.254/latest"),
    Removed(uri="file:///etc/shadow"),
    Listed(uri="desk://labels", labels={"a": object()}),  # type: ignore[dict-item]
    Listed(uri="desk://readers", access="staff"),  # type: ignore[arg-type]
    Listed(uri="desk://nameless", access=frozenset({""})),
    Listed(uri="desk://version", version=7),  # type: ignore[arg-type]
    "desk://text",
]


@pytest.mark.parametrize(
    "odd",
    [NO_SOURCES, [RuntimeError("the connector has a fault")], [FetchError("the server is away")]],
    ids=["values", "fault", "away"],
)
def test_what_is_no_source_of_its_scheme_costs_itself_alone(
    penstock: Stepwise, ingest: Ingest, desk: Desk, odd: list[Any]
) -> None:
    desk.put("old", cursor="0")
    ingest("desk://")
    desk.put("new", cursor="1")
    desk.listed += odd
    report = ingest("desk://", access=["staff"])  # starts from the beginning, so what is missing would be gone
    assert sorted(result.outcome for result in report.results) == [*["failed"] * len(odd), "indexed"]
    assert there(penstock) == {"old": EVERYBODY, "new": frozenset({"staff"})}
    assert desk.fetched == ["desk://old", "desk://new"]
    ingest("desk://")
    assert desk.cursors == ["", "", ""]


def test_other_readers_or_settings_begin_anew(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    desk.put("a", cursor="1", access=frozenset({"ann", "bob"}))
    ingest("desk://")
    ingest("desk://", access=["ann"])
    assert there(penstock) == {"a": frozenset({"ann"})}
    desk.put("a", "b", cursor="2", access=frozenset({"ann", "bob"}))
    ingest("desk://")  # the access last given to the address
    assert there(penstock) == {"a": frozenset({"ann"}), "b": frozenset({"ann"})}
    ingest("desk://", access=[])
    assert there(penstock) == dict.fromkeys("ab", frozenset({"ann", "bob"}))
    assert desk.cursors == ["", "", "1", ""]
    assert desk.fetched == ["desk://a", "desk://b"]


def test_a_narrower_address_does_not_open_what_was_closed_above(penstock: Stepwise, desk: Desk) -> None:
    desk.put("hr/a", access="everybody")
    penstock.ingest("desk://hr", access=["ann"])
    penstock.ingest("desk://hr/a")
    assert there(penstock) == {"hr/a": frozenset({"ann"})}


def test_what_nobody_may_see_goes_though_there_is_much_of_it(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    names = [f"n{number}" for number in range(20)]
    desk.put(*names, cursor="1")
    ingest("desk://")
    desk.put(*names, cursor="2", access=frozenset())
    assert set(outcomes(ingest("desk://")).values()) == {"skipped"}
    assert there(penstock) == {}


@pytest.mark.parametrize("change", ["rollback", "remove"])
def test_a_collection_that_holds_something_else_is_listed_anew(penstock: Stepwise, desk: Desk, change: str) -> None:
    desk.put("a", cursor="1")
    penstock.ingest("desk://")
    desk.put("a", "b", cursor="2")
    penstock.ingest("desk://")
    if change == "rollback":
        penstock.rollback(1)
    else:
        penstock.remove("desk://b")
    assert outcomes(penstock.ingest("desk://")) == {"a": "unchanged", "b": "indexed"}
    assert desk.cursors == ["", "1", ""]


def test_what_it_says_of_bytes_is_not_believed(penstock: Stepwise, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a", "b")
    fetch = Desk.fetch

    @contextmanager
    def lying(self: Desk, listed: Listed, known: object) -> Iterator[Fetched]:
        with fetch(self, listed, known) as fetched:
            yield replace(fetched, sha256="0" * 64, size=1)

    monkeypatch.setattr(Desk, "fetch", lying)
    assert outcomes(penstock.ingest("desk://")) == {"a": "indexed", "b": "indexed"}
    assert penstock.search("what desk b says").hits[0].source.uri == "desk://b"
    big = read_settings(home=penstock.settings.home, collection="small", limits={"source_mib": 1})
    desk.texts["desk://a"] = "much " * 300_000
    with Stepwise(settings=big) as small:
        assert outcomes(small.ingest("desk://")) == {"a": "failed", "b": "indexed"}


def test_it_is_read_without_a_collection_too(penstock: Stepwise, desk: Desk) -> None:
    desk.put("a", labels={"team": "hr"})
    desk.listed.append(Removed(uri="desk://b"))
    (found,) = extract(penstock.settings, "desk://")
    assert found.document
    assert (found.document.text, found.document.source.labels) == ("what desk://a says", {"team": "hr"})


def test_a_place_that_fails_keeps_the_rest(penstock: Stepwise, ingest: Ingest, desk: Desk) -> None:
    desk.put("a", "b", cursor="1")
    ingest("desk://")
    desk.listed = [Failure(uri="desk://x", stage="discover", kind="FetchError", message="away", retryable=True)]
    assert outcomes(ingest("desk://")) == {"x": "failed"}
    assert sorted(there(penstock)) == ["a", "b"]
