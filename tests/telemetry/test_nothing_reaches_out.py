"""No command, no plug-in and no scheduled run sends a packet to anybody but the servers that a user named."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from penstock import Penstock, telemetry

PENSTOCK = "from penstock.cli import main; main()"
SECONDS_TO_REPORT = 12
"""Some ten after its start, ONNX Runtime asks for the address of its maker's server, where it is let."""
LIBRARY = f"""
import sys, time
from penstock import Penstock

folder, home = sys.argv[1:]
with Penstock(home, "handbook") as penstock:
    assert penstock.ingest(folder).count("indexed") == 2
    until = time.monotonic() + {SECONDS_TO_REPORT}
    while time.monotonic() < until:
        assert penstock.search("How many days of leave carry over?").hits
        assert penstock.ask("How many days of leave carry over?").citations
        time.sleep(1)
    assert penstock.search("penstock").hits[0].chunk.text.startswith("Water")
    assert penstock.doctor().ok
"""
UNSTRUCTURED = """
import io, pathlib, sys
from penstock.loaders import LoaderOptions, loader_for
from penstock.model import Source

content = pathlib.Path(sys.argv[1]).read_bytes()
options = LoaderOptions(engines={"text/plain": "unstructured"}, options={"unstructured": {"model": "blank"}})
source = Source(uri="leave", media_type="text/plain", sha256="", size=0, labels={})
assert loader_for("text/plain", options).load(source, io.BytesIO(content)).text.startswith("Five days")
"""
"""In this process, as an engine outside of the sandbox: in it there is no network anyway."""
PLUG_IN = """
import sys, time
from penstock.integrations.{plug_in} import PenstockRetriever

retriever = PenstockRetriever(home=sys.argv[1], collection="handbook")
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    assert retriever.{ask}("How many days of leave carry over?")
    time.sleep(1)
"""
PLUG_INS = {"langchain": "invoke", "llama_index": "retrieve", "haystack": "run"}
CALLS_SOMEBODY = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
    for any_socket, address in ((one, "192.0.2.7"), (one, "127.0.0.1"), (six, "2001:db8::7")):
        try:
            any_socket.sendto(b"here I am", (address, 9))
        except OSError:
            pass
"""


def test_a_program_that_calls_somebody_is_seen(traced: Any) -> None:
    found = traced.run(sys.executable, "-c", CALLS_SOMEBODY)
    assert found.outside == {"192.0.2.7", "2001:db8::7"}
    assert "127.0.0.1" in found.reached


def test_the_library_reaches_for_nobody(traced: Any, documents: Path) -> None:
    found = traced.run(sys.executable, "-c", LIBRARY, str(documents), str(traced.home))
    assert found.code == 0, found.printed
    assert not found.reached
    assert found.left == ()


def test_unstructured_reaches_for_nobody(traced: Any, documents: Path) -> None:
    pytest.importorskip("unstructured", reason="unstructured (extra) is not installed")
    found = traced.run(sys.executable, "-c", UNSTRUCTURED, str(documents / "leave.txt"))
    assert found.code == 0, found.printed
    assert not found.reached
    assert found.left == ()
    assert "unstructured.io" not in found.printed


def test_commands_reach_for_nobody(traced: Any, documents: Path) -> None:
    for words in (["ingest", str(documents)], ["search", "leave"], ["ask", "How many days of leave carry over?"]):
        home = ["--home", str(traced.home), "--collection", "handbook"]
        found = traced.run(sys.executable, "-c", PENSTOCK, *words, *home)
        assert found.code == 0, found.printed
        assert not found.reached
        assert found.left == ()


@pytest.mark.parametrize("plug_in", PLUG_INS)
def test_plug_ins_reach_for_nobody(traced: Any, documents: Path, plug_in: str) -> None:
    pytest.importorskip({"langchain": "langchain_core"}.get(plug_in, plug_in))
    with Penstock(traced.home, "handbook") as penstock:
        penstock.ingest(documents / "leave.txt")
    program = PLUG_IN.format(plug_in=plug_in, ask=PLUG_INS[plug_in], seconds=SECONDS_TO_REPORT)
    found = traced.run(sys.executable, "-c", program, str(traced.home))
    assert found.code == 0, found.printed
    assert not found.reached
    assert found.left == ()


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_a_schedule_reaches_its_own_server_alone(traced: Any, documents: Path) -> None:
    (traced.scratch / "penstock.toml").write_text(
        f'[collections.handbook]\nsources = [{{ path = "{documents}" }}]\nschedule = {{ every = "4s" }}\n', "utf-8"
    )
    log = traced.scratch / "log"
    words = traced.command([sys.executable, "-c", PENSTOCK, "schedule", "--home", str(traced.home)])
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=traced.scratch, env=traced.environment(), stdout=out, stderr=out)
    try:
        _wait_for_runs(log, 2)
        time.sleep(SECONDS_TO_REPORT)
    finally:
        (scheduler,) = psutil.Process(process.pid).children()  # the process that this number belongs to is strace
        scheduler.send_signal(signal.SIGTERM)
        code = process.wait(60)
    found = traced.found(code, log.read_text("utf-8"))
    assert found.printed.splitlines()[-1] == "stopped; what was committed stays"
    assert "127.0.0.1" in found.reached
    assert found.outside == set()
    assert found.left == ()
    with Penstock(traced.home, "handbook") as penstock:
        assert penstock.search("penstock").hits[0].chunk.text.startswith("Water")


def _wait_for_runs(log: Path, count: int) -> None:
    end = time.monotonic() + 200
    while len(re.findall(r"Flow run '.*' - Finished in state Completed", log.read_text("utf-8"))) < count:
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.5)


@pytest.mark.parametrize("file", ["docker/Dockerfile", "prefect.yaml"])
def test_what_others_start_has_the_same_switches(file: str) -> None:
    text = (Path(__file__).parents[2] / file).read_text("utf-8")
    variables = dict(re.findall(r"""([A-Z_]+)(?:=|: ")(\w+)""", text))
    wanted = {**telemetry.SWITCHES["prefect"], **telemetry.SWITCHES["onnxruntime"]}
    assert wanted.items() <= variables.items()


def test_only_one_module_imports_what_reports() -> None:
    """The module that switches its reports off first; RapidOCR, which imports ONNX Runtime, where pictures are read."""
    root = Path(__file__).parents[2]
    rooms = ("penstock", "loaders", "chunkers", "indexers", "retrievers", "pipelines", "flows")
    files = {path.resolve() for room in rooms for path in (root / room).rglob("*.py")}
    importing = re.compile(r"^\s*(?:import|from) (onnxruntime|rapidocr)\b", re.MULTILINE)
    found = {str(path.relative_to(root)): set(importing.findall(path.read_text("utf-8"))) for path in files}
    assert {name: libraries for name, libraries in found.items() if libraries} == {
        "penstock/telemetry.py": {"onnxruntime"},
        "penstock/engines/embedders/onnx_session.py": {"onnxruntime"},
        "loaders/ocr/ocr.py": {"rapidocr"},
    }
