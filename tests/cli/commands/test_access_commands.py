"""Who may see what, as its user types it: `--access`, `--everybody`, `--as`, and a reader that is required."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, printed

BARE_TRACE = {"ranks", "scores", "shares", "weights", "matched", "notes"}


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The description in the working folder is one's own."""
    monkeypatch.setenv("PENSTOCK_TRUST", str(Path("penstock.toml").absolute()))


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    folder = tmp_path / "documents" / "hr"
    folder.mkdir(parents=True)
    (folder / "leave.md").write_text("Ten days of leave carry over.", "utf-8")
    return folder


def found(run: Run, *options: str) -> set[str]:
    return {Path(hit["uri"]).name for hit in printed(run("search", "days of leave", "--json", *options))["hits"]}


def test_what_comes_later_stays_closed_until_it_is_opened_on_purpose(run: Run, hr: Path) -> None:
    assert run("ingest", hr, "--access", "staff", "--access", "board").exit_code == 0
    (hr / "more.md").write_text("More days of leave.", "utf-8")
    (hr / "leave.md").rename(hr / "renamed.md")
    assert run("ingest", hr).exit_code == 0
    assert found(run, "--as", "visitor") == set()
    assert found(run, "--as", "board") == {"more.md", "renamed.md"}
    result = run("ingest", hr, "--everybody")
    assert result.exit_code == 3
    assert "2 known sources are visible to more readers than before" in " ".join(result.stdout.split())
    assert found(run, "--as", "visitor") == {"more.md", "renamed.md"}


def test_everybody_and_access_contradict_each_other(run: Run, hr: Path) -> None:
    result = run("ingest", hr, "--everybody", "--access", "staff")
    assert (result.exit_code, "--everybody" in result.stderr) == (2, True)
    result = run("ingest", hr, "--access", "")
    assert (result.exit_code, "blank" in result.stderr) == (2, True)


@pytest.fixture
def shelf(run: Run, hr: Path) -> Path:
    """leave.md and broken.pdf are for staff, and everybody sees menu.md."""
    (hr / "broken.pdf").write_bytes(b"%PDF-1.7 nothing else")
    run("ingest", hr, "--access", "staff")
    (hr.parent / "menu.md").write_text("Soup on days of leave.", "utf-8")
    run("ingest", hr.parent / "menu.md")
    return hr


@pytest.mark.parametrize("command", ["show", "remove"])
@pytest.mark.parametrize("name", ["leave.md", "broken.pdf"])
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_a_hidden_document_and_one_that_is_not_there_look_the_same(
    run: Run, shelf: Path, command: str, name: str, as_json: tuple[str, ...]
) -> None:
    hidden = run(command, shelf / name, "--as", "visitor", *as_json)
    missing = run(command, shelf / "nope.md", "--as", "visitor", *as_json)
    assert (hidden.exit_code, missing.exit_code) == (2, 2)
    assert hidden.output.replace(name, "nope.md") == missing.output
    assert "menu.md" in missing.output
    assert "hr/leave.md" not in missing.output


def test_status_doctor_and_remove_know_the_reader(run: Run, shelf: Path) -> None:
    seen = printed(run("status", "--json", "--as", "visitor"))
    assert (seen["sources"], seen["quarantine"]) == ({"indexed": 1}, [])
    assert seen["chunks"] == {"catalog": 1, "keyword": 1, "vector": 1}
    assert len(printed(run("status", "--json", "--as", "staff"))["quarantine"]) == 1
    assert "broken.pdf" not in run("status", "--as", "visitor").output
    assert "ok: 1 chunks" in run("doctor", "--as", "visitor").stdout
    assert "ok: 2 chunks" in run("doctor").stdout
    result = run("remove", shelf.parent, "--as", "visitor", "--json")
    assert [Path(source["uri"]).name for source in printed(result)["sources"]] == ["menu.md"]
    assert printed(run("status", "--json"))["sources"] == {"indexed": 1}


def test_a_reader_is_shown_ranks_and_no_scores(run: Run, shelf: Path) -> None:
    (hit,) = printed(run("search", "soup", "--json", "--as", "visitor"))["hits"]
    assert (hit["score"], hit["trace"].keys()) == (1.0, BARE_TRACE)
    assert (set(hit["trace"]["scores"]), hit["trace"]["shares"]) == ({"vector"}, {})
    shown = run("search", "soup", "--trace", "--as", "visitor").stdout
    assert "keyword  rank 1, weight" in shown
    assert "share" not in shown
    assert "share" in run("search", "soup", "--trace").stdout


REQUIRED = ("--set", "access.required=true")


@pytest.mark.parametrize(
    "command", [("search", "soup"), ("ask", "soup"), ("prompt", "soup"), ("show", "menu.md"), ("status",)]
)
def test_a_reader_that_is_required(run: Run, shelf: Path, command: tuple[str, ...]) -> None:
    command = tuple(str(shelf.parent / word) if word == "menu.md" else word for word in command)
    refused = run(*command, *REQUIRED, "--json")
    assert refused.exit_code == 2
    assert "--as PRINCIPAL" in json.loads(refused.stdout)["error"]["message"]
    assert run(*command, *REQUIRED, "--as", "visitor").exit_code == 0
    assert run(*command).exit_code == 0


def test_what_needs_no_reader_names_nothing_where_one_is_required(run: Run, shelf: Path) -> None:
    assert run("doctor", *REQUIRED).exit_code == 0
    refused = run("remove", "nope", *REQUIRED)
    assert (refused.exit_code, "known: none" in refused.stderr) == (2, True)


def test_required_for_one_collection(run: Run, shelf: Path) -> None:
    Path("penstock.toml").write_text(
        "[collections.closed]\nsources = [{ path = 'x' }]\n[collections.closed.access]\nrequired = true\n", "utf-8"
    )
    run("ingest", shelf, "-c", "closed")
    assert (run("search", "leave", "-c", "closed").exit_code, run("search", "leave").exit_code) == (2, 0)


def test_entries_for_different_readers_that_overlap(run: Run, shelf: Path) -> None:
    entries = f"{{ path = '{shelf}', access = ['staff'] }}, {{ path = '{shelf.parent}', access = [] }}"
    Path("penstock.toml").write_text(f"[collections.all]\nsources = [{entries}]\n", "utf-8")
    result = run("sync")
    assert result.exit_code == 2
    assert "entry 1" in result.stderr
    assert "entry 2" in result.stderr
    assert 'overlap = "first"' in result.stderr
    Path("penstock.toml").write_text(f"[collections.all]\noverlap = 'first'\nsources = [{entries}]\n", "utf-8")
    assert run("sync").exit_code == 3  # broken.pdf
    assert found(run, "-c", "all", "--as", "visitor") == {"menu.md"}
