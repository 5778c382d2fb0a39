"""The Haystack plug-in, alone and in pipelines."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack", reason="needs the extra haystack")

from penstock.integrations.haystack import PenstockRetriever  # isort: skip - it keeps Haystack silent

import haystack
from haystack import Document, Pipeline, component
from haystack.components.builders import PromptBuilder
from haystack.core.errors import PipelineConnectError
from haystack.utils.filters import document_matches_filter

from penstock.errors import UsageError
from penstock.pipelines.workspace import Penstock

QUESTION = "How many days of leave carry over?"
EVERYTHING = "leave 年假 error slide notice"
TEMPLATE = (
    "{% for document in documents %}[{{ document.meta.citation }}] {{ document.content }}\n{% endfor %}{{ query }}"
)

TRUSTED: dict[str, Any] = (
    {"allowed_modules": ["penstock.integrations.haystack"]}
    if "allowed_modules" in signature(Pipeline.loads).parameters
    else {}
)
"""From release 3 on, Haystack wants a list of the modules whose classes a file may name."""


def ids(documents: Sequence[Document]) -> list[str]:
    return [document.id for document in documents]


def test_documents_are_chunks(penstock: Penstock) -> None:
    found = PenstockRetriever(penstock=penstock, top_k=3).run(QUESTION)["documents"]
    hits = penstock.search(QUESTION, k=3).hits
    assert [(document.id, document.score, document.content) for document in found] == [
        (hit.chunk.id, hit.score, hit.chunk.text) for hit in hits
    ]
    assert found[0].meta["citation"] == "leave-policy.pdf, p. 1"
    assert json.loads(json.dumps(found[0].meta)) == found[0].meta
    assert Document.from_dict(found[0].to_dict()) == found[0]


def test_sockets_are_typed(library: Path) -> None:
    @component
    class Numbers:
        @component.output_types(number=int)
        def run(self) -> dict[str, int]:
            return {"number": 3}

    pipeline = Pipeline()
    pipeline.add_component("numbers", Numbers())
    pipeline.add_component("retriever", PenstockRetriever(home=str(library), collection="handbook"))
    pipeline.connect("numbers.number", "retriever.top_k")
    assert len(pipeline.run({"retriever": {"query": QUESTION}})["retriever"]["documents"]) == 3
    with pytest.raises(PipelineConnectError):
        pipeline.connect("numbers.number", "retriever.query")


def test_a_pipeline_survives_being_written_to_a_file(library: Path) -> None:
    pipeline = Pipeline()
    retriever = PenstockRetriever(
        home=str(library),
        collection="handbook",
        settings={"retrieval": {"legs": "keyword"}},
        top_k=2,
        filters={"field": "meta.language", "operator": "==", "value": "en"},
        where={"media_types": "application/pdf"},
    )
    pipeline.add_component("retriever", retriever)
    pipeline.add_component("prompt", PromptBuilder(template=TEMPLATE, required_variables="*"))
    pipeline.connect("retriever.documents", "prompt.documents")
    asked = {"retriever": {"query": QUESTION}, "prompt": {"query": QUESTION}}
    before = pipeline.run(asked, include_outputs_from={"retriever"})
    again = Pipeline.loads(pipeline.dumps(), **TRUSTED)
    after = again.run(asked, include_outputs_from={"retriever"})
    assert after == before
    assert again.dumps() == pipeline.dumps()
    assert "[leave-policy.pdf, p. 1] " in after["prompt"]["prompt"]
    assert len(after["retriever"]["documents"]) == 2


def test_an_asynchronous_pipeline_runs_it(library: Path) -> None:
    make = getattr(haystack, "AsyncPipeline", Pipeline)  # one class for both from release 3 on
    pipeline = make()
    pipeline.add_component("retriever", PenstockRetriever(home=str(library), collection="handbook", top_k=2))
    found = asyncio.run(pipeline.run_async({"retriever": {"query": QUESTION, "top_k": 4}}))
    assert len(found["retriever"]["documents"]) == 4


def test_secrets_are_not_written_to_files(library: Path, penstock: Penstock) -> None:
    settings = {"elasticsearch": {"password": "hush", "username": "me"}}
    with pytest.raises(UsageError, match=r"elasticsearch\.password: secrets"):
        PenstockRetriever(home=str(library), settings=settings).to_dict()
    options = {"indexes": {"options": {"toy": {"keys": {"one": "hush"}}}}}
    with pytest.raises(UsageError, match=r"indexes\.options\.toy\.keys\.one: secrets"):
        PenstockRetriever(home=str(library), settings=options).to_dict()
    url = {"catalog": {"url": "postgresql://me:hush@db/books"}}
    with pytest.raises(UsageError, match=r"^catalog\.url: secrets") as raised:
        PenstockRetriever(home=str(library), settings=url).to_dict()
    assert "hush" not in str(raised.value)
    plain = {"catalog": {"url": "postgresql://me@db/books"}}
    assert PenstockRetriever(settings=plain).to_dict()["init_parameters"]["settings"] == plain
    with pytest.raises(UsageError, match="cannot be written to a file"):
        PenstockRetriever(penstock=penstock).to_dict()


def test_threads_share_a_workspace_from_its_first_question_on(library: Path, penstock: Penstock) -> None:
    expected = ids(PenstockRetriever(penstock=penstock).run(QUESTION)["documents"])
    retriever = PenstockRetriever(home=str(library), collection="handbook")
    start = threading.Barrier(8)

    def ask(_: int) -> list[str]:
        start.wait()
        return ids(retriever.run(QUESTION)["documents"])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [expected] * 8
    retriever.penstock.close()


def condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": f"meta.{field}", "operator": operator, "value": value}


def pages_of(document: Document) -> Iterator[Document]:
    """The document as it would be on each of its pages."""
    for page in {place["page"] for place in document.meta["places"]} or {None}:
        yield replace(document, meta={**document.meta, "page": page})


def fits(filters: dict[str, Any], document: Document) -> bool:
    return document_matches_filter(filters, document)


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(condition("language", "==", "zh"), id="equal"),
        pytest.param(condition("language", "in", ["zh", "en"]), id="one of"),
        pytest.param(condition("page", ">", 1), id="after"),
        pytest.param(condition("page", "<=", 1), id="to"),
        pytest.param(condition("modified", ">=", "2020-01-01T00:00:00+00:00"), id="since"),
        pytest.param(condition("media_type", "==", "text/html"), id="kind"),
        pytest.param(
            {"operator": "AND", "conditions": [condition("language", "==", "en"), condition("page", ">=", 2)]}, id="and"
        ),
        pytest.param(
            {
                "operator": "AND",
                "conditions": [
                    {"operator": "OR", "conditions": [condition("page", "==", 1), condition("page", "==", 2)]},
                    condition("language", "==", "en"),
                ],
            },
            id="or within and",
        ),
    ],
)
def test_filters_mean_what_they_mean_to_haystack(penstock: Penstock, filters: dict[str, Any]) -> None:
    everything = PenstockRetriever(penstock=penstock, top_k=100).run(EVERYTHING)["documents"]
    found = PenstockRetriever(penstock=penstock, top_k=100, filters=filters).run(EVERYTHING)["documents"]
    assert set(ids(found)) == {
        document.id for document in everything if any(map(partial(fits, filters), pages_of(document)))
    }
    assert found
    asked = PenstockRetriever(penstock=penstock).run(EVERYTHING, top_k=100, filters=filters)["documents"]
    assert ids(asked) == ids(found)


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(condition("labels.team", "==", "people"), id="label"),
        pytest.param(condition("labels.year", "==", 2026), id="number"),
        pytest.param(condition("source", "in", ["memo:leave", "https://example.org/a?b=[1]"]), id="sources"),
    ],
)
def test_filters_know_sources_and_labels(marked: Penstock, filters: dict[str, Any]) -> None:
    everything = PenstockRetriever(penstock=marked, top_k=100).run("leave")["documents"]
    found = PenstockRetriever(penstock=marked, top_k=100, filters=filters).run("leave")["documents"]
    assert set(ids(found)) == {document.id for document in everything if document_matches_filter(filters, document)}
    assert found


def test_a_question_does_not_widen_what_the_component_lets_through(marked: Penstock) -> None:
    retriever = PenstockRetriever(penstock=marked, where={"principals": ["staff"]})
    found = retriever.run("leave", where={"principals": ["board"]}, filters=condition("labels.team", "==", "pay"))
    assert found["documents"] == []
    assert retriever.run("leave", neighbours=1, filters=condition("labels.team", "==", "pay"))["documents"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        pytest.param(condition("team", "==", "people"), "'labels.NAME' for a label", id="unknown field"),
        pytest.param(condition("language", "!=", "zh"), "negated", id="not equal"),
        pytest.param(condition("language", "not in", ["zh"]), "negated", id="not in"),
        pytest.param({"operator": "NOT", "conditions": [condition("page", "==", 1)]}, "negated", id="not"),
        pytest.param({"field": "meta.language", "value": "zh"}, "is no filter; give", id="no operator"),
        pytest.param({"operator": "XOR", "conditions": []}, "is no filter; give", id="unknown joint"),
        pytest.param({"meta.language": "zh"}, "is no filter; give", id="no filter"),
    ],
)
def test_filters_that_cannot_be_expressed_are_refused(marked: Penstock, filters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PenstockRetriever(penstock=marked, filters=filters)
