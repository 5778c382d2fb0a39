"""The installed command in a process of its own: streams, pipes and signals as a shell gives them."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.doubles.dead_share import DeadShare

PENSTOCK = Path(sys.executable).with_name("penstock")
LITTLE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell's background ignores it
    "from penstock.cli import main; sys.argv[0] = 'penstock'; main()"
)
"""The command line as a shell starts it; the environment names a model that needs no loading."""

with_little_model = pytest.mark.usefixtures("run")


def many_files(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"page {number:04}.txt").write_text(f"Page number{number} is about water and gates.\n", "utf-8")
    return folder


def started(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LITTLE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@with_little_model
def test_a_signal_in_the_middle_keeps_what_is_committed(number: signal.Signals, tmp_path: Path) -> None:
    folder = many_files(tmp_path / "many", 3000)
    arguments = ["ingest", folder, "--json", "--set", "batch=4"]
    process = started(*arguments)
    assert process.stderr is not None
    for _ in range(8):  # two batches are committed
        process.stderr.readline()
    process.send_signal(number)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert process.returncode == 130, err
    assert "interrupted: what was committed stays" in err
    assert "Traceback" not in err
    report = json.loads(out)
    assert report["interrupted"]
    assert 8 <= report["indexed"] < 3000
    chunks = report["chunks"]
    assert chunks["catalog"] == chunks["keyword"] == chunks["vector"] == report["indexed"]

    # What is there is whole, and the next run goes on from it.
    doctor = started("doctor", "--json")
    assert json.loads(doctor.communicate(timeout=60)[0])["ok"]
    for path in sorted(folder.iterdir())[report["indexed"] + 5 :]:
        path.unlink()
    again = started(*arguments)
    rest = json.loads(again.communicate(timeout=60)[0])
    assert again.returncode == 0
    assert (rest["unchanged"], rest["indexed"]) == (report["indexed"], 5)


@with_little_model
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    folder = many_files(tmp_path / "some", 40)
    assert started("ingest", folder).communicate(timeout=60)[0]
    command = f'{sys.executable} -c "$CODE" search water --k 40 | head -1; echo ${{PIPESTATUS[0]}}'
    run = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "CODE": LITTLE}, capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines()[-1] == "0", run
    assert run.stderr == ""


@with_little_model
def test_lines_that_nobody_reads_do_not_end_a_run(tmp_path: Path) -> None:
    folder = many_files(tmp_path / "some", 40)
    with started("ingest", folder, "--set", "batch=2") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.readline()
        process.stderr.close()
        assert re.search(r"indexed +│ +40 │", process.stdout.read())
    assert process.returncode == 0


@with_little_model
def test_a_terminal_has_a_bar_and_fits_into_80_columns(tmp_path: Path) -> None:
    folder = many_files(tmp_path / ("手册" * 30), 12)
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", LITTLE, "ingest", str(folder)],
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 65536):
            shown += piece
    except OSError:  # the other end is closed: the process has ended
        pass
    os.close(controller)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "12 sources" in text
    assert "indexed   /" not in text  # no lines for single files
    from rich.cells import cell_len
    from rich.text import Text

    lines = [Text.from_ansi(line).plain for line in re.split(r"[\r\n]+", text) if "sources" in line]
    assert max(map(cell_len, lines)) <= 80


@with_little_model
def test_a_terminal_that_knows_no_chinese_is_no_reason_to_fail(tmp_path: Path) -> None:
    file = tmp_path / "年假.txt"
    file.write_text("未休完的年假可以结转。\n", "utf-8")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    first = started("ingest", file, env=ascii_only)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert r"\u5e74\u5047.txt" in err
    out, _ = started("search", "年假", "--json", env=ascii_only).communicate(timeout=60)
    assert json.loads(out)["hits"][0]["text"] == "未休完的年假可以结转。"


def test_the_installed_command_with_its_own_model(tmp_path: Path) -> None:
    """The main job as a new user does it: nothing is replaced here."""
    file = tmp_path / "leave.md"
    file.write_text("# Leave\n\nTen days of leave carry over into the next year.\n", "utf-8")

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [PENSTOCK, *map(str, arguments), "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return done.returncode, json.loads(done.stdout)

    assert run("ingest", file)[1]["embedded"] == 1
    code, hits = run("search", "unused vacation")
    assert code == 0
    assert hits["hits"][0]["trace"]["ranks"]["vector"] == 1
    code, answer = run("ask", "How many days of leave carry over?")
    assert answer["citations"][0]["quote"] == "Ten days of leave carry over into the next year."


PARSING = (
    "pymupdf",
    "pypdfium2",
    "pptx",
    "docx",
    "trafilatura",
    "rapidocr",
    "onnxruntime",
    "tokenizers",
    "openai",
    "psutil",
)


def test_a_second_ingest_loads_no_parser_and_no_model(tmp_path: Path) -> None:
    folder = many_files(tmp_path / "some", 3)
    program = (
        "import sys; from penstock.cli import main\n"
        "sys.argv = ['penstock', 'ingest', *sys.argv[1:]]\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {PARSING!r} if name in sys.modules])\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert re.search(r"unchanged +│ +3 │", runs[1].stdout)
    assert "onnxruntime" in runs[0].stdout.splitlines()[-1]
    assert runs[1].stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not DeadShare.is_possible(), reason="needs /dev/fuse and the super-user")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@with_little_model
def test_a_signal_ends_a_run_whose_read_hangs(number: signal.Signals, tmp_path: Path) -> None:
    folder, share = many_files(tmp_path / "some", 8), tmp_path / "share"
    share.mkdir()
    with DeadShare(share, {"hangs.txt": None}) as dead:
        process = started("ingest", folder, share, "--json", "--set", "batch=4", "--set", "limits.read_seconds=600")
        assert process.stderr is not None
        for _ in range(8):
            process.stderr.readline()
        assert dead.asked.wait(60)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    report = json.loads(out)
    assert (report["interrupted"], report["indexed"]) == (True, 8)
