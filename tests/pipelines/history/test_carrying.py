"""A collection as one file: the same answers elsewhere, and a file from a stranger is checked in every part."""

import hashlib
import json
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.errors import BrokenSource, NewerCatalog, PenstockError, UnknownName, UsageError
from penstock.ids import chunk_id
from penstock.loaders import uri_of
from penstock.model import Filter, Span
from penstock.pipelines.history import package
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel

QUESTIONS = ("days of leave", "年假 结转", "carry over")
PEOPLE: tuple[Filter, ...] = (Filter(), Filter(principals=frozenset()), Filter(principals=frozenset({"staff"})))


def fill(penstock: Penstock, folder: Path) -> None:
    (folder / "leave.md").write_text("# Leave\n\nTen days of leave carry over into the next year.\n", "utf-8")
    (folder / "年假.txt").write_text("未休完的年假可以结转到下一年度，最多十天。\n", "utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of what a PDF needs\n")
    (folder / "copy.md").write_bytes((folder / "leave.md").read_bytes())
    staff = folder / "staff"
    staff.mkdir()
    (staff / "pay.md").write_text("# Pay\n\nPay on days of leave.\n\n| day | pay |\n|---|---|\n| 1 | 2 |\n", "utf-8")
    (staff / "gone.md").write_text("Gone days of leave.", "utf-8")
    penstock.ingest(folder, labels={"year": 2024, "share": 0.5, "kind": "rule"})
    penstock.ingest(staff, access=["staff"])
    (staff / "gone.md").unlink()
    penstock.ingest(staff)


@pytest.fixture
def filled(penstock: Penstock, folder: Path) -> Penstock:
    fill(penstock, folder)
    return penstock


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export from which all changed files are made."""
    base = tmp_path_factory.mktemp("original")
    (base / "documents").mkdir()
    with Penstock(base / "home", embedder=LittleModel()) as penstock:
        fill(penstock, base / "documents")
        penstock.export(base / "default.penstock")
    return base / "default.penstock"


@pytest.fixture
def original(once: Path, tmp_path: Path) -> Path:
    """A copy of it for this test."""
    return Path(shutil.copy(once, tmp_path / "default.penstock"))


@pytest.fixture
def exported(filled: Penstock, tmp_path: Path) -> Path:
    filled.export(tmp_path / "default.penstock")
    return tmp_path / "default.penstock"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: LittleModel) -> Iterator[Penstock]:
    """Another home, with its own catalog."""
    monkeypatch.delenv("PENSTOCK_CATALOG__URL", raising=False)
    del model
    with Penstock(tmp_path / "elsewhere") as opened:
        yield opened


def answers(penstock: Penstock) -> list[Any]:
    found = []
    for question in QUESTIONS:
        for where in PEOPLE:
            hits = penstock.search(question, where=where).hits
            found.append([(hit.chunk, hit.sources, hit.title) for hit in hits])
    return found


def contents(penstock: Penstock) -> list[Any]:
    collection = penstock.collection
    documents = [
        (stored.document, stored.content, stored.chunker, stored.sources, stored.chunks)
        for stored in sorted(collection.documents(), key=lambda stored: stored.document.id)
    ]
    known = [
        (source.source, source.outcome, source.reason, source.loader, source.chunker) for source in collection.sources()
    ]
    failed = [(failed.source, failed.loader, failed.failure, failed.since) for failed in collection.quarantine()]
    memory = [collection.access_of_removed(), {uri: given.access for uri, given in collection.given().items()}]
    return [documents, known, failed, memory, collection.embedder(), collection.restricts()]


def test_what_comes_out_is_what_went_in(filled: Penstock, exported: Path, elsewhere: Penstock) -> None:
    done = elsewhere.import_(exported)
    assert (done.collection, done.exported_revision, done.remarks) == ("default", 3, ())
    assert contents(elsewhere) == contents(filled)
    assert answers(elsewhere) == answers(filled)
    assert elsewhere.doctor(deep=True).ok
    assert [entry.cause for entry in elsewhere.history()] == ["import"]
    assert done.after.catalog >= done.before.catalog


def test_the_next_run_finds_everything_unchanged(exported: Path, elsewhere: Penstock, folder: Path) -> None:
    elsewhere.import_(exported)
    report = elsewhere.ingest(folder)
    assert (report.parsed, report.embedded, report.count("unchanged")) == (0, 0, 4)
    (folder / "staff" / "gone.md").write_text("Gone days of leave are back.", "utf-8")
    elsewhere.ingest(folder)
    back = elsewhere.collection.known(uri_of(str(folder / "staff" / "gone.md")))
    assert back is not None
    assert back.source.access == {"staff"}


def test_what_was_said_last_of_an_address_wins_elsewhere_too(exported: Path, elsewhere: Penstock, folder: Path) -> None:
    elsewhere.import_(exported)
    elsewhere.ingest(folder, access=["board"])
    (folder / "staff" / "new.md").write_text("New.", "utf-8")
    elsewhere.ingest(folder)
    new = elsewhere.collection.known(uri_of(str(folder / "staff" / "new.md")))
    assert new is not None
    assert new.source.access == {"board"}


def test_another_name_keeps_the_ids(filled: Penstock, exported: Path) -> None:
    filled.import_(exported, name="copy")
    with Penstock(filled.settings.home, "copy") as copy:
        assert contents(copy) == contents(filled)
        assert copy.doctor(deep=True).ok
        copy.add([Record(uri="file:///more.txt", text="More days of leave.")])
        assert copy.doctor(deep=True).ok
    with pytest.raises(UsageError, match="there is a collection named 'copy' already"):
        filled.import_(exported, name="copy")
    with pytest.raises(UsageError, match="cannot be named"):
        filled.import_(exported, name="../copy")


def test_a_file_that_is_there_stays_and_one_that_failed_does_not(filled: Penstock, exported: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        filled.export(exported)
    assert exported.read_bytes() == before
    with pytest.raises(UsageError, match="no folder"):
        filled.export(exported.parent / "nowhere" / "file")
    assert oct(exported.stat().st_mode)[-3:] == "600"
    assert [path.name for path in exported.parent.glob(".*")] == []
    with Penstock(filled.settings.home, "unknown") as unknown, pytest.raises(UnknownName):
        unknown.export(exported.parent / "unknown")


Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def rewritten(path: Path, change: Change, *, checksums: bool = True) -> Path:
    """The file with changed parts, and a manifest with their checksums."""
    with zipfile.ZipFile(path) as zipped:
        files = {name: zipped.read(name) for name in zipped.namelist()}
    manifest = json.loads(files.pop(package.MANIFEST))
    change(files, manifest)
    if checksums:
        manifest["members"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
        }
    target = path.with_name("changed.penstock")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
        zipped.writestr(package.MANIFEST, json.dumps(manifest))
    return target


def in_lines(name: str, change: Callable[[dict[str, Any]], None]) -> Change:
    """Changes the last line of a part, as JSON."""

    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        *first_lines, last = files[name].splitlines()
        plain = json.loads(last)
        change(plain)
        files[name] = b"\n".join([*first_lines, json.dumps(plain).encode(), b""])

    return changed


def in_parts(name: str, change: Callable[[bytes], bytes]) -> Change:
    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        files[name] = change(files[name])

    return changed


def in_manifest(**given: Any) -> Change:
    return lambda _, manifest: manifest.update(given)


def with_vector(value: float) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        numbers = np.frombuffer(data, "<f4").copy()
        numbers[3] = value
        return numbers.tobytes()

    return changed


HOSTILE: dict[str, Change] = {
    "another text": in_lines("documents.jsonl", lambda line: line.update(text="Another " + line["text"])),
    "an id of no address": in_lines("documents.jsonl", lambda line: line.update(id="0" * 32)),
    "an address of no id": in_lines("documents.jsonl", lambda line: line.update(uri="file:///etc/passwd")),
    "a chunk id of no span": in_lines("documents.jsonl", lambda line: line["chunks"][0].update(id="0" * 32)),
    "a span outside": in_lines("documents.jsonl", lambda line: line["chunks"][0].update(span=[0, 10**9])),
    "a negative span": in_lines("documents.jsonl", lambda line: line["blocks"][0].update(span=[-5, 2])),
    "headings of no vector": in_lines("documents.jsonl", lambda line: line["chunks"][0].update(headings=["Other"])),
    "a text for a number": in_lines("documents.jsonl", lambda line: line["blocks"][0].update(level="1")),
    "a kind of no block": in_lines("documents.jsonl", lambda line: line["blocks"][0].update(kind="script")),
    "no chunker": in_lines("documents.jsonl", lambda line: line.pop("chunker")),
    "a document twice": in_parts("documents.jsonl", lambda data: data + data),
    "a source without document": in_lines("sources.jsonl", lambda line: line.update(content="0" * 32)),
    "a source twice": in_parts("sources.jsonl", lambda data: data + data),
    "no sources": in_parts("sources.jsonl", lambda _: b""),
    "access that is a text": in_lines("sources.jsonl", lambda line: line["source"].update(access="staff")),
    "an outcome of no source": in_lines("sources.jsonl", lambda line: line.update(outcome="stolen")),
    "labels that are lists": in_lines("sources.jsonl", lambda line: line["source"].update(labels={"a": [1]})),
    "a label that is no number": in_lines(
        "sources.jsonl", lambda line: line["source"].update(labels={"a": float("nan")})
    ),
    "a size below 0": in_lines("sources.jsonl", lambda line: line["source"].update(size=-1)),
    "a size beyond all": in_lines("sources.jsonl", lambda line: line["source"].update(size=2**80)),
    "no JSON": in_parts("sources.jsonl", lambda data: data[:-20]),
    "deep JSON": in_parts("gone.jsonl", lambda _: b"[" * 200_000),
    "a vector of NaN": in_parts("vectors.f32", with_vector(float("nan"))),
    "an infinite vector": in_parts("vectors.f32", with_vector(float("inf"))),
    "a vector less": in_parts("vectors.f32", lambda data: data[:-4]),
    "a vector more": in_parts("vectors.f32", lambda data: data + bytes(32)),
    "a hash less": in_parts("hashes.txt", lambda data: data[33:]),
    "a hash of no text": in_parts("hashes.txt", lambda data: b"0" * 32 + b"\n" + data[33:]),
    "hashes out of order": in_parts("hashes.txt", lambda data: data[33:66] + data[:33] + data[66:]),
    "no hashes": in_parts("hashes.txt", lambda data: b"../" * (len(data) // 3)),
    "another dimension": in_manifest(dimension=3),
    "no dimension": in_manifest(dimension=0),
    "a dimension beyond all": in_manifest(dimension=2**40),
    "an origin that is a path": in_manifest(origin="../../etc"),
    "another origin": in_manifest(origin="other"),
    "a format that is a text": in_manifest(format="1"),
    "a part that is missing": lambda files, _: files.__delitem__("gone.jsonl"),
    "a part too many": lambda files, _: files.update({"../../escape": b"x"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_does_not_fit_together_is_refused_whole(
    original: Path, elsewhere: Penstock, tmp_path: Path, what: str
) -> None:
    changed = rewritten(original, HOSTILE[what])
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(PenstockError):
        elsewhere.import_(changed)
    assert elsewhere.collections() == ()
    added = {path.name for path in tmp_path.rglob("*")} - set(before)
    assert not {name for name in added if "escape" in name or name.startswith("default-")}
    elsewhere.import_(original)
    assert elsewhere.doctor(deep=True).ok


def test_chunks_that_say_the_text_again_and_again_are_refused_before_they_are_made(
    original: Path, elsewhere: Penstock
) -> None:
    def change(line: dict[str, Any]) -> None:
        whole = {**line["chunks"][0], "span": [0, len(line["text"])]}
        whole["id"] = chunk_id(line["content"], Span(*whole["span"]), line["chunker"])
        line["chunks"] = [whole] * 17

    with pytest.raises(BrokenSource, match="say the text more than 16 times"):
        elsewhere.import_(rewritten(original, in_lines("documents.jsonl", change)))
    assert elsewhere.collections() == ()


def test_a_flipped_byte_anywhere_is_noticed(original: Path, elsewhere: Penstock) -> None:
    whole = original.read_bytes()
    damaged = original.with_name("damaged.penstock")
    for place in range(100, len(whole), len(whole) // 40):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            elsewhere.import_(damaged)
        except PenstockError:
            assert elsewhere.collections() == ()
        else:  # in a field that is not read, such as a date
            elsewhere.remove_collection("default")
    with pytest.raises(BrokenSource, match="checksum"):
        elsewhere.import_(rewritten(original, in_parts("gone.jsonl", lambda data: data[::-1]), checksums=False))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"not a zip" * 100])
def test_what_is_no_export_is_refused(tmp_path: Path, elsewhere: Penstock, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(BrokenSource):
        elsewhere.import_(tmp_path / "file")
    with pytest.raises(BrokenSource):
        elsewhere.import_(tmp_path / "nowhere")


def test_a_newer_form_says_so(original: Path, elsewhere: Penstock) -> None:
    with pytest.raises(NewerCatalog, match="Upgrade Penstock"):
        elsewhere.import_(rewritten(original, in_manifest(format=2, more={"a": 1})))


def test_a_bomb_is_refused_before_it_is_unpacked(original: Path, elsewhere: Penstock) -> None:
    bomb = rewritten(original, in_parts("gone.jsonl", lambda _: bytes(150 * 2**20)))
    tracemalloc.start()
    with pytest.raises(BrokenSource, match="unpacks to more than 100 times"):
        elsewhere.import_(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_a_list_of_a_million_parts_is_refused_unread(tmp_path: Path, elsewhere: Penstock) -> None:
    many = tmp_path / "many"
    with zipfile.ZipFile(many, "w") as zipped:
        for number in range(4000):
            zipped.writestr(f"{number}", b"")
    with pytest.raises(BrokenSource, match="longer than that of any export"):
        elsewhere.import_(many)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [200, 800])
def test_memory_does_not_grow_with_the_collection(
    penstock: Penstock, elsewhere: Penstock, tmp_path: Path, size: int, record_property: Callable[[str, object], None]
) -> None:
    penstock.add(
        Record(uri=f"file:///{n}.txt", text=f"Paper {n}. " + f"Sentence {n} of it. " * 100) for n in range(size)
    )
    peaks = []
    for work in (lambda: penstock.export(tmp_path / "file"), lambda: elsewhere.import_(tmp_path / "file")):
        tracemalloc.start()
        work()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    record_property("peaks", peaks)
    assert max(peaks) < 24 * 2**20
