"""One question has one answer, whichever way it is asked."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.errors import MissingExtra
from penstock.pipelines.workspace import Penstock

Ranked = list[tuple[str, float]]


def by_command_line(library: Path, question: str) -> Ranked:
    arguments = ["search", question, "--home", str(library), "--collection", "handbook", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [(hit["chunk_id"], hit["score"]) for hit in json.loads(result.stdout)["hits"]]


def plug_in(name: str) -> Any:
    """A plug-in, or the end of the test where its framework is not installed."""
    try:
        return import_module(f"penstock.integrations.{name}")
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "question",
    [
        "How many days of leave carry over?",
        "年假怎么申请",
        "error 0x80070005",
        "试用期多长 probation",
        "What is the Wi-Fi network for visitors?",
    ],
)
def test_every_way_in_gives_the_same_hits_with_the_same_scores(
    library: Path, penstock: Penstock, question: str
) -> None:
    langchain, llama_index, haystack = (plug_in(name) for name in ("langchain", "llama_index", "haystack"))
    expected = [(hit.chunk.id, hit.score) for hit in penstock.search(question).hits]
    assert len(expected) >= 3
    assert by_command_line(library, question) == expected
    documents = langchain.PenstockRetriever(penstock).invoke(question)
    assert [(document.id, document.metadata["score"]) for document in documents] == expected
    nodes = llama_index.PenstockRetriever(penstock).retrieve(question)
    assert [(node.node_id, node.score) for node in nodes] == expected
    found = haystack.PenstockRetriever(penstock=penstock).run(question)["documents"]
    assert [(hit.id, hit.score) for hit in found] == expected
