"""One bit changed in every file of an index, at several places: `doctor --deep` notices each that matters."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.reporting.exit_codes import ATTENTION
from penstock.pipelines.workspace import Penstock
from penstock.settings import Legs, read_settings
from penstock.testing.contracts.catalog import execute_on
from penstock.testing.doubles.embedders import LittleModel

pytestmark = pytest.mark.usefixtures("model")
WORDS = ("turbine", "valve", "年假", "reservoir", "gate", "压力")
QUESTIONS = (*WORDS, "turbine gate", "n3")
LEGS: tuple[Legs, ...] = ("keyword", "vector")
PLACES = 7
"""Places in a file at which a bit is changed, first and last byte among them."""


def records(numbers: range, edition: str) -> list[Record]:
    return [
        Record(
            uri=f"record:{number}",
            text=f"{WORDS[number % 6]} {WORDS[number % 5]} n{number} {edition}\n\nwater n{number}",
        )
        for number in numbers
    ]


def opened(home: Path, keyword: str) -> Penstock:
    return Penstock(settings=read_settings(home=home, indexes={"keyword": keyword}))


@pytest.fixture(params=["tantivy", "rank-bm25"])
def keyword(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def filled(keyword: str, tmp_path: Path, model: LittleModel) -> Path:
    """A home whose indexes have several segments, and rows that were removed."""
    home = tmp_path / "filled"
    with opened(home, keyword) as penstock:
        penstock.add(records(range(12), "first"))
        penstock.add(records(range(12, 16), "second"))
        penstock.remove("record:13")
        assert penstock.doctor(deep=True).ok
    return home


def index_files(home: Path) -> list[Path]:
    """All files of both indexes that hold a byte, relative to the home."""
    found = (path for path in (home / "collections").glob("*/**/*") if path.is_file())
    return sorted(path.relative_to(home) for path in found if path.stat().st_size)


def answers(penstock: Penstock) -> list[Any]:
    """The results of all questions: all that a reader sees."""
    found = [
        penstock.retriever_of(leg).retrieve(question, k=50, where=Filter()) for question in QUESTIONS for leg in LEGS
    ]
    return [(answer.revision, [(hit.chunk.id, hit.score) for hit in answer.hits]) for answer in found]


def flips(path: Path) -> Iterator[tuple[int, bytes]]:
    data = path.read_bytes()
    for step in range(PLACES):
        place = step * (len(data) - 1) // (PLACES - 1)
        changed = bytearray(data)
        changed[place] ^= 1 << (step % 8)
        yield place, bytes(changed)


def is_noticed(home: Path, keyword: str) -> bool:
    with opened(home, keyword) as penstock:
        return not penstock.doctor(deep=True).ok


def is_harmless(home: Path, keyword: str, before: list[Any]) -> bool:
    """Whether the results are the same, now and after the next change."""
    with opened(home, keyword) as penstock:
        if answers(penstock) != before:
            return False
        penstock.add(records(range(3, 6), "third"))
        return penstock.doctor(deep=True).ok


def test_a_changed_bit_is_noticed_or_harmless(filled: Path, keyword: str, tmp_path: Path) -> None:
    with opened(filled, keyword) as penstock:
        before = answers(penstock)
    files = index_files(filled)
    assert len(files) >= 4
    noticed = 0
    for name in files:
        whole = (filled / name).read_bytes()
        for place, changed in flips(filled / name):
            (filled / name).write_bytes(changed)
            if is_noticed(filled, keyword):
                noticed += 1
            else:
                copy = Path(shutil.copytree(filled, tmp_path / "copy"))
                assert is_harmless(copy, keyword, before), (name, place)
                shutil.rmtree(copy)
            (filled / name).write_bytes(whole)
    assert not is_noticed(filled, keyword)
    assert noticed > PLACES * len(files) / 2


def test_deep_repair_builds_what_is_damaged_anew(filled: Path, keyword: str) -> None:
    """Also where `doctor` without `deep` finds nothing."""
    for pattern in ("*.store", "*.idx", "*.vectors", "*.tokens"):
        for path in list((filled / "collections").rglob(pattern)):
            if ".aside-" in str(path) or not path.exists():  # it came after another file of its index
                continue
            data = bytearray(path.read_bytes())
            data[len(data) // 3] ^= 4
            path.write_bytes(bytes(data))
            with opened(filled, keyword) as penstock:
                assert not penstock.doctor(deep=True).ok, path
                assert penstock.doctor(deep=True, repair=True).ok
                assert penstock.doctor(deep=True).ok


@pytest.mark.parametrize(
    ("statement", "where", "message"),
    [
        pytest.param(
            "UPDATE chunks SET text = 'other' WHERE row = 3", "catalog", "is not its span of the text", id="a text"
        ),
        pytest.param("UPDATE chunks SET id = 'other' WHERE row = 3", "catalog", "the id of its span", id="an id"),
        pytest.param("UPDATE chunks SET headings = '[\"x\"]' WHERE row = 3", "catalog", "computed from", id="headings"),
        pytest.param("UPDATE documents SET title = 'other' WHERE row = 2", "catalog", "the hash differs", id="a title"),
        pytest.param("UPDATE documents SET id = 'no' WHERE row = 2", "catalog", "one of its address", id="a document"),
        pytest.param("UPDATE contents SET body = x'00'", "catalog", "is damaged", id="a body"),
        pytest.param(
            "UPDATE vectors SET vector = (SELECT vector FROM vectors ORDER BY hash DESC LIMIT 1)",
            "vector",
            "vectors differ",
            id="vectors",
        ),
        pytest.param("DELETE FROM chunks WHERE row = 3", "catalog", "were written", id="a chunk"),
    ],
)
def test_what_the_catalog_says_is_proved_by_hashes(
    model: LittleModel, tmp_path: Path, statement: str, where: str, message: str
) -> None:
    with opened(tmp_path, "tantivy") as penstock:
        penstock.add(records(range(6), "first"))
    execute_on(f"sqlite:///{tmp_path / 'catalog.db'}", "PRAGMA foreign_keys=OFF")
    execute_on(f"sqlite:///{tmp_path / 'catalog.db'}", statement)
    with opened(tmp_path, "tantivy") as penstock:
        problems = penstock.doctor(deep=True).problems
    assert any(problem.where == where and message in problem.message for problem in problems), problems


def test_flaws_are_named_to_whoever_sees_all_and_counted_for_others(model: LittleModel, tmp_path: Path) -> None:
    closed = [replace(record, access=frozenset({"staff"})) for record in records(range(6), "first")]
    with opened(tmp_path, "tantivy") as penstock:
        penstock.add(closed)
    execute_on(f"sqlite:///{tmp_path / 'catalog.db'}", "UPDATE documents SET title = 'other' WHERE row IN (2, 3)")

    def messages(*, required: bool, principals: list[str] | None = None) -> list[str]:
        settings = read_settings(home=tmp_path, indexes={"keyword": "tantivy"}, access={"required": required})
        with Penstock(settings=settings) as penstock:
            return [problem.message for problem in penstock.doctor(deep=True, principals=principals).problems]

    named = messages(required=False)
    assert len(named) == 2
    assert all("record:" in message for message in named)
    for found in (
        messages(required=True),
        messages(required=True, principals=[]),
        messages(required=False, principals=[]),
    ):
        assert [("2 flaws" in message, "--set access.required=false" in message) for message in found] == [(True, True)]
        assert not any("record:" in message for message in found)


def test_a_damaged_page_of_the_catalog_is_told(model: LittleModel, tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with opened(tmp_path, "tantivy") as penstock:
        penstock.add(records(range(12), "first"))
        assert penstock.doctor(deep=True).ok
    with closing(sqlite3.connect(path)) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_chunks_document_ordinal'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size + 8 : (page - 1) * size + 40] = bytes(32)
    path.write_bytes(bytes(data))
    with opened(tmp_path, "tantivy") as penstock:
        problems = penstock.doctor(deep=True).problems
    assert {(problem.where, problem.what) for problem in problems} == {("catalog", "damaged")}


def test_the_command_looks_in_depth(
    filled: Path, keyword: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(filled))
    monkeypatch.setenv("PENSTOCK_INDEXES", json.dumps({"keyword": keyword}))
    monkeypatch.chdir(tmp_path)
    path = next((filled / "collections").rglob("*.store" if keyword == "tantivy" else "*.tokens"))
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(bytes(data))
    found = CliRunner().invoke(app, ["doctor", "--deep", "--json"])
    assert found.exit_code == ATTENTION
    assert [(problem["where"], problem["what"]) for problem in json.loads(found.stdout)["problems"]] == [
        ("keyword", "damaged")
    ]
    assert "--deep --repair" in CliRunner().invoke(app, ["doctor", "--deep"]).stdout
    assert CliRunner().invoke(app, ["doctor", "--deep", "--repair"]).exit_code == 0
    assert CliRunner().invoke(app, ["doctor", "--deep"]).exit_code == 0
