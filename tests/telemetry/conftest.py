"""Programs run under strace, in a network of their own where the kernel allows it: whom do they try to reach?"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"')
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
"""Nothing that would keep a library silent, such as `CI` or `DO_NOT_TRACK`."""
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1))  # SIOCSIFFLAGS, IFF_UP
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a program in a new network namespace, in which loopback is brought up: nothing can leave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What a program did."""

    code: int
    printed: str
    reached: frozenset[str]
    """Addresses to which it, or a process below it, connected or sent, or tried to."""
    left: tuple[str, ...]
    """Files below its folder for temporary files and its user's home, relative to them."""

    @property
    def outside(self) -> set[str]:
        """The addresses that are not of this machine's loopback."""
        return {address for address in self.reached if not ip_address(address).is_loopback}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """Runs programs as a user would who never heard of telemetry."""

    scratch: Path
    words: tuple[str, ...]

    @property
    def home(self) -> Path:
        """Of Penstock."""
        return self.scratch / "penstock"

    def environment(self, **also: str) -> dict[str, str]:
        """A user's own, less what would keep a library silent."""
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        folders = {"HOME": self.scratch / "user", "TMPDIR": self.scratch / "temporary"}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        return {**kept, **{name: str(folder) for name, folder in folders.items()}, **also}

    def command(self, program: Sequence[str]) -> list[str]:
        """The program, traced."""
        return [*self.words, str(self.scratch / "trace"), *program]

    def run(self, *program: str, cwd: Path | None = None) -> Traced:
        """Runs a program to its end."""
        done = subprocess.run(
            self.command(program),
            env=self.environment(),
            cwd=cwd or self.scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        return self.found(done.returncode, done.stdout + done.stderr)

    def found(self, code: int, printed: str) -> Traced:
        """What the trace of a program that has ended says."""
        lines = (self.scratch / "trace").read_text("utf-8", "replace")
        left = [
            str(path.relative_to(self.scratch / folder))
            for folder in ("user", "temporary")
            for path in (self.scratch / folder).rglob("*")
            if not path.is_dir()
        ]
        return Traced(code=code, printed=printed, reached=frozenset(ADDRESS.findall(lines)), left=tuple(left))


@pytest.fixture
def traced(tmp_path: Path) -> Tracer:
    """Programs under strace, with the reason of a skip where the machine does not allow it."""
    strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", CALLS, "-o"]
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if subprocess.run([*strace, os.devnull, "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace may not trace here (ptrace is not allowed, or seccomp is missing)")
    apart = [*_apart(), *strace]
    return Tracer(scratch=tmp_path, words=tuple(apart))


def _apart() -> list[str]:
    for unshare in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        words = [*unshare, sys.executable, "-c", ALONE]
        if (
            shutil.which("unshare")
            and not subprocess.run([*words, "true"], check=False, capture_output=True).returncode
        ):
            return words
    return []  # strace sees attempts in any network


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A text and a picture with words in it, so that a parsing child loads the models of OCR."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "leave.txt").write_text("Five days of annual leave carry over.\n", "utf-8")
    picture = Image.new("RGB", (600, 120), "white")
    ImageDraw.Draw(picture).text((30, 30), "Water flows down the penstock", fill="black", font_size=36)
    picture.save(folder / "notice.png")
    return folder
