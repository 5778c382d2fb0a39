"""What a penstock.toml may set before it is trusted, how trust is noted, and what ends it."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from penstock import Penstock
from penstock.errors import SettingsError
from penstock.settings import (
    CollectionSettings,
    Settings,
    needing_trust,
    origins,
    read_settings,
    read_to_show,
    refused,
    trust,
)
from penstock.settings.described import Described
from penstock.settings.file import FileSource
from penstock.settings.groups import SettingsGroup
from penstock.settings.harmless import lies_inside

HARMLESS = {
    "batch",
    "chunker.name",
    "chunker.overlap",
    "chunker.size",
    "collection",
    "failure_share",
    "folders.exclude",
    "folders.include",
    "loaders.encoding",
    "loaders.ocr",
    "loaders.ocr_dpi",
    "loaders.pdf",
    "prompt.answer_tokens",
    "prompt.budget",
    "prompt.policy",
    "retrieval.candidates",
    "retrieval.fusion",
    "retrieval.k",
    "retrieval.legs",
    "retrieval.neighbours",
    "retrieval.rrf_k",
    "retrieval.vector_weight",
    "web.attempts",
    "web.redirects",
    "web.timeout_seconds",
    "web.user_agent",
}
"""Whoever lets an untrusted file set one more, writes it here too, having thought about it."""


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that was cloned from a stranger."""
    folder = tmp_path / "cloned"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(text: str) -> Path:
    file = Path("penstock.toml")
    file.write_text(text, "utf-8")
    return file


def outcome() -> str:
    """What is said of the settings, where they cannot be used."""
    try:
        read_settings()
    except SettingsError as error:
        return str(error)
    return ""


def names(text: str) -> set[str]:
    """The settings of the file that are refused."""
    write(text)
    file = FileSource(Settings)
    return {name for name, _ in needing_trust(file(), Path.cwd())}


def every_setting(group: type[BaseModel], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each setting with a file's values that set it alone, to something that no setting takes."""
    for name, field in group.model_fields.items():
        if isinstance(field.default, SettingsGroup):
            for inner, values in every_setting(type(field.default), f"{place}{name}."):
                yield inner, {name: values}
        elif name not in ("collections", "sources"):
            yield f"{place}{name}", {name: "/outside"}


def test_what_is_not_listed_as_harmless_needs_trust(working: Path) -> None:
    found = {name for name, values in every_setting(Settings) if not dict(needing_trust(values, working))}
    assert found == HARMLESS


def test_a_collection_may_set_no_more_than_the_file_itself(working: Path) -> None:
    for name, values in every_setting(CollectionSettings):
        needing = dict(needing_trust({"collections": {"h": values}}, working))
        assert needing.keys() == (set() if name in HARMLESS | {"schedule"} else {f"collections.h.{name}"})


GROUPS: list[type[BaseModel]] = [Settings, *SettingsGroup.__subclasses__(), *Described.__subclasses__()]


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_said_to_be_harmless_is_a_setting(group: Any) -> None:
    assert group.harmless | group.inside <= group.model_fields.keys()


SENSITIVE = [
    ("[llm]\nname = 'openai'\nbase_url = 'http://x'", {"llm.name", "llm.base_url"}),
    ("LLM = { base_url = 'http://x' }", {"llm.base_url"}),
    ('llm = \'{"base_url": "http://x"}\'', {"llm"}),
    ("[[llm]]\nbase_url = 'http://x'", {"llm"}),
    ("[llm]\npreset = 'deepseek'", {"llm.preset"}),
    ("[collections.h]\nsources = [{ path = 'x' }]\n[collections.h.llm]\nmodel = 'm'", {"collections.h.llm.model"}),
    ("[collections.h]\nsources = [{ path = 'x' }, { path = '/etc' }]", {"collections.h.sources.2.path"}),
    ("[collections.h]\nsources = [{ path = '../other' }]", {"collections.h.sources.1.path"}),
    ("[collections.h]\nsources = [{ path = '~/.ssh' }]", {"collections.h.sources.1.path"}),
    ("[collections.h]\nsources = [{ path = 'link' }]", {"collections.h.sources.1.path"}),
    ("[collections.h]\nsources = [{ path = 'link/../x' }]", {"collections.h.sources.1.path"}),
    ("[collections.h]\nsources = [{ url_list = '/etc/hosts' }]", {"collections.h.sources.1.url_list"}),
    ("[collections.h]\nsources = { path = '/etc' }", {"collections.h.sources"}),
    ("collections = [1]", {"collections"}),
    ("[analyser]\nsynonyms = '/etc/passwd'\nuser_dictionary = 'words.txt'", {"analyser.synonyms"}),
    ("[indexes]\nkeyword = 'elasticsearch'", {"indexes.keyword"}),
    ("trust = '/x'\nhome = 'x'\nsecrets = 'x'\nallow_external = true", {"trust", "home", "secrets", "allow_external"}),
    ("removal_share = 1\n[limits]\nparse_mib = 1", {"removal_share", "limits.parse_mib"}),
    ("[prompt]\ntemplate = 'x.j2'\n[web]\nallow_private = true", {"prompt.template", "web.allow_private"}),
]


@pytest.mark.parametrize(("text", "expected"), SENSITIVE)
def test_sensitive_settings_are_refused_until_the_file_is_trusted(
    text: str, expected: set[str], working: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (working / "link").symlink_to(tmp_path / "elsewhere")
    assert names(text) == expected
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert f"{working / 'penstock.toml'} is not trusted" in str(caught.value)
    assert all(name in str(caught.value) for name in expected)
    assert "`penstock trust`" in str(caught.value)
    for way_in in (Settings, Penstock):  # whatever reads the file refuses it
        with pytest.raises(SettingsError, match="is not trusted"):
            way_in()
    trust.trust(trust.read(Path("penstock.toml")))
    assert "trust" not in outcome()


def test_harmless_settings_work_without_trust(working: Path) -> None:
    write(
        "collection = 'h'\n[retrieval]\nk = 4\n[analyser]\nsynonyms = 'words/synonyms.txt'\n"
        "[collections.h]\nsources = [{ path = './x', access = ['a'] }, { urls = ['https://x.org/'] },"
        " { url_list = 'list.txt' }, { url_list = 'https://x.org/list' }, { sitemap = 'https://x.org/s.xml' }]\n"
        "schedule = { every = '1h' }\n[collections.h.chunker]\nsize = 64\n"
    )
    settings = read_settings().for_collection("h")
    assert (settings.retrieval.k, settings.chunker.size, len(settings.collections["h"].sources)) == (4, 64, 5)
    assert refused() == ""
    assert not trust.notes_path().exists()


def test_secrets_that_the_file_names_are_not_read_before_it_is_trusted(working: Path) -> None:
    (working / "secrets").mkdir()
    (working / "secrets" / "penstock_llm__base_url").write_text("http://stranger/v1")
    write("secrets = 'secrets'")
    with pytest.raises(SettingsError, match=r"secrets; if it is yours"):
        read_settings()
    assert read_to_show().llm.base_url == ""
    assert origins()["llm.base_url"] == "default"
    assert origins()["secrets"] == "penstock.toml, refused"
    trust.trust(trust.read(Path("penstock.toml")))
    assert read_settings().llm.base_url == "http://stranger/v1"


def test_any_change_ends_the_trust(working: Path) -> None:
    file = write("home = 'x'")
    trust.trust(trust.read(file))
    assert read_settings(home="y").home == Path("y")
    for text in ("home = 'x' ", "home = 'z'"):
        write(text)
        with pytest.raises(SettingsError, match="has changed since you trusted it"):
            read_settings()
    write("home = 'x'")
    read_settings()
    assert trust.revoke(file)
    assert not trust.revoke(file)
    with pytest.raises(SettingsError, match="is not trusted"):
        read_settings()


def test_trust_is_for_one_place(working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in the file are relative to the folder: the same file elsewhere, or a link to it, names other files."""
    trust.trust(trust.read(write("secrets = 'secrets'")))
    clone = tmp_path / "another clone"
    clone.mkdir()
    (clone / "penstock.toml").symlink_to(working / "penstock.toml")
    monkeypatch.chdir(clone)
    with pytest.raises(SettingsError, match="is not trusted"):
        read_settings()
    (tmp_path / "way").symlink_to(working)
    monkeypatch.chdir(tmp_path / "way")
    with pytest.raises(SettingsError, match="no folder"):  # trusted: links in the way to the folder do not matter
        read_settings()


def test_the_environment_may_vouch_for_one_file(monkeypatch: pytest.MonkeyPatch, working: Path) -> None:
    write("removal_share = 1")
    monkeypatch.setenv("PENSTOCK_TRUST", str(working / "penstock.toml"))
    assert read_settings().removal_share == 1
    assert origins()["removal_share"] == "penstock.toml"
    monkeypatch.setenv("PENSTOCK_TRUST", str(working.parent / "penstock.toml"))
    with pytest.raises(SettingsError, match="is not trusted"):
        read_settings()
    assert read_settings(trust=working / "penstock.toml").removal_share == 1
    monkeypatch.setenv("PENSTOCK_TRUST", "penstock.toml")
    with pytest.raises(SettingsError, match="write it absolute"):
        read_settings()


def test_what_the_caller_gives_needs_no_trust() -> None:
    write("[retrieval]\nk = 4")
    settings = read_settings(llm={"name": "openai", "base_url": "http://x"}, home="y", removal_share=1)
    assert (settings.llm.base_url, settings.removal_share, settings.retrieval.k) == ("http://x", 1, 4)


def test_notes_are_private_and_whole() -> None:
    for number in range(3):
        trust.trust(trust.read(write(f"home = '{number}'")))
    path = trust.notes_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(file.name for file in path.parent.iterdir()) == ["trusted.json", "trusted.lock"]
    (note,) = json.loads(path.read_text())["files"].values()
    assert note["sha256"] == trust.read(Path("penstock.toml")).sha256


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        pytest.param("{", 0o600, "cannot be read", id="no JSON"),
        pytest.param('{"files": {"a": {}}}', 0o600, "cannot be read", id="no notes"),
        pytest.param("[]", 0o600, "cannot be read", id="another form"),
        pytest.param('{"files": {}}', 0o622, "others may write it", id="written by anybody"),
    ],
)
def test_notes_that_cannot_be_relied_upon_trust_nothing(text: str, mode: int, says: str) -> None:
    file = write("home = 'x'")
    trust.trust(trust.read(file))
    trust.notes_path().write_text(text)
    trust.notes_path().chmod(mode)
    for call in (read_settings, lambda: trust.trust(trust.read(file))):
        with pytest.raises(SettingsError, match=says):
            call()


def test_where_notes_cannot_be_written_another_way_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="PENSTOCK_TRUST names the one file"):
        trust.trust(trust.read(write("home = 'x'")))


@pytest.mark.parametrize("value", ["a\0b", "~nobody-of-this-name/x", "..", "/", "a/../../b", 3, None])
def test_what_cannot_be_a_path_below_is_not_inside(working: Path, value: object) -> None:
    assert lies_inside(working, value) == isinstance(value, int | None)


def test_names_in_the_file_cannot_pose_as_lines(working: Path) -> None:
    text = "[collections.\"a\\n  nothing else = 1\"]\nsources = [{ path = '/etc' }]"
    assert names(text) == {'collections."a\\n  nothing else = 1".sources.1.path'}


def test_folders_and_pipes_of_that_name_are_no_file(working: Path) -> None:
    os.mkfifo("penstock.toml")
    assert read_settings().retrieval.k == 10
