"""A chunk has a limit in characters too, whatever a model takes for a token."""

import pytest

from penstock.chunkers.measure import LONGEST_TOKEN
from penstock.chunkers.sentence import SentenceChunker
from penstock.chunkers.structure import StructureChunker
from penstock.chunkers.window import WindowChunker
from penstock.ports import Chunker
from penstock.testing.contracts.chunkers import document_of
from penstock.testing.doubles.counting import WordCounter

SIZE = 40


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" + "\u0301" * 30_000, id="accents"),
        pytest.param("a\u200b" * 15_000, id="zero-width spaces"),
        pytest.param("\u200d" * 30_000, id="joiners"),
        pytest.param("🇨🇳" * 15_000, id="flags"),
        pytest.param("a" + " " * 30_000 + "b", id="blanks"),
        pytest.param("_" * 30_000, id="one word"),
        pytest.param(". " * 15_000, id="full stops apart"),
    ],
)
@pytest.mark.parametrize("make", [StructureChunker, SentenceChunker, WindowChunker])
def test_no_chunk_is_longer_than_its_tokens_may_be(
    make: type[StructureChunker] | type[SentenceChunker] | type[WindowChunker], text: str
) -> None:
    chunker: Chunker = make(WordCounter(), size=SIZE, tokenizer="words")
    document = document_of([("code", text, 0, 1)])
    chunks = list(chunker.chunk(document, "content"))
    assert max(len(chunk.text) for chunk in chunks) <= 2 * SIZE * LONGEST_TOKEN
    assert sum(len(chunk.text.replace(" ", "")) for chunk in chunks) == len(document.text.replace(" ", ""))
