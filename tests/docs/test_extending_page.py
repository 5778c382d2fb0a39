"""The distribution of the page: built, installed, tested by its own tests, used by name, checked by mypy."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import penstock.testing.contracts
from penstock import ports

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
FILES: dict[str, str] = dict(re.findall(r"^\*\*`(.+?)`\*\*\n\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
TYPED, USED = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SETTINGS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[-1]
QUESTION = "Which gate was shut?"
MOST_LINES = 250
PACKAGE = "penstock_acme"


def ran(command: Sequence[object], folder: Path, site: Path) -> str:
    """What a program prints, with the distribution installed and nothing set but what the page sets."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, (site, ROOT)))}
    done = subprocess.run(
        [str(argument) for argument in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page where the page says."""
    folder = tmp_path_factory.mktemp("acme") / "penstock-acme"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / PACKAGE / "py.typed").touch()
    return folder


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    """A folder into which pip installed the wheel that it built; no index is asked."""
    site = project.parent / "site"
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--no-compile")
    ran([sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", site, project], project.parent, site)
    return site


def test_its_own_tests_pass(project: Path, site: Path) -> None:
    assert "pytest\n" in TYPED
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", project / "tests"]
    last = ran(command, project.parent, site).splitlines()[-1]
    # Skipped are a model that is always in reach, and an index that does not look into itself.
    assert re.fullmatch(r"\d\d passed, 2 skipped in .*", last), last


@pytest.mark.timeout(300)  # it starts ten programs
def test_all_five_parts_work_in_the_product(project: Path, site: Path, home: Path) -> None:
    (project / "penstock.toml").write_text(SETTINGS, "utf-8")
    printed = {}
    for line in USED.splitlines():
        program, command, *arguments = shlex.split(line)
        assert program == "penstock"
        command_line = [Path(sys.executable).with_name(program), command, *arguments]
        printed[command] = ran(command_line if command == "trust" else [*command_line, "--json"], project, site)
    report = json.loads(printed["ingest"])
    assert (report["indexed"], report["failed"]) == (1, 0)
    assert json.loads(printed["search"])["hits"][0]["text"] == "The north gate was shut at noon."
    assert "The north gate was shut at noon." in printed["prompt"]
    answer = json.loads(printed["ask"])
    assert answer["text"] == 'From the log: "The north gate was shut at noon." [1]'
    assert answer["text"] in PAGE
    assert [citation["quote"] for citation in answer["citations"]] == ["The north gate was shut at noon"]

    penstock = Path(sys.executable).with_name("penstock")
    again = json.loads(ran([penstock, "ingest", "logs", "--json"], project, site))
    assert (again["unchanged"], again["parsed"], again["embedded"]) == (1, 0, 0)
    hits = json.loads(ran([penstock, "search", "水轮机检修", "--json"], project, site))["hits"]
    assert hits[0]["text"].startswith("下午水轮机")
    assert json.loads(ran([penstock, "doctor", "--json"], project, site))["ok"]
    assert "acme-pairs-1/512" in ran([penstock, "status", "--json"], project, site)
    assert list(home.rglob("fts.db"))


def test_mypy_finds_nothing(project: Path, site: Path) -> None:
    assert f"mypy --strict {PACKAGE}\n" in TYPED
    # With the settings and the cache of this repository: what mypy knows of Penstock it need not find out again.
    cached = ("--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache")
    output = ran([sys.executable, "-m", "mypy", "--strict", *cached, project / PACKAGE, project / "tests"], ROOT, site)
    assert output.startswith("Success: no issues found in 7 source files")


def test_the_page_is_short_enough_to_read() -> None:
    lines = [line for name, text in FILES.items() if name.endswith(".py") for line in text.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES


def test_every_suite_is_listed() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| `(\w+\.\w+Contract)`", PAGE, re.MULTILINE))
    folder = Path(penstock.testing.contracts.__file__).parent
    suites = {
        f"{path.stem}.{name}"
        for path in folder.glob("*.py")
        for name in re.findall(r"^class (\w+Contract)\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert suites == set(re.findall(r"`(\w+\.\w+Contract)`", PAGE))
    assert all(hasattr(ports, port) for port in listed)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
