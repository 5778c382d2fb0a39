"""Where settings come from, which one wins, and what `penstock settings` shows of them."""

import tomllib
from pathlib import Path

import pytest

from penstock.settings import Settings, leaves, read_settings
from tests.cli.conftest import Run, printed


def in_force(run: Run, name: str, *arguments: str) -> tuple[object, str]:
    found = printed(run("settings", "--json", *arguments))
    return dict(leaves(found["settings"]))[name], found["origins"][name]


def test_the_command_line_wins_over_the_environment_over_the_file_over_defaults(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_force(run, "retrieval.k") == (10, "default")
    Path("penstock.toml").write_text("[retrieval]\nk = 4\n", "utf-8")
    assert in_force(run, "retrieval.k") == (4, "penstock.toml")
    monkeypatch.setenv("PENSTOCK_RETRIEVAL__K", "5")
    assert in_force(run, "retrieval.k") == (5, "environment")
    assert in_force(run, "retrieval.k", "--set", "retrieval.k=6") == (6, "command line")
    assert in_force(run, "retrieval.rrf_k") == (60, "default")


def test_home_by_option_or_environment(run: Run, home: Path, tmp_path: Path) -> None:
    assert in_force(run, "home") == (str(home), "environment")
    other_home = str(tmp_path / "other home")
    assert in_force(run, "home", "--home", other_home) == (other_home, "command line")


def test_an_empty_variable_says_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", "")
    value, origin = in_force(run, "home")
    assert origin == "default"
    assert value not in ("", ".")


def test_settings_have_their_effect(run: Run, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = "leave 年假"
    assert len(printed(run("search", question, "--json"))["hits"]) == 2
    assert len(printed(run("search", question, "--json", "--set", "retrieval.k=1"))["hits"]) == 1
    monkeypatch.setenv("PENSTOCK_RETRIEVAL__K", "1")
    assert len(printed(run("search", question, "--json"))["hits"]) == 1
    assert len(printed(run("search", question, "--json", "--k", "2"))["hits"]) == 2
    monkeypatch.setenv("PENSTOCK_COLLECTION", "nope")
    assert run("search", question).exit_code == 2


def test_every_setting_is_listed_with_an_origin_as_toml_that_can_be_read_back(run: Run) -> None:
    shown = run("settings").stdout
    read = dict(leaves(tomllib.loads(shown)))
    for name, value in leaves(Settings().model_dump(mode="json")):
        assert read[name] == value if value is not None else f"# {name.rpartition('.')[2]} = " in shown, name
    assert all("  # default" in line or "  # environment" in line for line in shown.splitlines() if "=" in line)


def test_secrets_are_never_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_LLM__API_KEY", "sk-0badc0de")
    address = ["--set", "llm.base_url=https://user:password-of-mine@example.org/v1"]
    for arguments in (
        ["settings", *address],
        ["settings", "--json", *address],
        ["settings", "--set", "llm.api_key.x=1"],
    ):
        result = run(*arguments)
        assert "0badc0de" not in result.output
        assert "password-of-mine" not in result.output
    assert "@example.org/v1" in run("settings", *address).stdout
    assert in_force(run, "llm.api_key") == ("**********", "environment")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(b"k = ", "penstock.toml", id="no TOML"),
        pytest.param(b"\xff\xfe", "penstock.toml", id="no UTF-8"),
        pytest.param(b"[retreival]\nk = 3\n", "did you mean 'retrieval'", id="unknown group"),
        pytest.param(b"[web]\nattempts = 0\n", "web.attempts", id="value that is not allowed"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(run: Run, text: bytes, says: str) -> None:
    Path("penstock.toml").write_bytes(text)
    result = run("settings")
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_group_in_the_environment_that_is_no_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_RETRIEVAL", "{k: 3")
    result = run("settings")
    assert result.exit_code == 2
    assert "retrieval" in result.stderr


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        pytest.param("PENSTOCK_CHUNKR__NAME", "PENSTOCK_CHUNKER__NAME", id="misspelt group"),
        pytest.param("PENSTOCK_CHUNKER_NAME", "PENSTOCK_CHUNKER__NAME", id="one underscore"),
        pytest.param("PENSTOCK_COLECTION", "PENSTOCK_COLLECTION", id="misspelt name"),
        pytest.param("penstock_retrieval_k", "PENSTOCK_RETRIEVAL__K", id="small letters"),
        pytest.param("PENSTOCK_NOTHING__LIKE__IT", "", id="like nothing"),
    ],
)
def test_a_misspelt_variable_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, meant: str) -> None:
    monkeypatch.setenv(variable, "window")
    result = run("settings")
    assert result.exit_code == 2
    assert variable in result.stderr
    assert f"did you mean {meant}?" in result.stderr if meant else "did you mean" not in result.stderr


@pytest.mark.parametrize(
    "variable",
    [
        "PENSTOCK_SERVICE_HOST",
        "PENSTOCK_PORT",
        "PENSTOCK_PORT_8000_TCP_ADDR",
        "PENSTOCK_LLM_SERVICE_PORT",
        "PENSTOCK_X",
    ],
)
def test_variables_of_others_are_left_alone(run: Run, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "tcp://10.0.0.1:80")
    assert run("settings").exit_code == 0


def test_secrets_may_be_in_files(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "run secrets"
    folder.mkdir()
    (folder / "penstock_llm__api_key").write_text("sk-from-a-file\n", "utf-8")
    (folder / "of_another_program").write_text("x", "utf-8")
    monkeypatch.setenv("PENSTOCK_SECRETS", str(folder))
    assert in_force(run, "llm.api_key") == ("**********", "secrets")
    key = read_settings().llm.api_key
    assert key is not None
    assert key.get_secret_value() == "sk-from-a-file"
    monkeypatch.setenv("PENSTOCK_LLM__API_KEY", "sk-from-the-environment")
    assert in_force(run, "llm.api_key") == ("**********", "environment")


def test_a_folder_of_secrets_that_is_not_there_is_reported(run: Run, tmp_path: Path) -> None:
    result = run("settings", "--set", f"secrets={tmp_path / 'nowhere'}")
    assert result.exit_code == 2
    assert "nowhere" in result.output
