"""The built-in chunkers keep the contract of the port."""

from penstock.chunkers.sentence import SentenceChunker
from penstock.chunkers.structure import StructureChunker
from penstock.chunkers.window import WindowChunker
from penstock.ports import Chunker, TokenCounter
from penstock.testing.contracts.chunkers import ChunkerContract


class TestStructure(ChunkerContract):
    def make(self, counter: TokenCounter, size: int) -> Chunker:
        return StructureChunker(counter, size=size, tokenizer="words")


class TestSentence(ChunkerContract):
    def make(self, counter: TokenCounter, size: int) -> Chunker:
        return SentenceChunker(counter, size=size, tokenizer="words")


class TestWindow(ChunkerContract):
    overlaps = True

    def make(self, counter: TokenCounter, size: int) -> Chunker:
        return WindowChunker(counter, size=size, overlap=8, tokenizer="words")
