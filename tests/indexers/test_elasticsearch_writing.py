"""Bulk writes through everything that a busy server answers: each item lands once, or the reason is reported."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.errors import IndexingError, IndexUnavailable
from penstock.indexers.elasticsearch import writing as bulk_writing
from penstock.indexers.elasticsearch.client import connect
from penstock.indexers.elasticsearch.options import Connection
from penstock.indexers.elasticsearch.writing import Writing

Item = tuple[int, dict[str, Any]]
Reaction = Callable[[int, str, dict[str, Any]], Item | None]


class Bulk:
    """What a bulk request does to documents in memory; `react` answers an item otherwise, `whole` a request."""

    def __init__(self, react: Reaction | None = None, whole: Callable[[int, int], int] | None = None) -> None:
        self.react = react or (lambda _number, _kind, _document: None)
        self.whole = whole or (lambda _number, _size: 200)
        self.documents: dict[str, dict[str, Any]] = {}
        self.requests = self.items = 0

    def answer(self, lines: list[str]) -> dict[str, Any]:
        items = []
        rest = iter(map(json.loads, lines))
        for head in rest:
            ((kind, meta),) = head.items()
            document = next(rest) if kind == "index" else {}
            self.items += 1
            reaction = self.react(self.items, kind, document)
            status, error = reaction or (200, {})
            if status == 200 and kind == "index":
                self.documents[meta["_id"]] = document
            elif status == 200 and self.documents.pop(meta["_id"], None) is None:
                status, error = 404, {}
            body = {"error": error} if error else {"result": "not_found" if status == 404 else "done"}
            items.append({kind: {"_id": meta["_id"], "status": status, **body}})
        return {"errors": True, "items": items}


@contextmanager
def serving(bulk: Bulk) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            bulk.requests += 1
            status = bulk.whole(bulk.requests, len(body))
            if not status:
                bulk.answer(body.splitlines())  # carried out, and the answer is lost
                self.connection.close()
                return
            found = bulk.answer(body.splitlines()) if status == 200 else {"error": {"type": "x", "reason": "y"}}
            answer = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PUT

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_writing, "FIRST_PAUSE", 0.001)


def write(bulk: Bulk, rows: range = range(50), *, attempts: int = 5, delete: tuple[int, ...] = ()) -> None:
    with serving(bulk) as url:
        client = connect(Connection(urls=(url,)))
        try:
            writing = Writing(client, "books", 7, attempts)
            writing.put({"row": row, "tokens": "turbine"} for row in rows)
            writing.delete(delete)
        finally:
            client.close()


def held(bulk: Bulk) -> list[int]:
    return sorted(map(int, bulk.documents))


BUSY = {"type": "es_rejected_execution_exception", "reason": "queue is full"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_items_that_were_too_much_are_sent_again(status: int) -> None:
    bulk = Bulk(lambda number, _kind, _document: (status, BUSY) if number % 3 == 0 else None)
    write(bulk)
    assert held(bulk) == list(range(50))


@pytest.mark.parametrize("status", [429, 502, 503, 0], ids=["busy", "gateway", "unavailable", "cut off"])
def test_requests_that_were_too_much_or_lost_are_sent_again(status: int) -> None:
    bulk = Bulk(whole=lambda number, _size: status if number < 3 else 200)
    write(bulk, delete=(3, 1000))
    assert held(bulk) == [row for row in range(50) if row != 3]


@pytest.mark.parametrize("status", [429, 503, 0])
def test_a_server_that_is_always_too_busy_is_reported(status: int) -> None:
    bulk = Bulk(whole=lambda _number, _size: status)
    with pytest.raises(IndexUnavailable, match="writing to books"):
        write(bulk, attempts=3)
    assert bulk.requests == 3


def test_a_request_that_is_too_large_is_cut() -> None:
    bulk = Bulk(whole=lambda _number, size: 200 if size < 700 else 413)
    write(bulk)
    assert held(bulk) == list(range(50))


def test_one_document_that_is_too_large_is_held_as_refused() -> None:
    bulk = Bulk(whole=lambda _number, size: 200 if size < 300 else 413)
    with serving(bulk) as url:
        client = connect(Connection(urls=(url,)))
        Writing(client, "books", 7, 2).put([{"row": 1, "tokens": "a" * 400}, {"row": 2, "tokens": "b"}])
        client.close()
    assert bulk.documents["1"] == {"row": 1, "rejected": "larger than the server takes (http.max_content_length)"}
    assert bulk.documents["2"] == {"row": 2, "tokens": "b"}


def test_what_is_newer_already_or_not_there_is_done() -> None:
    conflict = {"type": "version_conflict_engine_exception", "reason": "current version is higher"}
    bulk = Bulk(lambda _number, _kind, _document: (409, conflict))
    write(bulk, delete=(1, 2))
    assert (held(bulk), bulk.items) == ([], 52)  # nothing is sent again


def poisonous(_number: int, _kind: str, document: dict[str, Any]) -> Item | None:
    if document.get("row") in (3, 30) and "rejected" not in document:
        cause = {"type": "illegal_argument_exception", "reason": "no such number"}
        return 400, {"type": "document_parsing_exception", "reason": "failed to parse", "caused_by": cause}
    return None


def test_poison_is_held_as_refused_with_the_innermost_reason() -> None:
    bulk = Bulk(poisonous)
    write(bulk)
    assert held(bulk) == list(range(50))
    for row in ("3", "30"):
        assert bulk.documents[row] == {"row": int(row), "rejected": "document_parsing_exception: no such number"}


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        pytest.param(400, "strict_dynamic_mapping_exception", "400 strict_dynamic", id="fields that are not ours"),
        pytest.param(403, "cluster_block_exception", "may not be written now", id="read-only"),
        pytest.param(429, "cluster_block_exception", "may not be written now", id="full disk"),
        pytest.param(404, "index_not_found_exception", "is gone", id="gone"),
        pytest.param(403, "security_exception", "may not do that", id="not allowed"),
    ],
)
def test_what_is_no_documents_fault_ends_the_writing(status: int, error: str, message: str) -> None:
    bulk = Bulk(lambda _number, _kind, _document: (status, {"type": error, "reason": "so"}))
    with pytest.raises(IndexingError, match=message):
        write(bulk, attempts=2)
    assert not bulk.documents


def test_an_index_that_takes_not_even_a_stub_ends_the_writing() -> None:
    error = {"type": "illegal_argument_exception", "reason": "never"}
    with pytest.raises(IndexingError, match="illegal_argument_exception: never"):
        write(Bulk(lambda _number, _kind, _document: (400, error)))
