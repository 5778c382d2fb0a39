"""What the compose files start and ask is started and asked here, without containers, against real servers."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.servers.postgresql import programs
from tests.servers.processes import free_port

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PENSTOCK = [sys.executable, "-c", "from penstock.cli import main; main()"]
PREFECT = [sys.executable, "-m", "prefect"]
PASSWORD = "penstock:of this test"
SECONDS = 180


class Composed:
    """A compose file whose services run as processes: names of hosts, ports and folders are put in place."""

    def __init__(self, file: str, folder: Path, also: Mapping[str, str]) -> None:
        self._services: dict[str, Any] = yaml.safe_load((DOCKER / file).read_text("utf-8"))["services"]
        self._folder = folder
        self.page, self.health = str(free_port()), str(free_port())
        self._replaced = {"prefect:4200": f"127.0.0.1:{self.page}", "0.0.0.0": "127.0.0.1", "4200": self.page}
        self._replaced |= {
            "localhost:8080": f"127.0.0.1:{self.health}",
            "/run/secrets": str(folder / "secrets"),
            "/config/": f"{folder}/",
            **also,
        }

    def words(self, service: str, key: str) -> list[str]:
        return [self._here(word).replace("$$", "$") for word in self._services[service].get(key, [])]

    def environment(self, service: str) -> dict[str, str]:
        """What the image and the file set, below this folder; and a port of its own for the runner."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "PREFECT_"))}
        clean["PATH"] = f"{self._programs()}{os.pathsep}{clean['PATH']}"
        data = self._folder / "data" / service
        data.mkdir(parents=True, exist_ok=True)
        image = {"PENSTOCK_HOME": str(data / "penstock"), "PREFECT_HOME": str(data / "prefect")}
        runner = {"PREFECT_RUNNER_SERVER_HOST": "127.0.0.1", "PREFECT_RUNNER_SERVER_PORT": self.health}
        variables = self._services[service].get("environment", {})
        return clean | image | runner | {name: self._here(value) for name, value in variables.items()}

    def _programs(self) -> Path:
        """A folder of the programs that the image has, made of what is installed here."""
        folder = self._folder / "programs"
        folder.mkdir(exist_ok=True)
        for name, words in {"prefect": PREFECT, "penstock": PENSTOCK}.items():
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
            program.chmod(0o755)
        return folder

    def asks(self, service: str) -> list[str]:
        """The command of the health check."""
        kind, *command = self._services[service]["healthcheck"]["test"]
        command = [self._here(word) for word in command]
        return ["sh", "-c", *command] if kind == "CMD-SHELL" else command

    @contextmanager
    def running(self, service: str) -> Iterator[None]:
        """The service, from when its health check says that it is well; it ends politely and without an error."""
        log = self._folder / f"{service}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*self.words(service, "entrypoint"), *self.words(service, "command")],
                cwd=self._folder,
                env=self.environment(service),
                stdout=out,
                stderr=out,
            )
        try:
            self._wait(process, service, log)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)

    def typed(self, service: str, *arguments: str) -> str:
        """What `docker compose exec SERVICE penstock ...` prints."""
        done = subprocess.run(
            [*PENSTOCK, *arguments],
            cwd=self._folder,
            env=self.environment(service),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _wait(self, process: "subprocess.Popen[bytes]", service: str, log: Path) -> None:
        limit = time.monotonic() + SECONDS
        while not is_well(self.asks(service)):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < limit, log.read_text("utf-8")
            time.sleep(0.5)

    def _here(self, word: str) -> str:
        for name, value in self._replaced.items():
            word = word.replace(name, value)
        return word


def turns_away_strangers(page: str) -> bool:
    """Whether Prefect's server answers nobody without its password."""
    asked = f"http://127.0.0.1:{page}/api/deployments/filter"
    name, _, secret = PASSWORD.partition(":")
    answers = [
        httpx.post(asked, json={}, auth=auth, trust_env=False) for auth in (None, (name, "other"), (name, secret))
    ]
    return [answer.status_code for answer in answers] == [401, 401, 200]


def is_well(command: Sequence[str]) -> bool:
    program = {"python": sys.executable}.get(command[0], command[0])
    return subprocess.run([program, *command[1:]], check=False, capture_output=True).returncode == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of the container: penstock.toml, with documents that lie here."""
    toml = (DOCKER / "penstock.toml").read_text("utf-8")
    (tmp_path / "penstock.toml").write_text(toml.replace("/documents", str(tmp_path / "documents")), "utf-8")
    (tmp_path / "documents").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "prefect_password").write_text(f"{PASSWORD}\n", "utf-8")
    for name in ("员工手册.pdf", "visitors.html"):
        if (ROOT / "examples" / "handbook" / name).exists():
            shutil.copy(ROOT / "examples" / "handbook" / name, tmp_path / "documents")
    return tmp_path


@pytest.mark.prefect
@pytest.mark.timeout(600)
def test_one_box(folder: Path) -> None:
    composed = Composed("compose.yaml", folder, {})
    with composed.running("prefect"), composed.running("scheduler"):
        assert turns_away_strangers(composed.page)
        composed.typed("scheduler", "sync")
        assert "员工手册" in composed.typed("scheduler", "search", "年假怎么申请", "--collection", "documents")


@pytest.mark.prefect
@pytest.mark.postgresql
@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
@pytest.mark.parametrize("elasticsearch_url", ["8"], indirect=True)  # the version that the file names
def test_a_cluster(folder: Path, postgresql_database: str, elasticsearch_url: str) -> None:
    database = urlsplit(postgresql_database)
    (folder / "secrets" / "penstock_catalog__password").write_text(f"{database.password or ''}\n", "utf-8")
    (folder / "secrets" / "penstock_elasticsearch__password").write_text("this one asks nobody\n", "utf-8")
    also = {
        "postgresql://penstock@postgresql/penstock": postgresql_database.replace(f":{database.password}@", "@"),
        "http://elasticsearch:9200": elasticsearch_url,
        "http://127.0.0.1:9200": elasticsearch_url,
    }
    composed = Composed("compose.cluster.yaml", folder, also)
    ready = composed.asks("postgresql")
    assert is_well([str(programs() / ready[0]), *ready[1:], "--port", str(database.port or 5432)])
    assert is_well(composed.asks("elasticsearch"))
    with composed.running("prefect"), composed.running("scheduler"):
        assert turns_away_strangers(composed.page)
        composed.typed("scheduler", "sync")
        assert "员工手册" in composed.typed("scheduler", "search", "年假怎么申请", "--collection", "documents")
        assert composed.typed("scheduler", "doctor", "--collection", "documents").startswith("ok:")
