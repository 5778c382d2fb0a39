"""A PostgreSQL server of the tests' own, from the machine's or Debian's package; or one that runs already.

Its databases sort by the rules of a language (ICU, where the build has it) and not by code points, as most databases
of real life do: what leans on the order of the default collation shows here.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import psutil

from tests.servers.processes import ServerMissing, end, free_port, own_folder, start

VARIABLE = "PENSTOCK_TEST_POSTGRESQL_URL"
"""Names a running server instead: `postgresql://USER:PASSWORD@HOST/DATABASE` of a user who may create databases."""
DEBIAN = Path("/usr/lib/postgresql")
USER = "penstock"
SECONDS_TO_START = 60.0


class PostgresqlServer:
    """A server on a free port of the loopback interface; host connections need the password, the socket does not."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.port = free_port()
        self.folder = folder
        self._password = token_hex(8)
        self._durable = durable
        self._programs = programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._initialise()

    @property
    def url(self) -> str:
        """Address of its first database, with the password of a user who may do everything."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def socket_url(self) -> str:
        """The same by Unix socket, where no password is asked."""
        return f"postgresql://{USER}@/postgres?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Starts the server and waits until it answers.

        Raises:
            ServerMissing: it does not; with the last lines of its log.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "shared_buffers": "32MB",
            "max_connections": 60,
            "log_min_messages": "fatal",
        }
        settings |= {} if self._durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]
        self._process = start(command, folder=self.folder, log=self._log, also={})
        self._wait()

    def kill(self) -> None:
        """Ends the server and all its processes at once, as a power cut does (what was written reaches the disk)."""
        if self._process is None:
            return
        found = psutil.Process(self._process.pid)
        family = [found, *found.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait()
        psutil.wait_procs(family[1:], timeout=10)
        self._process = None

    def stop(self) -> None:
        """Ends the server politely; it can be started again."""
        if self._process is not None:
            end(self._process)
            self._process = None

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password, "ascii")
        password.chmod(0o644)  # the folder is its owner's alone
        command = [str(self._programs / "initdb"), "-D", str(self.folder / "data"), "-U", USER, "--no-sync"]
        command += ["--auth-host=scram-sha-256", "--auth-local=trust", f"--pwfile={password}"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"]
        sorted_by_language = [*command, "--locale-provider=icu", "--icu-locale=en"]
        for attempt in (sorted_by_language, command):  # builds without ICU, and those before 15, know only the second
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            if start(attempt, folder=self.folder, log=self._log, also={}).wait(SECONDS_TO_START) == 0:
                return
        raise ServerMissing(f"initdb failed: {self._log_tail()}")

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + SECONDS_TO_START
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise ServerMissing(f"PostgreSQL did not start: {self._log_tail()}")

    def _log_tail(self) -> str:
        return " ".join(self._log.read_text("utf-8", errors="replace").split()[-60:])


def programs() -> Path:
    """The folder of `initdb` and `postgres`: the newest of Debian's package, or where PATH leads to.

    Raises:
        ServerMissing: there is none.
    """
    packaged = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = str(packaged[-1]) if packaged else shutil.which("initdb")
    if found is None or not Path(found).with_name("postgres").exists():
        raise ServerMissing(
            "PostgreSQL is not installed: no initdb and postgres on PATH or in "
            f"{DEBIAN}/*/bin (apt install postgresql); or point {VARIABLE} at a running server"
        )
    return Path(found).parent


@contextmanager
def own_postgresql(*, durable: bool = False) -> Iterator[PostgresqlServer]:
    """A server that may be killed and started again; `durable` writes to the disk before a commit is confirmed.

    Raises:
        ServerMissing: it cannot be had on this machine.
    """
    try:
        import psycopg  # noqa: F401 # asked for here, so that tests are skipped with the reason
    except ImportError as error:
        raise ServerMissing("psycopg is not installed; install it with: pip install 'penstock[postgresql]'") from error
    programs()
    with own_folder("postgresql") as folder:
        server = PostgresqlServer(folder, durable=durable)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Address of a server whose user may create databases: the one that the environment names, or one of our own.

    Raises:
        ServerMissing: neither can be had; says what was looked for.
    """
    if address := os.environ.get(VARIABLE):
        yield address
        return
    with own_postgresql() as server:
        yield server.url


@contextmanager
def fresh_database(url: str, *, template: str = "template0") -> Iterator[str]:
    """Address of a database of the server that nobody else knows, a copy of the template; dropped at the end."""
    name = f"penstock_{token_hex(6)}"
    administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield with_database(url, name)
    finally:
        administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def administer(url: str, statement: str) -> None:
    """Runs one statement outside a transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def with_database(url: str, name: str) -> str:
    """The address of another database of the same server.

    >>> with_database("postgresql://ann@127.0.0.1:5432/postgres?sslmode=disable", "books")
    'postgresql://ann@127.0.0.1:5432/books?sslmode=disable'
    """
    return re.sub(r"(?<=[^/:])/[^/?]*(?=\?|$)", f"/{name}", url, count=1)
