"""What nobody wants is refused by name, and an index is neither discarded for it nor rebuilt again and again."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock import Penstock
from penstock.cli.app import app
from penstock.errors import IndexingError, SettingsError, UsageError
from penstock.limits import LONGEST_QUESTION, MOST_HITS, MOST_PATTERNS
from penstock.model import Filter
from penstock.pipelines.indexing.rebuilding import Rebuilds
from penstock.pipelines.indexing.set_aside import KEPT, lying_aside, set_aside
from penstock.pipelines.ingest.records import Record
from penstock.settings import read_settings

FILES = 3


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that tests copy."""
    records = [Record(uri=f"file:///docs/{n}.md", text=f"Paper {n}\n\nThe turbine {n} turns.") for n in range(FILES)]
    home = tmp_path_factory.mktemp("library") / "home"
    with Penstock(home) as made:
        made.add(records)
    return home


@pytest.fixture
def penstock(library: Path, tmp_path: Path) -> Iterator[Penstock]:
    with Penstock(shutil.copytree(library, tmp_path / "home")) as opened:
        yield opened


def _place(penstock: Penstock, index: str) -> Path:
    (place,) = (
        path for path in (penstock.settings.home / "collections").glob(f"*/{index}-*") if ".aside-" not in path.name
    )
    return place


def _break(place: Path) -> None:
    for path in place.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize("k", [0, -1, MOST_HITS + 1, 10**12, 10**18, pytest.param(10**5000, id="huge")])
def test_an_absurd_number_of_hits_is_refused_and_no_index_suffers(penstock: Penstock, k: int) -> None:
    with pytest.raises(UsageError, match=f"1 to {MOST_HITS} hits"):
        penstock.search("turbine", k=k)
    with pytest.raises(UsageError, match="neighbours"):
        penstock.search("turbine", neighbours=k or -1)
    assert penstock.status().aside.folders == 0
    assert len(penstock.search("turbine", k=MOST_HITS).hits) == FILES


@pytest.mark.parametrize("option", ["--k", "--neighbours"])
@pytest.mark.parametrize("number", [10**12, 10**18])
def test_the_command_refuses_absurd_numbers(penstock: Penstock, option: str, number: int) -> None:
    command = ["search", "turbine", "--home", str(penstock.settings.home), option, str(number)]
    ended = CliRunner().invoke(app, command)
    assert ended.exit_code == 2
    assert "less than or equal to 100" in re.sub(r"\s+", " ", ended.output)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("retrieval", "k", 10**12),
        ("retrieval", "candidates", 10**18),
        ("retrieval", "neighbours", 10**9),
        ("embedder", "batch", 10**12),
        ("embedder", "threads", 10**6),
        ("limits", "workers", 10**6),
        ("limits", "parse_mib", 10**15),
        ("limits", "parse_seconds", "inf"),
        ("loaders", "ocr_dpi", 10**6),
        ("llm", "attempts", 10**6),
        ("llm", "timeout_seconds", "nan"),
        ("prompt", "answer_tokens", 10**12),
        ("elasticsearch", "shards", 10**6),
    ],
)
def test_settings_say_the_most_that_is_allowed(group: str, name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=rf"{group}\.{name}.*(less than or equal to \d|finite)"):
        read_settings(**{group: {name: value}})


def test_a_long_question_is_refused(penstock: Penstock) -> None:
    assert penstock.search("turbine " * (LONGEST_QUESTION // 8)).hits
    with pytest.raises(UsageError, match=f"at most {LONGEST_QUESTION}"):
        penstock.search("[" + " " * 60_000)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        pytest.param(Filter(sources=tuple(f"*/{n}.md" for n in range(MOST_PATTERNS))), FILES, id="patterns"),
        pytest.param(Filter(sources=tuple(f"*/[{n % 2}].md" for n in range(MOST_PATTERNS))), 2, id="sets"),
        pytest.param(Filter(sources=tuple(f"file:///{n}" for n in range(5000))), 0, id="addresses"),
        pytest.param(Filter(media_types=(*map(str, range(4999)), "text/plain")), FILES, id="media types"),
        pytest.param(Filter(principals=frozenset(map(str, range(5000)))), FILES, id="principals"),
        pytest.param(Filter(labels={str(n): "x" for n in range(100)}), 0, id="labels"),
        pytest.param(
            Filter(
                sources=(*(f"*/{n}.md" for n in range(MOST_PATTERNS)), *map(str, range(3000))),
                media_types=(*(f"text/p{n}*" for n in range(MOST_PATTERNS - 1)), "text/p*", *map(str, range(3000))),
                languages=(*map(str, range(4998)), "en", "und"),
                principals=frozenset(map(str, range(5000))),
                labels={},
            ),
            FILES,
            id="all of it",
        ),
    ],
)
def test_long_lists_in_filters_work(penstock: Penstock, where: Filter, count: int) -> None:
    assert len(penstock.search("turbine", where=where).hits) == count


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Filter(sources=tuple(f"*{n}" for n in range(MOST_PATTERNS + 1))), f"more than {MOST_PATTERNS} patterns"),
        (Filter(sources=tuple(map(str, range(10**5)))), "names 100000 sources; at most 5000"),
        (Filter(labels={str(n): "x" for n in range(2000)}), "names 2000 labels; at most 100"),
        (Filter(sources=("[" * 60_000,)), "60000 characters"),
        (Filter(pages=(1, 10**18)), "the last that can be is 2147483647"),
        (Filter(pages=(1, 10**5000)), "a number of 16610 bits"),
    ],
)
def test_longer_lists_say_their_limit(penstock: Penstock, where: Filter, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        penstock.search("turbine", where=where)


@pytest.mark.parametrize("index", ["keyword", "vector"])
def test_an_index_is_built_anew_once_for_the_same_cause(penstock: Penstock, index: str) -> None:
    place = _place(penstock, index)
    penstock.close()
    _break(place)
    assert len(penstock.search("turbine").hits) == FILES, "rebuilt"
    penstock.close()
    _break(place)
    for _ in range(3):
        with pytest.raises(IndexingError, match="doctor --repair"):
            penstock.search("turbine")
    assert lying_aside(place.parent).folders == 1
    assert penstock.doctor(repair=True).ok, "a person may always"
    assert len(penstock.search("turbine").hits) == FILES
    status = penstock.status().aside
    assert status.folders == 2
    assert status.bytes > 0
    ended = CliRunner().invoke(app, ["status", "--home", str(penstock.settings.home), "--json"])
    assert json.loads(ended.output)["aside"] == {"folders": 2, "bytes": status.bytes}


def test_an_hour_later_it_is_built_anew_again(tmp_path: Path) -> None:
    times = [datetime(2026, 1, 1, tzinfo=UTC)]
    rebuilds = Rebuilds(tmp_path, "keyword-tantivy", clock=lambda: times[-1])
    cause = "/home/keyword/{}.term cannot be read"
    rebuilds.begin(cause.format("a" * 32))
    Rebuilds(tmp_path, "vector-faiss", clock=lambda: times[-1]).begin(cause.format("a" * 32))
    rebuilds.begin("another cause")
    times.append(times[0] + timedelta(minutes=59))
    with pytest.raises(IndexingError, match="2026-01-01 00:00 UTC"):
        rebuilds.begin(cause.format("b" * 32))
    times.append(times[0] + timedelta(minutes=61))
    rebuilds.begin(cause.format("c" * 32))


def test_a_note_that_nobody_can_read_costs_nothing(tmp_path: Path) -> None:
    for noted in ("", "[]", '{"a": 1}', "\0"):
        (tmp_path / "rebuilds.json").write_text(noted, "utf-8")
        Rebuilds(tmp_path, "keyword-tantivy").begin("a cause")
        with pytest.raises(IndexingError, match="for the same cause"):  # it is recorded again
            Rebuilds(tmp_path, "keyword-tantivy").begin("a cause")


def test_a_place_that_cannot_be_noted_is_not_built_anew(tmp_path: Path) -> None:
    (tmp_path / "rebuilds.json").mkdir()
    with pytest.raises(IndexingError, match="cannot be written"):
        Rebuilds(tmp_path, "keyword-tantivy").begin("a cause")


def test_the_newest_that_were_set_aside_stay(tmp_path: Path) -> None:
    folder = tmp_path / "keyword-tantivy"
    vector = tmp_path / "vector-faiss"
    vector.mkdir()
    set_aside(vector)
    for number in range(KEPT + 4):
        folder.mkdir()
        (folder / "data").write_text(str(number), "utf-8")
        set_aside(folder)
    kept = sorted(tmp_path.glob("keyword-tantivy.aside-*"))
    assert [int((path / "data").read_text("utf-8")) for path in kept] == [4, 5, 6]
    assert lying_aside(tmp_path).folders == KEPT + 1
    shutil.rmtree(kept[0])
    assert lying_aside(tmp_path).folders == KEPT
