"""One library, many collections: loaded once, closed together, each with its own settings."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock import Library, Penstock
from penstock.errors import SettingsError
from penstock.pipelines import assembly
from penstock.pipelines.stepwise import Stepwise
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel


@pytest.fixture
def library(home: Path, model: LittleModel) -> Iterator[Library]:
    with Library(home, embedder=model) as opened:
        yield opened


def test_collections_share_what_is_loaded(
    home: Path, folder: Path, model: LittleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def make(*given: object) -> object:
            made.append(name)
            return real(*given)

        return make

    for name in ("catalog", "embedder", "analyser", "llm"):
        monkeypatch.setattr(assembly, name, counting(name, getattr(assembly, name)))
    with Library(home) as library:
        for number in range(4):
            penstock = library.open(f"c{number}")
            assert penstock.ingest(folder).count("indexed") == 2
            assert penstock.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")
            assert penstock.ask("How many days carry over?").text
        assert sorted(made) == ["analyser", "catalog", "embedder", "llm"]
        assert [info.name for info in library.collections()] == ["c0", "c1", "c2", "c3"]


def test_a_collection_with_a_model_of_its_own_has_that_one(home: Path, folder: Path, model: LittleModel) -> None:
    sources = [{"path": str(folder)}]
    own = {"sources": sources, "embedder": {"options": {"dimension": 12}}}
    described = {"plain": {"sources": sources}, "other": {"sources": sources}, "own": own}
    with Library(settings=read_settings(home=home, collections=described)) as library:
        for name, identity in (("plain", "hash/64"), ("other", "hash/64"), ("own", "hash/12")):
            with library.open(name) as penstock:
                penstock.sync()
                assert penstock.status().embedder == f"{identity}/float32"
        first, second, third = (library.embedder(library.open(name).settings) for name in ("plain", "other", "own"))
        assert first is second
        assert first is not third


def test_one_that_is_closed_leaves_the_others_open(library: Library, folder: Path) -> None:
    first, second = library.open("one"), library.open("other")
    first.ingest(folder)
    second.ingest(folder)
    first.close()
    assert second.search("carry over").hits
    assert first.search("carry over").hits, "the next call opens it again"
    library.close()
    assert first.search("carry over").hits
    assert second.search("carry over").hits


def test_steps_are_made_in_a_library_too(library: Library, folder: Path) -> None:
    with Stepwise(collection="steps", library=library) as penstock:
        plan, run = penstock.plan(folder), penstock.begin("ingest")
        report = penstock.finish(plan, [penstock.take(plan.pending, run=run)], run=run)
    assert report.count("indexed") == 2
    with library.open("steps") as same, Penstock(library.settings.home, "steps", embedder=LittleModel()) as alone:
        assert [hit.chunk.id for hit in same.search("leave").hits] == [
            hit.chunk.id for hit in alone.search("leave").hits
        ]


def test_threads_share_a_library(library: Library, folder: Path) -> None:
    library.open("shared").ingest(folder)
    found: list[int] = []

    def search() -> None:
        with library.open("shared") as penstock:
            found.append(len(penstock.search("carry over").hits))

    threads = [threading.Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 6
    assert found[0]


def test_a_name_that_no_collection_can_have(library: Library) -> None:
    with pytest.raises(SettingsError, match="cannot be named"):
        library.open("../elsewhere")
