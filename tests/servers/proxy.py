"""An HTTP proxy on loopback that does to requests what busy servers and bad networks do to them."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SECONDS_TO_ANSWER = 60
OF_ONE_CONNECTION = {"content-length", "transfer-encoding", "connection"}
"""Headers that the proxy says itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered; with `cut` the connection ends after so many bytes of the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


Forward = Callable[[bytes], Reply]
"""Sends a request on, with that body, and gives the server's answer."""
Fault = Callable[[Asked, Forward], Reply]
"""What becomes of a request; an OSError ends the connection without an answer."""


def no_fault(asked: Asked, forward: Forward) -> Reply:
    """Sends everything on as it came."""
    return forward(asked.body)


class Proxy:
    """A proxy in front of one server; its `fault` may be set anew at any time."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream).netloc
        self.fault: Fault = no_fault
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request, with the fault in force.

        Raises:
            OSError, HTTPException: the server is gone, or the fault is that there is no answer.
        """
        return self.fault(asked, lambda body: self._forward(replace(asked, body=body)))

    def send_half(self, asked: Asked) -> None:
        """Sends the server the first half of a request, and then nothing."""
        host, _, port = self._upstream.partition(":")
        kind = asked.headers.get("Content-Type", "application/json")
        head = f"{asked.method} {asked.path} HTTP/1.1\r\nHost: {self._upstream}\r\nContent-Type: {kind}\r\n"
        whole = f"{head}Content-Length: {len(asked.body)}\r\n\r\n".encode() + asked.body
        with socket.create_connection((host, int(port)), SECONDS_TO_ANSWER) as connection:
            connection.sendall(whole[: len(whole) // 2])

    def _forward(self, asked: Asked) -> Reply:
        connection = http.client.HTTPConnection(self._upstream, timeout=SECONDS_TO_ANSWER)
        try:
            connection.request(asked.method, asked.path, body=asked.body or None, headers=dict(asked.headers))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in OF_ONE_CONNECTION}
        return Reply(status=answer.status, body=body, headers=headers)


def refusal(status: int, kind: str) -> Reply:
    """An answer as Elasticsearch gives it when it cannot do what was asked."""
    body = json.dumps({"error": {"type": kind, "reason": "as a test wants it"}, "status": status}).encode()
    return Reply(
        status=status, body=body, headers={"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    )


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_ONE_CONNECTION}
            try:
                reply = proxy.answer(Asked(method=self.command, path=self.path, headers=headers, body=body))
                self._send(reply)
            except (OSError, http.client.HTTPException):  # the server is gone, or the client is
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.cut])
            self.close_connection = self.close_connection or reply.cut is not None

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
