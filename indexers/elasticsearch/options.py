"""What a person sets about Elasticsearch: how it is reached, and how its indexes are laid out."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the servers are reached. Either an API key or a user with a password, or nothing where security is off."""

    urls: tuple[str, ...] = ("http://127.0.0.1:9200",)
    cloud_id: str = ""
    """Of a deployment of Elastic Cloud, in place of `urls`."""
    api_key: str = ""
    username: str = ""
    password: str = ""
    ca_certs: Path | None = None
    """Certificates of the authority that signed the servers' own."""
    fingerprint: str = ""
    """SHA-256 of a certificate of the servers' chain, in hexadecimal, in place of the authority's file."""
    timeout_seconds: float = 30
    attempts: int = 5
    """Tries of a write to which the server was too busy or gave no answer."""

    def __repr__(self) -> str:
        return f"Connection(urls={self.shown()!r})"

    def shown(self) -> str:
        """Where the servers are, for messages: without anything secret."""
        return self.cloud_id.partition(":")[0] or ", ".join(_without_user(url) for url in self.urls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an index is laid out; counts for indexes that are built from now on."""

    shards: int = 1
    replicas: int = 0
    approximate: bool = False
    """Whether vectors are found by walking a graph (HNSW), faster and now and then wrong, or compared one by one."""


def _without_user(url: str) -> str:
    scheme, sign, rest = url.rpartition("://")
    return f"{scheme}{sign}{rest.rpartition('@')[2]}"
