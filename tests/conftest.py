"""What every test runs under: no network beyond loopback, no settings of the person who runs it, a home of its own."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.examples import load_profile
from tests.servers.fixtures import (
    elasticsearch_url,
    mortal_postgresql,
    postgresql_catalog,
    postgresql_database,
    postgresql_template,
    postgresql_url,
)

__all__ = [
    "elasticsearch_url",
    "mortal_postgresql",
    "postgresql_catalog",
    "postgresql_database",
    "postgresql_template",
    "postgresql_url",
]

SERVERS = "PENSTOCK_TEST_"
"""What variables begin with that point to running servers."""
LOOPBACK = ("127.", "::1", "localhost")

load_profile()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def loopback_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in [name for name in os.environ if name.startswith("PENSTOCK_") and not name.startswith(SERVERS)]:
        monkeypatch.delenv(name)
    folder = tmp_path / "penstock-home"
    monkeypatch.setenv("PENSTOCK_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # what is trusted is noted there
    return folder
