import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from penstock.loaders.formats import LoaderOptions
from penstock.loaders.sandbox.answers import Parsed
from penstock.loaders.sandbox.child import Child
from penstock.loaders.sandbox.sandbox import Sandbox
from penstock.loaders.sources.addresses import uri_of
from penstock.model import Extraction, Failure, Source
from penstock.testing.doubles.plugins import Parts, write_distribution

HOSTILE = '''
import ctypes, os, signal, socket, subprocess, sys, tempfile, threading, time
from penstock.errors import BrokenSource, EncryptedSource
from penstock.model import ExtractionWriter

class Hostile:
    """A loader that does what the file says."""

    fingerprint = "hostile-1"

    def __init__(self, ocr="auto", ocr_dpi=200):
        self.ocr = ocr

    def load(self, source, data):
        word, _, rest = data.read().decode().partition(" ")
        writer = ExtractionWriter()
        writer.add("paragraph", str(getattr(self, word)(rest)))
        return writer.finish()

    def say(self, rest):
        return rest

    def options(self, rest):
        return self.ocr

    def pid(self, rest):
        return os.getpid()

    def hang(self, rest):
        with open(os.path.join(tempfile.gettempdir(), "begun"), "w"):
            time.sleep(60)

    def spin(self, rest):
        while True:
            pass

    def nap(self, rest):
        time.sleep(float(rest))
        return "rested"

    def crash(self, rest):
        ctypes.string_at(0)

    def leave(self, rest):
        print("last words", file=sys.stderr, flush=True)
        os._exit(3)

    def fake(self, rest):
        # A parser that was taken over writes to the pipe of the replies itself.
        for number in range(3, 20):
            try:
                os.write(number, eval(rest))
            except OSError:
                pass
        os._exit(0)

    def forge(self, rest):
        # It writes an answer to the request that comes next, before or after its own.
        line = b'{"number":0,"title":"","problems":[],"blocks":0,"drafts":null,"seconds":{}}\\n"forged"'
        frame = len(line).to_bytes(8, "big") + line

        def write(after):
            time.sleep(after)
            for number in range(3, 20):
                try:
                    os.write(number, frame)
                except OSError:
                    pass

        if rest == "later":
            threading.Thread(target=write, args=(0.3,)).start()
        else:
            write(0)
        return "its own"

    def stop(self, rest):
        # After its answer, it takes no request any more, but does not end either.
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGSTOP)).start()
        return "stopped"

    def memory(self, rest):
        return len(bytearray(2_000_000_000))

    def abort(self, rest):
        print("terminate called after throwing an instance of 'std::bad_alloc'", file=sys.stderr, flush=True)
        os.abort()

    def wrapped(self, rest):
        try:
            raise MemoryError
        except MemoryError as error:
            raise BrokenSource("cannot be read") from error

    def shared(self, rest):
        import mmap
        kept = mmap.mmap(-1, 700_000_000)
        for _ in range(700):
            kept.write(bytes(1_000_000))
        time.sleep(30)

    def disk(self, rest):
        with open(os.path.join(tempfile.gettempdir(), "x"), "wb") as file:
            file.seek(700_000_000)
            file.write(b"x")

    def text(self, rest):
        return "年" * int(rest)

    def surrogate(self, rest):
        return "a\\ud800b"

    def error(self, rest):
        raise ValueError("line 1\\nline 2")

    def deep(self, rest):
        return self.deep(rest)

    def password(self, rest):
        raise EncryptedSource("needs a password")

    def noise(self, rest):
        print("noise" * 100_000)
        os.write(1, b"more noise")
        os.write(2, b"and more")
        return "quiet"

    def network(self, rest):
        try:
            socket.create_connection(("127.0.0.1", 9))
        except PermissionError as error:
            return error

    def environment(self, rest):
        return sorted(os.environ)

    def interrupt(self, rest):
        os.kill(os.getpid(), signal.SIGINT)
        return "still here"

    def where(self, rest):
        import csv
        return csv.__file__
'''


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoaderOptions]:
    """A loader of another distribution, installed on a path that children search."""
    parts: Parts = {("loaders", "pdf-hostile"): "hostile_loader:Hostile"}
    made, modules = tmp_path_factory.mktemp("site"), {"hostile_loader": HOSTILE}
    site = write_distribution(made, parts, name="hostile-loader", modules=modules)
    sys.path.append(str(site))
    yield LoaderOptions(engines={"application/pdf": "pdf-hostile"}, allow_external=True, ocr="never")
    sys.path.remove(str(site))


@pytest.fixture(scope="module")
def lasting(hostile: LoaderOptions) -> Iterator[Sandbox]:
    """One sandbox for many bad files: each finds it in working order, or the one before did it harm."""
    with box(hostile) as sandbox:
        yield sandbox


def box(options: LoaderOptions, **settings: Any) -> Sandbox:
    return Sandbox(**{"options": options, "seconds": 20, "memory_mib": 600, "text_mib": 1, "workers": 1, **settings})


def file(folder: Path, content: str) -> tuple[Source, Path]:
    path = folder / f"年 {abs(hash(content))}.pdf"
    path.write_text(content)
    return Source(uri=uri_of(path), media_type="application/pdf", sha256="", size=0, labels={"a": 1}), path


def parse(sandbox: Sandbox, folder: Path, content: str) -> str | Failure:
    answer = sandbox.parse(*file(folder, content))
    return answer.text if isinstance(answer, Extraction) else answer


def test_a_file_cannot_answer_for_the_next(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox:
        assert parse(sandbox, tmp_path, "forge later") == "its own"
        time.sleep(0.6)
        assert parse(sandbox, tmp_path, "say honest") == "honest"
        failure = parse(sandbox, tmp_path, "forge now")
        assert isinstance(failure, Failure)
        assert "another request" in failure.message
        assert parse(sandbox, tmp_path, "say honest again") == "honest again"


def test_files_are_parsed_one_after_the_other_in_one_child(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox:
        assert parse(sandbox, tmp_path, "say 年假") == "年假"
        assert parse(sandbox, tmp_path, "options") == "never"
        pid = parse(sandbox, tmp_path, "pid")
        assert pid == parse(sandbox, tmp_path, "pid ")
        assert pid != str(os.getpid())
    assert not psutil.pid_exists(int(str(pid)))


def test_nothing_starts_before_the_first_file(hostile: LoaderOptions) -> None:
    before = psutil.Process().children()
    with box(hostile):
        assert psutil.Process().children() == before


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        pytest.param("memory", "LimitExceeded", "PENSTOCK_LIMITS__PARSE_MIB", id="memory"),
        pytest.param("abort", "LimitExceeded", "600 MiB", id="native code out of memory"),
        pytest.param("wrapped", "LimitExceeded", "600 MiB", id="out of memory behind another error"),
        pytest.param("shared", "LimitExceeded", "600 MiB", id="memory that is not data"),
        pytest.param("text 400000", "LimitExceeded", "PENSTOCK_LIMITS__TEXT_MIB", id="text"),
        pytest.param("crash", "ParserCrashed", "SIGSEGV", id="crash"),
        pytest.param("leave", "ParserCrashed", "exit status 3: last words", id="exit"),
        pytest.param("fake b'\\0' * 6 + b'xx' + b'[' * 30840", "ParserCrashed", "no JSON", id="no JSON"),
        pytest.param("fake b'\\0' * 7 + b'\\2[]'", "ParserCrashed", "no JSON object", id="no object"),
        pytest.param("fake b'\\0' * 7 + b'\\2{}'", "ParserCrashed", "no answer", id="no number"),
        pytest.param("fake b'\\x7f' * 8", "LimitExceeded", "TEXT_MIB", id="huge answer"),
        pytest.param("fake b'\\0' * 7 + b'\\2'", "ParserCrashed", "exit status 0", id="half an answer"),
        pytest.param("error", "BrokenSource", "ValueError: line 1 line 2", id="unexpected error"),
        pytest.param("deep", "BrokenSource", "RecursionError", id="recursion"),
        pytest.param("password", "EncryptedSource", "needs a password", id="error of ours"),
        pytest.param("disk", "BrokenSource", "File too large", id="disk"),
    ],
)
def test_a_file_that_breaks_its_parser_costs_one_file(
    tmp_path: Path, lasting: Sandbox, content: str, kind: str, message: str
) -> None:
    failure = parse(lasting, tmp_path, content)
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.kind, failure.retryable) == ("parse", kind, False)
    assert message in failure.message


def test_a_long_request_is_not_waited_for_longer_than_the_limit(tmp_path: Path, hostile: LoaderOptions) -> None:
    longer_than_a_pipe = Extraction(title="", text="年" * 1_000_000, blocks=())
    with box(hostile, seconds=2, text_mib=8) as sandbox:
        assert parse(sandbox, tmp_path, "stop") == "stopped"
        time.sleep(0.6)
        failure = sandbox.cut(file(tmp_path, "say next")[0], longer_than_a_pipe)
        assert isinstance(failure, Failure)
        assert (failure.kind, "PARSE_SECONDS" in failure.message) == ("LimitExceeded", True)
        assert parse(sandbox, tmp_path, "say next") == "next"


@pytest.mark.parametrize("content", ["hang", "spin"])
def test_a_parser_that_hangs_is_ended(tmp_path: Path, hostile: LoaderOptions, content: str) -> None:
    with box(hostile, seconds=2) as sandbox:
        pid = int(str(parse(sandbox, tmp_path, "pid")))
        start = time.monotonic()
        failure = parse(sandbox, tmp_path, content)
        assert isinstance(failure, Failure)
        assert failure.kind == "LimitExceeded"
        assert "2 seconds" in failure.message
        assert "PENSTOCK_LIMITS__PARSE_SECONDS" in failure.message
        assert time.monotonic() - start < 30  # the file would keep it for ever
    assert _ends(pid)


def _ends(pid: int) -> bool:
    """Whether a process that was killed is gone within half a minute; the kernel takes its time under load."""
    for _ in range(300):
        if not _runs(pid):
            return True
        time.sleep(0.1)
    return False


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)  # nobody may have waited for a helper
    except psutil.NoSuchProcess:
        return False


def test_what_libraries_print_harms_nothing(
    tmp_path: Path, hostile: LoaderOptions, capfd: pytest.CaptureFixture[str]
) -> None:
    with box(hostile) as sandbox:
        assert parse(sandbox, tmp_path, "noise") == "quiet"
    assert capfd.readouterr() == ("", "")


def test_a_parser_has_no_network_no_keys_and_no_interrupts(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PENSTOCK_LLM__API_KEY", "secret")
    monkeypatch.setenv("LC_TEST", "kept")
    with box(hostile) as sandbox:
        assert "no network" in str(parse(sandbox, tmp_path, "network"))
        names = parse(sandbox, tmp_path, "environment")
        assert isinstance(names, str)
        assert "KEY" not in names
        assert "LC_TEST" in names
        assert parse(sandbox, tmp_path, "interrupt") == "still here"


def test_the_working_folder_is_not_looked_in_for_modules(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    with box(hostile) as sandbox:
        assert str(tmp_path) not in str(parse(sandbox, tmp_path, "where"))


def test_lone_surrogates_survive_the_way_back(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox:
        assert parse(sandbox, tmp_path, "surrogate") == "a\ud800b"


def test_several_threads_have_a_child_each(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile, workers=2) as sandbox, ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda n: parse(sandbox, tmp_path, f"say {n}"), range(12))) == set(map(str, range(12)))
        list(pool.map(lambda n: parse(sandbox, tmp_path, f"nap 0.3{n}"), range(2)))
        pids = set(pool.map(lambda n: parse(sandbox, tmp_path, "pid" + " " * n), range(12)))
    assert len(pids) <= 2


def test_a_child_is_replaced_after_so_many_files(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.loaders.sandbox.sandbox.DOCUMENTS_A_CHILD", 2)
    with box(hostile) as sandbox:
        pids = [parse(sandbox, tmp_path, "pid") for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_child_that_was_killed_between_two_files_costs_none(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox:
        pid = int(str(parse(sandbox, tmp_path, "pid")))
        psutil.Process(pid).kill()
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        answers = [parse(sandbox, tmp_path, "say a"), parse(sandbox, tmp_path, "say b")]
    assert answers == ["a", "b"]


def test_a_file_whose_child_was_killed_is_tried_once_more(tmp_path: Path, hostile: LoaderOptions) -> None:
    with box(hostile) as sandbox, ThreadPoolExecutor(1) as thread:
        pid = int(str(parse(sandbox, tmp_path, "pid")))
        reading = thread.submit(parse, sandbox, tmp_path, "nap 0.7")
        time.sleep(0.3)
        psutil.Process(pid).kill()
        assert reading.result() == "rested"


def test_closing_ends_what_is_being_parsed(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    sandbox = box(hostile)
    pid = int(str(parse(sandbox, tmp_path, "pid")))
    caught: list[BaseException] = []

    def run() -> None:
        try:
            parse(sandbox, tmp_path, "hang")
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not list((tmp_path / "scratch").glob("*/begun")):
        time.sleep(0.02)
    sandbox.close()
    thread.join(5)
    assert "closed" in str(caught[0])
    assert not _runs(pid)
    with pytest.raises(RuntimeError, match="closed"):
        parse(sandbox, tmp_path, "say more")


def test_a_child_that_answers_while_the_sandbox_is_closed_leaves_nothing(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ClosedMeanwhile(Sandbox):
        def _is_fit(self, child: Child, answer: Parsed | Failure) -> bool:
            fit = super()._is_fit(child, answer)
            self.close()
            return fit

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    sandbox = ClosedMeanwhile(options=hostile, seconds=20, memory_mib=600, text_mib=1, workers=1)
    assert parse(sandbox, tmp_path, "say 年假") == "年假"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_interrupted_parse_ends_its_child(
    tmp_path: Path, hostile: LoaderOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    with box(hostile) as sandbox:
        monkeypatch.setattr(Child, "ask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            parse(sandbox, tmp_path, "say a")
        monkeypatch.undo()
        assert parse(sandbox, tmp_path, "say b") == "b"


def test_a_zip_that_says_it_explodes_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(110):
            part.write(bytes(1_000_000))
    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    source = Source(uri=uri_of(path), media_type=media_type, sha256="", size=0, labels={})
    with box(LoaderOptions(), memory_mib=100) as sandbox:
        failure = sandbox.parse(source, path)
    assert isinstance(failure, Failure)
    assert failure.kind == "LimitExceeded"


def test_a_kind_without_loader_and_a_locked_one_are_failures(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with box(LoaderOptions()) as sandbox:
        for media_type, kind in (
            ("video/mp4", "UnsupportedFormat"),
            ("application/x-encrypted-office", "EncryptedSource"),
        ):
            answer = sandbox.parse(Source(uri=uri_of(path), media_type=media_type, sha256="", size=0, labels={}), path)
            assert isinstance(answer, Failure)
            assert answer.kind == kind


PROGRAM = """
import json, sys
from pathlib import Path
from penstock.loaders import LoaderOptions, Sandbox, uri_of
from penstock.model import Source
path = Path(sys.argv[1])
with Sandbox(options=LoaderOptions(), seconds=20, memory_mib=600, text_mib=1, workers=1) as sandbox:
    source = Source(uri=uri_of(path), media_type="text/plain", sha256="", size=0, labels={})
    print(json.dumps(sandbox.parse(source, path).text))
"""


def test_a_program_from_standard_input_without_main_guard_works(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("年假")
    done = subprocess.run([sys.executable, "-", str(path)], input=PROGRAM, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == "年假", done.stderr


def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    program = PROGRAM.replace("print(", "import os; print(next(iter(sandbox._children))._process.pid); os._exit(print(")
    program = program.replace(".text))", ".text)) or 9)").replace(
        "print(next", "sandbox.parse(source, path); print(next"
    )
    done = subprocess.run([sys.executable, "-u", "-c", program, str(path)], capture_output=True, text=True, check=False)
    pid = int(done.stdout.split()[0])
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)
