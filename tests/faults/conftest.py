"""Collections whose indexes are on a real Elasticsearch, which may be killed, behind a faulty proxy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from penstock.pipelines.ingest import ingest
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.plugins import use_little_model
from tests.servers.elasticsearch import ElasticsearchServer, Version, running_elasticsearch
from tests.servers.processes import ServerMissing
from tests.servers.proxy import Proxy

Opener = Callable[..., Penstock]


@pytest.fixture(scope="session")
def mortal_elasticsearch() -> Iterator[Callable[[Version], ElasticsearchServer]]:
    """Gives the server of a version, which a test may kill and then starts again; only one server runs at a time."""
    with ExitStack() as stack:
        running: dict[Version, ElasticsearchServer] = {}

        def server(version: Version) -> ElasticsearchServer:
            if version not in running:
                running.clear()
                stack.close()
                try:
                    running[version] = stack.enter_context(running_elasticsearch(version))
                except ServerMissing as missing:
                    pytest.skip(str(missing))
            return running[version]

        yield server


@pytest.fixture
def proxied() -> Iterator[Callable[[str], Proxy]]:
    """Makes proxies in front of an address."""
    with ExitStack() as stack:

        def make(url: str) -> Proxy:
            proxy = Proxy(url)
            stack.callback(proxy.close)
            return proxy

        yield make


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LittleModel:
    use_little_model(monkeypatch, tmp_path / "little", dimension=32)
    return LittleModel(dimension=32)


@pytest.fixture
def following_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexes follow each commit, without the usual pause."""
    monkeypatch.setattr(ingest, "SECONDS_BETWEEN_FOLLOWS", -1.0)


@pytest.fixture
def opened(model: LittleModel, tmp_path: Path) -> Iterator[Opener]:
    """Opens workspaces whose indexes are on the server at an address; `batch` is the number of documents a commit."""
    with ExitStack() as stack:

        def make(url: str, name: str = "home", *, batch: int = 250, candidates: int = 100, **given: Any) -> Penstock:
            there = {"urls": [url], "replicas": 0, "attempts": 2, "timeout_seconds": 20, **given}
            both = {"keyword": "elasticsearch", "vector": "elasticsearch"}
            settings = read_settings(
                home=tmp_path / name,
                indexes=both,
                elasticsearch=there,
                batch=batch,
                retrieval={"candidates": candidates},
            )
            return stack.enter_context(Penstock(settings=settings))

        yield make


@pytest.fixture
def client_of() -> Iterator[Callable[[str], Elasticsearch]]:
    """Gives a client of an address; all indexes that the test made there are deleted at the end."""
    made: dict[str, tuple[Elasticsearch, set[str]]] = {}

    def names_of(connected: Elasticsearch) -> set[str]:
        return set(connected.indices.get(index="penstock-*", expand_wildcards="all"))

    def client(url: str) -> Elasticsearch:
        if url not in made:
            connected = Elasticsearch(url)
            made[url] = connected, names_of(connected)
        return made[url][0]

    yield client
    for connected, before in made.values():
        for name in names_of(connected) - before:
            connected.indices.put_settings(index=name, settings={"index.blocks.*": None})
            connected.indices.delete(index=name)
        connected.close()
