"""Plug-ins for readers: none gets an answer where one is required, and none a number that hidden texts are in."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from tests.integrations.test_same_answers import plug_in

Ask = Callable[[Penstock, dict[str, list[str]] | None], Sequence[float]]


def by_langchain(penstock: Penstock, where: dict[str, list[str]] | None) -> Sequence[float]:
    found = plug_in("langchain").PenstockRetriever(penstock, where=where).invoke("leave")
    return [document.metadata["score"] for document in found]


def by_llama_index(penstock: Penstock, where: dict[str, list[str]] | None) -> Sequence[float]:
    return [node.score for node in plug_in("llama_index").PenstockRetriever(penstock, where=where).retrieve("leave")]


def by_haystack(penstock: Penstock, where: dict[str, list[str]] | None) -> Sequence[float]:
    found = plug_in("haystack").PenstockRetriever(penstock=penstock, where=where).run("leave")
    return [document.score for document in found["documents"]]


@pytest.mark.parametrize("ask", [by_langchain, by_llama_index, by_haystack])
def test_a_plug_in_asks_for_a_reader_where_one_is_required(library: Path, ask: Ask) -> None:
    settings = read_settings(access={"required": True}, home=library, collection="shelf")
    with Penstock(settings=settings) as penstock:
        for where in (None, {"sources": ["memo:*"]}):
            with pytest.raises(UsageError, match=r"access\.required"):
                ask(penstock, where)
        scores = ask(penstock, {"principals": ["staff"]})
        assert list(scores) == [11 / (10 + place) for place in range(1, 5)]
