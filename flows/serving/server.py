"""Penstock's own Prefect server: on loopback, behind a password, with its data in the home; it ends with the process
that needed it.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket

import httpx
import psutil

from penstock import telemetry
from penstock.errors import SchedulerError
from penstock.files import write_durably
from penstock.flows.serving.environment import needed

NOTE = "server.json"
"""Name of the file that says where the server runs and with which password; readable for its owner alone."""
USUAL_PORT = 4200
"""Where Prefect's page is looked for; another port is taken where this one is in use."""
OF_OTHERS = ("PREFECT_API", "PREFECT_PROFILE", "PREFECT_SERVER_DATABASE")
"""Prefixes of variables that say where another server is, or where it keeps its data."""
SECONDS_TO_START = 120.0
SECONDS_TO_END = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectServer:
    """A server that runs on this machine."""

    pid: int
    port: int
    password: str = field(default="", repr=False)
    """A user's name and a secret, with a colon between: what the page asks for and every call has to bring."""

    @property
    def page(self) -> str:
        """Address of its page, for a browser."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """Address of its API: what `PREFECT_API_URL` is set to."""
        return f"{self.page}/api"

    def answers(self) -> bool:
        """Whether its API answers, and the process that listens at its port is this one and no other."""
        return self._listens() and self._get("health") == httpx.codes.OK

    def is_closed(self) -> bool:
        """Whether it serves who brings its password, and nobody else."""
        name, _, secret = self.password.partition(":")
        calls = (self._get("admin/version"), self._get("admin/version", auth=(name, secret)))
        return calls == (httpx.codes.UNAUTHORIZED, httpx.codes.OK)

    def _get(self, path: str, auth: tuple[str, str] | None = None) -> int:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.api}/{path}", auth=auth, timeout=5, trust_env=False).status_code
        return 0

    def _listens(self) -> bool:
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            held = [
                connection
                for member in (process, *process.children(recursive=True))
                for connection in member.net_connections("tcp")
            ]
            return any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == self.port for connection in held
            )
        return False


@contextmanager
def running(folder: Path, port: int | None) -> Iterator[PrefectServer]:
    """A server with its data in the folder, for as long as the context is open.

    Each start draws a new password. A server that a process before this one left behind when it was killed is taken
    over, with the password that is noted.

    Args:
        folder: holds the server's database, its log and the note of where it runs and with which password.
        port: where it listens; None: the usual port, or a free one.

    Raises:
        SchedulerError: it does not start; says where its log is.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    note = folder / NOTE
    server, process = _left_behind(note), None
    if server and (port not in (None, server.port) or not server.is_closed()):
        _end(server, None)
        server = None
    if server is None:
        server, process = _started(folder, port or _free_port())
        write_durably(note, json.dumps(asdict(server)).encode(), private=True)  # it holds the server's password
    try:
        yield server
    finally:
        _end(server, process)
        note.unlink(missing_ok=True)


def _left_behind(note: Path) -> PrefectServer | None:
    with suppress(OSError, ValueError, TypeError, psutil.Error):
        server = PrefectServer(**json.loads(note.read_text("utf-8")))
        process = psutil.Process(server.pid)
        words = process.cmdline()
        if process.uids().real == os.getuid() and "prefect" in words and str(server.port) in words:
            return server if server.answers() else None
    return None


def _started(folder: Path, port: int) -> "tuple[PrefectServer, subprocess.Popen[bytes]]":
    command = [sys.executable, "-P", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    password = f"penstock:{secrets.token_urlsafe(24)}"
    log = folder / "server.log"
    with log.open("wb") as out:
        # A session of its own: Ctrl-C in the terminal ends the runs first, and the server after them.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            env=_environment(folder, port, password),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = PrefectServer(pid=process.pid, port=port, password=password)
    try:
        _wait_until_up(server, process, log)
    except BaseException:
        _end(server, process)
        raise
    return server, process


def _wait_until_up(server: PrefectServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    begun = time.monotonic()
    while not server.answers():
        if process.poll() is not None:
            raise SchedulerError(f"Prefect's server ended while it started; the last it said: {_end_of(log)}")
        if time.monotonic() - begun > SECONDS_TO_START:
            raise SchedulerError(f"Prefect's server did not answer within {SECONDS_TO_START:.0f} seconds; see {log}")
        time.sleep(0.2)


def _environment(folder: Path, port: int, password: str) -> dict[str, str]:
    """The server's own settings: nothing of the user's other servers, nothing written beside the library."""
    inherited = {name: value for name, value in needed(os.environ).items() if not name.startswith(OF_OTHERS)}
    return {
        **inherited,
        **telemetry.everything(),
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_API_AUTH_STRING": password,
        # The server takes any Host and any Origin by default; without the password a caller gets nothing by either.
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder}/prefect.db",
        "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "page"),
    }


def _free_port() -> int:
    for port in (USUAL_PORT, 0):
        with socket() as probe, suppress(OSError):
            probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)  # what a server before this one left is no hindrance
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise SchedulerError("no port of the loopback interface is free")


def _end(server: PrefectServer, process: "subprocess.Popen[bytes] | None") -> None:
    """Ends the server politely, and by force when it does not react; `process` is set where it is our child."""
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(server.pid)
        found.terminate()
        try:
            found.wait(SECONDS_TO_END)
        except psutil.TimeoutExpired:
            found.kill()
            found.wait()
    if process:
        process.wait()


def _end_of(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing"
