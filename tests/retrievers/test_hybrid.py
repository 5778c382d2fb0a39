"""The hybrid retriever over a real catalog, with legs that find what the test says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from penstock.analysis.analyser import TextAnalyser
from penstock.catalog import Batch, Catalog, Collection, open_catalog
from penstock.model import Candidate, Filter, Leg, Retrieved, Scope
from penstock.retrievers import (
    HybridRetriever,
    KeywordLeg,
    NeighbourRetriever,
    SearchLeg,
    SeparateLegs,
    VectorLeg,
    Weighed,
    weigh,
    weighted,
)
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
from penstock.testing.doubles.embedders import HashEmbedder, LittleModel

TEXTS = [f"Turbine {number} has valves." for number in range(6)]


class FixedLeg:
    """Finds the same rows for every question; `then` is called at each search."""

    def __init__(
        self,
        name: Leg,
        found: Sequence[tuple[int, float]],
        *,
        revision: int = 1,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self.name: Leg = name
        self.revision = revision
        self.scopes: list[Scope] = []
        self._found = found
        self._then = then

    def search(self, question: str, *, k: int, scope: Scope) -> list[Candidate]:
        del question
        self.scopes.append(scope)
        self._then()
        return [Candidate(row=row, score=score) for row, score in self._found][:k]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        yield catalog


@pytest.fixture
def collection(catalog: Catalog) -> Collection:
    collection = catalog.collection("plant", create=True)
    put = make_put("plant", make_source("file:///a.txt"), TEXTS, title="Manual")
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    return collection


def even(_question: str, found: object, _texts: Sequence[str]) -> Weighed:
    del found
    return Weighed(weights={"keyword": 0.5, "vector": 0.5}, notes=("weighed",))


def hybrid(collection: Collection, *legs: SearchLeg, weighing: Callable[..., Weighed] = even) -> HybridRetriever:
    return HybridRetriever(collection, SeparateLegs(*legs), analyser=TextAnalyser(), fuse=weighted, weigh=weighing)


def ask(retriever: HybridRetriever | NeighbourRetriever, question: str = "turbine valves", k: int = 10) -> Retrieved:
    return retriever.retrieve(question, k=k, where=Filter())


def rows_of(collection: Collection) -> list[int]:
    return [int(row) for row in collection.live_rows()]


def test_joins_what_both_legs_found_and_says_why(collection: Collection) -> None:
    first, second, third, *_ = rows_of(collection)
    keyword = FixedLeg("keyword", [(first, 8.0), (second, 4.0)])
    vector = FixedLeg("vector", [(second, 0.9), (third, 0.2)])
    found = ask(hybrid(collection, keyword, vector))
    assert {hit.chunk.text for hit in found.hits} == set(TEXTS[:3])
    assert (found.revision, found.notes) == (1, ("weighed",))
    both = next(hit for hit in found.hits if hit.chunk.text == TEXTS[1])
    assert (both.trace.ranks, both.trace.scores) == ({"keyword": 2, "vector": 1}, {"keyword": 4.0, "vector": 0.9})
    assert set(both.trace.matched) == {"turbin", "valv"}
    for hit in found.hits:
        assert hit.score == pytest.approx(sum(hit.trace.shares.values()))
        assert (hit.title, hit.source.uri) == ("Manual", "file:///a.txt")
    assert list(found.hits) == sorted(found.hits, key=lambda hit: (-hit.score, hit.chunk.id))


def test_one_leg_alone_keeps_its_order_and_is_cut_at_k(collection: Collection) -> None:
    rows = rows_of(collection)
    leg = FixedLeg("keyword", [(row, 10.0 - row) for row in reversed(rows)])
    found = ask(hybrid(collection, leg), k=2)
    assert [hit.trace.ranks["keyword"] for hit in found.hits] == sorted(
        (hit.trace.ranks["keyword"] for hit in found.hits), key=lambda rank: -(10.0 - list(reversed(rows))[rank - 1])
    )
    assert len(found.hits) == 2


def test_rows_that_are_no_longer_live_are_dropped_before_the_cut(catalog: Catalog, collection: Collection) -> None:
    old = rows_of(collection)
    put = make_put("plant", make_source("file:///a.txt"), ["The turbine was replaced."])
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    (new,) = rows_of(collection)
    leg = FixedLeg("keyword", [*((row, 9.0) for row in old), (new, 1.0)], revision=2)
    assert [hit.chunk.text for hit in ask(hybrid(collection, leg), k=1).hits] == ["The turbine was replaced."]


def test_while_one_index_is_ahead_its_revision_counts(catalog: Catalog, collection: Collection) -> None:
    old = rows_of(collection)
    put = make_put("plant", make_source("file:///a.txt"), ["The turbine was replaced."])
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    (new,) = rows_of(collection)
    keyword, vector = FixedLeg("keyword", [(new, 3.0)], revision=2), FixedLeg("vector", [(old[0], 0.9)], revision=1)
    found = ask(hybrid(collection, keyword, vector))
    assert ([hit.chunk.text for hit in found.hits], found.revision) == (["The turbine was replaced."], 2)


def test_an_index_that_goes_on_during_the_search_is_asked_again(catalog: Catalog, collection: Collection) -> None:
    (first, *_) = rows_of(collection)
    put = make_put("plant", make_source("file:///b.txt"), ["More turbines."])
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")

    def goes_on() -> None:
        leg.revision = 2

    leg = FixedLeg("keyword", [(first, 3.0)], then=goes_on)
    assert ask(hybrid(collection, leg)).revision == 2
    assert [scope.revision for scope in leg.scopes] == [1, 2]


def test_a_question_that_no_leg_can_answer_finds_nothing_and_says_why(collection: Collection) -> None:
    weighing = partial(weigh, embedder=HashEmbedder(covers=0.0), vector_weight=0.4)
    legs = FixedLeg("keyword", []), FixedLeg("vector", [(rows_of(collection)[0], 0.5)])
    found = ask(hybrid(collection, *legs, weighing=weighing), "水轮机")
    assert all(hit.score == 0 for hit in found.hits)
    assert [note.partition(":")[0] for note in found.notes] == ["keyword leg left out", "vector leg left out"]


class Recorder:
    """An index that notes what it was asked with."""

    revision = 3

    def __init__(self) -> None:
        self.asked: list[object] = []

    def search(self, query: object, *, k: int, scope: Scope) -> list[Candidate]:
        self.asked.append(query)
        return [Candidate(row=k, score=float(scope.revision))]


def test_legs_ask_their_index_in_its_own_terms(collection: Collection) -> None:
    words, vectors, model = Recorder(), Recorder(), LittleModel()
    keyword, vector = KeywordLeg(words, TextAnalyser()), VectorLeg(vectors, model)
    scope = collection.scope(Filter())
    assert keyword.search("turbines", k=2, scope=scope) == [Candidate(row=2, score=1.0)]
    assert keyword.search("?!", k=2, scope=scope) == [], "no token, no question"
    assert vector.search("turbines", k=2, scope=scope) == [Candidate(row=2, score=1.0)]
    assert (words.asked, model.embedded) == ([["turbin"]], ["turbines"])
    assert (keyword.revision, vector.revision) == (3, 3)


def test_neighbours_follow_their_hit_once_and_say_so(collection: Collection) -> None:
    rows = rows_of(collection)
    inner = hybrid(collection, FixedLeg("keyword", [(rows[2], 5.0), (rows[3], 4.0)]))
    found = ask(NeighbourRetriever(inner, collection, count=1))
    assert [TEXTS.index(hit.chunk.text) for hit in found.hits] == [2, 1, 3, 4]
    first, before, *_ = found.hits
    assert (before.score, before.trace.notes) == (first.score, (f"next to {first.chunk.id}",))


def test_a_hit_that_is_no_longer_there_has_no_neighbours(collection: Collection) -> None:
    found = ask(hybrid(collection, FixedLeg("keyword", [(rows_of(collection)[0], 5.0)])))
    (hit,) = found.hits
    gone = replace(found, hits=(replace(hit, chunk=replace(hit.chunk, id="gone")),))

    class Kept:
        def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
            del question, k, where
            return gone

    assert ask(NeighbourRetriever(Kept(), collection, count=1)) == gone
