"""What all test servers share: a free port, a folder of their own, an ordinary user, and an end that surely comes."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

ORDINARY = ("postgres", "nobody")
"""Who runs a server when root starts it, which servers refuse; the first of them that this machine knows."""
SECONDS_TO_END = 20.0


class ServerMissing(Exception):
    """A server cannot be had on this machine; says what was looked for, and how to point the tests at a running one."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ordinary_user() -> str | None:
    """Name of the user whom a server runs as; None: the one who runs this."""
    if os.getuid() != 0:
        return None
    for name in ORDINARY:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ServerMissing(f"servers do not run as root, and this machine has none of the users {', '.join(ORDINARY)}")


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder that belongs to the ordinary user, gone at the end."""
    folder = Path(mkdtemp(prefix=f"penstock-{name}-"))
    try:
        give(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give(path: Path) -> None:
    """Hands a file or folder to the ordinary user."""
    if user := ordinary_user():
        known = pwd.getpwnam(user)
        os.chown(path, known.pw_uid, known.pw_gid)


def start(command: Sequence[str], *, folder: Path, log: Path, also: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a server as the ordinary user, in a process group of its own; `also` are variables of its environment."""
    user = ordinary_user()
    group = pwd.getpwnam(user).pw_gid if user else None
    with log.open("ab") as out:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **also},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            user=user,
            group=group,
            extra_groups=() if user else None,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a server politely, and by force when it does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
