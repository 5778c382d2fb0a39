"""What a reader would expect of chunks that follow the document's structure."""

from collections.abc import Sequence

import pytest

from penstock.chunkers.structure import StructureChunker
from penstock.errors import SettingsError
from penstock.model import Block, BlockKind, Chunk, Document, Place, Source, Span
from penstock.testing.contracts.chunkers import Pieces, check, cut, document_of
from penstock.testing.doubles.counting import WordCounter

LONG = "The turbine turns when water falls. " * 4  # 7 tokens a sentence, 28 in all


def chunks_of(blocks: Pieces, *, size: int = 40, title: str = "") -> list[Chunk]:
    document = document_of(blocks, title=title)
    chunks = cut(StructureChunker(WordCounter(), size=size, tokenizer="words"), document)
    check(chunks, document, size=size, counter=WordCounter())
    return chunks


def texts(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def block(kind: BlockKind, text: str, level: int = 0, page: int = 1) -> tuple[BlockKind, str, int, int]:
    return kind, text, level, page


def test_a_heading_goes_with_its_text_and_above_the_rest_of_it() -> None:
    chunks = chunks_of([block("heading", "Leave", 1), block("paragraph", LONG), block("paragraph", LONG)])
    assert chunks[0].text.startswith("Leave\n\nThe turbine")
    assert chunks[0].headings == ()
    assert [chunk.headings for chunk in chunks[1:]] == [("Leave",)] * (len(chunks) - 1)


def test_nested_headings_come_outermost_first() -> None:
    blocks = [block("heading", "A", 1), block("heading", "B", 2), block("paragraph", LONG), block("paragraph", LONG)]
    first, second = chunks_of(blocks)
    assert first.text.startswith("A\n\nB\n\nThe")
    assert second.headings == ("A", "B")
    assert second.context.startswith("A > B\nThe")


def test_sections_large_enough_stay_apart_and_small_ones_share_a_chunk() -> None:
    large = [block("heading", "A", 1), block("paragraph", LONG), block("heading", "B", 1), block("paragraph", LONG)]
    assert [text[0] for text in texts(chunks_of(large, size=50))] == ["A", "B"]
    small = [block("heading", "A", 1), block("paragraph", "Short."), block("heading", "B", 1), block("paragraph", LONG)]
    (chunk,) = chunks_of(small, size=50)
    assert chunk.text.startswith("A\n\nShort.\n\nB")


def test_sections_that_share_a_chunk_keep_only_the_headings_above_both() -> None:
    blocks = [
        block("heading", "Top", 1),
        block("paragraph", LONG),
        block("heading", "A", 2),
        block("paragraph", "Short."),
        block("heading", "B", 2),
        block("paragraph", "Also short."),
    ]
    *_, last = chunks_of(blocks)
    assert last.text == "A\n\nShort.\n\nB\n\nAlso short."
    assert last.headings == ("Top",)


def test_the_title_is_above_every_chunk_but_the_one_that_says_it() -> None:
    plain = chunks_of([block("paragraph", LONG), block("paragraph", LONG)], title="Handbook")
    assert {chunk.headings for chunk in plain} == {("Handbook",)}
    blocks = [
        block("heading", "HANDBOOK", 1),
        block("paragraph", LONG),
        block("heading", "A", 1),
        block("paragraph", LONG),
    ]
    first, second = chunks_of(blocks, title="Handbook", size=50)
    assert first.headings == ()
    assert second.headings == ("Handbook",)


@pytest.mark.parametrize("title", ["第一章 总则", "1 Introduction", "Chapter 1"])
def test_the_first_chapter_is_not_above_the_second(title: str) -> None:
    blocks = [
        block("heading", title, 1),
        block("paragraph", LONG),
        block("heading", "Next", 1),
        block("paragraph", LONG),
    ]
    assert [chunk.headings for chunk in chunks_of(blocks, title=title, size=50)] == [(), ()]


def test_headings_take_a_quarter_of_the_size_and_lose_their_outermost_first() -> None:
    blocks = [
        block("heading", "outer " * 20, 1),
        block("heading", "inner words", 2),
        block("paragraph", LONG),
        block("paragraph", LONG),
    ]
    last = chunks_of(blocks)[-1]
    assert last.headings[-1] == "inner words"
    assert last.headings[0].endswith("…")
    assert WordCounter().count([" > ".join(last.headings)])[0] <= 10


def test_a_long_paragraph_is_cut_between_sentences_into_even_pieces() -> None:
    chunks = chunks_of([block("paragraph", "The turbine turns when water falls. " * 6)])
    assert all(chunk.text.endswith("falls.") for chunk in chunks)
    assert [chunk.text.count("falls") for chunk in chunks] == [3, 3]
    chinese = chunks_of([block("paragraph", "水从水库流向水轮机。" * 6)])
    assert [chunk.text.count("。") for chunk in chinese] == [3, 3]


def test_a_list_is_kept_together_where_it_fits() -> None:
    items = [block("list", f"- item number {number}", 1) for number in range(5)]
    chunks = chunks_of([block("paragraph", LONG), block("paragraph", "You need:"), *items])
    assert texts(chunks)[-1].startswith("You need:\n\n- item number 0")
    assert texts(chunks)[-1].endswith("item number 4")


def test_a_long_list_is_cut_between_its_items() -> None:
    listed = "\n".join(f"- item number {number} of the list" for number in range(20))
    chunks = chunks_of([block("list", listed)])
    assert all(text.startswith("- item") and text.endswith("list") for text in texts(chunks))


def test_a_table_is_cut_between_rows_and_repeats_its_header() -> None:
    rows = ["Name | Days", *(f"Person {number} | {number}" for number in range(30))]
    chunks = chunks_of([block("caption", "Table 1. Leave"), block("table", "\n".join(rows))])
    assert chunks[0].text.startswith("Table 1. Leave\n\nName | Days\nPerson 0 | 0\n")
    assert chunks[0].table_header == ""
    assert {chunk.table_header for chunk in chunks[1:]} == {"Name | Days"}
    assert all(line in rows for chunk in chunks[1:] for line in chunk.text.split("\n"))
    assert chunks[1].context.startswith("Name | Days\nPerson")


def test_the_line_below_a_markdown_header_is_a_part_of_it() -> None:
    rows = ["| Name | Days |", "|---|:-:|", *(f"| Person {number} | {number} |" for number in range(30))]
    chunks = chunks_of([block("table", "\n".join(rows))], size=60)
    assert chunks[1].table_header == "| Name | Days |\n|---|:-:|"


def test_a_first_row_that_is_a_bullet_is_no_header() -> None:
    chunks = chunks_of([block("table", "\n".join(f"• | point {number} of many;" for number in range(30)))])
    assert len(chunks) > 1
    assert {chunk.table_header for chunk in chunks} == {""}


def test_a_header_that_is_too_long_is_shortened_and_a_row_that_is_too_long_is_cut() -> None:
    header, row = "column " * 30, "cell " * 80
    chunks = chunks_of([block("table", f"{header}\n{row}\n{row}")])
    assert chunks[-1].table_header.endswith("…")


def test_slides_keep_to_themselves_and_bare_ones_go_with_the_next() -> None:
    slides = [
        block("heading", "Welcome", 1, 1),
        block("heading", "Turbines", 1, 2),
        block("paragraph", "The turbine turns when water falls.", 0, 2),
        block("heading", "Pipes", 1, 3),
        block("paragraph", "The pipe carries water down to the turbine.", 0, 3),
    ]
    first, second = chunks_of(slides)
    assert first.text.startswith("Welcome\n\nTurbines")
    assert [place.page for place in first.places] == [1, 2]
    assert second.text.startswith("Pipes")
    assert [place.page for place in second.places] == [3]


def test_furniture_ends_a_chunk() -> None:
    chunks = chunks_of([block("paragraph", "One."), block("furniture", "Page 1"), block("paragraph", "Two.")])
    assert texts(chunks) == ["One.", "Two."]


def test_text_outside_of_all_blocks_is_not_lost() -> None:
    source = Source(uri="a", media_type="text/plain", sha256="", size=0, labels={})
    text = "before\n\ninside\n\nafter"
    blocks = (Block(kind="paragraph", span=Span(8, 14), places=(Place(page=1),)),)
    document = Document(id="d", source=source, title="", language="en", text=text, blocks=blocks, loader="")
    chunks = cut(StructureChunker(WordCounter(), size=40, tokenizer="words"), document)
    assert texts(chunks) == [text]


def test_a_language_is_found_for_each_chunk_and_else_is_the_documents() -> None:
    furniture = block("furniture", "-")
    chunks = chunks_of([block("paragraph", "水从水库流下。"), furniture, block("paragraph", "QX-7")])
    assert [chunk.language for chunk in chunks] == ["zh", "en"]


def test_a_megabyte_without_a_space_does_not_become_one_chunk() -> None:
    document = document_of([block("paragraph", "x" * 100_000)])
    chunks = cut(StructureChunker(WordCounter(longest=1_000_000), size=100, tokenizer="words"), document)
    assert "".join(texts(chunks)) == document.text
    assert max(map(len, texts(chunks))) <= 100 * 48


def test_a_size_without_room_for_a_sentence_is_refused() -> None:
    with pytest.raises(SettingsError, match="16 or more"):
        StructureChunker(WordCounter(), size=8, tokenizer="words")


class Clumsy(WordCounter):
    """Counts a text alone as more than the same text in its place, as some tokenizers do at the ends of a text."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [tokens * 4 // 3 for tokens in super().count(texts)]


class Blind(WordCounter):
    """Finds no token in a text, however many it counts."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return []


def test_what_cannot_be_cut_goes_without_its_headings() -> None:
    text = "水" * 45
    (chunk,) = cut(
        StructureChunker(Blind(), size=40, tokenizer="blind"), document_of([block("paragraph", text)], title="T")
    )
    assert chunk.headings == ()
    assert chunk.text == text


@pytest.mark.parametrize("text", [LONG * 3, "水从水库流向水轮机" * 20, "x " * 90])
def test_what_does_not_fit_when_counted_again_is_cut_further(text: str) -> None:
    document = document_of([block("heading", "A heading", 1), block("paragraph", text)], title="Title")
    chunks = cut(StructureChunker(Clumsy(), size=40, tokenizer="clumsy"), document)
    check(chunks, document, size=40, counter=Clumsy())
