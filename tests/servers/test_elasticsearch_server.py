"""The test server itself: found, fetched, checked, started, killed and started again."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.servers import elasticsearch
from tests.servers.elasticsearch import BUILDS, Build, Version, fetched, running_elasticsearch
from tests.servers.java import java_home, java_version
from tests.servers.processes import ServerMissing


def asked(url: str, path: str, method: str = "GET") -> dict[str, object]:
    request = urllib.request.Request(f"{url}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: dict[str, object] = json.load(answer)
    return body


@pytest.mark.elasticsearch
@pytest.mark.parametrize("version", ["8", "9"])
def test_a_killed_server_starts_again_with_its_data(version: Version) -> None:
    try:
        with running_elasticsearch(version) as server:
            asked(server.url, "/kept", "PUT")
            server.kill()
            with pytest.raises(OSError, match="refused"):
                asked(server.url, "/kept")
            server.start()
            assert "kept" in asked(server.url, "/kept")
            nodes = asked(server.url, "/_nodes/http")["nodes"]
            assert isinstance(nodes, dict)
            assert next(iter(nodes.values()))["version"] == BUILDS[version].release
    except ServerMissing as missing:
        pytest.skip(str(missing))
    with pytest.raises(OSError, match="refused"):
        asked(server.url, "/kept")


def java(folder: Path, version_text: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{version_text}' >&2\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("version_text", "version"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="three numbers"),
        pytest.param('openjdk version "25" 2025-09-16', 25, id="one number"),
        pytest.param('java version "1.8.0_202"', 8, id="as Java 8 says it"),
        pytest.param("what?", 0, id="nonsense"),
    ],
)
def test_java_says_its_version(tmp_path: Path, version_text: str, version: int) -> None:
    assert java_version(java(tmp_path, version_text)) == version


def test_the_java_that_is_set_is_taken_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = java(tmp_path / "old", 'version "11.0.1"')
    new = java(tmp_path / "new", 'version "21.0.1"')
    monkeypatch.setenv("PENSTOCK_TEST_JAVA_HOME", str(old))
    monkeypatch.setenv("PENSTOCK_TEST_JAVA_HOME_9", str(new))
    assert java_home(21, "9") == new
    with pytest.raises(ServerMissing, match="no Java 17 or later"):
        java_home(17, "8")


def test_the_oldest_fitting_java_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (11, 17, 25):
        java(tmp_path / str(number), f'version "{number}.0.1"')
    monkeypatch.setattr("tests.servers.java.HOMES", tmp_path)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert [java_home(oldest).name for oldest in (11, 12, 18)] == ["11", "17", "25"]
    with pytest.raises(ServerMissing, match="no Java 26 or later"):
        java_home(26)


def test_an_archive_is_not_used_unless_it_is_the_tested_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "user_cache_path", lambda *_, **__: tmp_path)
    build = Build(release="0.1", sha256="0" * 64, java=17)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServerMissing, match="no Maven"):
        fetched(build)
    archive = tmp_path / "test-servers" / "elasticsearch-0.1.zip"
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(b"other")
    with pytest.raises(ServerMissing, match="delete it to fetch it again"):
        fetched(build)
