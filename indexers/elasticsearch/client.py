"""The client of Elasticsearch: made from settings, checked against its server, its errors translated into ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from elastic_transport import TlsError
from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

from penstock.errors import DamagedIndex, IndexingError, IndexUnavailable, SettingsError
from penstock.indexers.elasticsearch.options import Connection

OLDEST, NEWEST = (8, 13), 9
"""The first release that has all that is asked of it, and the last main version that this was tested with."""
CLIENT = version("elasticsearch")
"""The installed release of the client."""
PORTS = {"http": 80, "https": 443}
BUSY = (429, 502, 503, 504)
REASON_CHARACTERS = 600


def connect(connection: Connection) -> Elasticsearch:
    """A client; nothing is asked of the server yet.

    Raises:
        SettingsError: the settings contradict each other, or are none that the client takes.
    """
    if connection.api_key and connection.username:
        raise SettingsError("elasticsearch has both an api_key and a username; set one of them")
    if bool(connection.username) != bool(connection.password):
        raise SettingsError("elasticsearch needs username and password together")
    if connection.ca_certs and connection.fingerprint:
        raise SettingsError("elasticsearch has both ca_certs and a fingerprint; set one of them")
    if connection.ca_certs and not connection.ca_certs.is_file():
        raise SettingsError(f"elasticsearch.ca_certs names {str(connection.ca_certs)!r}, which is no file")
    if any("@" in urlsplit(url).netloc for url in connection.urls):
        raise SettingsError("elasticsearch.urls hold a user; set elasticsearch.username and password instead")
    options: dict[str, Any] = {
        "request_timeout": connection.timeout_seconds,
        "api_key": connection.api_key or None,
        "basic_auth": (connection.username, connection.password) if connection.username else None,
        "ca_certs": str(connection.ca_certs) if connection.ca_certs else None,
        "ssl_assert_fingerprint": connection.fingerprint or None,
    }
    if connection.cloud_id:
        options["cloud_id"] = connection.cloud_id
    else:
        options["hosts"] = [_with_port(url) for url in connection.urls]
    try:
        return Elasticsearch(**{name: value for name, value in options.items() if value is not None})
    except (ValueError, OSError) as error:  # an address or a certificate that cannot be used
        raise SettingsError(f"elasticsearch at {connection.shown()} cannot be used: {error}") from error


def check_server(client: Elasticsearch, shown: str) -> None:
    """Checks that this client and this version of Penstock can talk to the server.

    Raises:
        IndexingError: it is too old, too new, or something else.
        IndexUnavailable: it does not answer.
    """
    with translated(f"Elasticsearch at {shown}"):
        release = _release(client)
    if release is None:
        return  # this user may not ask for it; what follows will show
    found = tuple(int(part) for part in release.split(".")[:2])
    client_main = int(CLIENT.partition(".")[0])
    if found < OLDEST or found[0] > NEWEST:
        raise IndexingError(
            f"Elasticsearch at {shown} is version {release}; {OLDEST[0]}.{OLDEST[1]} to {NEWEST} can be used"
        )
    if client_main > found[0]:
        raise IndexingError(
            f"Elasticsearch at {shown} is version {release}, which the installed client {CLIENT} "
            "does not speak to; install one of version 8: pip install 'penstock[elasticsearch]'"
        )


def _release(client: Elasticsearch) -> str | None:
    try:
        return str(client.info()["version"]["number"])
    except ApiError as error:
        if error.status_code not in (403, 405):  # not allowed to this user; not there in builds for tests
            raise
    try:
        nodes = client.nodes.info(metric="http", filter_path="nodes.*.version")["nodes"]
    except ApiError as error:
        if error.status_code != 403:
            raise
        return None
    return min(
        (str(node["version"]) for node in nodes.values()),
        key=lambda version: [int(part) for part in version.split(".")[:2]],
    )


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raises errors of the client as our own; `action` says what was being done, and where."""
    try:
        yield
    except (ApiError, TransportError, UnsupportedProductError) as error:
        raise error_for(error, action) from error


def error_for(error: Exception, action: str) -> IndexingError:
    """The Penstock error for an error of the client."""
    if isinstance(error, UnsupportedProductError):
        return IndexingError(f"{action}: this is not Elasticsearch, or one older than 7.14")
    if isinstance(error, TlsError):
        return IndexingError(f"{action}: {error.message}; set elasticsearch.ca_certs or elasticsearch.fingerprint")
    if not isinstance(error, ApiError):
        return IndexUnavailable(f"{action}: no answer ({_short(getattr(error, 'message', error))})")
    return of_status(error.status_code, _error_of(error.body), action)


def of_status(status: int, error: Mapping[str, Any], action: str) -> IndexingError:
    """The Penstock error for a status and the server's description of it."""
    kind, reason = str(error.get("type", "")), _short(error.get("reason", ""))
    if kind == "cluster_block_exception":
        return IndexingError(
            f"{action}: the index may not be written now ({reason}); make room on the servers' disks, or lift the "
            "block (index.blocks.*), and run again"
        )
    if kind == "index_closed_exception":
        return IndexingError(f"{action}: the index is closed; open it, or delete it to have it rebuilt")
    if status == 401:
        return IndexingError(
            f"{action}: the server does not know who asks; set elasticsearch.api_key, or username and password"
        )
    if status == 403:
        return IndexingError(f"{action}: this user may not do that ({reason})")
    if status in BUSY or status >= 500:
        return IndexUnavailable(f"{action}: the server cannot do it now ({status} {kind} {reason})")
    if kind in ("index_not_found_exception", "alias_not_found_exception"):
        return DamagedIndex(f"{action}: the index is gone; it is rebuilt from the catalog")
    if kind == "media_type_header_exception":
        return IndexingError(
            f"{action}: the server does not speak to the installed client {CLIENT}; install one of "
            "version 8: pip install 'penstock[elasticsearch]'"
        )
    return IndexingError(f"{action}: {status} {kind} {reason}")


def is_absent(error: ApiError) -> bool:
    """Whether there is no index of that name."""
    return error.status_code == 404 and _error_of(error.body).get("type") == "index_not_found_exception"


def _error_of(body: Any) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, Mapping):
        causes = error.get("root_cause")
        deeper = causes[0] if isinstance(causes, list) and causes else {}
        return {"type": error.get("type", ""), "reason": deeper.get("reason") or error.get("reason", "")}
    return {"reason": error if isinstance(error, str) else body}


def _short(reason: object) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= REASON_CHARACTERS else f"{text[:REASON_CHARACTERS]}..."


def _with_port(url: str) -> str:
    """The address with the port that its scheme means, which the client wants to see."""
    parts = urlsplit(url)
    if parts.port is not None or parts.scheme not in PORTS:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{PORTS[parts.scheme]}"))
