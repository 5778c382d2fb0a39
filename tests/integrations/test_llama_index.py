"""The LlamaIndex plug-in, asked as LlamaIndex asks."""

import asyncio
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_index.core", reason="needs the extra llama-index")

from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from llama_index.core.query_engine import CitationQueryEngine, RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, NodeRelationship, NodeWithScore, TextNode
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from penstock.errors import BrokenSource, UsageError
from penstock.integrations.llama_index import PenstockReader, PenstockRetriever
from penstock.pipelines.workspace import Penstock

QUESTION = "How many days of leave carry over?"
QUESTIONS = (QUESTION, "年假怎么申请", "error 0x80070005", "Whom to call at reception?")
HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"


class ScriptedLLM(CustomLLM):
    """Gives scripted answers, and remembers what it was asked."""

    says: str = "8 days [1]."
    asked: list[str] = []  # noqa: RUF012 - a field of a pydantic model

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=8000, num_output=100)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        self.asked.append(prompt)
        return CompletionResponse(text=self.says)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        yield self.complete(prompt)


def ids(nodes: list[NodeWithScore]) -> list[str]:
    return [node.node_id for node in nodes]


def text_node(found: NodeWithScore) -> TextNode:
    assert isinstance(found.node, TextNode)
    return found.node


def test_nodes_are_chunks(penstock: Penstock) -> None:
    found = PenstockRetriever(penstock, similarity_top_k=3).retrieve(QUESTION)
    hits = penstock.search(QUESTION, k=3).hits
    assert [(node.node_id, node.score) for node in found] == [(hit.chunk.id, hit.score) for hit in hits]
    for node, hit in zip(map(text_node, found), hits, strict=True):
        assert node.text == hit.chunk.text
        assert (node.start_char_idx, node.end_char_idx) == hit.chunk.span
        assert node.metadata["citation"]
        assert json.loads(json.dumps(node.metadata)) == node.metadata


def test_relationships_lead_to_the_document_and_the_chunks_beside(penstock: Penstock) -> None:
    stored = list(penstock.collection.documents())
    before = {later.id: earlier.id for document in stored for earlier, later in pairwise(document.chunks)}
    after = {earlier.id: later.id for document in stored for earlier, later in pairwise(document.chunks)}
    nodes = PenstockRetriever(penstock, similarity_top_k=100).retrieve("leave 年假 error slide notice")
    assert len(nodes) > 5
    for node in map(text_node, nodes):
        assert node.ref_doc_id == node.metadata["document_id"]
        assert node.relationships[NodeRelationship.SOURCE].metadata["source"] == node.metadata["source"]  # type: ignore[union-attr] # one document
        assert (node.prev_node.node_id if node.prev_node else None) == before.get(node.node_id)
        assert (node.next_node.node_id if node.next_node else None) == after.get(node.node_id)
    assert before
    assert any(text_node(node).next_node for node in nodes)


def test_models_see_what_helps_them(penstock: Penstock) -> None:
    (found,) = PenstockRetriever(penstock, similarity_top_k=1).retrieve(QUESTION)
    shown = text_node(found).get_content(MetadataMode.LLM)
    assert "citation: leave-policy.pdf, p. 1" in shown
    assert "title: Leave and Attendance Policy" in shown
    assert found.node_id not in shown
    assert "None" not in shown
    assert "citation" not in text_node(found).get_content(MetadataMode.EMBED)


def test_neighbours_come_along(penstock: Penstock) -> None:
    found = PenstockRetriever(penstock, similarity_top_k=1, neighbours=1).retrieve(QUESTION)
    assert text_node(found[0]).next_node.node_id == found[1].node_id  # type: ignore[union-attr] # there is one


def test_a_query_engine_answers_from_it(penstock: Penstock) -> None:
    llm = ScriptedLLM(asked=[])
    engine = RetrieverQueryEngine.from_args(PenstockRetriever(penstock, similarity_top_k=2), llm=llm)
    response = engine.query(QUESTION)
    assert str(response) == "8 days [1]."
    assert "8 unused days of annual leave carry over" in llm.asked[0]
    assert response.source_nodes[0].node.metadata["citation"] == "leave-policy.pdf, p. 1"
    assert str(asyncio.run(engine.aquery(QUESTION))) == "8 days [1]."


def test_a_citation_query_engine_cites_what_it_was_given(penstock: Penstock) -> None:
    llm = ScriptedLLM(asked=[])
    retriever = PenstockRetriever(penstock, similarity_top_k=2)
    engine = CitationQueryEngine(retriever, llm=llm, citation_chunk_size=512)
    response = engine.query(QUESTION)
    (number,) = re.findall(r"\[(\d)\]", str(response))
    cited = response.source_nodes[int(number) - 1].node
    assert f"Source {number}:" in llm.asked[0]
    assert cited.metadata["citation"] == "leave-policy.pdf, p. 1"
    assert cited.ref_doc_id or cited.metadata["document_id"]


def test_asynchronous_calls_leave_the_loop_free(penstock: Penstock) -> None:
    retriever = PenstockRetriever(penstock, similarity_top_k=3)

    async def ask() -> list[list[NodeWithScore]]:
        return await asyncio.gather(*(retriever.aretrieve(question) for question in QUESTIONS * 4))

    assert [ids(found) for found in asyncio.run(ask())] == [
        ids(retriever.retrieve(question)) for question in QUESTIONS
    ] * 4


def test_threads_share_a_workspace_from_its_first_question_on(library: Path, penstock: Penstock) -> None:
    expected = ids(PenstockRetriever(penstock).retrieve(QUESTION))
    retriever = PenstockRetriever(home=library, collection="handbook")
    start = threading.Barrier(8)

    def ask(_: int) -> list[str]:
        start.wait()
        return ids(retriever.retrieve(QUESTION))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [expected] * 8
    retriever.penstock.close()


def condition(key: str, value: Any, operator: FilterOperator = FilterOperator.EQ) -> MetadataFilter:
    return MetadataFilter(key=key, value=value, operator=operator)


def both(*filters: MetadataFilter | MetadataFilters, how: FilterCondition = FilterCondition.AND) -> MetadataFilters:
    return MetadataFilters(filters=list(filters), condition=how)


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(both(), id="none"),
        pytest.param(both(condition("language", "zh")), id="equal"),
        pytest.param(both(condition("language", ["zh", "en"], FilterOperator.IN)), id="one of"),
        pytest.param(both(condition("page", 2, FilterOperator.GTE), condition("language", "en")), id="and"),
        pytest.param(both(condition("page", 2, FilterOperator.LT)), id="less"),
        pytest.param(
            both(condition("media_type", "text/html"), condition("media_type", "image/png"), how=FilterCondition.OR),
            id="or",
        ),
    ],
)
def test_filters_mean_what_they_mean_to_llama_index(penstock: Penstock, filters: MetadataFilters) -> None:
    question = "leave 年假 error slide notice"
    nodes = {
        node.node_id: text_node(node) for node in PenstockRetriever(penstock, similarity_top_k=100).retrieve(question)
    }
    pages = {
        f"{node_id} {page}": {**node.metadata, "page": page}
        for node_id, node in nodes.items()
        for page in {place["page"] for place in node.metadata["places"]} or {None}
    }
    fits = build_metadata_filter_fn(pages.__getitem__, filters)
    found = PenstockRetriever(penstock, similarity_top_k=100, filters=filters).retrieve(question)
    assert set(ids(found)) == {page.partition(" ")[0] for page in pages if fits(page)}
    assert found


def test_filters_know_sources_and_labels(marked: Penstock) -> None:
    def found(*filters: MetadataFilter) -> set[str]:
        retriever = PenstockRetriever(marked, filters=both(*filters))
        return {node.metadata["source"] for node in retriever.retrieve("leave")}

    assert found(condition("labels.team", "people")) == {"memo:leave", "memo:年假"}
    assert found(condition("labels.year", 2026)) == {"memo:leave"}
    assert found(condition("source", "https://example.org/a?b=[1]")) == {"https://example.org/a?b=[1]"}
    assert found(condition("labels.team", "people"), condition("language", "zh")) == {"memo:年假"}


def test_filters_of_both_kinds_hold_together(marked: Penstock) -> None:
    filters = both(condition("labels.team", "pay"))
    assert not PenstockRetriever(marked, filters=filters, where={"principals": []}).retrieve("leave")
    assert len(PenstockRetriever(marked, filters=filters, where={"principals": "staff"}).retrieve("leave")) == 1


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        pytest.param(both(condition("team", "people")), "'labels.NAME' for a label", id="unknown field"),
        pytest.param(both(condition("language", "zh", FilterOperator.NE)), "negated", id="not equal"),
        pytest.param(both(condition("language", ["zh"], FilterOperator.NIN)), "negated", id="not in"),
        pytest.param(both(condition("page", 1), how=FilterCondition.NOT), "negated", id="not"),
        pytest.param(
            both(condition("source", "a", FilterOperator.TEXT_MATCH)), "cannot be compared by", id="text match"
        ),
    ],
)
def test_filters_that_cannot_be_expressed_are_refused(marked: Penstock, filters: MetadataFilters, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PenstockRetriever(marked, filters=filters)


def test_reads_documents(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.md").write_text("# Leave\n\nTen days carry over.\n", "utf-8")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    with pytest.raises(BrokenSource):
        PenstockReader().load_data(tmp_path)
    reader = PenstockReader(on_error="warn")
    (document,) = reader.load_data(tmp_path)
    assert document.text == "Leave\n\nTen days carry over."
    assert document.metadata["title"] == "Leave"
    assert [result.outcome for result in reader.results] == ["indexed", "failed"]
    assert "b.pdf" in caplog.text
    (again,) = asyncio.run(reader.aload_data(tmp_path / "a.md"))
    assert again.id_ == document.id_


def test_reads_pages() -> None:
    documents = PenstockReader(by="page").load_data(HANDBOOK / "leave-policy.pdf")
    assert [document.metadata["page"] for document in documents] == [1, 2]
    assert len({document.id_ for document in documents}) == 2
