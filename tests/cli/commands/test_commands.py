"""Every command as its user types it: what is shown, what `--json` holds, and the exit code."""

import os
import re
from pathlib import Path

import pytest

from penstock.cli.options import labels_of
from penstock.model import OUTCOMES
from tests.cli.conftest import Run, printed

REPORT_KEYS = {
    *("collection", "revision", "discovered", *OUTCOMES, "parsed", "embedded"),
    *("chunks", "seconds", "sources"),
}
HIT_KEYS = {
    *("chunk_id", "document_id", "uri", "title", "score", "text", "span", "headings", "places", "trace"),
}
QUESTION = "How many days of leave carry over?"


def test_ingest_gives_an_account_that_adds_up(run: Run, folder: Path) -> None:
    result = run("ingest", folder)
    assert result.exit_code == 3
    counts = {name: int(count) for name, count in re.findall(r"│ (\w+) +│ +(\d+) │", result.stdout)}
    removed, discovered = counts.pop("removed"), counts.pop("discovered")
    assert (removed, discovered) == (0, 5)
    assert sum(counts.values()) == discovered
    assert counts["indexed"] == 2
    for name in ("empty.txt", "broken.pdf", "song.mp3"):
        assert re.search(rf"(empty|failed|skipped) +.*{name}: \S+", result.stdout), name
    assert "2 in the catalog, 2 in the keyword index, 2 in the vector index" in result.stdout
    assert f"indexed   {folder / 'leave.md'}" in result.stderr


def test_ingest_as_json_is_one_object(run: Run, folder: Path) -> None:
    result = run("ingest", folder, "--json", "--collection", "手册")
    report = printed(result)
    assert result.exit_code == 3
    assert report.keys() >= REPORT_KEYS
    assert report["collection"] == "手册"
    assert report["discovered"] == sum(report[outcome] for outcome in OUTCOMES if outcome != "removed")
    assert report["chunks"] == {"catalog": 2, "keyword": 2, "vector": 2}
    assert all(set(source) == {"uri", "outcome", "reason", "chunks"} for source in report["sources"])
    assert all(source["reason"] for source in report["sources"] if source["outcome"] != "indexed")
    assert "discovered" in result.stderr


def test_a_second_ingest_does_nothing(run: Run, library: Path) -> None:
    report = printed(run("ingest", library, "--json"))
    assert (report["parsed"], report["embedded"], report["indexed"]) == (0, 0, 0)
    assert report["unchanged"] + report["failed"] + report["empty"] + report["skipped"] == report["discovered"]


def test_all_well_is_exit_code_0_and_nothing_read_is_1(run: Run, folder: Path) -> None:
    assert run("ingest", folder / "leave.md").exit_code == 0
    assert run("ingest", folder / "broken.pdf", "-c", "other").exit_code == 1


def test_a_file_that_is_gone_is_removed_and_said_so(run: Run, folder: Path) -> None:
    run("ingest", folder)
    (folder / "leave.md").unlink()
    report = printed(run("ingest", folder, "--json"))
    assert report["removed"] == 1
    assert report["discovered"] == 4
    assert not [hit for hit in printed(run("search", "leave", "--json"))["hits"] if "leave.md" in hit["uri"]]


def test_search_shows_where_and_what(run: Run, library: Path) -> None:
    result = run("search", "年假怎么结转", "--k", "1", "--trace")
    assert result.exit_code == 0
    assert str(library / "年假.txt") in result.stdout
    assert "未休完的年假可以结转到下一年度" in result.stdout
    assert re.search(r"keyword +rank 1, score", result.stdout)
    assert re.search(r"matched +.*结转", result.stdout)


def test_search_as_json(run: Run, library: Path) -> None:
    found = printed(run("search", QUESTION, "--json"))
    assert found.keys() >= {"revision", "hits"}
    hit = found["hits"][0]
    assert hit.keys() >= HIT_KEYS
    assert hit["uri"] == f"file://{library}/leave.md"
    start, end = hit["span"]
    shown = printed(run("show", hit["document_id"], "--json"))
    assert hit["text"] == shown["text"][start:end]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param(["--source", "*.md"], {"leave.md"}, id="source"),
        pytest.param(["--type", "text/markdown"], {"leave.md"}, id="type"),
        pytest.param(["--language", "zh"], {"年假.txt"}, id="language"),
        pytest.param(["--label", "year=2026"], set(), id="label"),
        pytest.param(["--pages", "7-9"], set(), id="pages"),
        pytest.param(["--since", "2100-01-01"], set(), id="since"),
        pytest.param(["--until", "2000-01-01T00:00:00+08:00"], set(), id="until"),
        pytest.param(["--as", "somebody"], {"leave.md", "年假.txt"}, id="as"),
    ],
)
@pytest.mark.parametrize("command", ["search", "ask", "prompt"])
def test_filters_are_the_same_for_every_command(
    run: Run, library: Path, command: str, options: list[str], names: set[str]
) -> None:
    result = run(command, "leave 年假 carry over 结转", *options, "--json")
    assert result.exit_code == 0, result.stderr
    found = printed(result)
    if command == "prompt":
        text = "".join(message["content"] for message in found["messages"])
        texts = {"leave.md": "Ten days of leave", "年假.txt": "未休完的年假"}
        assert {name for name, words in texts.items() if words in text} == names
    else:
        assert {Path(hit["uri"]).name for hit in found["hits"]} == names


def test_labels_and_access_given_at_ingest_are_found_by(run: Run, folder: Path) -> None:
    run("ingest", folder / "leave.md", "--label", "year=2026", "--label", "kind=policy", "--access", "staff")
    for options, count in (
        (["--label", "year=2026"], 1),
        (["--label", "kind=policy", "--as", "staff"], 1),
        (["--as", "visitor"], 0),
    ):
        assert len(printed(run("search", "leave", "--json", *options))["hits"]) == count


def test_nothing_found_is_said(run: Run, library: Path) -> None:
    assert "nothing was found" in run("search", "leave", "--source", "*.docx").stdout


def test_ask_quotes_and_says_that_it_quotes(run: Run, library: Path) -> None:
    result = run("ask", QUESTION)
    assert result.exit_code == 0
    assert "no language model was asked" in result.stdout
    assert "“Ten days of leave carry over into the next year.”" in result.stdout
    assert str(library / "leave.md") in result.stdout.partition("Citations")[2]


def test_ask_as_json(run: Run, library: Path) -> None:
    answer = printed(run("ask", QUESTION, "--json"))
    assert answer.keys() >= {"text", "refused", "citations", "hits", "usage", "model"}
    (citation,) = answer["citations"]
    assert set(citation) == {"uri", "places", "quote", "chunk_id"}
    assert citation["quote"] == "Ten days of leave carry over into the next year."
    assert not answer["refused"]


def test_prompt_shows_messages_and_tokens(run: Run, library: Path) -> None:
    result = run("prompt", QUESTION)
    assert QUESTION in result.stdout
    assert re.search(r"\d+ tokens, \d+ sources, sent nowhere", result.stdout)
    assert printed(run("prompt", QUESTION, "--json"))["tokens"] > 0


def test_status_and_collections(run: Run, library: Path, home: Path) -> None:
    shown = run("status").stdout
    assert f"home        {home}" in shown
    assert re.search(r"chunks +2 in the catalog, 2 in", shown)
    assert "broken.pdf: " in shown
    assert printed(run("status", "--json"))["chunks"] == {"catalog": 2, "keyword": 2, "vector": 2}
    listed = run("collections")
    assert re.search(r"default +1 ", listed.stdout)
    (found,) = printed(run("collections", "--json"))["collections"]
    assert (found["name"], found["chunks"]) == ("default", 2)


def test_an_empty_home_says_how_to_begin(run: Run) -> None:
    result = run("collections")
    assert result.exit_code == 0
    assert "`penstock ingest` makes one" in result.stdout
    assert printed(run("collections", "--json"))["collections"] == []


def test_doctor_finds_and_mends_a_lost_index(run: Run, library: Path, home: Path) -> None:
    examined = run("doctor").stdout
    assert "ok: 2 chunks" in examined
    assert re.search(r"^parsing is (not )?confined by ", examined, re.MULTILINE)
    assert printed(run("doctor", "--json"))["confinement"].keys() == {"landlock", "seccomp"}
    assert printed(run("doctor", "--json")) | {"ok": True, "problems": []} == printed(run("doctor", "--json"))
    (segments,) = (home / "collections").glob("default-*/vector-*")
    for file in segments.iterdir():
        if file.is_file():
            file.write_bytes(b"damaged")
    damaged = run("doctor")
    assert damaged.exit_code == 3
    assert "--repair" in damaged.stdout
    assert run("doctor", "--repair").exit_code == 0
    assert printed(run("doctor", "--json"))["ok"]


@pytest.mark.parametrize("by", ["path", "uri", "id", "beginning"])
def test_show_by_any_name(run: Run, library: Path, by: str) -> None:
    hit = printed(run("search", "leave", "--json"))["hits"][0]
    name = {
        "path": str(library / "leave.md"),
        "uri": hit["uri"],
        "id": hit["document_id"],
        "beginning": hit["document_id"][:10],
    }[by]
    result = run("show", name)
    assert result.exit_code == 0, result.stderr
    assert "Ten days of leave carry over" in result.stdout
    assert hit["chunk_id"] in result.stdout


def test_show_of_a_relative_path(run: Run, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library)
    assert run("show", "leave.md").exit_code == 0


def test_remove_takes_out_and_keeps_the_file(run: Run, library: Path) -> None:
    result = run("remove", library / "leave.md", "--json")
    assert result.exit_code == 0
    assert printed(result)["removed"] == 1
    assert (library / "leave.md").exists()
    assert "leave.md" not in run("search", "leave carry over").stdout
    assert run("remove", library).exit_code == 0  # everything below the folder
    assert printed(run("search", "年假", "--json"))["hits"] == []


def test_names_that_are_hard_to_show(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "hard"
    folder.mkdir()
    names = [
        b"two words.txt",
        "手册：第一章.txt".encode(),
        b"line\nbreak.txt",
        b"latin-\xe9.txt",
        b"esc\x1b[31m.txt",
        b"[red].txt",
    ]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_text(f"Document number{number} about water.\n", "utf-8")
    result = run("ingest", folder)
    assert result.exit_code == 0, result.output
    shown = result.stderr
    assert sorted(line.rpartition("/")[2] for line in shown.splitlines()) == sorted(
        ["two words.txt", "手册：第一章.txt", r"line\nbreak.txt", r"latin-\udce9.txt", r"esc\x1b[31m.txt", "[red].txt"]
    )
    found = printed(run("search", "number3", "--json"))["hits"][0]
    assert found["uri"].endswith("latin-%E9.txt")
    assert printed(run("remove", folder, "--json"))["removed"] == len(names)


def test_text_is_shown_as_it_is(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "markup.txt"
    file.write_text("Press [bold]OK[/bold] or [/x] and :warning: stays, C:\\dir\\[a]\\ too.\n", "utf-8")
    run("ingest", file)
    for command in ("search", "ask", "prompt", "show"):
        shown = run(command, file if command == "show" else "press OK warning stays").stdout
        assert "[bold]OK[/bold] or [/x] and :warning: stays" in shown, command


def test_models_lists_what_is_here(run: Run) -> None:
    assert run("models", "list").exit_code == 0
    assert {"name", "kind", "path"} == set(printed(run("models", "list", "--json"))["models"][0])
    presets = printed(run("models", "presets", "--json"))["presets"]
    assert {"ollama", "vllm", "openai", "deepseek", "qwen", "zhipu"} <= {preset["preset"] for preset in presets}
    table = run("models", "presets").stdout
    assert all(preset["base_url"] in table for preset in presets)


def test_pulling_the_default_model_gives_its_folder(run: Run, home: Path) -> None:
    result = run("models", "pull", "default")
    assert result.exit_code == 0, result.output
    assert str(home / "models") in result.stdout


def test_version(run: Run) -> None:
    from penstock import __version__

    assert run("--version").stdout == f"penstock {__version__}\n"


@pytest.mark.parametrize(
    "command",
    [
        *((name,) for name in ("ingest", "search", "ask", "prompt", "status", "doctor", "show", "remove")),
        *((name,) for name in ("collections", "settings", "models")),
        *(("models", name) for name in ("list", "pull", "presets")),
    ],
    ids=" ".join,
)
def test_help_of_every_command(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    if command != ("models",):
        assert "--json" in result.stdout


def test_labels_are_numbers_only_where_they_are_written_as_such() -> None:
    labels = {
        "int": "2026",
        "float": "-2.5",
        "nan": "nan",
        "inf": "-inf",
        "zeros": "007",
        "long": "1_000",
        "exp": "1e5",
    }
    kept = labels_of([f"{name}={value}" for name, value in labels.items()])
    assert kept == {**labels, "int": 2026, "float": -2.5}
