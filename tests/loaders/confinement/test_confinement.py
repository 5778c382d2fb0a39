"""A parser that a hostile file took over: the file is the program, and the kernel is the real one."""

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from penstock.loaders.confinement import landlock, seccomp
from penstock.loaders.formats import LoaderOptions
from penstock.loaders.sandbox.sandbox import Sandbox
from penstock.loaders.sources.addresses import uri_of
from penstock.model import Extraction, Source
from penstock.testing.doubles.plugins import Parts, write_distribution

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.available()), reason="this kernel lacks Landlock or seccomp"
)

HOSTILE = '''
import ctypes, fcntl, os, resource, signal, socket, struct, subprocess, tempfile, threading, time
from pathlib import Path
from penstock.model import ExtractionWriter

libc = ctypes.CDLL(None, use_errno=True)
parent, own = os.getppid(), Path(tempfile.gettempdir())

def checked(function, *arguments):
    """What native code gets of the system, with Python's own guards left out."""
    found = function(*arguments)
    if found == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found

def inet():
    return checked(libc.socket, socket.AF_INET, socket.SOCK_STREAM, 0)

def connected(port):
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton("127.0.0.1"))
    return checked(libc.connect, inet(), address, len(address))

def vector(size):
    held = ctypes.create_string_buffer(size)
    return held, struct.pack("QQ", ctypes.addressof(held), size)

def daemon(path):
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(1)
            Path(path).write_text("a daemon")
            time.sleep(3)
        os._exit(0)
    os.wait()
    return "started"

class Unguarded(Exception):
    """Carries an error past the guard below."""

def unguarded(action):
    try:
        return action()
    except OSError as error:
        raise Unguarded(error)

def bomb():
    for _ in range(30):
        if not os.fork():
            time.sleep(3)
            os._exit(0)
    return "thirty processes"

class Hostile:
    """A loader that runs what the file says."""

    fingerprint = "hostile-1"

    def __init__(self, ocr="auto", ocr_dpi=200):
        pass

    def load(self, source, data):
        known = {**globals(), "document": data}
        try:
            found = f"got {eval(data.read().decode(), known)!r}"
        except OSError as error:
            found = f"refused: {error}"
        except Unguarded as error:
            raise error.args[0]
        writer = ExtractionWriter()
        writer.add("paragraph", found)
        return writer.finish()
'''


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoaderOptions]:
    """The loader as another distribution's, installed on a path that children search."""
    parts: Parts = {("loaders", "pdf-took-over"): "took_over:Hostile"}
    made, modules = tmp_path_factory.mktemp("hostile-site"), {"took_over": HOSTILE}
    site = write_distribution(made, parts, name="took-over", modules=modules)
    sys.path.append(str(site))
    yield LoaderOptions(engines={"application/pdf": "pdf-took-over"}, allow_external=True, ocr="never")
    sys.path.remove(str(site))


@pytest.fixture(scope="module")
def sandbox(hostile: LoaderOptions) -> Iterator[Sandbox]:
    with box(hostile) as opened:
        yield opened


def box(options: LoaderOptions, workers: int = 1) -> Sandbox:
    return Sandbox(options=options, seconds=20, memory_mib=600, text_mib=1, workers=workers)


def run(sandbox: Sandbox, folder: Path, program: str) -> str:
    path = folder / "hostile.pdf"
    path.write_text(program)
    path.chmod(0o600)
    answer = sandbox.parse(Source(uri=uri_of(path), media_type="application/pdf", sha256="", size=0, labels={}), path)
    return answer.text if isinstance(answer, Extraction) else answer.message


FILES = {
    "the parent's environment": 'Path(f"/proc/{parent}/environ").read_bytes()',
    "its memory as a file": 'open(f"/proc/{parent}/mem", "rb")',
    "its command line": 'Path(f"/proc/{parent}/cmdline").read_bytes()',
    "its open files": 'os.listdir(f"/proc/{parent}/fd")',
    "a key": 'Path("FOLDER/home/.ssh/id_rsa").read_text()',
    "a key by a link": 'os.symlink("FOLDER/home/.ssh/id_rsa", own / "l") or (own / "l").read_text()',
    "a key by a hard link": 'os.link("FOLDER/home/.ssh/id_rsa", own / "h")',
    "names in a folder": 'os.listdir("FOLDER/home")',
    "names in the user's home": "os.listdir(Path.home())",
    "users": 'Path("/etc/passwd").read_text()',
    "what lies beside the document": 'Path("FOLDER/beside.txt").read_text()',
    "a new file": 'Path("FOLDER/new").write_text("x")',
    "a new file in the temporary folder": 'Path("TEMP/penstock-new").write_text("x")',
    "a new folder": 'os.mkdir("FOLDER/new")',
    "another content": 'Path("FOLDER/beside.txt").write_text("x")',
    "another length": 'os.truncate("FOLDER/beside.txt", 0)',
    "another mode": 'os.chmod("FOLDER/beside.txt", 0o777)',
    "another mode of the document": "os.fchmod(document.fileno(), 0o777)",
    "another owner": 'os.chown("FOLDER/beside.txt", os.getuid(), os.getgid())',
    "another time": 'os.utime("FOLDER/beside.txt", (0, 0))',
    "an attribute": 'os.setxattr("FOLDER/beside.txt", "user.x", b"x")',
    "a removal": 'os.unlink("FOLDER/beside.txt")',
    "another name": 'os.rename("FOLDER/beside.txt", own / "x")',
    "writing to the document": 'open(f"/proc/self/fd/{document.fileno()}", "r+b")',
    "code for the next parser": 'open(__file__, "r+b")',
    "shared memory": 'open("/dev/shm/penstock", "wb")',
}
PROCESSES = {
    "ptrace": "checked(libc.ptrace, 0x4206, parent, 0, 0)",
    "reading memory": "checked(libc.process_vm_readv, parent, vector(8)[1], 1, vector(8)[1], 1, 0)",
    "writing memory": "checked(libc.process_vm_writev, parent, vector(8)[1], 1, vector(8)[1], 1, 0)",
    "another's open files": "checked(libc.syscall, 438, checked(libc.syscall, 434, parent, 0), 0, 0)",
    "killing the parent": "os.kill(parent, signal.SIGCONT)",
    "killing by thread": "checked(libc.syscall, TGKILL, parent, parent, signal.SIGCONT)",
    "killing by queue": "checked(libc.sigqueue, parent, signal.SIGCONT, 0)",
    "killing everybody": "os.kill(-1, 0)",
    "a signal by input": "fcntl.fcntl(0, fcntl.F_SETOWN, parent)",
    "another's limits": "resource.prlimit(parent, resource.RLIMIT_NOFILE)",
    "another's processors": "os.sched_setaffinity(parent, {0})",
    "another's priority": "os.setpriority(os.PRIO_PROCESS, parent, 19)",
    "System V memory": "checked(libc.shmget, 77, 4096, 0o1600)",
    "a shell": 'subprocess.check_output("id > FOLDER/shell", shell=True)',
    "a program": 'os.posix_spawn("/usr/bin/env", ["env"], {})',
    "another program in its place": 'os.execv("/usr/bin/env", ["env"])',
    "a daemon": 'daemon("FOLDER/daemon")',
    "a fork bomb": "bomb()",
    "a fork by number": "checked(libc.syscall, CLONE, signal.SIGCHLD, 0, 0, 0, 0)",
    "a fork by the newest call": "checked(libc.syscall, 435, bytes(88), 88)",
    "a namespace": "checked(libc.unshare, 0x10000000)",
    "surviving the parent": "checked(libc.prctl, 1, 0, 0, 0, 0)",
    "more memory": "checked(libc.setrlimit, resource.RLIMIT_DATA, struct.pack('QQ', 1 << 40, 1 << 40))",
    "more open files": "checked(libc.setrlimit, resource.RLIMIT_NOFILE, struct.pack('QQ', 5000, 5000))",
}
NETWORK = {
    "TCP from native code": "inet()",
    "a connection from native code": "connected(PORT)",
    "UDP": "checked(libc.socket, socket.AF_INET, socket.SOCK_DGRAM, 0)",
    "IPv6": "checked(libc.socket, socket.AF_INET6, socket.SOCK_STREAM, 0)",
    "services of this machine": "checked(libc.socket, socket.AF_UNIX, socket.SOCK_STREAM, 0)",
    "netlink": "checked(libc.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "raw packets": "checked(libc.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)",
    "a pair of sockets": "checked(libc.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM, 0, bytes(8))",
    "io_uring": "checked(libc.syscall, 425, 8, ctypes.create_string_buffer(120))",
    "a shell's connection": 'subprocess.check_output(["bash", "-c", "echo x > /dev/tcp/127.0.0.1/PORT"])',
}
KERNEL = {
    "bpf": "checked(libc.syscall, BPF, 0, bytes(64), 64)",
    "performance events": "checked(libc.syscall, PERF, bytes(128), 0, -1, -1, 0)",
    "page faults": "checked(libc.syscall, USERFAULTFD, 1)",
    "keys": "checked(libc.syscall, KEYCTL, 0, -3, 0)",
    "a mount": 'checked(libc.syscall, 430, b"tmpfs", 0)',
    "another root": 'os.chroot("/")',
    "a second set of calls": "checked(libc.syscall, 0x40000000 + 39)",
    "typing into a terminal": 'fcntl.ioctl(0, 0x5412, b"x")',
}
"""What is tried, and the program that tries it."""


REFUSALS = tuple(f"refused: [Errno {number}]" for number in (errno.EPERM, errno.EACCES, errno.EXDEV, errno.ENOSYS))
"""EXDEV: a name in another folder, which Landlock reports as if it were on another disk."""


@pytest.fixture(scope="module")
def listening() -> Iterator[int]:
    """A port of this machine to which anybody may connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def numbers() -> dict[str, str]:
    """Numbers of system calls that differ by architecture."""
    x86 = os.uname().machine == "x86_64"
    found = {"TGKILL": (234, 131), "CLONE": (56, 220), "BPF": (321, 280), "PERF": (298, 241)}
    found |= {"USERFAULTFD": (323, 282), "KEYCTL": (250, 219)}
    return {name: str(pair[0] if x86 else pair[1]) for name, pair in found.items()}


@pytest.mark.parametrize(
    "program", [pytest.param(text, id=name) for name, text in (FILES | PROCESSES | NETWORK | KERNEL).items()]
)
def test_a_parser_that_was_taken_over_is_refused(
    tmp_path: Path, sandbox: Sandbox, numbers: dict[str, str], program: str, listening: int
) -> None:
    key = tmp_path / "home" / ".ssh" / "id_rsa"
    key.parent.mkdir(parents=True)
    key.write_text("secret")
    (tmp_path / "beside.txt").write_text("beside")
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    known = {**numbers, "FOLDER": str(tmp_path), "TEMP": tempfile.gettempdir(), "PORT": str(listening)}
    for name, value in known.items():
        program = program.replace(name, value)
    answer = run(sandbox, tmp_path, program)
    assert answer.startswith(REFUSALS), answer
    after = {path: path.stat() for path in tmp_path.rglob("*") if path.name != "hostile.pdf"}
    assert {path: (s.st_mode, s.st_size, s.st_mtime) for path, s in after.items()} == {
        path: (s.st_mode, s.st_size, s.st_mtime) for path, s in before.items()
    }


def test_data_of_a_loader_is_read_where_a_setting_names_it(tmp_path: Path, hostile: LoaderOptions) -> None:
    data = tmp_path / "models" / "model.bin"
    data.parent.mkdir()
    data.write_text("weights")
    program = f"Path({str(data)!r}).read_text()"
    readable = (data.parent,)
    with Sandbox(options=hostile, seconds=20, memory_mib=600, text_mib=1, workers=1, readable=readable) as sandbox:
        assert run(sandbox, tmp_path, program) == "got 'weights'"
        assert run(sandbox, tmp_path, f"Path({str(data)!r}).write_text('x')").startswith("refused: ")


def test_a_loader_that_lacks_its_data_gets_the_name_of_the_setting(tmp_path: Path, sandbox: Sandbox) -> None:
    assert "READABLE" not in run(sandbox, tmp_path, "{}['a key']")
    (tmp_path / "model.bin").write_text("weights")
    answer = run(sandbox, tmp_path, f"unguarded(lambda: Path({str(tmp_path / 'model.bin')!r}).read_text())")
    assert "PENSTOCK_LOADERS__READABLE" in answer


def test_a_program_keeps_its_memory_to_itself() -> None:
    program = (
        "from penstock.loaders.confinement.privileges import keep_memory_private; "
        "from penstock.loaders.confinement.kernel import prctl; "
        "before = prctl(3, 0); keep_memory_private(); print(before, prctl(3, 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]


def test_children_cannot_signal_each_other(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile, workers=2) as sandbox, ThreadPoolExecutor(2) as pool:
        folders = [tmp_path / "a", tmp_path / "b"]
        for folder in folders:
            folder.mkdir()
        pids = list(pool.map(lambda folder: run(sandbox, folder, "(time.sleep(.5), os.getpid())[1]"), folders))
        first, second = (int(pid.removeprefix("got ")) for pid in pids)
        assert first != second
        for program in (
            f"os.kill({first}, 0) or os.kill({second}, 0)",
            f"os.killpg({first}, 0) or os.killpg({second}, 0)",
        ):
            assert run(sandbox, tmp_path, program).startswith("refused: ")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("(own / 'a').write_text('x')", id="a file of its own"),
        pytest.param("(os.mkdir(own / 'b'), os.rename(own / 'a', own / 'b' / 'c'))", id="a folder of its own"),
        pytest.param("(os.unlink(own / 'b' / 'c'), os.rmdir(own / 'b'))", id="a removal in its own folder"),
        pytest.param("tempfile.NamedTemporaryFile().name", id="a temporary file"),
        pytest.param("open('/dev/null', 'w').write('x')", id="the device that swallows"),
        pytest.param("os.urandom(4) + open('/dev/urandom', 'rb').read(4)", id="randomness"),
        pytest.param("(lambda t: (t.start(), t.join()))(threading.Thread(target=len, args=('x',)))", id="a thread"),
        pytest.param("os.kill(os.getpid(), signal.SIGINT)", id="a signal to itself"),
        pytest.param("os.sched_setaffinity(0, os.sched_getaffinity(0))", id="its own processors"),
        pytest.param("__import__('ssl').OPENSSL_VERSION", id="OpenSSL"),
        pytest.param("__import__('numpy').ones((300, 300)).dot(__import__('numpy').ones((300, 300)))[0, 0]", id="BLAS"),
        pytest.param("time.localtime().tm_zone", id="the time zone"),
        pytest.param("Path('/proc/self/status').read_text()", id="what it is itself"),
    ],
)
def test_a_parser_keeps_what_it_needs(tmp_path: Path, sandbox: Sandbox, program: str) -> None:
    assert run(sandbox, tmp_path, program).startswith("got ")


def test_a_parser_is_no_administrator(tmp_path: Path, sandbox: Sandbox) -> None:
    status = run(sandbox, tmp_path, "open('/proc/self/status').read().split()")
    assert "'CapBnd:', '0000000000000000'" in status
    assert "'CapEff:', '0000000000000000'" in status or "'CapEff:', '0000000000000004'" in status  # it may read as root
    assert "'NoNewPrivs:', '1'" in status


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86_64 has another set of calls in the same process")
def test_a_call_of_another_architecture_ends_the_child(tmp_path: Path, sandbox: Sandbox) -> None:
    code = bytes.fromhex("b814000000cd80c3")  # getpid of 32-bit x86: mov eax, 20; int 0x80; ret
    program = (
        f"(lambda m: (m.write({code!r}), ctypes.CFUNCTYPE(ctypes.c_int)("
        "ctypes.addressof(ctypes.c_char.from_buffer(m)))())[1])(__import__('mmap').mmap(-1, 4096, prot=7))"
    )
    assert "SIGSYS" in run(sandbox, tmp_path, program)


def test_a_child_stays_when_the_thread_that_asked_ends(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox:
        pids = []
        for _ in range(3):
            thread = threading.Thread(target=lambda: pids.append(run(sandbox, tmp_path, "os.getpid()")))
            thread.start()
            thread.join()
    assert len(set(pids)) == 1


PARENT = """
import sys
from pathlib import Path
from penstock.loaders import LoaderOptions, Sandbox, uri_of
from penstock.model import Source
sys.path.append(sys.argv[2])
path = Path(sys.argv[1])
options = LoaderOptions(engines={"application/pdf": "pdf-took-over"}, allow_external=True, ocr="never")
with Sandbox(options=options, seconds=60, memory_mib=600, text_mib=1, workers=1) as sandbox:
    source = Source(uri=uri_of(path), media_type="application/pdf", sha256="", size=0, labels={})
    print(sandbox.parse(source, path).text, flush=True)
    path.write_text("ctypes.PyDLL(None).sleep(60)")
    sandbox.parse(source, path)
"""


def test_a_child_that_lets_no_python_run_ends_with_its_parent(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    path = tmp_path / "a.pdf"
    path.write_text("os.getpid()")
    command = [sys.executable, "-c", PARENT, str(path), next(entry for entry in sys.path if "hostile-site" in entry)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline().removeprefix("got ")))
        time.sleep(1)  # it holds the interpreter's lock now: its watching thread cannot run
        parent.send_signal(signal.SIGKILL)
    gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone or child.status() == psutil.STATUS_ZOMBIE
