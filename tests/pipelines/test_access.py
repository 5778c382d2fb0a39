"""Restricted sources stay restricted where no access is given: new, renamed, restored and moved files."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import SettingsError, UnknownName, UsageError
from penstock.model import EVERYBODY, Filter, RunReport
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.reporting import reports
from penstock.pipelines.stepwise import Stepwise
from penstock.settings import read_settings
from penstock.testing.contracts.catalog import execute_on
from penstock.testing.doubles.embedders import LittleModel

Ingest = Callable[..., RunReport]
STAFF, BOARD = frozenset({"staff"}), frozenset({"board"})
NOBODY = Filter(principals=frozenset())


@pytest.fixture
def penstock(kind: str, model: LittleModel, home: Path) -> Iterator[Stepwise]:
    with Stepwise(home, embedder=model) as opened:
        yield opened


@pytest.fixture(params=["one call", "steps"])
def ingest(request: pytest.FixtureRequest, penstock: Stepwise) -> Ingest:
    """`Penstock.ingest`, or the same in steps of two sources."""
    if request.param == "one call":
        return penstock.ingest

    def in_steps(*addresses: Path, **given: Any) -> RunReport:
        plan, run = penstock.plan(*addresses, **given), penstock.begin("ingest")
        return penstock.finish(plan, [penstock.take(batch, run=run) for batch in plan.batches(2)], run=run)

    return in_steps


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    folder = tmp_path / "my documents" / "hr"
    folder.mkdir(parents=True)
    for name in ("pay", "leave"):
        write(folder / f"{name}.txt", f"the {name} of everybody here")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def access(penstock: Stepwise) -> dict[str, frozenset[str]]:
    """Who may see each source, by the name of its file."""
    return {known.source.uri.rsplit("/", 1)[-1]: known.source.access for known in penstock.collection.sources()}


def forget_addresses(penstock: Stepwise) -> None:
    """Makes the catalog look as if written before the access of addresses was stored."""
    url = penstock.settings.catalog.url or f"sqlite:///{penstock.settings.home / 'catalog.db'}"
    secret = penstock.settings.catalog.password
    execute_on(url.replace("@", f":{secret.get_secret_value()}@") if secret else url, "DELETE FROM addresses")


def test_new_renamed_and_restored_files_have_what_their_address_was_last_given(
    penstock: Stepwise, ingest: Ingest, hr: Path
) -> None:
    ingest(hr, access=["staff"])
    away = (hr / "pay.txt").read_text("utf-8")
    (hr / "pay.txt").unlink()
    (hr / "leave.txt").rename(hr / "renamed.txt")
    write(hr / "new.txt", "a new note")
    write(hr / "deep" / "er" / "new too.txt", "another new note")
    assert ingest(hr).attention == ()
    assert access(penstock) == dict.fromkeys(("renamed.txt", "new.txt", "new too.txt"), STAFF)
    write(hr / "pay.txt", away)
    ingest(hr)
    assert access(penstock)["pay.txt"] == STAFF
    assert penstock.search("pay note leave", where=NOBODY).hits == ()
    assert penstock.doctor().ok


@pytest.mark.parametrize("address", ["sub", "sub/new.txt", ".", ".."], ids=["below", "a file", "itself", "above"])
def test_addresses_below_and_above_inherit_too(penstock: Stepwise, ingest: Ingest, hr: Path, address: str) -> None:
    ingest(hr, access=["staff"])
    write(hr / "sub" / "new.txt", "a new note")
    ingest(hr / address)
    assert access(penstock)["new.txt"] == STAFF


def test_the_longest_address_wins_and_what_was_said_later(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    write(hr / "board" / "minutes.txt", "the minutes")
    ingest(hr, access=["staff"])
    ingest(hr / "board", access=["board"])
    write(hr / "board" / "plan.txt", "the plan")
    write(hr / "note.txt", "a note")
    ingest(hr.parent)
    assert access(penstock) == dict.fromkeys(("pay.txt", "leave.txt", "note.txt"), STAFF) | dict.fromkeys(
        ("minutes.txt", "plan.txt"), BOARD
    )
    ingest(hr, access=["staff", "board"])
    write(hr / "board" / "last.txt", "the last")
    ingest(hr)
    assert set(access(penstock).values()) == {STAFF | BOARD}


def test_what_was_opened_on_purpose_stays_open(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    report = ingest(hr, access=[])
    assert report.attention == (
        f"2 known sources are visible to more readers than before: {hr}/leave.txt, {hr}/pay.txt; "
        "--access narrows it again",
    )
    write(hr / "new.txt", "a new note")
    assert ingest(hr).attention == ()
    assert set(access(penstock).values()) == {EVERYBODY}


def test_everybody_sees_what_nothing_was_ever_said_of(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    write(hr.parent / "menu" / "monday.txt", "soup")
    assert ingest(hr.parent).attention == ()
    assert ingest(hr.parent / "menu").count("unchanged") == 1
    assert access(penstock)["monday.txt"] == EVERYBODY


def test_a_renamed_folder_stays_closed_and_so_does_what_comes_there(
    penstock: Stepwise, ingest: Ingest, hr: Path
) -> None:
    ingest(hr, access=["staff"])
    hr.rename(hr.parent / "people")
    write(hr.parent / "people" / "changed" / "new.txt", "a new note")
    ingest(hr.parent)
    assert (access(penstock)["pay.txt"], access(penstock)["leave.txt"]) == (STAFF, STAFF)
    write(hr.parent / "people" / "later.txt", "a later note")
    ingest(hr.parent)
    assert access(penstock)["later.txt"] == STAFF


def test_what_went_before_it_came_elsewhere_stays_closed(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    hr.rename(hr.parent / "people")
    ingest(hr)
    ingest(hr.parent / "people")
    assert access(penstock) == {"pay.txt": STAFF, "leave.txt": STAFF}


def test_a_copy_shows_what_it_says_to_nobody_else(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    write(hr.parent / "copy.txt", (hr / "pay.txt").read_text("utf-8"))
    ingest(hr.parent / "copy.txt")
    assert access(penstock)["copy.txt"] == STAFF
    ingest(hr.parent / "copy.txt", access=[])
    write(hr.parent / "copy again.txt", (hr / "pay.txt").read_text("utf-8"))
    ingest(hr.parent / "copy again.txt")
    assert access(penstock)["copy again.txt"] == EVERYBODY


def test_a_file_that_could_not_be_read_stays_closed_when_it_can(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    write(hr / "broken.pdf", "%PDF-1.7 nothing else")
    ingest(hr, access=["staff"])
    forget_addresses(penstock)
    write(hr / "broken.pdf", "a text after all")
    ingest(hr / "broken.pdf")
    assert access(penstock)["broken.pdf"] == STAFF


# Catalogs that were written before the access of addresses was stored


def test_without_memory_neighbours_decide(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    write(hr / "board" / "minutes.txt", "the minutes")
    ingest(hr / "board", access=["board"])
    forget_addresses(penstock)
    (hr / "pay.txt").unlink()
    for name in ("new.txt", "board/new too.txt", "board/deep/new three.txt"):
        write(hr / name, f"what {name} says")
    ingest(hr)
    found = access(penstock)
    assert found["new.txt"] == STAFF
    assert (found["new too.txt"], found["new three.txt"]) == (BOARD, BOARD)
    write(hr / "pay.txt", "the pay of everybody here")
    ingest(hr / "pay.txt")
    assert access(penstock)["pay.txt"] == STAFF


def test_who_may_see_it_has_to_be_said_where_neighbours_have_no_reader_in_common(
    penstock: Stepwise, ingest: Ingest, hr: Path
) -> None:
    ingest(hr / "pay.txt", access=["staff"])
    ingest(hr / "leave.txt", access=["board"])
    forget_addresses(penstock)
    write(hr / "new.txt", "a new note")
    report = ingest(hr)
    (failed,) = [result for result in report.results if result.outcome == "failed"]
    assert (failed.uri.rsplit("/", 1)[-1], "--access or --everybody" in failed.reason) == ("new.txt", True)
    assert "new.txt" not in access(penstock)
    ingest(hr / "new.txt", access=["staff"])
    assert access(penstock)["new.txt"] == STAFF


def test_hidden_sources_that_are_gone_are_neighbours_still(penstock: Stepwise, ingest: Ingest, hr: Path) -> None:
    ingest(hr, access=["staff"])
    forget_addresses(penstock)
    for path in hr.iterdir():
        path.unlink()
    ingest(hr)
    write(hr / "new.txt", "a new note")
    ingest(hr)
    assert access(penstock) == {"new.txt": STAFF}


# What a run reports


def test_a_run_tells_what_it_shows_to_more_readers_than_its_neighbours(
    penstock: Stepwise, ingest: Ingest, hr: Path
) -> None:
    ingest(hr, access=["staff"])
    for number in range(5):
        write(hr / f"{number}.txt", f"paper {number}")
    report = ingest(*(hr / f"{number}.txt" for number in range(5)), access=[])
    assert report.attention == (
        f"5 new sources are visible to more readers than their neighbours: {hr}/0.txt, {hr}/1.txt, {hr}/2.txt and 2 "
        "more; --access narrows it again",
    )
    (write(hr / "board.txt", "for few"))
    assert ingest(hr / "board.txt", access=["board"]).attention == ()


def test_a_plan_tells_what_would_be_shown(penstock: Stepwise, hr: Path) -> None:
    penstock.ingest(hr, access=["staff"])
    plan = penstock.plan(hr, access=[])
    assert "2 known sources are visible to more readers" in plan.attention[0]
    assert reports.plan(plan)["attention"] == list(plan.attention)
    assert set(access(penstock).values()) == {STAFF}


def test_a_blank_principal_is_refused(penstock: Stepwise, hr: Path) -> None:
    with pytest.raises(UsageError, match=r"blank.*--everybody"):
        penstock.ingest(hr, access=["staff", " "])
    penstock.ingest(hr, access="staff")  # one name is not a list of letters
    assert set(access(penstock).values()) == {STAFF}


def test_a_record_keeps_its_readers_until_it_names_others(penstock: Stepwise) -> None:
    uri = "memo:pay"
    penstock.add([Record(uri=uri, text="Pay is due.", access=STAFF)])
    penstock.add([Record(uri=uri, text="Pay is late.")])
    assert access(penstock) == {uri: STAFF}
    penstock.remove(uri)
    penstock.add([Record(uri=uri, text="Pay is due again.")])
    assert access(penstock) == {uri: STAFF}
    report = penstock.add([Record(uri=uri, text="Pay is due again.", access=EVERYBODY)])
    assert report.attention == (
        "1 known sources are visible to more readers than before: memo:pay; --access narrows it again",
    )


# Entries of penstock.toml


def described(home: Path, *sources: dict[str, Any], **own: Any) -> Stepwise:
    return Stepwise(home, "hr", settings=read_settings(collections={"hr": {"sources": list(sources), **own}}))


def test_a_file_that_two_entries_list_for_different_readers_is_an_error(
    model: LittleModel, home: Path, hr: Path
) -> None:
    write(hr / "board" / "minutes.txt", "the minutes")
    board = {"path": str(hr / "board"), "include": ["*.txt"], "access": ["board"]}
    everything = {"path": str(hr), "access": ["staff"]}
    message = r"minutes.txt' is listed by entry 1 \('.*board'\), for 'board', and by entry 2 \('.*hr'\), for 'staff'"
    with described(home, board, everything) as penstock:
        for call in (penstock.sync, penstock.plan):
            with pytest.raises(SettingsError, match=message):
                call()
        assert (list(penstock.collection.sources()), penstock.collection.given()) == ([], {})
    with described(home, board, everything | {"exclude": ["board/*"]}) as penstock:
        assert penstock.sync().count("indexed") == 3
        assert (access(penstock)["minutes.txt"], access(penstock)["pay.txt"]) == (BOARD, STAFF)
    with described(home, board, everything, overlap="first") as penstock:
        assert penstock.sync().count("unchanged") == 3
        write(hr / "board" / "plan.txt", "the plan")
        penstock.ingest(hr)
        assert access(penstock)["plan.txt"] == BOARD
        assert penstock.sync().attention == ()
    with described(home, everything | {"include": ["*.txt"]}, board, overlap="first") as penstock:
        assert "2 known sources are visible to more readers than before" in penstock.sync().attention[0]
        assert set(access(penstock).values()) == {STAFF}


@pytest.mark.parametrize("entry", [{}, {"include": ["*.txt"]}], ids=["a folder", "with patterns"])
def test_an_entry_that_says_nothing_of_readers_opens_nothing(
    model: LittleModel, home: Path, hr: Path, entry: dict[str, Any]
) -> None:
    entry |= {"path": str(hr)}
    with described(home, entry) as penstock:
        penstock.ingest(hr, access=["staff"])
        write(hr / "new.txt", "a new note")
        assert penstock.plan().attention == ()
        assert penstock.sync().attention == ()
        assert access(penstock) == dict.fromkeys(("pay.txt", "leave.txt", "new.txt"), STAFF)
        forget_addresses(penstock)
        write(hr / "newer.txt", "a newer note")
        assert penstock.sync().count("indexed") == 1
        assert set(access(penstock).values()) == {STAFF}
    with described(home, entry | {"access": []}) as penstock:
        assert "4 known sources are visible to more readers than before" in penstock.sync().attention[0]
        assert set(access(penstock).values()) == {EVERYBODY}


@pytest.mark.parametrize("own", [{}, {"overlap": "first"}], ids=["by default", "the first decides"])
def test_readers_that_one_entry_names_win_over_an_entry_that_names_none(
    model: LittleModel, home: Path, hr: Path, own: dict[str, Any]
) -> None:
    everything, board = {"path": str(hr), "labels": {"team": "hr"}}, {"path": str(hr / "board"), "access": ["board"]}
    write(hr / "board" / "minutes.txt", "the minutes")
    with described(home, everything) as penstock:
        penstock.sync()
    write(hr / "board" / "plan.txt", "the plan")
    with described(home, everything, board, **own) as penstock:
        assert penstock.sync().attention == ()
        closed = {"minutes.txt": BOARD, "plan.txt": BOARD}
        assert access(penstock) == closed | {"pay.txt": EVERYBODY, "leave.txt": EVERYBODY}
        assert {known.source.labels["team"] for known in penstock.collection.sources()} == {"hr"}
        assert penstock.plan().pending == ()


def test_entries_for_the_same_readers_may_overlap(model: LittleModel, home: Path, hr: Path) -> None:
    entries = [{"path": str(hr), "access": ["staff", "board"]}, {"path": str(hr), "access": ["board", "staff"]}]
    with described(home, *entries) as penstock:
        assert penstock.sync().count("indexed") == 2


# Readers


@pytest.fixture
def shelf(penstock: Stepwise, hr: Path) -> Stepwise:
    """Public: menu.txt, and a copy of pay.txt that only the board sees; the rest is for staff."""
    write(hr / "broken.pdf", "%PDF-1.7 nothing else")
    penstock.ingest(hr, access=["staff"])
    write(hr.parent / "menu.txt", "soup for everybody")
    penstock.ingest(hr.parent / "menu.txt")
    write(hr.parent / "copy.txt", (hr / "pay.txt").read_text("utf-8"))
    penstock.ingest(hr.parent / "copy.txt", access=["board"])
    return penstock


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UnknownName) as raised:
        call()
    return str(raised.value)


def test_what_is_hidden_looks_as_what_is_not_there(shelf: Stepwise, hr: Path) -> None:
    hidden, missing = str(hr / "leave.txt"), str(hr / "nope.txt")
    stored = shelf.show(hidden)
    for call in (shelf.show, shelf.remove):
        message = refused(partial(call, hidden, principals=[]))
        assert message.replace(hidden, missing) == refused(partial(call, missing, principals=[]))
        assert "menu.txt" in message
        assert not any(name in message for name in ("pay", "copy", "broken"))
    by_id = refused(lambda: shelf.show(stored.document.id[:8], principals=[]))
    assert by_id.replace(stored.document.id[:8], "0" * 8) == refused(lambda: shelf.show("0" * 8, principals=[]))
    refused(lambda: shelf.show(stored.document.id, principals=["board"]))
    refused(lambda: shelf.show(str(hr.parent / "copy.txt"), principals=["staff"]))  # though pay.txt says the same
    refused(lambda: shelf.remove(hr, principals=["board"]))
    refused(lambda: shelf.remove(hr / "broken.pdf", principals=["board"]))


def test_a_document_shows_a_reader_the_sources_that_the_reader_sees(shelf: Stepwise, hr: Path) -> None:
    stored = shelf.show(str(hr / "pay.txt"), principals=["staff"])
    assert [source.uri.rsplit("/", 1)[-1] for source in stored.sources] == ["pay.txt"]
    seen = shelf.show(stored.document.id, principals=["board"])
    assert [source.uri.rsplit("/", 1)[-1] for source in seen.sources] == ["copy.txt"]
    assert "hr/pay.txt" not in json.dumps(reports.document(seen))
    assert len(shelf.show(stored.document.id).sources) == 2


def test_status_counts_what_a_reader_sees(shelf: Stepwise) -> None:
    seen = {
        who: (
            sum(status.sources.values()),
            status.chunks.catalog,
            status.chunks.keyword,
            status.chunks.vector,
            len(status.quarantine),
        )
        for who, status in (
            (who, shelf.status(principals=principals))
            for who, principals in (("all", None), ("nobody", []), ("staff", ["staff"]), ("board", ["board"]))
        )
    }
    assert seen == {
        "all": (4, 3, 3, 3, 1),
        "nobody": (1, 1, 1, 1, 0),
        "staff": (3, 3, 3, 3, 1),
        "board": (2, 2, 2, 2, 0),
    }
    assert sum(shelf.status(principals=[]).languages.values()) == 1


def test_quarantine_follows_who_may_see_the_file(shelf: Stepwise, hr: Path) -> None:
    shelf.ingest(hr, access=["board"])
    assert [len(shelf.status(principals=[who]).quarantine) for who in ("staff", "board")] == [0, 1]


def test_a_reader_removes_what_the_reader_sees(shelf: Stepwise, hr: Path) -> None:
    report = shelf.remove(hr.parent, principals=["board"])
    assert {result.uri.rsplit("/", 1)[-1] for result in report.results} == {"menu.txt", "copy.txt"}
    assert report.chunks.catalog == report.chunks.keyword == report.chunks.vector == 0
    assert set(access(shelf)) == {"pay.txt", "leave.txt"}
    assert shelf.doctor().ok


def test_doctor_names_the_chunks_that_a_reader_sees(shelf: Stepwise, hr: Path) -> None:
    hidden = {chunk.id for name in ("pay", "leave") for chunk in shelf.show(str(hr / f"{name}.txt")).chunks}
    rows = shelf.collection.live_rows().tolist()
    shelf.close()
    url = shelf.settings.catalog.url
    if url:
        pytest.skip("the fault is made in a file")
    execute_on(
        f"sqlite:///{shelf.settings.home / 'catalog.db'}",
        f"UPDATE chunks SET removed_rev = added_rev + 1 WHERE row IN ({', '.join(map(str, rows))})",
    )
    for principals, named in ((None, True), ([], False)):
        found = shelf.doctor(principals=principals)
        assert {problem.what for problem in found.problems} == {"surplus"}
        assert all(problem.message.startswith("3 chunks") for problem in found.problems)
        printed = json.dumps(reports.diagnosis(found))
        assert any(name in printed for name in hidden) == named


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda penstock, **given: penstock.search("pay", **where(given)), id="search"),
        pytest.param(lambda penstock, **given: penstock.ask("pay", **where(given)), id="ask"),
        pytest.param(lambda penstock, **given: list(penstock.ask_streaming("pay", **where(given))), id="streaming"),
        pytest.param(lambda penstock, **given: penstock.prompt("pay", **where(given)), id="prompt"),
        pytest.param(lambda penstock, **given: penstock.show("menu", **given), id="show"),
        pytest.param(lambda penstock, **given: penstock.status(**given), id="status"),
        pytest.param(
            lambda penstock, **given: penstock.retriever.retrieve("pay", k=1, **where(given) or {"where": Filter()}),
            id="retriever",
        ),
    ],
)
def test_a_reader_has_to_be_named_where_that_is_required(
    model: LittleModel, home: Path, hr: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[..., object]
) -> None:
    monkeypatch.chdir(hr)
    settings = read_settings(access={"required": True})
    with Stepwise(home, settings=settings) as penstock:
        write(hr / "menu", "soup")
        penstock.ingest(hr / "menu")
        with pytest.raises(UsageError, match=r"access\.required.*--as PRINCIPAL.*principals") as raised:
            read(penstock)
        assert raised.type is UsageError
        read(penstock, principals=[])
        assert penstock.doctor().ok
        assert refused(lambda: penstock.remove("nope")).endswith("known: none")


def where(given: dict[str, Any]) -> dict[str, Any]:
    return {"where": Filter(principals=frozenset(given["principals"]))} if given else {}
