"""The LangChain plug-in, asked as LangChain asks."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="needs the extra langchain")

from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnablePassthrough
from langchain_tests.integration_tests import RetrieversIntegrationTests

from penstock.errors import BrokenSource, FetchError, SettingsError, UnknownName, UsageError
from penstock.integrations.langchain import PenstockLoader, PenstockRetriever
from penstock.model import Filter
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings

QUESTION = "How many days of leave carry over?"
QUESTIONS = (QUESTION, "年假怎么申请", "error 0x80070005", "What is the Wi-Fi network for visitors?")
HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"


@pytest.mark.anyio
class TestStandard(RetrieversIntegrationTests):
    """What LangChain asks of every retriever."""

    @pytest.fixture(autouse=True)
    def _library(self, library: Path) -> None:
        self.library = library

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @property
    def retriever_constructor(self) -> type[PenstockRetriever]:
        return PenstockRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"home": self.library, "collection": "handbook"}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


def ids(documents: list[Document]) -> list[str | None]:
    return [document.id for document in documents]


def test_documents_say_where_they_are(penstock: Penstock) -> None:
    best = PenstockRetriever(penstock).invoke(QUESTION)[0]
    hit = penstock.search(QUESTION).hits[0]
    assert (best.id, best.page_content) == (hit.chunk.id, hit.chunk.text)
    fields = best.metadata
    assert (fields["chunk_id"], fields["score"], fields["source"]) == (hit.chunk.id, hit.score, hit.source.uri)
    assert (fields["page"], fields["citation"]) == (1, "leave-policy.pdf, p. 1")
    assert (fields["title"], fields["language"]) == ("Leave and Attendance Policy", "en")
    assert fields["media_type"] == "application/pdf"
    assert fields["places"][0]["page"] == 1
    assert fields["headings"] == list(hit.chunk.headings)


def test_metadata_are_plain_json(penstock: Penstock, marked: Penstock) -> None:
    for question in QUESTIONS:
        for workspace in (penstock, marked):
            for document in PenstockRetriever(workspace).invoke(question):
                assert json.loads(json.dumps(document.metadata, allow_nan=False)) == document.metadata


def test_every_hit_has_every_key(penstock: Penstock, marked: Penstock) -> None:
    found = [document for workspace in (penstock, marked) for document in PenstockRetriever(workspace).invoke("leave")]
    assert len({frozenset(document.metadata) for document in found}) == 1


@pytest.mark.parametrize(
    ("question", "citation"),
    [
        pytest.param("年假怎么申请", "员工手册.pdf, p. 1", id="pdf"),
        pytest.param("Whom to call at reception?", "onboarding.pptx, slide 3-4", id="deck"),
        pytest.param("error 0x80070005", "it-support.html", id="web page"),
    ],
)
def test_citations_name_file_and_place(penstock: Penstock, question: str, citation: str) -> None:
    assert PenstockRetriever(penstock).invoke(question)[0].metadata["citation"] == citation


def test_what_is_no_file_is_cited_by_its_address(marked: Penstock) -> None:
    found = PenstockRetriever(marked).invoke("How are days counted in the portal?")
    assert found[0].metadata["citation"] == "https://example.org/a?b=[1]"


def test_opens_what_its_arguments_name(library: Path) -> None:
    retriever = PenstockRetriever(
        home=str(library), collection="handbook", k=2, settings={"retrieval": {"legs": "keyword"}}
    )
    assert len(retriever.invoke("年假怎么申请")) == 2
    assert retriever.penstock.settings.retrieval.legs == "keyword"
    assert len(PenstockRetriever(settings=Settings(home=library, collection="handbook")).invoke("leave", k=1)) == 1


def test_refuses_two_ways_to_open(penstock: Penstock) -> None:
    with pytest.raises(UsageError, match="either an opened Penstock"):
        PenstockRetriever(penstock, collection="shelf")


def test_errors_are_those_of_penstock(penstock: Penstock, library: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'retrieval'"):
        PenstockRetriever(settings={"retrieva": {}})
    with pytest.raises(UnknownName, match="known: 'handbook', 'shelf'"):
        PenstockRetriever(home=library, collection="handbok").invoke(QUESTION)
    with pytest.raises(UsageError, match="ask for 1 to 10000 hits"):
        PenstockRetriever(penstock, k=0).invoke(QUESTION)
    with pytest.raises(UsageError, match="blank"):
        PenstockRetriever(penstock).invoke(" ")


def test_a_question_has_its_own_k_filter_and_neighbours(penstock: Penstock) -> None:
    retriever = PenstockRetriever(penstock, k=4)
    assert len(retriever.invoke(QUESTION)) == 4
    assert len(retriever.invoke(QUESTION, k=1)) == 1
    chinese = retriever.invoke(QUESTION, where={"languages": "zh"})
    assert {document.metadata["language"] for document in chinese} == {"zh"}
    beside = retriever.invoke(QUESTION, k=1, neighbours=1)
    assert [bool(document.metadata["notes"]) for document in beside] == [False, True]


@pytest.mark.parametrize(
    ("principals", "asked", "expected"),
    [
        pytest.param({"staff"}, None, {"memo:pay"}, id="as the retriever says"),
        pytest.param({"staff"}, {"board"}, set[str](), id="a call does not widen"),
        pytest.param({"staff", "board"}, {"board"}, {"memo:plan"}, id="a call narrows"),
        pytest.param(None, {"board"}, {"memo:plan"}, id="a call alone"),
        pytest.param(set[str](), None, set[str](), id="in no group"),
    ],
)
def test_readers_see_what_they_may(
    marked: Penstock, principals: set[str] | None, asked: set[str] | None, expected: set[str]
) -> None:
    retriever = PenstockRetriever(marked, where=None if principals is None else {"principals": principals})
    found = retriever.invoke("leave", where=None if asked is None else {"principals": asked})
    assert {document.metadata["source"] for document in found} & {"memo:pay", "memo:plan"} == expected


def test_takes_a_filter_as_it_is(marked: Penstock) -> None:
    found = PenstockRetriever(marked, where=Filter(labels={"team": "pay"})).invoke("leave")
    assert [document.metadata["labels"] for document in found] == [{"team": "pay"}]


def test_asynchronous_calls_take_the_same_options(penstock: Penstock) -> None:
    retriever = PenstockRetriever(penstock)

    async def ask() -> list[list[Document]]:
        return await asyncio.gather(*(retriever.ainvoke(question, k=3) for question in QUESTIONS * 4))

    expected = [ids(retriever.invoke(question, k=3)) for question in QUESTIONS] * 4
    assert [ids(found) for found in asyncio.run(ask())] == expected


def test_threads_share_a_workspace_from_its_first_question_on(library: Path, penstock: Penstock) -> None:
    expected = {question: ids(PenstockRetriever(penstock).invoke(question)) for question in QUESTIONS}
    for _ in range(3):
        retriever = PenstockRetriever(home=library, collection="handbook")
        start = threading.Barrier(8)

        def ask(number: int, retriever: PenstockRetriever = retriever, start: threading.Barrier = start) -> None:
            start.wait()
            for question in QUESTIONS[number % 4 :] + QUESTIONS[: number % 4]:
                assert ids(retriever.invoke(question)) == expected[question]

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, range(8)))
        retriever.penstock.close()


def test_batches_and_fields_configured_for_a_call(penstock: Penstock) -> None:
    retriever = PenstockRetriever(penstock).configurable_fields(k=ConfigurableField(id="k"))
    found = retriever.batch(list(QUESTIONS), config={"configurable": {"k": 2}})
    assert [len(documents) for documents in found] == [2] * 4


def test_a_chain_answers_from_it(penstock: Penstock) -> None:
    def numbered(documents: list[Document]) -> str:
        return "\n".join(f"[{document.metadata['citation']}] {document.page_content}" for document in documents)

    seen: list[str] = []
    prompt = ChatPromptTemplate.from_template("Sources:\n{sources}\n\nQuestion: {question}")

    def look(value: Any) -> Any:
        seen.append(value.to_string())
        return value

    chain = (
        {"sources": PenstockRetriever(penstock, k=2) | numbered, "question": RunnablePassthrough()}
        | prompt
        | look
        | FakeListChatModel(responses=["8 days"])
        | StrOutputParser()
    )
    assert chain.invoke(QUESTION) == "8 days"
    assert "[leave-policy.pdf, p. 1]" in seen[0]
    assert "8 unused days of annual leave carry over" in seen[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files, one that nothing reads, one without text, one that is broken."""
    documents = tmp_path / "手册"
    documents.mkdir()
    (documents / "a.md").write_text("# Leave\n\nTen days carry over.\n", "utf-8")
    (documents / "b.bin").write_bytes(bytes(range(256)) * 8)
    (documents / "c.txt").write_text("\n", "utf-8")
    (documents / "d.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    (documents / "e.txt").write_text("最后一页。\n", "utf-8")
    return documents


def test_loads_a_document_a_source(folder: Path) -> None:
    loader = PenstockLoader(folder / "a.md", folder / "e.txt")
    documents = loader.load()
    assert [document.page_content for document in documents] == ["Leave\n\nTen days carry over.", "最后一页。"]
    assert [document.metadata["title"] for document in documents] == ["Leave", "e.txt"]
    assert documents[0].metadata["source"].endswith("手册/a.md")
    assert json.loads(json.dumps(documents[0].metadata)) == documents[0].metadata
    assert [document.id for document in documents] == [document.id for document in loader.load()]
    assert [result.outcome for result in loader.results] == ["indexed", "indexed"]


def test_loads_a_document_a_page() -> None:
    documents = PenstockLoader(HANDBOOK / "leave-policy.pdf", HANDBOOK / "onboarding.pptx", by="page").load()
    assert [document.metadata["citation"] for document in documents] == [
        "leave-policy.pdf, p. 1",
        "leave-policy.pdf, p. 2",
        "onboarding.pptx, slide 1",
        "onboarding.pptx, slide 2",
        "onboarding.pptx, slide 3",
        "onboarding.pptx, slide 4",
    ]
    assert len({document.id for document in documents}) == 6
    whole = PenstockLoader(HANDBOOK / "leave-policy.pdf").load()
    assert whole[0].page_content == "\n\n".join(document.page_content for document in documents[:2])


def test_a_source_that_cannot_be_read_is_reported(folder: Path) -> None:
    loader = PenstockLoader(folder)
    documents = loader.lazy_load()
    assert next(documents).metadata["title"] == "Leave"
    with pytest.raises(BrokenSource, match=r"d\.pdf"):
        next(documents)
    with pytest.raises(FetchError, match="no file or folder"):
        PenstockLoader(folder / "nothing.pdf").load()


def test_or_is_left_out_with_a_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    loader = PenstockLoader(folder, on_error="warn")
    assert [document.page_content for document in loader.load()][1:] == ["最后一页。"]
    assert [result.outcome for result in loader.results] == ["indexed", "skipped", "empty", "failed", "indexed"]
    assert [name in caplog.text for name in ("a.md", "b.bin", "c.txt", "d.pdf")] == [False, True, True, True]
    assert "no loader for" in caplog.text


def test_loads_asynchronously_and_only_as_far_as_asked(folder: Path) -> None:
    async def first() -> str:
        async for document in PenstockLoader(folder).alazy_load():
            return document.page_content
        return ""

    assert asyncio.run(first()).startswith("Leave")


@pytest.mark.parametrize("options", [{"by": "chapter"}, {"on_error": "ignore"}])
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not allowed; give '"):
        PenstockLoader("x", **options)


def test_needs_an_address() -> None:
    with pytest.raises(UsageError, match="at least one file"):
        PenstockLoader()
