"""`history`, `compact` and `collections`, as their user types them."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, printed


@pytest.fixture
def edited(run: Run, folder: Path) -> Path:
    for number in range(4):
        (folder / "leave.md").write_text(f"{number} days of leave carry over.", "utf-8")
        run("ingest", folder)
    return folder


@pytest.mark.usefixtures("edited")
def test_the_history_is_listed_newest_first(run: Run) -> None:
    shown = run("history", "--limit", "3").stdout
    assert [line.split()[0] for line in shown.splitlines()[1:4]] == ["4", "3", "2"]
    assert "penstock history --before 2" in shown
    assert "disk: " in shown
    assert "earlier" not in run("history", "--before", "2").stdout
    history = printed(run("history", "--json"))
    assert [(revision["revision"], revision["cause"], revision["changed"]) for revision in history["revisions"]] == [
        (4, "ingest", 1),
        (3, "ingest", 1),
        (2, "ingest", 1),
        (1, "ingest", 0),
    ]
    assert history["disk"]["total"] > 0


def test_a_compaction_prints_what_went_and_the_room_before_and_after(run: Run, edited: Path) -> None:
    foreseen = printed(run("compact", "--keep", "2", "--dry-run", "--json"))
    assert (foreseen["dry_run"], foreseen["removed"]["revisions"]) == (True, 2)
    result = run("compact", "--keep", "2")
    assert result.exit_code == 0
    assert "revisions 3 to 4 left" in result.stdout
    assert "went: 2 revisions, 2 documents" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("disk: ")
    account = printed(run("compact", "--older-than", "0", "--json"))
    assert (account["oldest"], account["removed"]["revisions"]) == (4, 1)
    assert set(account["disk"]) == {"before", "after"}
    assert set(account["disk"]["before"]) == {"catalog", "indexes", "aside", "total"}
    del edited


@pytest.mark.usefixtures("edited")
def test_going_back_says_that_the_files_stay(run: Run) -> None:
    result = run("rollback", "1")
    assert result.exit_code == 0
    assert "revision 5 holds what revision 1 held" in result.stdout
    assert "the next ingest or sync of them brings their newer content back" in " ".join(result.stdout.split())
    assert "0 days" in run("search", "days of leave").stdout
    account = printed(run("rollback", "4", "--json"))
    assert (account["revision"], account["changed"], account["left_out"]) == (6, 1, [])
    run("compact", "--keep", "1")
    gone = run("rollback", "3", "--json")
    assert (gone.exit_code, printed(gone)["error"]["kind"]) == (1, "RevisionGone")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["rollback", "-c", "nowhere", "1"], 2),
        (["rollback", "99"], 1),
        (["compact", "--keep", "0"], 2),
        (["compact", "--older-than", "-1"], 2),
        (["compact", "--older-than", "1e300"], 2),
        (["compact", "-c", "nowhere"], 2),
        (["history", "--limit", "0"], 2),
        (["history", "-c", "nowhere"], 2),
        (["collections", "remove", "nowhere", "--yes"], 2),
        (["collections", "rename", "nowhere", "x"], 2),
        (["collections", "rename", "default", "../x"], 2),
    ],
)
def test_what_cannot_be_is_wrong_usage(run: Run, arguments: list[str], code: int) -> None:
    assert run(*arguments).exit_code == code


@pytest.mark.usefixtures("library")
def test_a_collection_is_renamed_and_removed(run: Run) -> None:
    assert run("collections", "rename", "default", "handbook").exit_code == 0
    assert [collection["name"] for collection in printed(run("collections", "--json"))["collections"]] == ["handbook"]
    assert "Ten days" in run("search", "leave", "-c", "handbook").stdout
    asked = run("collections", "remove", "handbook")
    assert (asked.exit_code, "give --yes" in asked.stderr) == (2, True)
    account = printed(run("collections", "remove", "handbook", "--yes", "--json"))
    assert (account["collection"], account["disk"]["after"]["indexes"]) == ("handbook", 0)
    assert printed(run("collections", "--json"))["collections"] == []


@pytest.mark.usefixtures("library")
def test_a_description_of_the_old_name_is_pointed_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("penstock.toml").write_text("[collections.default]\nsources = [{ path = '.' }]\n", "utf-8")
    monkeypatch.setenv("PENSTOCK_TRUST", str(Path("penstock.toml").absolute()))
    assert "rename that too" in run("collections", "rename", "default", "handbook").stdout
