"""What the pages say is so: their commands run, their names exist, their links lead somewhere."""

import re
import shlex
import shutil
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.model import OUTCOMES
from penstock.settings import Settings, leaves, read_settings

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
READMES = ("README.md", "README.zh.md")
PAGES = (*READMES, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
NOT_RUN = {
    "make demo": "installs; .ci/run runs it",
    "make test": "runs this test; .ci/run runs it",
    "make install": "installs; .ci/run makes the demonstration, which does the same first",
    ". .venv/bin/activate": "changes the shell of who types it",
    "penstock schedule": "runs until Ctrl-C; tests/flows runs it",
    "penstock models pull multilingual-e5-small": "fetches from the network",
    "penstock ingest ./handbook --set embedder.model=multilingual-e5-small": "needs that model",
}
"""Lines of code blocks that are not run here, and why."""
GUIDE = """<html><head><title>Guide</title></head><body><article><h1>Guide to the gates</h1>
<p>The gates of the upper pond are opened every morning at six and closed again at nine in the evening.</p>
</article></body></html>"""


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)


def code(language: str, text: str) -> list[str]:
    """Lines without remarks, which each page has in its own language."""
    return [line for line in (re.sub(r"\s*#.*", "", line) for line in text.splitlines()) if line]


def table(page: str, heading: str) -> list[str]:
    """First column of the table below a row that begins with the heading."""
    rows = read(page).partition(f"| {heading} |")[2].split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web site on loopback."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "guide.html").write_text(GUIDE, "utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_everything_that_the_readme_types_runs(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_WEB__ALLOW_PRIVATE", "true")
    shutil.copytree(ROOT / "examples" / "handbook", tmp_path / "handbook")
    shutil.copytree(ROOT / "examples" / "handbook", tmp_path / "examples" / "handbook")
    printed: list[str] = []
    for language, text in blocks("README.md"):
        if language == "python":
            exec(compile(text, "README.md", "exec"), {})
        elif language == "toml" and "[llm]" in text:
            (tmp_path / "penstock.toml").write_text(text, "utf-8")
        elif language == "toml":
            (tmp_path / "penstock.toml").write_text(text.replace("https://example.org", guide), "utf-8")
        else:
            for line in code(language, text):
                if line not in NOT_RUN:
                    printed.append(typed(line.replace("https://example.org", guide)))
                if line == "penstock trust":
                    assert read_settings().llm.name == "openai"
                    (tmp_path / "penstock.toml").unlink()
    first, again = printed[:2]
    assert re.search(r"indexed +│ +7 │", first)
    assert re.search(r"unchanged +│ +7 │", again)
    assert "parsed 0, embedded 0" in again
    assert "员工手册.pdf" in printed[2]
    assert "8 unused days of annual leave carry over" in printed[4]


def typed(line: str) -> str:
    program, *arguments = shlex.split(line)
    assert program == "penstock"
    result = CliRunner().invoke(app, arguments, input="y\n")
    assert result.exit_code == 0, f"{line}: {result.output}"
    return result.stdout


def test_both_readmes_have_the_same_code() -> None:
    english, chinese = ([(language, code(language, text)) for language, text in blocks(page)] for page in READMES)
    assert english == chinese


@pytest.mark.parametrize("line", NOT_RUN)
def test_no_exception_outlives_its_line(line: str) -> None:
    assert any(line in code(language, text) for language, text in blocks("README.md"))


@pytest.mark.parametrize(("page", "heading"), [("README.md", "outcome"), ("README.zh.md", "结果")])
def test_outcomes_are_explained(page: str, heading: str) -> None:
    assert set(table(page, heading)) == set(OUTCOMES)


@pytest.mark.parametrize(("page", "heading"), [("README.md", "extra"), ("README.zh.md", "附加组件")])
def test_extras_are_explained(page: str, heading: str) -> None:
    assert {f"`penstock[{extra}]`" for extra in PROJECT["optional-dependencies"] if extra != "dev"} == set(
        table(page, heading)
    )


@pytest.mark.parametrize(("page", "heading"), [("README.md", "folder"), ("README.zh.md", "文件夹")])
def test_folders_are_explained(page: str, heading: str) -> None:
    with_code = {f"`{path.parent.name}/`" for path in ROOT.glob("*/__init__.py")} - {"`tests/`"}
    assert with_code <= set(table(page, heading))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", read(page))
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_names_in_the_text_exist(page: str) -> None:
    text = read(page)
    known = dict(leaves(Settings.model_construct().model_dump()))
    settings = {name.lower().replace("__", ".") for name in re.findall(r"PENSTOCK_(?!TEST_)([A-Z_]+)=?", text)}
    for_tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "servers").glob("*.py"))
    assert all(name in for_tests for name in re.findall(r"PENSTOCK_TEST_[A-Z_]+", text))
    settings |= set(re.findall(r"--set ([\w.]+)=", text))
    assert settings <= known.keys()
    commands = {command.name for command in app.registered_commands} | {"models"}
    assert set(re.findall(r"`penstock (\w+)", text)) <= commands
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    modules = set(re.findall(r"python -m ([\w.]+)", text)) | set(re.findall(r"`(benchmarks\.\w+)", text))
    for module in modules:
        path = ROOT / Path(*module.removeprefix("penstock.").split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("page", READMES)
def test_every_command_is_shown(page: str) -> None:
    for command in app.registered_commands:
        assert f"penstock {command.name}" in read(page), command.name


@pytest.mark.parametrize("page", READMES)
def test_every_option_exists(page: str) -> None:
    runner = CliRunner()
    helps = "".join(runner.invoke(app, [command.name or "", "--help"]).stdout for command in app.registered_commands)
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", read(page))):
        assert re.search(rf"{option}\b", helps), option


@pytest.mark.parametrize("group", ["chunkers", "indexers", "embedders", "llms"])
def test_every_part_is_named_in_the_architecture(group: str) -> None:
    text = read("ARCHITECTURE.md").lower()
    for name in PROJECT["entry-points"][f"penstock.{group}"]:
        assert name in text or name.replace("-", " ") in text, name


@pytest.mark.parametrize("page", READMES)
def test_every_format_is_named(page: str) -> None:
    text = read(page).lower()
    words = {"image": "png", "spreadsheet": "xlsx"}
    for name in PROJECT["entry-points"]["penstock.loaders"]:
        kind = name.partition("-")[0]
        assert words.get(kind, kind) in text, kind


def test_the_architecture_has_a_heading_for_every_room() -> None:
    headings = " ".join(re.findall(r"^### (.*)$", read("ARCHITECTURE.md"), re.MULTILINE))
    for path in sorted((ROOT / "penstock").iterdir()):
        if (path / "__init__.py").exists():
            assert path.name in headings, path.name


def test_every_path_in_the_architecture_exists() -> None:
    text = read("ARCHITECTURE.md")
    paths = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text)
    assert len(re.findall(r"^\| [a-z].* \| `", text, re.MULTILINE)) >= 20
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_every_room_is_drawn_in_the_architecture() -> None:
    text = read("ARCHITECTURE.md")
    for folder in ("loaders", "pipelines", "penstock/catalog", "penstock/engines"):
        for room in (ROOT / folder).iterdir():
            if (room / "__init__.py").exists():
                assert f"{room.name}/ " in text, room
