"""Which blocks are furniture? What a loader calls so, and the running lines of a document of pages."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from penstock.analysis.running import LONGEST, Line, Zone, running, zone_of
from penstock.model import Block

ROUNDS = 16
"""How many running lines may follow each other on a page whose blocks have no position but their order."""
_KINDS = frozenset({"heading", "paragraph", "list", "note", "caption"})


def furniture(blocks: Sequence[Block], texts: Sequence[str]) -> set[int]:
    """Numbers of the blocks that are furniture, those included that are marked as such already."""
    found = {number for number, block in enumerate(blocks) if block.kind == "furniture"}
    for _ in range(ROUNDS):
        more = _repeated(blocks, texts, found)
        if not more:
            break
        found |= more  # what follows a header may be a second one
    return found


def _repeated(blocks: Sequence[Block], texts: Sequence[str], known: set[int]) -> set[int]:
    pages = sorted({place.page for block in blocks for place in block.places})
    return running(_candidates(blocks, texts, known), pages)


def _candidates(blocks: Sequence[Block], texts: Sequence[str], known: set[int]) -> Iterator[Line]:
    edges = _edges(blocks, known)
    for number, (block, text) in enumerate(zip(blocks, texts, strict=True)):
        if number in known or block.kind not in _KINDS or len(block.places) != 1 or len(text) > LONGEST:
            continue
        (place,) = block.places
        heading = block.kind == "heading"
        if place.box is not None:
            zone, at = zone_of(place.box, heading=heading), (place.box.top + place.box.bottom) / 2
        else:
            zone, at = None if heading else edges.get(number), None
        if zone:
            yield Line(number=number, page=place.page, text=text, zone=zone, at=at)


def _edges(blocks: Sequence[Block], known: set[int]) -> dict[int, Zone]:
    """The first and the last block of each page, furniture and what crosses pages aside."""
    edges: dict[int, Zone] = {}
    by_page: dict[int, list[int]] = defaultdict(list)
    for number, block in enumerate(blocks):
        if number not in known:
            for page in sorted({place.page for place in block.places}):
                by_page[page].append(number)
    for numbers in by_page.values():
        if len(numbers) > 2:
            edges[numbers[0]], edges[numbers[-1]] = "first", "last"
    return edges
