"""What importing a plug-in does, and what it does not: each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUG_INS = {"langchain": "langchain_core", "llama_index": "llama_index", "haystack": "haystack"}
EXTRAS = ("langchain", "llama-index", "haystack")
WATCHED = """
import sys

def watch(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"reached for the network: {event} {given}")

sys.addaudithook(watch)
"""
LIGHT = """
import sys
import penstock.integrations
heavy = {"numpy", "pydantic", "sqlalchemy", "langchain_core", "llama_index", "haystack"} & set(sys.modules)
assert not heavy, heavy
"""
MISSING = """
import sys
from importlib import import_module
for name in {absent!r}:
    sys.modules[name] = None
from penstock.errors import MissingExtra
for plug_in in {plug_ins!r}:
    try:
        import_module(f"penstock.integrations.{{plug_in}}")
    except MissingExtra as error:
        print(error)
"""


def run(code: str, home: Path, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HAYSTACK_", "PENSTOCK_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home.parent), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_of_the_plug_ins_is_light(tmp_path: Path) -> None:
    run(LIGHT, tmp_path)


def test_a_plug_in_without_its_framework_names_the_extra(tmp_path: Path) -> None:
    lines = run(MISSING.format(absent=list(PLUG_INS.values()), plug_ins=list(PLUG_INS)), tmp_path).splitlines()
    assert [line.partition("pip install ")[2] for line in lines] == [f"'penstock[{extra}]'" for extra in EXTRAS]


@pytest.mark.parametrize("plug_in", PLUG_INS)
def test_a_plug_in_needs_no_other_framework_and_no_network(plug_in: str, tmp_path: Path, library: Path) -> None:
    pytest.importorskip(PLUG_INS[plug_in])
    others = [name for name in PLUG_INS.values() if name != PLUG_INS[plug_in]]
    ask = {"langchain": "invoke", "llama_index": "retrieve", "haystack": "run"}[plug_in]
    code = f"""{WATCHED}
for name in {others!r}:
    sys.modules[name] = None
from penstock.integrations.{plug_in} import PenstockRetriever
retriever = PenstockRetriever(home={str(library)!r}, collection="handbook")
assert retriever.{ask}("How many days of leave carry over?")
"""
    run(code, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_haystack_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    pytest.importorskip("haystack")
    code = f"""{WATCHED}
import haystack
import penstock.integrations.haystack
from haystack.components.builders import PromptBuilder
from haystack.telemetry import _telemetry
assert _telemetry.telemetry is None
pipeline = haystack.Pipeline()
pipeline.add_component("prompt", PromptBuilder("hello"))
pipeline.run({{}})
"""
    run(code, tmp_path)


def test_haystack_reports_where_its_user_says_so(tmp_path: Path) -> None:
    pytest.importorskip("haystack")
    code = """
import penstock.integrations.haystack
from haystack.telemetry import _telemetry
assert _telemetry.telemetry is not None
"""
    run(code, tmp_path, HAYSTACK_TELEMETRY_ENABLED="true")
