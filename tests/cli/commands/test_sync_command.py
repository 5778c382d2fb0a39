"""`penstock sync` as a person and a program see it."""

import signal
from pathlib import Path

import pytest

from penstock.pipelines.workspace import Penstock
from tests.cli.conftest import Run, printed


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that are described lie elsewhere."""
    monkeypatch.setenv("PENSTOCK_TRUST", str(Path("penstock.toml").absolute()))


def describe(**folders: Path | str) -> None:
    text = "".join(
        f"[collections.{name}]\nsources = [{{ path = '{path}', exclude = ['broken.pdf', 'empty.txt'] }}]\n"
        for name, path in folders.items()
    )
    Path("penstock.toml").write_text(text, "utf-8")


def test_all_collections_of_penstock_toml_are_brought_up_to_date(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.txt").write_text("a note about gates", "utf-8")
    describe(handbook=folder, notes=tmp_path / "notes")
    result = run("sync")
    assert result.exit_code == 0, result.output
    assert "handbook, revision 1" in result.stdout
    assert "notes, revision 1" in result.stdout
    assert len(printed(run("search", "gates", "-c", "notes", "--json"))["hits"]) == 1
    again = printed(run("sync", "--json"))
    assert again["dry_run"] is False
    assert {name: report["unchanged"] for name, report in again["collections"].items()} == {"handbook": 2, "notes": 1}
    (only,) = printed(run("sync", "notes", "--json"))["collections"]
    assert only == "notes"


def test_a_dry_run_shows_and_writes_nothing(run: Run, folder: Path, home: Path) -> None:
    describe(handbook=folder)
    result = run("sync", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "handbook: this would be done" in result.stdout
    assert "leave.md" in result.stdout
    assert not home.exists()
    run("sync")
    (folder / "leave.md").write_text("Nothing carries over.", "utf-8")
    (folder / "年假.txt").unlink()
    (folder / "new.txt").write_text("a new note", "utf-8")
    shown = printed(run("sync", "--dry-run", "--json"))
    assert shown["dry_run"] is True
    plan = shown["collections"]["handbook"]
    names = {kind: [uri.rsplit("/", 1)[-1] for uri in plan[kind]] for kind in ("new", "changed", "removed")}
    assert names == {"new": ["new.txt"], "changed": ["leave.md"], "removed": ["年假.txt"]}
    assert [source["uri"].rsplit("/", 1)[-1] for source in plan["skipped"]] == ["song.mp3"]
    assert printed(run("sync", "--json"))["collections"]["handbook"]["removed"] == 1


def test_a_dry_run_names_at_most_so_many(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(60):
        (tmp_path / "many" / f"{number}.txt").write_text("a note", "utf-8")
    describe(many=tmp_path / "many")
    assert "... and 10 more new; --json lists them all" in run("sync", "--dry-run").stdout


def test_the_failure_of_one_collection_does_not_keep_the_others_from_theirs(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    describe(gone=tmp_path / "nowhere", handbook=folder)
    text = Path("penstock.toml").read_text("utf-8") + "[collections.gone.chunker]\nname = 'nope'\n"
    Path("penstock.toml").write_text(text, "utf-8")
    result = run("sync", "--json")
    assert result.exit_code == 2
    collections = printed(result)["collections"]
    assert collections["gone"]["error"]["kind"] == "UnknownName"
    assert collections["handbook"]["indexed"] == 2
    assert "error: gone: no chunker named 'nope'" in result.stderr


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_listing_that_cannot_be_had_shows_in_the_exit_code(
    run: Run, folder: Path, tmp_path: Path, dry: tuple[str, ...]
) -> None:
    describe(handbook=folder, gone=tmp_path / "nowhere")
    result = run("sync", *dry)
    assert result.exit_code == (3 if dry else 1)
    assert "check the path" in result.stdout
    assert ("nothing could be read" in result.stdout) == (not dry)


def test_the_guard_and_its_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(30):
        (tmp_path / "many" / f"{number}.txt").write_text(f"note {number}", "utf-8")
    describe(many=tmp_path / "many")
    run("sync")
    for file in (tmp_path / "many").iterdir():
        file.unlink()
    for dry in ((), ("--dry-run",)):
        stopped = run("sync", *dry)
        assert stopped.exit_code == 3
        assert "30 of 30 sources are no longer there" in stopped.stdout
    assert printed(run("sync", "--removal-share", "1", "--json"))["collections"]["many"]["removed"] == 30


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        pytest.param("", (), "describes no collection", id="nothing described"),
        pytest.param("[collections.a]\nsources = [{ path = 'x' }]", ("b",), "known: 'a'", id="unknown name"),
        pytest.param("[collections.a]\nsources = [{ pth = 'x' }]", (), "did you mean 'path'", id="misspelt"),
    ],
)
def test_what_cannot_be_synced(run: Run, home: Path, text: str, arguments: tuple[str, ...], says: str) -> None:
    Path("penstock.toml").write_text(text, "utf-8")
    result = run("sync", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not home.exists()


def test_an_interrupt_ends_the_collections_that_are_left_too(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(first=folder, second=folder)
    sync = Penstock.sync

    def interrupted(self: Penstock, **options: object) -> object:
        return sync(self, watch=lambda _: signal.raise_signal(signal.SIGTERM))

    monkeypatch.setattr(Penstock, "sync", interrupted)
    result = run("sync", "--json")
    assert result.exit_code == 130
    collections = printed(result)["collections"]
    assert list(collections) == ["first"]
    assert collections["first"]["interrupted"]


def test_settings_show_a_collection_as_it_can_be_read_back(run: Run, folder: Path) -> None:
    describe(**{"handbook": folder})
    text = Path("penstock.toml").read_text("utf-8")
    Path("penstock.toml").write_text(
        text + "schedule = { every = '90m' }\n[collections.handbook.chunker]\nsize = 64\n"
        "[collections.'手册']\nsources = [{ urls = ['https://example.org/'], labels = { 'a b' = 3, '部门' = 'x' } }]",
        "utf-8",
    )
    shown = run("settings", "-c", "handbook")
    assert shown.exit_code == 0, shown.output
    assert "size = 64                       # penstock.toml, collection handbook" in shown.stdout
    before = printed(run("settings", "--json"))["settings"]
    assert before["chunker"]["size"] is None
    Path("penstock.toml").write_text(run("settings").stdout, "utf-8")
    assert printed(run("settings", "--json"))["settings"] == before
