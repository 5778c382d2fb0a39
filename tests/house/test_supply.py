"""What is installed is what was locked: every release has hashes, and nothing is installed unchecked."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = ("constraints.txt", "requirements-build.txt")
BY_US = ("Makefile", "docker/Dockerfile", ".ci/wheel_check.py", ".ci/run")
"""Files that install something."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
COMPOSE = ("docker/compose.yaml", "docker/compose.cluster.yaml")
REPLACEABLE = re.compile(r"\$\{[A-Z_]+_IMAGE:-[^}]+\}")


def read(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


def locked(file: str) -> dict[str, set[str]]:
    """Releases, as `name==version`, and the hashes of each."""
    found: dict[str, set[str]] = {}
    release = ""
    for line in read(file).splitlines():
        if line and not line.startswith(("#", " ")):
            release = line.split()[0]
            found[release] = set()
        found.get(release, set()).update(re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", line))
    return found


def wanted(*extras: str) -> list[str]:
    command = [sys.executable, str(ROOT / ".ci" / "dependencies.py"), *extras]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


@pytest.mark.parametrize("file", LOCKS)
def test_every_release_has_one_version_and_its_hashes(file: str) -> None:
    releases = locked(file)
    names = [release.partition("==")[0] for release in releases]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9.-]+==[^*=<>]+", release) for release in releases)
    assert [release for release, hashes in releases.items() if not hashes] == []


@pytest.mark.parametrize("file", LOCKS)
def test_no_index_is_named(file: str) -> None:
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", read(file))


def test_both_locks_agree() -> None:
    everything = locked("constraints.txt")
    for release, hashes in locked("requirements-build.txt").items():
        assert everything[release] == hashes


def test_whatever_can_be_asked_for_is_locked() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    groups = [requirement for group in PROJECT["dependency-groups"].values() for requirement in group]
    names = {release.partition("==")[0] for release in locked("constraints.txt")}
    assert {name(requirement) for requirement in (*wanted(*extras), *groups)} <= names


def test_dependencies_are_those_of_the_project() -> None:
    assert wanted() == PROJECT["project"]["dependencies"]
    assert not any(package.startswith("penstock") for package in wanted("all"))
    assert set(wanted("flows")) - set(wanted()) == set(PROJECT["project"]["optional-dependencies"]["flows"])
    command = [sys.executable, str(ROOT / ".ci" / "dependencies.py"), "flow"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no extra named 'flow'; known: flows," in done.stderr


@pytest.mark.parametrize("file", BY_US)
def test_nothing_is_installed_unchecked(file: str) -> None:
    lines = re.findall(r"^.*\bpip\b.*\binstall\b.*$|^.*run\(\*pip,.*$", read(file), re.MULTILINE)
    installing = [line for line in lines if "pip = (" not in line]
    assert installing or file == ".ci/run"
    for line in installing:
        assert "--require-hashes" in line or "--no-deps" in line, line


def test_a_file_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    """pip itself, with a lock of the form of ours: hashes as constraints of a requirement without a version."""
    (tmp_path / "six-1.17.0.tar.gz").write_bytes(b"not what was published")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "--ignore-installed"]
    command += ["--find-links", str(tmp_path), "--require-hashes", "-c", str(lock), "six>=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_base_images_can_be_named_by_digest() -> None:
    dockerfile = read("docker/Dockerfile")
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    for file in COMPOSE:
        services: dict[str, Any] = yaml.safe_load(read(file))["services"]
        for service in services.values():
            if "build" in service:
                assert REPLACEABLE.fullmatch(service["build"]["args"]["PYTHON_IMAGE"])
            else:
                assert REPLACEABLE.fullmatch(service["image"])
