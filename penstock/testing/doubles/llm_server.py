"""`ScriptedServer`: a real HTTP server on loopback that speaks the OpenAI wire format and does what a script says."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server sends for one request."""

    parts: Sequence[bytes] = ()
    """Pieces of the body, written and flushed one by one."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    pause_seconds: float = 0.0
    """Silence before each part."""
    cut: bool = False
    """Whether the connection breaks in the middle of the body."""


def event(data: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def delta(text: str | None = None, *, finish: str | None = None, **more: object) -> bytes:
    """The event that carries a piece of an answer."""
    content: dict[str, object] = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": {**content, **more}, "finish_reason": finish}
    return event({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


def usage(prompt_tokens: int, completion_tokens: int) -> bytes:
    """The event that carries the usage, as `include_usage` asks for it."""
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return event({"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": counts})


DONE = b"data: [DONE]\n\n"


def answer(*pieces: str) -> Reply:
    """A whole answer as a stream that ends as it should."""
    return Reply(parts=[*map(delta, pieces), delta(finish="stop"), usage(11, 7), DONE])


def refusal(status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: object) -> Reply:
    """An error in OpenAI's shape."""
    body = json.dumps({"error": {"message": message, **more}}).encode()
    return Reply(parts=[body], status=status, headers={"content-type": "application/json", **(headers or {})})


class ScriptedServer:
    """Sends one reply after the other; the last one is sent again to every further request. A context manager."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        """Path, headers in lower case and decoded body of every request so far."""
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                script._reply(self, None)

            def do_POST(self) -> None:
                script._reply(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def log_message(self, format: str, *args: object) -> None:
                """Prints nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Prints nothing: a client that goes away is part of the script."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL, with `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _reply(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        self.requests.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}, body))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        try:
            self._send(handler, reply)
        except OSError:  # the client went away, as a client may
            handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for part in reply.parts:
            time.sleep(reply.pause_seconds)
            handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            handler.wfile.flush()
        if reply.cut:
            handler.close_connection = True
            return
        handler.wfile.write(b"0\r\n\r\n")
