"""A web site on loopback whose pages a test writes, and which remembers what was asked of it."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from penstock.loaders import fetcher_for

fetching = partial(
    fetcher_for,
    source_mib=1,
    read_seconds=5,
    timeout_seconds=5,
    attempts=1,
    redirects=2,
    allow_private=True,
    user_agent="test",
)
"""What gives a fetcher for a URI: one that may read from this machine, and tries once."""


class Website:
    """Serves `pages`, by path; a path that is not among them is answered 404.

        with Website() as site:
            site.pages["/a.html"] = "<p>hello</p>"
            site.url("/a.html")

    An answer is a text, bytes, or a status code alone; `headers` has more headers of a path. A page whose headers name
    an `ETag` is answered 304 where the client knows it.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str | bytes | int] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        """Paths in the order of the requests."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str = "/") -> str:
        """The web address of a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        page = self.pages.get(request.path, 404)
        headers = self.headers.get(request.path, {})
        known = request.headers.get("If-None-Match")
        body = page.encode() if isinstance(page, str) else page if isinstance(page, bytes) else b""
        status = page if isinstance(page, int) else 304 if known and known == headers.get("ETag") else 200
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0" if status == 304 else str(len(body)))
        request.end_headers()
        if status == 200:
            request.wfile.write(body)
