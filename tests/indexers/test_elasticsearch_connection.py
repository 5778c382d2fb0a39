"""How the servers are reached, and what is said when they cannot be: TLS, users, keys, versions, several nodes."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from penstock.errors import IndexingError, IndexUnavailable, SettingsError
from penstock.indexers.elasticsearch.client import check_server, connect
from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.model import Change
from penstock.testing.contracts.indexes import WORDS, entry_of, scope_of, vector_of
from tests.servers.elasticsearch import running_elasticsearch
from tests.servers.processes import ServerMissing, free_port

Answer = tuple[int, object]
SECRET = "geheim-4711"


@contextmanager
def answering(answers: Callable[[str], Answer], asked: list[str] | None = None) -> Iterator[str]:
    """A server that says what the test says, as Elasticsearch would; for versions that are not at hand."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.headers.get("Authorization", ""))
            status, answer = answers(self.path.partition("?")[0])
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def check(connection: Connection) -> None:
    client = connect(connection)
    try:
        check_server(client, connection.shown())
    finally:
        client.close()


def of_version(version: str) -> Callable[[str], Answer]:
    return lambda _: (200, {"version": {"number": version}})


@pytest.mark.parametrize("version", ["8.13.0", "8.19.16", "9.2.0", "9.2.0-SNAPSHOT"])
def test_versions_that_fit(version: str) -> None:
    with answering(of_version(version)) as url:
        check(Connection(urls=(url,)))


@pytest.mark.parametrize("version", ["7.17.9", "8.12.2", "10.0.0"])
def test_versions_that_do_not_fit_are_named(version: str) -> None:
    with (
        answering(of_version(version)) as url,
        pytest.raises(IndexingError, match=rf"is version {version}; 8\.13 to 9"),
    ):
        check(Connection(urls=(url,)))


def test_a_client_that_the_server_does_not_understand_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.indexers.elasticsearch.client.CLIENT", "9.1.0")
    with (
        answering(of_version("8.19.0")) as url,
        pytest.raises(IndexingError, match=r"client 9\.1\.0 does not speak to"),
    ):
        check(Connection(urls=(url,)))
    refused = {"error": {"type": "media_type_header_exception", "reason": "Invalid media-type"}}
    with answering(lambda _: (400, refused)) as url, pytest.raises(IndexingError, match=r"installed client 9\.1\.0"):
        check(Connection(urls=(url,)))


def test_the_version_is_found_where_the_first_page_is_missing_or_forbidden() -> None:
    nodes = {"nodes": {"a": {"version": "9.1.0"}, "b": {"version": "7.17.1"}}}

    def without_first_page(path: str) -> Answer:
        return (200, nodes) if path.startswith("/_nodes") else (405, {})

    with answering(without_first_page) as url, pytest.raises(IndexingError, match=r"is version 7\.17\.1"):
        check(Connection(urls=(url,)))
    with answering(lambda _: (403, {})) as url:
        check(Connection(urls=(url,)))  # this user may not ask; what follows will show


@pytest.mark.parametrize(
    ("status", "error", "kind", "message"),
    [
        pytest.param(401, "security_exception", IndexingError, "does not know who asks", id="who"),
        pytest.param(403, "security_exception", IndexingError, "may not do that", id="may not"),
        pytest.param(429, "es_rejected_execution_exception", IndexUnavailable, "cannot do it now", id="busy"),
        pytest.param(503, "unavailable_shards_exception", IndexUnavailable, "cannot do it now", id="shards"),
        pytest.param(400, "parsing_exception", IndexingError, "400 parsing_exception told so", id="other"),
    ],
)
def test_errors_say_what_they_mean(status: int, error: str, kind: type[IndexingError], message: str) -> None:
    body = {"error": {"type": error, "reason": "told so", "root_cause": [{"type": error, "reason": "told so"}]}}

    def answers(path: str) -> Answer:
        return (200, {"version": {"number": "8.19.0"}}) if path == "/" else (status, body)

    with answering(answers) as url:
        store = store_at(Connection(urls=(url,), username="u", password=SECRET))
        with pytest.raises(kind, match=message) as caught:
            _ = store.revision
        store.close()
    assert type(caught.value) is kind
    assert SECRET not in str(caught.value)


def test_something_else_is_no_elasticsearch() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with pytest.raises(IndexingError, match="this is not Elasticsearch"):
            check(Connection(urls=(f"http://127.0.0.1:{server.server_address[1]}",)))
        server.shutdown()


def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_shown() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(IndexUnavailable, match=rf"Elasticsearch at {url}: no answer") as caught:
        check(Connection(urls=(url,), username="elastic", password=SECRET))
    assert SECRET not in str(caught.value)


def test_another_node_answers_for_one_that_is_gone() -> None:
    with answering(of_version("8.19.0")) as url:
        check(Connection(urls=(f"http://127.0.0.1:{free_port()}", url, f"http://127.0.0.1:{free_port()}")))


def test_keys_and_users_are_sent() -> None:
    asked: list[str] = []
    with answering(of_version("8.19.0"), asked) as url:
        check(Connection(urls=(url,), api_key="abc"))
        check(Connection(urls=(url,), username="elastic", password="x"))
    assert [header.partition(" ")[0] for header in asked] == ["ApiKey", "Basic"]


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        pytest.param(Connection(api_key=SECRET, username="a", password=SECRET), "both an api_key and", id="two ways"),
        pytest.param(Connection(username="a"), "username and password together", id="no password"),
        pytest.param(Connection(password=SECRET), "username and password together", id="no user"),
        pytest.param(
            Connection(ca_certs=Path("a"), fingerprint="b"), "both ca_certs and a fingerprint", id="two trusts"
        ),
        pytest.param(Connection(urls=("https://h:1",), ca_certs=Path("/no/such.pem")), "is no file", id="no file"),
        pytest.param(Connection(urls=("ftp://host",)), "cannot be used", id="scheme"),
        pytest.param(Connection(urls=("host",)), "cannot be used", id="no scheme"),
        pytest.param(Connection(urls=(f"http://me:{SECRET}@h:9200",)), "hold a user", id="user in the url"),
        pytest.param(Connection(cloud_id="nonsense"), "cannot be used", id="cloud id"),
    ],
)
def test_settings_that_contradict_each_other(connection: Connection, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        connect(connection)
    assert SECRET not in str(caught.value)


def test_a_cloud_id_names_its_server() -> None:
    client = connect(Connection(cloud_id="mine:dXMuZXhhbXBsZS5vcmckYWJj"))  # us.example.org$abc
    (node,) = client.transport.node_pool.all()
    assert node.base_url == "https://abc.us.example.org:443"
    client.close()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h", "http://h:80"),
        ("https://h/p/", "https://h:443/p"),
        ("https://h:9243", "https://h:9243"),
        ("http://[::1]", "http://[::1]:80"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_a_port_may_be_left_out(url: str, base: str) -> None:
    client = connect(Connection(urls=(url,)))
    assert [node.base_url for node in client.transport.node_pool.all()] == [base]
    client.close()


def test_nothing_secret_is_shown() -> None:
    connection = Connection(urls=(f"https://elastic:{SECRET}@host:9200",), api_key=SECRET, password=SECRET)
    assert SECRET not in repr(connection) + connection.shown()


def store_at(connection: Connection, alias: str = "penstock-secured") -> ElasticsearchStore:
    return ElasticsearchStore(
        alias, analyser=None, identity="m", dimension=len(WORDS), connection=connection, layout=Layout()
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of our own (`ca.pem`) and a certificate of it for 127.0.0.1 (`server.pem`)."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl on this machine to make certificates with")
    folder = tmp_path_factory.mktemp("certificates")

    def run(*arguments: str) -> None:
        subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)

    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run("req", "-x509", *made, "-days", "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority")
    run("req", *made, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    run("x509", "-req", "-in", "server.csr", *signed, "-out", "leaf.pem")
    (folder / "server.pem").write_text((folder / "leaf.pem").read_text() + (folder / "ca.pem").read_text())
    return folder


def fingerprint(certificate: Path) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-fingerprint", "-sha256", "-noout"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return output.partition("=")[2].strip()


SECURED = """\
xpack.security.enabled: true
xpack.security.enrollment.enabled: false
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.certificate: server.pem
xpack.security.http.ssl.key: server.key
"""


ROLE = """\
penstock:
  cluster: [monitor]
  indices:
  - names: [ "penstock-*" ]
    privileges: [ manage, read, write ]
"""
USER = "penstock:$2a$10$ZF6mgkjgw/1UWJHBJgq/WekSCQ3yhm7dcLDakmO437/0Zni49asHe"
"""A user of that role, with the password `SECRET`."""


def use(connection: Connection, *, alias: str) -> None:
    """Builds an index, adds to it, searches and reads it."""
    store = store_at(connection, alias)
    store.apply(Change(since=0, revision=1, removed=(), added=[entry_of(1, "gate", vector_of("gate"))]))
    store.apply(Change(since=1, revision=2, removed=(), added=[entry_of(2, "pump", vector_of("pump"))]))
    store.replacement().apply(Change(since=0, revision=2, removed=(), added=[entry_of(2, "pump", vector_of("pump"))]))
    assert [hit.row for hit in store.vector.search(vector_of("gate"), k=1, scope=scope_of())] == [2]
    assert (store.rows().tolist(), store.count(), store.rejected(), store.revision) == ([2], 1, {}, 2)
    store.close()


@pytest.mark.elasticsearch
@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", ["8", "9"])
def test_a_secured_server(version: str, certificates: Path) -> None:
    """TLS by authority and by fingerprint, users with a password, and what is said when they are wrong."""
    files = {name: (certificates / name).read_bytes() for name in ("server.pem", "server.key")}
    files |= {"roles.yml": ROLE.encode(), "users": f"{USER}\n".encode(), "users_roles": b"penstock:penstock\n"}
    authority = certificates / "ca.pem"
    try:
        with running_elasticsearch(
            "9" if version == "9" else "8", settings=SECURED, password=SECRET, https=True, files=files
        ) as server:
            use(Connection(urls=(server.url,), username="elastic", password=SECRET, ca_certs=authority), alias="any")
            limited = Connection(urls=(server.url,), username="penstock", password=SECRET, ca_certs=authority)
            use(limited, alias="penstock-books")
            with pytest.raises(IndexingError, match="this user may not do that"):
                use(limited, alias="any")
            for trusted in (authority, certificates / "leaf.pem"):
                mark = fingerprint(trusted)
                for spelt in (mark, mark.replace(":", "").lower()):
                    check(Connection(urls=(server.url,), username="elastic", password=SECRET, fingerprint=spelt))
            trust = "set elasticsearch.ca_certs or elasticsearch.fingerprint"
            refused = [
                (Connection(urls=(server.url,), username="elastic", password=SECRET), trust),
                (Connection(urls=(server.url,), username="a", password=SECRET, fingerprint="00" * 32), trust),
                (Connection(urls=(server.url,), username="elastic", password="no", ca_certs=authority), "who asks"),
                (Connection(urls=(server.url,), ca_certs=authority), "who asks"),
                (Connection(urls=(server.url,), api_key="bm86bm8=", ca_certs=authority), "who asks"),
            ]
            for connection, message in refused:
                with pytest.raises(IndexingError, match=message) as caught:
                    check(connection)
                assert SECRET not in str(caught.value)
    except ServerMissing as missing:
        pytest.skip(str(missing))
