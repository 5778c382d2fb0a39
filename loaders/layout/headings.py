"""Which blocks of a document are headings, and of what level: seen only when the whole document is known.

The size that most letters have is running text. A short block that is clearly larger, or bold and alone, is a heading,
and so is a block that the document's own outline names on that page. Levels come from the outline where it has them,
else from the order of the letter styles, larger ones first.
"""

import re
from collections import Counter
from collections.abc import Sequence

from penstock.analysis.running import LONGEST, Line, running, zone_of
from penstock.analysis.wide import text_width
from penstock.loaders.layout.pages import OutlineEntry
from penstock.loaders.layout.paragraphs import CAPTION, ENDS, BlockDraft, with_level

LARGER, GUESSED_LARGER = 1.12, 1.4
"""A heading's letters are this many times the size of running text; the second where sizes are guessed in pictures."""
HEADING_WIDTH, HEADING_LINES = 180, 4
"""Longer blocks are no headings, whatever their letters."""
BOLD_WIDTH, BOLD_LINES = 120, 2
"""The same for bold blocks of the size of running text."""
DEEPEST = 6
NUMBERED = re.compile(
    r"^(?:chapter|section|part|appendix|article|item)?\s*[\dIVXA-Z]{0,4}(?:\.\d+)*[.:：、]?\s*", re.IGNORECASE
)

Style = tuple[float, bool]


def with_headings(drafts: Sequence[BlockDraft], outline: Sequence[OutlineEntry]) -> list[BlockDraft]:
    """The drafts; those that are headings become headings with their levels."""
    body = body_size(drafts)
    named = _named(outline)
    running = _running(drafts)
    found: dict[int, int] = {}
    for at, draft in enumerate(drafts):
        level = _in_outline(draft, named) if draft.kind in ("paragraph", "list") and at not in running else 0
        if level or (at not in running and _looks_like_heading(draft, body)):
            found[at] = level
    levels = _levels({at: (style_of(drafts[at]), level) for at, level in found.items()})
    return [with_level(draft, levels[at]) if at in levels else draft for at, draft in enumerate(drafts)]


def body_size(drafts: Sequence[BlockDraft]) -> float:
    """The size that most letters of running text have; 0 for a document without any."""
    sizes: Counter[float] = Counter()
    for draft in drafts:
        if draft.kind != "table":
            sizes[_rounded(draft.size)] += len(draft.text)
    return max(sizes, key=lambda size: (sizes[size], -size), default=0.0)


def style_of(draft: BlockDraft) -> Style:
    """What distinguishes one kind of heading from another: the letters' size and whether they are bold."""
    return (_rounded(draft.size) if draft.measured else round(draft.size / 6) * 6.0, draft.bold)


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _looks_like_heading(draft: BlockDraft, body: float) -> bool:
    if draft.kind != "paragraph" and not (draft.kind == "list" and draft.bold):
        return False
    text, long = draft.text, text_width(draft.text)
    if long > HEADING_WIDTH or draft.lines > HEADING_LINES or not _has_a_word(text) or CAPTION.match(text):
        return False
    larger = draft.size > body * (LARGER if draft.measured else GUESSED_LARGER)
    if larger:
        return not (text[-1] in ENDS - {"?", "？"} and draft.lines > 1)
    alone = draft.bold and draft.size >= 0.95 * body and draft.lines <= BOLD_LINES and long <= BOLD_WIDTH
    return alone and text[-1] not in ENDS - {"?", "？", ":", "："} and draft.measured


def _has_a_word(text: str) -> bool:
    """Whether a text has a word in it: numbers, signs and single letters are no headings."""
    return sum(character.isalpha() for character in text) >= 2 and sum(map(str.isalpha, text)) >= 0.4 * len(
        "".join(text.split())
    )


def _running(drafts: Sequence[BlockDraft]) -> set[int]:
    """Numbers of the drafts that are running headers or footers, if they were headings: of two lines at most."""
    lines: list[Line] = []
    for number, draft in enumerate(drafts):
        box = draft.places[0].box if draft.places else None
        zone = zone_of(box, heading=True) if box else None
        if box and zone and draft.lines <= 2 and len(draft.text) <= LONGEST:
            at = (box.top + box.bottom) / 2
            lines.append(Line(number=number, page=draft.places[0].page, text=draft.text, zone=zone, at=at))
    return running(lines, sorted({place.page for draft in drafts for place in draft.places}))


def _named(outline: Sequence[OutlineEntry]) -> dict[int, dict[str, int]]:
    named: dict[int, dict[str, int]] = {}
    for entry in outline:
        key = _key(entry.title)
        if key:
            named.setdefault(entry.page, {}).setdefault(key, min(entry.level, DEEPEST))
    return named


def _in_outline(draft: BlockDraft, named: dict[int, dict[str, int]]) -> int:
    """The level that the outline gives to a block on its page, 0 where it does not name it."""
    if not draft.places or draft.lines > HEADING_LINES or len(draft.text) > 2 * HEADING_WIDTH:
        return 0
    return named.get(draft.places[0].page, {}).get(_key(draft.text), 0)


def _key(text: str) -> str:
    """A title without its number, its case and its white space."""
    bare = (
        NUMBERED.sub("", text.strip(), count=1)
        if re.match(r"^\W*[\dIVX]|^(?:chapter|section|part|item)", text, re.IGNORECASE)
        else text
    )
    return re.sub(r"[\W_]+", "", bare or text).casefold()


def _levels(found: dict[int, tuple[Style, int]]) -> dict[int, int]:
    """The level of each heading: the outline's, else that of its style, else one below the next larger style."""
    counts: dict[Style, Counter[int]] = {}
    for style, level in found.values():
        counts.setdefault(style, Counter()).update([level] if level else [])
    by_style: dict[Style, int] = {}
    above = 0
    for style in sorted(counts, reverse=True):
        known = counts[style].most_common(1)
        by_style[style] = above = known[0][0] if known else min(above + 1, DEEPEST)
    return {at: level or by_style[style] for at, (style, level) in found.items()}
