import os
import resource
import signal
import sys
import threading
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import BrokenSource
from penstock.loaders.confinement import confinement
from penstock.loaders.confinement.readable import Reach
from penstock.loaders.sandbox import worker
from penstock.loaders.sandbox.answers import Parsed, decode_answer
from penstock.loaders.sandbox.protocol import LENGTH_BYTES, encode, plain_source
from penstock.loaders.sandbox.worker import Worker, is_out_of_memory, serve
from penstock.loaders.sources.addresses import uri_of
from penstock.model import Failure, Source

HELLO: dict[str, Any] = {
    "options": {"engines": {}, "options": {}, "ocr": "never", "ocr_dpi": 200, "encoding": "", "allow_external": False},
    "text_mib": 1,
    "memory_mib": 10,
}


def request(path: Path, media_type: str = "text/plain", declared: str = "", number: int = 1) -> dict[str, Any]:
    source = Source(uri=uri_of(path), media_type=media_type, sha256="", size=0, labels={})
    return {"source": plain_source(source), "declared": declared, "number": number}


def answer(path: Path, media_type: str = "text/plain", declared: str = "") -> Parsed | Failure:
    with path.open("rb") as data:
        return Worker(HELLO).answer(request(path, media_type, declared), data)


def read(answer: Parsed | Failure) -> str:
    assert isinstance(answer, Parsed)
    return answer.extraction.text


def refused(answer: Parsed | Failure) -> Failure:
    assert isinstance(answer, Failure)
    return answer


def test_requests_are_answered_until_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("年假")
    timers: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda which, seconds: timers.append(seconds))
    requests = [request(path, number=7), request(path, number=5)]
    replies = BytesIO()
    stream = BytesIO(b"".join(map(encode, requests)))
    serve(stream, lambda: path.open("rb"), replies, seconds=5, worker=Worker(HELLO))
    replies.seek(0)
    for asked in requests:
        length = int.from_bytes(replies.read(LENGTH_BYTES), "big")
        assert read(decode_answer(replies.read(length), asked)) == "年假"
    assert replies.read() == b""
    assert timers == [20, 0, 20, 0]


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        pytest.param("Šťastný den".encode("iso8859-2"), "text/html; charset=ISO-8859-2", "Šťastný den", id="believed"),
        pytest.param("年假可以结转。".encode("gbk"), "text/html; charset=iso-8859-1", "年假可以结转。", id="default"),
        pytest.param("年假可以结转。".encode(), "text/html; charset=gbk", "年假可以结转。", id="contradicted"),
    ],
)
def test_the_charset_that_a_server_declared_reaches_the_page(
    tmp_path: Path, content: bytes, declared: str, text: str
) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"<p>" + content + b"</p>")
    assert read(answer(path, "text/html", declared)) == text


def test_limits_of_text_and_of_unpacked_size_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("年" * 400_000)
    assert "PENSTOCK_LIMITS__TEXT_MIB" in refused(answer(path)).message
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(11_000_000))
    assert "PENSTOCK_LIMITS__PARSE_MIB" in refused(answer(path)).message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(MemoryError(), "LimitExceeded", id="memory"),
        pytest.param(RuntimeError("std::bad_alloc"), "LimitExceeded", id="memory of native code"),
        pytest.param(
            BrokenSource("cannot be read: Cannot allocate memory"), "LimitExceeded", id="memory reported by ours"
        ),
        pytest.param(BrokenSource("damaged"), "BrokenSource", id="ours"),
        pytest.param(KeyError("word/document.xml"), "BrokenSource", id="unexpected"),
    ],
)
def test_errors_of_loaders_become_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(worker, "loader_for", refuse)
    (tmp_path / "a.txt").write_text("x")
    assert refused(answer(tmp_path / "a.txt")).kind == kind


def test_an_error_from_a_failed_allocation_is_one_of_memory() -> None:
    error = BrokenSource("damaged")
    error.__context__ = ValueError("x")
    assert not is_out_of_memory(error)
    error.__context__.__cause__ = MemoryError()
    assert is_out_of_memory(error)


def test_a_process_is_confined_before_it_parses(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[int, tuple[int, int]] = {}
    hooks: list[Any] = []
    handlers: dict[int, Any] = {}
    closed: list[Any] = []
    monkeypatch.setattr(resource, "setrlimit", lambda which, pair: limits.update({which: pair}))
    monkeypatch.setattr(resource, "getrlimit", lambda which: (-1, 5_000_000_000))
    monkeypatch.setattr(signal, "signal", lambda which, handler: handlers.update({which: handler}))
    monkeypatch.setattr(sys, "addaudithook", hooks.append)
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    monkeypatch.setattr(confinement, "_close", lambda *arguments: closed.append(arguments))
    within = Reach(readable=("/usr",), listable=())
    confinement.confine(memory_mib=100, reach=within, writable=("/tmp/x",))
    assert closed == [(within, ("/tmp/x",))]
    assert all(soft == hard for soft, hard in limits.values())  # or a parser could raise them again
    assert limits[resource.RLIMIT_CORE] == (0, 0)
    assert limits[resource.RLIMIT_FSIZE] == (100 * 1024 * 1024,) * 2
    assert 100 * 1024 * 1024 < limits[resource.RLIMIT_DATA][0] <= 5_000_000_000
    assert handlers == {signal.SIGINT: signal.SIG_IGN}
    hooks[0]("open", ())
    with pytest.raises(PermissionError, match="no network"):
        hooks[0]("socket.getaddrinfo", ())


def test_a_process_ends_when_its_parent_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])

    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit):
        confinement._end_with(7, pause=0)
