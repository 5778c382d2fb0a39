"""Fixtures of pytest that start servers: import them into a `conftest.py`. What cannot be had is skipped by name."""

import json
import os
import urllib.request
from collections.abc import Iterator

import pytest

from penstock.testing.servers.elasticsearch import URL_VARIABLE, Version, elasticsearch_server
from penstock.testing.servers.processes import ServerMissing


@pytest.fixture(scope="session", params=["8", "9"])
def elasticsearch_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an Elasticsearch, once of each version; or of the running one that the environment names."""
    version: Version = request.param
    if given := os.environ.get(URL_VARIABLE):
        if (found := _main_version(given)) != version:
            pytest.skip(f"{URL_VARIABLE} points to a server of version {found}")
        yield given
        return
    try:
        with elasticsearch_server(version) as url:
            yield url
    except ServerMissing as missing:
        pytest.skip(f"{missing}; {URL_VARIABLE} points to a running server")


def _main_version(url: str) -> str:
    with urllib.request.urlopen(f"{url}/_nodes/http", timeout=10) as answer:  # noqa: S310 # the tester's own server
        nodes = json.load(answer)["nodes"]
    return str(next(iter(nodes.values()))["version"]).partition(".")[0]
