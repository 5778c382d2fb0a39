"""The page on collections and sync: its description is read, its commands and its Python run, on a site on loopback."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.settings import CollectionSettings, leaves, read_settings
from penstock.testing.doubles.plugins import use_little_model
from penstock.testing.doubles.website import Website

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schedules.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SYNC = PAGE[: PAGE.index("## From Python")]
"""The part of the page that describes collections and syncs them."""
GUIDE = (
    "<html><body><article><h1>Guide</h1><p>The gates of the upper pond are opened at six.</p></article></body></html>"
)


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_little_model(monkeypatch, tmp_path / "little")
    monkeypatch.setenv("PENSTOCK_WEB__ALLOW_PRIVATE", "true")
    monkeypatch.setenv("PENSTOCK_WEB__PAUSE_SECONDS", "0")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples" / "handbook", tmp_path / "handbook")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.md").write_text("A note about annual leave.\n", "utf-8")
    return tmp_path


def test_the_description_is_understood_and_the_commands_and_the_program_run(
    working: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Website() as site:
        site.pages = {
            "/guide.html": GUIDE,
            "/news.html": GUIDE.replace("six", "seven"),
            "/sitemap.xml": f"<urlset><url><loc>{site.url('/news.html')}</loc></url></urlset>",
        }
        (working / "links.txt").write_text(f"{site.url('/guide.html')}  # the guide\n", "utf-8")
        (description,) = [text for language, text in BLOCKS if language == "toml" and "[collections.handbook]" in text]
        (working / "penstock.toml").write_text(description.replace("https://example.org", site.url("")), "utf-8")
        printed = [typed(line) for line in commands(SYNC)]
        assert any("handbook: this would be done" in output for output in printed)
        assert any("notes, revision 1" in output for output in printed)
        (program,) = [text for language, text in BLOCKS if language == "python" and "Stepwise" in text]
        exec(compile(program, "schedules.md", "exec"), {})
    assert "0 new, 2 changed, 0 gone" in capsys.readouterr().out  # pages without a date are asked each time


def commands(text: str) -> list[str]:
    """Lines of the blocks that are typed."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for language, block in blocks if not language for line in block.splitlines()]


def typed(line: str) -> str:
    program, *arguments = shlex.split(line)
    assert program == "penstock"
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, f"{line}: {result.output}"
    return result.stdout


def test_every_group_that_a_collection_may_set_is_named() -> None:
    for name in CollectionSettings.model_fields:
        assert f"`{name}`" in PAGE or name == "schedule", name


def test_settings_and_links_of_the_page_exist() -> None:
    known = {name for name, _ in leaves(read_settings().model_dump())}
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE)) <= known | {"penstock.toml", "prefect.yaml", "robots.txt"}
    for link in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


def test_examples_are_short() -> None:
    assert all(text.count("\n") < 20 for language, text in BLOCKS if language == "python")
