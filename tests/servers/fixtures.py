"""Fixtures of pytest that start servers: import them into a `conftest.py`. What cannot be had is skipped by name."""

import json
import os
import urllib.request
from collections.abc import Iterator

import pytest

from penstock.catalog import open_catalog
from tests.servers.elasticsearch import URL_VARIABLE, Version, elasticsearch_server
from tests.servers.postgresql import PostgresqlServer, fresh_database, own_postgresql, postgresql_server
from tests.servers.processes import ServerMissing


@pytest.fixture(scope="session", params=["8", "9"])
def elasticsearch_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an Elasticsearch, once of each version; or of the running one that the environment names."""
    version: Version = request.param
    if address := os.environ.get(URL_VARIABLE):
        if (found := _main_version(address)) != version:
            pytest.skip(f"{URL_VARIABLE} points to a server of version {found}")
        yield address
        return
    try:
        with elasticsearch_server(version) as url:
            yield url
    except ServerMissing as missing:
        pytest.skip(f"{missing}; {URL_VARIABLE} points to a running server")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a PostgreSQL whose user may create databases."""
    try:
        with postgresql_server() as url:
            yield url
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[str]:
    """The address of an empty database that only this test knows."""
    with fresh_database(postgresql_url) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str) -> Iterator[str]:
    """The name of a database with the tables of a catalog, to be copied."""
    with fresh_database(postgresql_url) as url:
        open_catalog(url).close()
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def postgresql_catalog(postgresql_url: str, postgresql_template: str) -> Iterator[str]:
    """The address of a catalog that only this test knows; nothing was ever kept in it."""
    with fresh_database(postgresql_url, template=postgresql_template) as url:
        yield url


@pytest.fixture
def mortal_postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL for this test alone, that writes to the disk and may be killed and started again."""
    try:
        with own_postgresql(durable=True) as server:
            yield server
    except ServerMissing as missing:
        pytest.skip(str(missing))


def _main_version(url: str) -> str:
    with urllib.request.urlopen(f"{url}/_nodes/http", timeout=10) as answer:  # the tester's own server
        nodes = json.load(answer)["nodes"]
    return str(next(iter(nodes.values()))["version"]).partition(".")[0]
