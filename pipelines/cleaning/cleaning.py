"""From what a loader read to what is kept: ordinary characters, whole lines and paragraphs, furniture apart.

Furniture moves behind everything else. So a paragraph that a page break cuts in two can be one again, and a chunk may
cross a page; nothing that was read is lost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from penstock.analysis.scripts import is_cjk
from penstock.analysis.wide import one_line
from penstock.model import Block, BlockKind, Extraction, ExtractionWriter, Place
from penstock.pipelines.cleaning.characters import ordinary
from penstock.pipelines.cleaning.furniture import furniture
from penstock.pipelines.cleaning.line_joining import Joining, Words, begins_item, reflowed, reflowed_list, unspaced

CLEANING_VERSION = "cleaning-3"
"""Part of the fingerprint that decides whether a source is read again: raised with every change of `clean`'s output."""

_SPACES = re.compile(r"[ \t]+")
_AS_THEY_ARE: frozenset[BlockKind] = frozenset({"code"})
_ONE_LINE: frozenset[BlockKind] = frozenset({"heading"})
_SENTENCE_END = re.compile(r"[.!?。！？：:;；…][\"'”’)）」』】]*$")
_OPEN_END = re.compile(r"[\w,，、(（\-\u2010“‘「]$")
PAGES_A_PARAGRAPH = 2
"""A chunk bears all places of its paragraph: text without sentence ends must not become one that is on every page."""
SHORTEST_OPEN = 12
"""Characters: a Chinese block shorter than this is a line of its own, not the first half of a paragraph."""


def clean(extraction: Extraction) -> Extraction:
    """The extraction cleaned; cleaning it again changes nothing.

    - Characters: NFC, ordinary spaces, nothing invisible (see `penstock.pipelines.cleaning.characters`).
    - Lines that the page's width broke are joined; code and tables keep theirs.
    - Headers, footers and page numbers that run over pages become blocks of kind `furniture`, at the end of the text.
    - A paragraph that continues after a column or a page is one paragraph, with both places.
    """
    readable = [ordinary(extraction.text[block.span.start : block.span.end]) for block in extraction.blocks]
    words = Words(readable)
    blocks, texts = _cleaned(extraction.blocks, readable, words)
    apart = furniture(blocks, texts)
    writer = ExtractionWriter()
    for block, text in _continued(blocks, texts, apart, words):
        writer.add_like(block, text)
    for number in sorted(apart):
        writer.add_like(replace(blocks[number], kind="furniture", level=0), texts[number])
    return replace(writer.finish(title=one_line(ordinary(extraction.title))), problems=extraction.problems)


def _cleaned(given: Sequence[Block], readable: list[str], words: Words) -> tuple[list[Block], list[str]]:
    """The blocks that still have text, and their texts, each cleaned separately."""
    blocks, texts = [], []
    for block, text in zip(given, readable, strict=True):
        cleaned = ordinary(_laid_out(block.kind, text, words)).strip()
        if cleaned:
            blocks.append(block)
            texts.append(cleaned)
    return blocks, texts


def _laid_out(kind: BlockKind, text: str, words: Words) -> str:
    """The text of one block with its lines and spaces in order."""
    if kind in _AS_THEY_ARE:
        return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
    if kind == "table":
        return "\n".join(line.strip() for line in text.split("\n") if line.strip())
    lines = [unspaced(_SPACES.sub(" ", line).rstrip()) for line in text.split("\n") if line.strip()]
    if kind == "list":
        return "\n".join(reflowed_list(lines, words))
    lines = [line.strip() for line in lines]
    if kind in _ONE_LINE:
        whole = Joining("")
        for line in lines:
            whole.add(line, words)
        return unspaced(whole.text)
    return "\n".join(reflowed(lines, words))


@dataclass(slots=True)
class _Paragraph:
    """A block with the blocks that continue it."""

    block: Block
    joining: Joining
    places: dict[Place, None]
    """The places of all of it, in order."""
    grown: bool = False


def _continued(blocks: list[Block], texts: list[str], apart: set[int], words: Words) -> list[tuple[Block, str]]:
    """The blocks that are not furniture, halves of a paragraph put together."""
    whole: list[_Paragraph] = []
    for number, (block, text) in enumerate(zip(blocks, texts, strict=True)):
        if number in apart:
            continue
        if whole and _goes_on(whole[-1], block, text):
            whole[-1].joining.add(text, words)
            whole[-1].places |= dict.fromkeys(block.places)
            whole[-1].grown = True
        else:
            whole.append(_Paragraph(block, Joining(text), dict.fromkeys(block.places)))
    return [_finished(paragraph, words) for paragraph in whole]


def _finished(paragraph: _Paragraph, words: Words) -> tuple[Block, str]:
    if not paragraph.grown:
        return paragraph.block, paragraph.joining.text
    # Whether a page broke the lines shows better in the whole than in its halves.
    block = replace(paragraph.block, places=tuple(paragraph.places))
    return block, ordinary(_laid_out(block.kind, paragraph.joining.text, words)).strip()


def _goes_on(before: _Paragraph, after: Block, rest: str) -> bool:
    """Whether a block is the second half of the paragraph before it.

    It is where the first ends inside a sentence and the second begins inside one: with a small letter, or in Chinese,
    which has none, after a comma or on the next page.
    """
    end = before.joining.end
    if before.block.kind != "paragraph" or after.kind != "paragraph":
        return False
    if _SENTENCE_END.search(end[-9:]) or not _OPEN_END.search(end[-1:]) or begins_item(rest):
        return False
    if len({place.page for place in (*before.places, *after.places)}) > PAGES_A_PARAGRAPH:
        return False
    if rest[0].islower():
        return True
    if not is_cjk(rest[0]):
        return False
    if end[-1] in "，、,":
        return True
    return _turns_page(before, after) and is_cjk(end[-1]) and min(before.joining.length, len(rest)) >= SHORTEST_OPEN


def _turns_page(before: _Paragraph, after: Block) -> bool:
    return bool(before.places and after.places) and next(reversed(before.places)).page < after.places[0].page
