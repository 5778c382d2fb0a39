"""What the page on trust says is so: its table is the list that the settings have, its commands run."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.settings import CollectionSettings, Settings, SourceSettings
from penstock.settings.groups import SettingsGroup

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text("utf-8")
TABLE = PAGE.partition("| without trust |")[2].partition("\n\n")[0].splitlines()[2:]


def test_the_table_is_the_list_of_harmless_settings() -> None:
    table = {row.split("|")[1].strip(" `"): set(re.findall(r"`([a-z_]+)`", row.split("|")[2])) for row in TABLE}
    groups = {name: type(field.default) for name, field in Settings.model_fields.items()}
    listed = {
        name: set(kind.harmless | kind.inside) for name, kind in groups.items() if issubclass(kind, SettingsGroup)
    }
    assert SourceSettings.inside == {"path", "url_list"}
    assert table == {
        "at the top": set(Settings.harmless),
        "collections.NAME": {*CollectionSettings.harmless, "sources"},
        **{name: harmless for name, harmless in listed.items() if harmless},
    }


def test_every_refused_setting_that_it_names_exists() -> None:
    refused = PAGE.partition("## What is refused")[2].partition("The same holds")[0]
    for name in re.findall(r"`([a-z_.]+)`", refused):
        group, _, setting = name.partition(".")
        field = Settings.model_fields[group]
        assert not setting or setting in type(field.default).model_fields, name


def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penstock.toml").write_text("[llm]\nname = 'openai'\n[collections.h]\nsources = [{ path = '.' }]\n", "utf-8")
    for block in re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            *variables, program = re.split(r"(?<=\S) (?=penstock )", line)
            for variable in variables:
                name, _, value = variable.partition("=")
                monkeypatch.setenv(name, value.replace("/config", str(tmp_path)))
            result = CliRunner().invoke(app, [*shlex.split(program)[1:], *(["--dry-run"] * ("sync" in program))], "y\n")
            assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
