"""The compose files: valid, hardened, and their commands do what they say, here without containers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.settings import read_settings

DOCKER = Path(__file__).parents[2] / "docker"
FILES = ("compose.yaml", "compose.cluster.yaml")
WRITES_ITS_CONFIGURATION = {"elasticsearch"}
"""Services whose root file system cannot be read-only; the file says why."""


def services(file: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / file).read_text("utf-8"))["services"])


EACH_SERVICE = [pytest.param(file, name, id=f"{file}-{name}") for file in FILES for name in services(file)]


@pytest.mark.parametrize("file", FILES)
def test_it_is_what_the_compose_specification_asks_for(file: str) -> None:
    command = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DOCKER / file)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)


@pytest.mark.parametrize(("file", "name"), EACH_SERVICE)
def test_every_service_is_held_within_bounds(file: str, name: str) -> None:
    service = services(file)[name]
    assert service["user"] not in ("root", "0")
    assert service.get("read_only", False) or name in WRITES_ITS_CONFIGURATION
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert service["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("file", FILES)
def test_prefects_server_listens_to_its_own_page_alone(file: str) -> None:
    environment = services(file)["prefect"]["environment"]
    allowed = environment["PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS"].split(",")
    assert environment["PREFECT_UI_API_URL"].removesuffix("/api") in allowed
    assert "*" not in allowed


@pytest.mark.parametrize("file", FILES)
def test_no_secret_is_in_the_file(file: str) -> None:
    for service in services(file).values():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith(("PASSWORD", "PASSWORD_FILE", "API_KEY")):
                assert value.startswith("/run/secrets/")


@pytest.mark.parametrize("file", FILES)
def test_the_environment_of_the_scheduler_is_understood(
    file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "penstock.toml").write_text((DOCKER / "penstock.toml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    composed = yaml.safe_load((DOCKER / file).read_text("utf-8"))
    environment = composed["services"]["scheduler"]["environment"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value.replace("/config/", f"{tmp_path}/"))
    for name in composed.get("secrets", {}):
        (tmp_path / name).write_text("from a file\n", "utf-8")
    if "PENSTOCK_SECRETS" in environment:
        monkeypatch.setenv("PENSTOCK_SECRETS", str(tmp_path))
    settings = read_settings()
    assert "documents" in settings.collections
    passwords = [settings.catalog.password, settings.elasticsearch.password]
    settings_kept = [name for name in composed["secrets"] if name.startswith("penstock_")]
    assert [password.get_secret_value() for password in passwords if password] == ["from a file"] * len(settings_kept)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", ["prefect", "scheduler"])
@pytest.mark.parametrize("password", [None, "", "\n"], ids=["missing", "empty", "blank"])
def test_prefects_server_never_starts_without_its_password(
    file: str, name: str, password: str | None, tmp_path: Path
) -> None:
    """Prefect takes an empty password for one, which everybody knows."""
    script = [
        word.replace("$$", "$").replace("/run/secrets", str(tmp_path)) for word in services(file)[name]["entrypoint"]
    ]
    if password is not None:
        (tmp_path / "prefect_password").write_text(password, "utf-8")
    for program in ("prefect", "penstock"):
        (tmp_path / program).write_text("#!/bin/sh\necho started\n", "utf-8")
        (tmp_path / program).chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode != 0, done.stdout) == (True, "")
