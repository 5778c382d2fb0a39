"""Contract suite for chunkers: subclass `ChunkerContract` and give the method `make`."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.ids import content_hash
from penstock.model import BlockKind, Box, Chunk, Document, ExtractionWriter, Place, Source
from penstock.ports import Chunker, TokenCounter
from penstock.testing.doubles.counting import WordCounter

KINDS: tuple[BlockKind, ...] = (
    "heading",
    "paragraph",
    "list",
    "table",
    "code",
    "caption",
    "note",
    "formula",
    "furniture",
)
SIZE = 40

_PHRASES = st.sampled_from(
    [
        "The turbine turns. ",
        "Dr. Lee paid 3.5 m. ",
        "水从水库流向水轮机。",
        "年假可以结转，",
        "Name | Days\n",
        "- an item\n",
        "x = 1\n",
        "e\u0301👩‍👩‍👧🇨🇳",
        "http://example.org/a/very/long/address-without-an-end ",
        "supercalifragilisticexpialidocious" * 9,
        "\n",
        "한국어 문장. ",
    ]
)
_TEXTS = st.lists(_PHRASES, min_size=1, max_size=30).map("".join) | st.text(max_size=60)
_BLOCKS = st.lists(st.tuples(st.sampled_from(KINDS), _TEXTS, st.integers(0, 3), st.integers(1, 9)), max_size=12)

Pieces = Sequence[tuple[BlockKind, str, int, int]]


def document_of(blocks: Pieces, *, title: str = "") -> Document:
    """A document with these blocks: kind, text, level, page."""
    writer = ExtractionWriter()
    for kind, text, level, page in blocks:
        writer.add(kind, text, level=level, places=(Place(page=page, box=Box(0.1, 0.2, 0.9, 0.3)),))
    extraction = writer.finish(title=title)
    source = Source(uri="file:///a.txt", media_type="text/plain", sha256="0" * 64, size=1, labels={})
    return Document(
        id="d",
        source=source,
        title=extraction.title,
        language="en",
        text=extraction.text,
        blocks=extraction.blocks,
        loader="test",
    )


def cut(chunker: Chunker, document: Document) -> list[Chunk]:
    """All chunks of a document."""
    content = content_hash(document.title, document.language, document.text, document.blocks)
    return list(chunker.chunk(document, content))


def check(chunks: Sequence[Chunk], document: Document, *, size: int, counter: TokenCounter) -> None:
    """Asserts everything that the port `Chunker` promises of one document's chunks."""
    covered = bytearray(len(document.text))
    for chunk in chunks:
        assert chunk.text == document.text[chunk.span.start : chunk.span.end]
        assert chunk.text.strip(), "a chunk is blank"
        assert chunk.document_id == document.id
        assert chunk.language
        touched = [b for b in document.blocks if b.span.start < chunk.span.end and b.span.end > chunk.span.start]
        assert list(chunk.places) == list(dict.fromkeys(place for block in touched for place in block.places))
        covered[chunk.span.start : chunk.span.end] = b"\x01" * len(chunk.text)
        assert counter.count([chunk.context])[0] <= size or counter.count([chunk.text])[0] == 1
    furniture = bytearray(len(document.text))
    for block in document.blocks:
        if block.kind == "furniture":
            furniture[block.span.start : block.span.end] = b"\x01" * (block.span.end - block.span.start)
    for index, char in enumerate(document.text):
        if not char.isspace():
            assert bool(covered[index]) != bool(furniture[index]), f"{char!r} at {index}"
    starts = [chunk.span for chunk in chunks]
    assert starts == sorted(set(starts)), "chunks are out of order, or one occurs twice"
    assert len({chunk.id for chunk in chunks}) == len(chunks)


class ChunkerContract:
    """What every chunker keeps to, whatever the document."""

    overlaps = False
    """Whether a character may lie in two chunks."""

    def make(self, counter: TokenCounter, size: int) -> Chunker:
        """The chunker under test, for a counter and a size."""
        raise NotImplementedError("subclass the contract and give the method `make`")

    def test_a_document_without_text_has_no_chunks(self) -> None:
        """Nothing in, nothing out."""
        assert cut(self.make(WordCounter(), SIZE), document_of([])) == []

    def test_furniture_alone_has_no_chunks(self) -> None:
        """Page numbers are no answer."""
        assert cut(self.make(WordCounter(), SIZE), document_of([("furniture", "Page 1", 0, 1)])) == []

    @given(blocks=_BLOCKS, title=st.sampled_from(["", "A title", "标题" * 40]))
    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.differing_executors])
    def test_keeps_the_promises_of_the_port(self, blocks: Pieces, title: str) -> None:
        """Exact text, every character, no furniture, order, places and size; and the same again."""
        document = document_of(blocks, title=title)
        chunker = self.make(WordCounter(), SIZE)
        chunks = cut(chunker, document)
        check(chunks, document, size=SIZE, counter=WordCounter())
        assert chunks == cut(chunker, document)
        if not self.overlaps:
            for before, after in pairwise(chunks):
                assert before.span.end <= after.span.start

    def test_says_its_size(self) -> None:
        """The size that the pipeline compares with the model's window."""
        assert self.make(WordCounter(), SIZE).size == SIZE

    def test_the_fingerprint_distinguishes_sizes(self) -> None:
        """Chunks of another size have other ids."""
        assert self.make(WordCounter(), SIZE).fingerprint != self.make(WordCounter(), SIZE + 1).fingerprint
