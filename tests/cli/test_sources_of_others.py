"""Sources of another distribution's scheme, as the page on sources describes them, through the whole product."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.doubles.plugins import Parts, install, write_distribution
from tests.cli.conftest import Run, printed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"
(NOTES,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
FETCHES = """

class Counted(Notes):
    def fetch(self, listed, known):
        with self.file.with_suffix(".fetched").open("a") as log:
            log.write(listed.uri + chr(10))
        return super().fetch(listed, known)
"""


class Notebook:
    """The file of notes, as a person edits it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._notes: dict[str, dict[str, Any]] = {}
        self._changed = 0

    def write(self, name: str, text: str, *, version: str = "1", readers: Any = "everybody") -> None:
        self._put(name, {"text": text, "version": version, "readers": readers, "author": "ann"})

    def drop(self, name: str) -> None:
        self._put(name, {"gone": True})

    def _put(self, name: str, note: dict[str, Any]) -> None:
        self._changed += 1
        uri = f"notes://{name}"
        self._notes[uri] = {"uri": uri, "changed": self._changed, **note}
        self.file.write_text(json.dumps(list(self._notes.values())), "utf-8")

    def fetched(self) -> list[str]:
        """What was fetched since this was asked last."""
        log = self.file.with_suffix(".fetched")
        found = log.read_text("utf-8").split() if log.exists() else []
        log.unlink(missing_ok=True)
        return found


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """The distribution of the page, installed, and the notes that it connects to."""
    parts: Parts = {("sources", "notes"): "our_notes:Counted"}
    install(
        monkeypatch,
        write_distribution(tmp_path / "site", parts, name="our-notes", modules={"our_notes": NOTES + FETCHES}),
    )
    book = Notebook(tmp_path / "notes.json")
    monkeypatch.setenv("PENSTOCK_CONNECTORS__OPTIONS__NOTES__FILE", os.fspath(book.file))
    book.write("hr/leave", "Ten days of leave carry over.")
    book.write("hr/pay", "The pay of the director is high.", readers=["board", "hr"])
    book.write("ops/gate", "The gate closes at nine in the evening.", readers=["staff"])
    yield book
    sys.modules.pop("our_notes", None)


def outcomes(run: Run, *arguments: object) -> dict[str, str]:
    """What became of each source of a run."""
    report = printed(run(*arguments, "--json"))
    report = next(iter(report["collections"].values())) if "collections" in report else report
    return {source["uri"].removeprefix("notes://"): source["outcome"] for source in report["sources"]}


def seen(run: Run, *readers: str) -> set[str]:
    """The notes that readers find."""
    named = [word for reader in readers for word in ("--as", reader)] or ["--as", "visitor"]
    hits = printed(run("search", "leave pay gate director evening", *named, "--json"))["hits"]
    return {hit["uri"].removeprefix("notes://") for hit in hits if hit["uri"].startswith("notes://")}


def test_what_a_connector_lists_is_found_by_those_who_may_see_it(run: Run, notes: Notebook) -> None:
    assert outcomes(run, "ingest", "notes://hr") == {"hr/leave": "indexed", "hr/pay": "indexed"}
    assert seen(run, "board") == {"hr/leave", "hr/pay"}
    assert seen(run, "staff") == seen(run) == {"hr/leave"}
    found = printed(run("search", "leave", "--label", "author=ann", "--json"))["hits"]
    assert found[0]["uri"] == "notes://hr/leave"


def test_what_has_its_old_version_is_not_fetched(run: Run, notes: Notebook) -> None:
    outcomes(run, "ingest", "notes://hr", "--label", "team=hr")
    assert sorted(notes.fetched()) == ["notes://hr/leave", "notes://hr/pay"]
    assert outcomes(run, "ingest", "notes://hr") == {
        "hr/leave": "unchanged",
        "hr/pay": "unchanged",
    }  # begun anew: labels
    assert outcomes(run, "ingest", "notes://hr") == {}  # goes on
    assert notes.fetched() == []
    notes.write("hr/leave", "Five days of leave carry over.", version="2")
    assert outcomes(run, "ingest", "notes://hr") == {"hr/leave": "indexed"}
    assert notes.fetched() == ["notes://hr/leave"]


def test_permissions_that_change_are_taken_over_without_fetching(run: Run, notes: Notebook) -> None:
    outcomes(run, "ingest", "notes://")
    notes.fetched()
    notes.write("hr/pay", "The pay of the director is high.", readers=["board"])
    notes.write("ops/gate", "The gate closes at nine in the evening.", readers=["staff", "board"])
    result = run("ingest", "notes://", "--json")
    assert notes.fetched() == []
    assert result.exit_code == 3
    assert "visible to more readers" in printed(result)["attention"][0]
    assert seen(run, "hr") == {"hr/leave"}
    assert seen(run, "board") == {"hr/leave", "hr/pay", "ops/gate"}


def test_what_is_gone_goes_and_what_is_not_named_stays(run: Run, notes: Notebook) -> None:
    outcomes(run, "ingest", "notes://")
    notes.drop("hr/leave")
    assert outcomes(run, "ingest", "notes://") == {"hr/leave": "removed"}
    assert seen(run, "board", "staff") == {"hr/pay", "ops/gate"}
    assert outcomes(run, "ingest", "notes://") == {}


@pytest.mark.parametrize(
    ("source", "options", "who"),
    [
        ("everybody", [], "everybody"),
        (["ann"], [], "ann"),
        ("everybody", ["--access", "ann"], "ann"),
        (["ann", "bob"], ["--access", "bob", "--access", "cy"], "bob"),
        (["ann"], ["--everybody"], "ann"),
        (["ann"], ["--access", "bob"], "nobody"),
        ([], [], "nobody"),
        ([], ["--everybody"], "nobody"),
        ([], ["--access", "ann"], "nobody"),
        (None, [], "everybody"),
        (None, ["--access", "ann"], "ann"),
    ],
)
def test_never_more_readers_than_the_source_and_the_run_name(
    run: Run, notes: Notebook, source: Any, options: list[str], who: str
) -> None:
    notes.write("hr/pay", "The pay of the director is high.", readers=source)
    for again in range(2):  # what was said once holds when nobody says it again
        found = outcomes(run, "ingest", "notes://hr/pay", *(options if not again else ()))
        assert found.get("hr/pay", "unchanged") in (("skipped",) if who == "nobody" else ("indexed", "unchanged"))
        for reader in ("ann", "bob", "cy", "eve"):
            assert (seen(run, reader) == {"hr/pay"}) == (who in (reader, "everybody"))
        notes.write("hr/pay", "The pay of the director is high.", readers=source)


def test_what_nobody_may_see_any_more_is_taken_out(run: Run, notes: Notebook) -> None:
    outcomes(run, "ingest", "notes://hr")
    notes.write("hr/pay", "The pay of the director is high.", readers=[])
    report = printed(run("ingest", "notes://hr", "--json"))
    assert [source["reason"] for source in report["sources"]] == [
        "nobody may see it: its source names nobody who may see it"
    ]
    assert "notes://hr/pay" not in run("search", "pay director", "--json").stdout
    notes.write("hr/pay", "The pay of the director is high.", readers=["board"])
    assert outcomes(run, "ingest", "notes://hr") == {"hr/pay": "indexed"}


def test_sync_brings_entries_of_both_kinds(run: Run, notes: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkdir("handbook")  # noqa: PTH102 - the working folder
    Path("handbook", "rules.txt").write_text("The rules of the house.", "utf-8")
    text = """
        [[collections.default.sources]]
        address = "notes://hr"
        access = ["board"]
        labels = { team = "hr" }
        [[collections.default.sources]]
        path = "handbook"
    """
    Path("penstock.toml").write_text(text, "utf-8")
    assert run("sync").exit_code == 2  # nobody trusts the file
    monkeypatch.setenv("PENSTOCK_TRUST", os.path.abspath("penstock.toml"))  # noqa: PTH100
    plan = printed(run("sync", "--dry-run", "--json"))
    assert "notes://hr/pay" in json.dumps(plan)
    first = outcomes(run, "sync")
    assert [first["hr/leave"], first["hr/pay"]] == ["indexed", "indexed"]
    assert seen(run, "hr") == set()
    assert seen(run, "board") == {"hr/leave", "hr/pay"}
    notes.drop("hr/pay")
    Path("handbook", "rules.txt").unlink()
    assert sorted(outcomes(run, "sync").values()) == ["removed", "removed"]
    assert seen(run, "board") == {"hr/leave"}
    Path("penstock.toml").write_text(text.replace("notes://hr", "notes://ops").replace("board", "staff"), "utf-8")
    assert outcomes(run, "sync") == {"ops/gate": "indexed", "hr/leave": "removed"}
    Path("penstock.toml").write_text(text, "utf-8")
    assert outcomes(run, "sync")["hr/leave"] == "indexed"  # what was removed comes back: its listing begins anew


def test_what_was_removed_by_hand_comes_back(run: Run, notes: Notebook) -> None:
    outcomes(run, "ingest", "notes://")
    assert outcomes(run, "remove", "notes://hr") == {"hr/leave": "removed", "hr/pay": "removed"}
    assert outcomes(run, "ingest", "notes://")["hr/leave"] == "indexed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest", "notes://hr", "--set", "allow_external=false"], "allow_external"),
        (["ingest", "wiki://hr"], "'wiki' addresses are not read"),
        (["ingest", "notes://ann:pw@hr"], "holds a secret"),
        (["ingest", "notes://hr", "--set", "connectors.options.notes.files=a"], "no option"),
    ],
)
def test_what_is_refused_says_why(run: Run, notes: Notebook, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.output.split())
    assert "pw" not in result.output
