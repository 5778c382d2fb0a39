import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.loaders.confinement import landlock, seccomp
from penstock.loaders.confinement.confinement import Confinement, available
from penstock.loaders.confinement.syscalls import NUMBERS, REFUSED

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"),),
}


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_numbers_are_those_of_the_kernels_headers(architecture: str) -> None:
    header = next((path for path in HEADERS[architecture] if path.exists()), None)
    if header is None:
        pytest.skip("no headers of the kernel here")
    theirs = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    ours = {name: numbers[architecture] for name, numbers in NUMBERS.items() if architecture in numbers}
    assert {name: number for name, number in ours.items() if name in theirs} == {
        name: int(theirs[name]) for name in ours if name in theirs
    }
    newer = {name for name in ours if name not in theirs}
    assert all(ours[name] > 440 for name in newer)  # headers may be older than the kernel they are used with


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_every_jump_lands_in_the_filter_and_every_way_ends(architecture: str) -> None:
    program = seccomp.instructions(architecture, 1234)
    assert len(program) < 4096
    for at, (code, if_true, if_false, _) in enumerate(program):
        assert 0 <= if_true < 256
        assert 0 <= if_false < 256
        assert at + 1 + max(if_true, if_false) < len(program) or code == seccomp._RETURN
    assert program[-1][0] == seccomp._RETURN


def judged(architecture: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter says of a call, by an interpreter of our own."""
    program = seccomp.instructions(architecture, 1234)
    words = {0: number, 4: seccomp._AUDIT[architecture] if audit is None else audit}
    words |= {16 + 8 * index: argument & 0xFFFFFFFF for index, argument in enumerate((*arguments, 0, 0)[:6])}
    at = held = 0
    while True:
        code, if_true, if_false, value = program[at]
        if code == seccomp._RETURN:
            return value
        if code == seccomp._LOAD:
            held, jump = words[value], 0
        else:
            tests = {seccomp._EQUAL: held == value, seccomp._AT_LEAST: held >= value, seccomp._ANY_BIT: held & value}
            jump = if_true if tests[code] else if_false
        at += 1 + jump


ALLOWED, KILLED, REFUSED_, UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
THREAD = 0x003D0F00  # what glibc asks for when a thread starts


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        pytest.param("clone", (THREAD,), ALLOWED, id="thread"),
        pytest.param("clone", (17,), REFUSED_, id="process"),
        pytest.param("clone", (THREAD | 0x40000000,), REFUSED_, id="thread with a network of its own"),
        pytest.param("clone3", (), UNKNOWN, id="newest call"),
        pytest.param("kill", (1234, 9), ALLOWED, id="itself"),
        pytest.param("kill", (1, 9), REFUSED_, id="another"),
        pytest.param("kill", (-1, 9), REFUSED_, id="everybody"),
        pytest.param("kill", (0, 9), REFUSED_, id="its group"),
        pytest.param("tgkill", (1234, 1240, 6), ALLOWED, id="own thread"),
        pytest.param("tgkill", (1, 1, 6), REFUSED_, id="thread of another"),
        pytest.param("prlimit64", (0,), ALLOWED, id="own limits"),
        pytest.param("prlimit64", (1,), REFUSED_, id="limits of another"),
        pytest.param("ioctl", (0, 0x5401), ALLOWED, id="is it a terminal"),
        pytest.param("ioctl", (0, 0x5412), REFUSED_, id="typing"),
        pytest.param("fcntl", (0, 1), ALLOWED, id="flags of a descriptor"),
        pytest.param("fcntl", (0, 8), REFUSED_, id="who gets signals"),
        pytest.param("prctl", (15,), ALLOWED, id="name of a thread"),
        pytest.param("prctl", (1,), REFUSED_, id="death of the parent"),
    ],
)
def test_calls_are_judged_by_their_arguments(
    architecture: str, name: str, arguments: tuple[int, ...], verdict: int
) -> None:
    assert judged(architecture, NUMBERS[name][architecture], *arguments) == verdict


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_refused_calls_are_refused_and_others_are_not(architecture: str) -> None:
    numbers = {NUMBERS[name][architecture] for name in REFUSED if architecture in NUMBERS[name]}
    conditional = {
        NUMBERS[name][architecture] for name in NUMBERS if name not in REFUSED and architecture in NUMBERS[name]
    }
    for number in range(480):
        if number not in conditional:
            assert (judged(architecture, number) == REFUSED_) == (number in numbers)
    assert judged(architecture, 0, audit=0x40000003) == KILLED


def test_the_second_set_of_x86_is_unknown() -> None:
    assert judged("x86_64", 0x40000000 + 41) == UNKNOWN


OLD_KERNEL = """
import struct, sys
from pathlib import Path
from penstock.loaders.confinement import seccomp
from penstock.loaders.confinement.kernel import prctl
unknown = {unknown}
seccomp._rules = lambda pid: ((name, [seccomp._refused(38)]) for name in unknown)
prctl(38, 1)
seccomp.NUMBERS = {{**seccomp.NUMBERS, **{{name: {{seccomp.machine(): number}} for name, number in unknown.items()}}}}
seccomp.restrict()
from penstock.loaders import LoaderOptions, Sandbox, uri_of
from penstock.loaders.confinement import confinement
from penstock.model import Source
print(confinement.available())
path = Path(sys.argv[1])
with Sandbox(options=LoaderOptions(), seconds=20, memory_mib=600, text_mib=1, workers=1) as sandbox:
    source = Source(uri=uri_of(path), media_type="text/plain", sha256="", size=0, labels={{}})
    print(sandbox.parse(source, path).text)
"""


@pytest.mark.skipif(not (landlock.version() and seccomp.available()), reason="this kernel is an old one itself")
@pytest.mark.parametrize(
    ("unknown", "message"),
    [
        pytest.param(("landlock",), "parsing is confined by seccomp; this kernel lacks landlock", id="no landlock"),
        pytest.param(
            ("seccomp",),
            f"parsing is confined by landlock {landlock.version()}; this kernel lacks seccomp",
            id="no seccomp",
        ),
        pytest.param(
            ("landlock", "seccomp"),
            "parsing is not confined by this kernel, which lacks landlock and seccomp",
            id="neither",
        ),
    ],
)
def test_a_kernel_without_them_parses_as_before_and_it_is_reported(
    tmp_path: Path, unknown: tuple[str, ...], message: str
) -> None:
    numbers = {"landlock": 444, "seccomp": NUMBERS["seccomp"][os.uname().machine]}
    program = OLD_KERNEL.format(unknown={name: numbers[name] for name in unknown})
    path = tmp_path / "a.txt"
    path.write_text("年假")
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [message, "年假"], done.stderr


def test_what_this_kernel_offers_is_reported() -> None:
    found = available()
    assert found == Confinement(landlock=landlock.version(), seccomp=seccomp.available())
    assert str(Confinement(landlock=7, seccomp=True)) == "parsing is confined by landlock 7 and seccomp"
