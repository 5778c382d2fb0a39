"""Both indexes in Elasticsearch, through the real pipeline: the same answers, a doctor that finds and repairs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from penstock.errors import IndexUnavailable
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from tests.servers.processes import free_port

pytestmark = pytest.mark.elasticsearch

TEXTS = {
    "file:///leave.txt": "Unused days of annual leave carry over until the end of March. 年假最多结转八天。",
    "file:///valve.txt": "The valve of the penstock closes within twelve seconds. 阀门在十二秒内关闭。",
    "file:///fire.txt": "The fire drill takes place every October. 消防演习每年十月举行。",
}


def records(texts: dict[str, str] = TEXTS) -> list[Record]:
    return [Record(uri=uri, text=text, labels={"file": uri[8:12]}) for uri, text in texts.items()]


@pytest.fixture
def there(elasticsearch_url: str, home: Path) -> Iterator[Penstock]:
    """A collection whose indexes are both in Elasticsearch."""
    with opened(elasticsearch_url, home) as penstock:
        yield penstock
        prefix = f"penstock-books-{penstock.collection.uid}*"
    with Elasticsearch(elasticsearch_url) as client:
        for index in client.indices.get(index=prefix):
            client.indices.delete(index=index)


def opened(url: str, home: Path, keyword: str = "elasticsearch", vector: str = "elasticsearch") -> Penstock:
    settings = read_settings(
        home=home,
        collection="books",
        indexes={"keyword": keyword, "vector": vector},
        elasticsearch={"urls": [url], "replicas": 0, "attempts": 2},
    )
    return Penstock(settings=settings)


def found(penstock: Penstock, question: str, **options: Any) -> list[tuple[str, float]]:
    return [(hit.chunk.id, round(hit.score, 5)) for hit in penstock.search(question, **options).hits]


def test_the_same_answers_wherever_the_indexes_are(there: Penstock, elasticsearch_url: str, home: Path) -> None:
    there.add(records())
    kinds = [("tantivy", "faiss"), ("elasticsearch", "faiss"), ("tantivy", "elasticsearch")]
    wheres = (Filter(), Filter(labels={"file": "fire"}), Filter(sources=("*valve*",), languages=("en", "zh")))
    for keyword, vector in kinds:
        with opened(elasticsearch_url, home, keyword, vector) as second:
            for question in ("annual leave", "阀门关闭", "fire drill in October", "nothing of that"):
                for where in wheres:
                    assert found(there, question, where=where) == found(second, question, where=where)
            assert second.doctor().ok


def test_a_run_again_and_a_removal(there: Penstock) -> None:
    there.add(records())
    assert (there.status().keyword_revision, there.status().chunks.vector) == (1, 3)
    there.remove("file:///valve.txt")
    assert there.status().chunks.keyword == 2
    assert "file:///valve.txt" not in [hit.source.uri for hit in there.search("valve penstock").hits]
    report = there.add(records())
    assert (report.chunks.catalog, report.chunks.keyword, report.chunks.vector) == (3, 3, 3)
    assert there.doctor().ok


def test_an_index_that_is_gone_is_built_anew_by_the_next_search(there: Penstock, elasticsearch_url: str) -> None:
    there.add(records())
    before = found(there, "annual leave")
    with Elasticsearch(elasticsearch_url) as client:
        for index in client.indices.get(index=f"penstock-books-{there.collection.uid}*"):
            client.indices.delete(index=index)
    assert found(there, "annual leave") == before
    assert there.doctor().ok


def test_doctor_sees_a_difference_and_mends_it_with_one_build(there: Penstock, elasticsearch_url: str) -> None:
    there.add(records())
    (alias,) = _aliases(elasticsearch_url, there)
    with Elasticsearch(elasticsearch_url) as client:
        client.delete(index=alias, id=str(there.collection.live_rows()[0]), refresh=True)
        client.index(index=alias, id="999", document={"row": 999}, refresh=True)
        problems = [(problem.where, problem.what) for problem in there.doctor().problems]
        assert problems == [(where, what) for where in ("keyword", "vector") for what in ("missing", "surplus")]
        assert there.doctor(repair=True).ok
        assert list(client.indices.get(index=f"{alias}*")) == [f"{alias}-v2"]


def test_what_the_server_refuses_is_told_by_the_run_and_by_doctor(
    there: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Makes the server refuse a document: writes its long address as it is."""
    monkeypatch.setattr("penstock.indexers.elasticsearch.documents.LONGEST_KEY", 10**6)
    long = f"file:///{'x' * 40_000}.txt"
    report = there.add([*records(), Record(uri=long, text="The turbine.")])
    (refused, again) = report.attention
    assert refused.startswith("1 chunks were refused by the server of the keyword index (")
    assert "document_parsing_exception" in refused
    assert "vector index" in again
    assert report.chunks.keyword == 4
    found = there.doctor(repair=True)
    assert [(problem.where, problem.what) for problem in found.problems] == [
        ("keyword", "rejected"),
        ("vector", "rejected"),
    ]
    assert "turbine" not in " ".join(hit.chunk.text for hit in there.search("turbine").hits)
    there.remove(long)
    assert there.doctor().ok


def test_a_server_that_is_not_there_costs_the_index_and_not_the_run(
    there: Penstock, elasticsearch_url: str, home: Path
) -> None:
    """What was committed stays, and is followed by the next run or search that reaches the server."""
    with opened(f"http://127.0.0.1:{free_port()}", home) as lost:
        with pytest.raises(IndexUnavailable, match="no answer"):
            lost.add(records())
        assert lost.collection.chunk_count() == 3
        with pytest.raises(IndexUnavailable):
            lost.search("annual leave")
    assert found(there, "annual leave")
    assert there.doctor().ok


def _aliases(url: str, penstock: Penstock) -> list[str]:
    with Elasticsearch(url) as client:
        found = client.indices.get(index=f"penstock-books-{penstock.collection.uid}*").body
    return [alias for entry in found.values() for alias in entry["aliases"]]


def test_a_collection_that_is_renamed_looked_back_at_and_removed(elasticsearch_url: str, home: Path) -> None:
    with opened(elasticsearch_url, home) as penstock:
        penstock.add(records())
        uid = penstock.collection.uid
        then = found(penstock, "annual leave")
        penstock.add(records({"file:///leave.txt": "Days of leave end with the year. 年假当年有效。"}))
        assert found(penstock, "annual leave") != then
        assert found(penstock, "annual leave", at=1) == then
        penstock.rename_collection("books", "shelf")
    settings = penstock.settings.model_copy(update={"collection": "shelf"})
    with Penstock(settings=settings) as renamed, Elasticsearch(elasticsearch_url) as client:
        assert renamed.doctor().ok
        assert client.indices.get(index=f"penstock-books-{uid}-*")
        renamed.remove_collection("shelf")
        assert not client.indices.get(index=f"penstock-*-{uid}*").body


def test_an_index_that_stands_before_what_is_left_gets_all_that_is_live(there: Penstock, home: Path) -> None:
    there.add(records())
    url = there.settings.elasticsearch.urls[0]
    with opened(url, home, "tantivy", "faiss") as in_folders:  # the index on the server stays behind
        for number in range(3):
            in_folders.add(records({"file:///leave.txt": f"Edition {number} of the rules of leave."}))
        in_folders.compact(keep=1)
    assert "Edition 2" in there.search("rules of leave").hits[0].chunk.text
    assert there.doctor(deep=True).ok
