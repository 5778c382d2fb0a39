"""Windows overlap and cut between words; packed sentences are whole."""

from itertools import pairwise

import pytest

from penstock import registry
from penstock.chunkers.sentence import SentenceChunker
from penstock.chunkers.window import WindowChunker
from penstock.errors import SettingsError
from penstock.model import Chunk
from penstock.testing.contracts.chunkers import Pieces, cut, document_of
from penstock.testing.doubles.counting import WordCounter

PROSE = " ".join(f"Sentence number {number} says little." for number in range(20))


def windows(blocks: Pieces, *, size: int = 20, overlap: int = 5) -> list[Chunk]:
    return cut(WindowChunker(WordCounter(), size=size, overlap=overlap, tokenizer="words"), document_of(blocks))


def test_windows_fill_the_size_and_share_their_ends() -> None:
    chunks = windows([("paragraph", PROSE, 0, 1)])
    for first, second in pairwise(chunks):
        shared = PROSE[second.span.start : first.span.end]
        assert 0 < WordCounter().count([shared])[0] <= 5
        assert second.span.start < first.span.end < second.span.end
        assert PROSE[second.span.start - 1] == " "


def test_windows_without_overlap_touch_each_character_once() -> None:
    chunks = windows([("paragraph", PROSE, 0, 1)], overlap=0)
    assert " ".join(chunk.text for chunk in chunks) == PROSE


def test_chinese_windows_prefer_to_end_with_a_clause() -> None:
    chunks = windows([("paragraph", "水从水库流下，推动水轮机。" * 10, 0, 1)], size=30, overlap=4)
    assert all(chunk.text[-1] in "，。" for chunk in chunks)


def test_windows_are_below_the_headings_in_force() -> None:
    chunks = windows([("heading", "Top", 1, 1), ("paragraph", PROSE, 0, 1)])
    assert chunks[0].headings == ()
    assert {chunk.headings for chunk in chunks[1:]} == {("Top",)}


@pytest.mark.parametrize("overlap", [-1, 11])
def test_an_overlap_beyond_half_of_the_size_is_refused(overlap: int) -> None:
    with pytest.raises(SettingsError, match="half"):
        WindowChunker(WordCounter(), size=20, overlap=overlap, tokenizer="words")


def test_packed_sentences_are_whole_and_fill_the_size() -> None:
    chunks = cut(SentenceChunker(WordCounter(), size=20, tokenizer="words"), document_of([("paragraph", PROSE, 0, 1)]))
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith("little.") for chunk in chunks)
    assert [chunk.text.count("little") for chunk in chunks[:-1]] == [3] * (len(chunks) - 1)


@pytest.mark.parametrize("name", ["structure", "window", "sentence"])
def test_every_chunker_is_built_by_name_with_the_same_arguments(name: str) -> None:
    chunker = registry.load("chunkers", name)(WordCounter(), size=32, tokenizer="words")
    assert chunker.fingerprint.startswith(f"{name}-")
    assert "tokenizer=words" in chunker.fingerprint
