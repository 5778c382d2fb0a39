"""The order of writes to disk, by the kernel's calls: a file gets its name only after its content is synced."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.files import UNFINISHED

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change
from penstock.testing.contracts.indexes import WORDS, entry_of, vector_of

class Words:
    fingerprint = "words"
    def tokens(self, text): return text.split()
    query_tokens = tokens

kind, folder = sys.argv[1], Path(sys.argv[2])
index = {
    "tantivy": lambda: TantivyIndex(folder, analyser=Words()),
    "rank-bm25": lambda: RankBM25Index(folder, analyser=Words()),
    "faiss": lambda: FaissIndex(folder, identity="m", dimension=len(WORDS)),
}[kind]()
for revision in (1, 2, 3, 4):
    gone = () if revision == 1 else (10 * (revision - 1), 10 * (revision - 1) + 1)
    added = [entry_of(10 * revision + n, WORDS[n], vector_of(WORDS[n])) for n in range(8)]
    index.apply(Change(since=revision - 1, revision=revision, removed=gone, added=added))
"""
CALL = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
QUOTED = re.compile(r'"([^"]*)"')
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A call of the kernel that went well: `synced`, `named` (to its new name), `written` or `deleted`, and a path."""

    what: str
    path: str
    before: str = ""


def traced(kind: str, folder: Path, log: Path) -> list[Step]:
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64"
    command = ["strace", "-f", "-y", "-s", "400", "-e", calls, "-o", str(log)]
    command += [sys.executable, "-c", PROGRAM, kind, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode and "ptrace" in run.stderr.lower():
        pytest.skip(f"strace may not trace here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    found = [step for line in _whole_lines(log.read_text("utf-8")) if (step := _step(line))]
    return [step for step in found if step.path.startswith(str(folder))]


def _whole_lines(text: str) -> list[str]:
    """Lines of the log; a call that another thread interrupted is joined, and counts where it ended."""
    begun: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        thread = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            lines.append(begun.pop(thread, "") + line.partition("resumed>")[2])
        else:
            lines.append(line)
    return lines


def _step(line: str) -> Step | None:
    call = CALL.match(line)
    if call is None or int(call["result"]) < 0:
        return None
    name, quoted = call["name"], QUOTED.findall(call["arguments"])
    descriptor = DESCRIPTOR.match(call["arguments"])
    if name.startswith("rename") and len(quoted) == 2:
        return Step(what="named", path=_absolute(call["arguments"], quoted[1]), before=quoted[0])
    if name.startswith("unlink") and quoted:
        return Step(what="deleted", path=_absolute(call["arguments"], quoted[0]))
    if descriptor and "sync" in name:
        return Step(what="synced", path=descriptor[1])
    if descriptor and "write" in name:
        return Step(what="written", path=descriptor[1])
    return None


def _absolute(arguments: str, path: str) -> str:
    folder = re.match(r"^\w+<([^>]*)>", arguments)
    return path if path.startswith("/") or folder is None else f"{folder[1]}/{path}"


def last(steps: list[Step], what: str, path: str) -> int:
    """The position of the last such step; -1 where there is none."""
    return max((place for place, step in enumerate(steps) if (step.what, step.path) == (what, path)), default=-1)


def is_beside(path: str, place: str) -> bool:
    """Whether a file is a temporary one, written beside its place in the same folder."""
    folder, _, name = place.rpartition("/")
    return path.startswith(f"{folder}/.{name}-") and path.endswith(UNFINISHED) and "/" not in path[len(folder) + 1 :]


def unsynced(steps: Iterable[Step]) -> set[str]:
    """Files that were written since they were last synced."""
    found: set[str] = set()
    for step in steps:
        if step.what == "written":
            found.add(step.path)
        elif step.what == "synced":
            found.discard(step.path)
    return found


@pytest.fixture(autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")


@pytest.mark.parametrize("kind", ["faiss", "rank-bm25", "tantivy"])
def test_data_is_on_disk_before_the_manifest_names_it(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    steps = traced(kind, folder, tmp_path / "log")
    manifest = str(folder / "manifest.json")
    named = [place for place, step in enumerate(steps) if step.what == "named" and step.path == manifest]
    assert len(named) >= 4
    for place in named:
        before, after = steps[:place], steps[place + 1 :]
        beside = steps[place].before
        assert is_beside(beside, manifest)
        assert -1 < last(before, "written", beside) < last(before, "synced", beside)
        own = (str(folder), manifest, beside)  # tantivy writes in its own threads and its own folder
        following = next(step for step in after if step.path in own)
        assert (following.what, following.path) == ("synced", str(folder)), "the name itself is on disk at once"
        assert not unsynced(step for step in before if "/segments/" not in step.path)


@pytest.mark.parametrize(("kind", "suffix"), [("faiss", ".vectors"), ("rank-bm25", ".tokens")])
def test_a_snapshot_is_written_beside_synced_named_and_only_then_others_go(
    kind: str, suffix: str, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    steps = traced(kind, folder, tmp_path / "log")
    manifest = str(folder / "manifest.json")
    snapshots = [place for place, step in enumerate(steps) if step.what == "named" and step.path.endswith(suffix)]
    assert len(snapshots) >= 4
    for place in snapshots:
        beside = steps[place].before
        assert is_beside(beside, steps[place].path)
        assert -1 < last(steps[:place], "written", beside) < last(steps[:place], "synced", beside)
        assert (steps[place + 1].what, steps[place + 1].path) == ("synced", str(folder))
    deleted = [place for place, step in enumerate(steps) if step.what == "deleted" and step.path.endswith(suffix)]
    assert deleted
    for place in deleted:
        came = last(steps[:place], "named", manifest)
        assert came > last(steps[:place], "named", steps[place].path)
        assert last(steps[:place], "synced", str(folder)) > came, "a file goes when no manifest names it any more"


def test_a_commit_of_tantivy_is_on_disk_before_its_revision_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    steps = traced("tantivy", folder, tmp_path / "log")
    meta, manifest, segments = f"{folder}/segments/meta.json", f"{folder}/manifest.json", f"{folder}/segments"
    named = [place for place, step in enumerate(steps) if step.what == "named" and step.path == meta]
    assert len(named) >= 4
    for place in named:
        files = {path for path in unsynced(steps[:place]) if "/.tmp" not in path or path == steps[place].before}
        assert not files, "what it lists is on disk before it is"
        then = [step for step in steps[place + 1 :] if step.path in (manifest, segments, meta)]
        renamed = next((n for n, step in enumerate(then) if step.what == "named" and step.path == manifest), len(then))
        assert any(step.what == "synced" and step.path == segments for step in then[:renamed])
