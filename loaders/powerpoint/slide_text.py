"""What the shapes of a slide say: paragraphs and lists, tables, charts, diagrams, descriptions of pictures."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from penstock.loaders.containers.drawings import alternative_text, chart_text, diagram_text
from penstock.loaders.containers.xmltree import attribute, child, children, descendants, local, parse_plain
from penstock.loaders.powerpoint.slide_shapes import is_body
from penstock.loaders.tables import table_text
from penstock.model import BlockKind

_BULLETS = ("buChar", "buBlip", "buAutoNum")


def text_blocks(shape: Any, *, heading: bool) -> Iterator[tuple[BlockKind, str, int]]:
    """Kind, text and level of each block in a shape with text."""
    paragraphs = [(one, paragraph_text(one._p)) for one in shape.text_frame.paragraphs]
    paragraphs = [(one, text) for one, text in paragraphs if text.strip()]
    if heading:
        yield "heading", " ".join(" ".join(text for _, text in paragraphs).split()), 1
        return
    marked = [(one, text, _mark(one._p, is_body(shape))) for one, text in paragraphs]
    for is_list, run in groupby(marked, key=lambda each: bool(each[2])):
        members = list(run)
        if is_list and len(members) > 1:
            yield "list", "\n".join(_list_lines(members)), 1
        else:
            yield from (("paragraph", text, 0) for _, text, _ in members)


def _list_lines(members: list[tuple[Any, str, str]]) -> Iterator[str]:
    counters: dict[int, int] = {}
    for one, text, mark in members:
        shown = _counted(mark, one.level, counters)
        yield f"{'  ' * one.level}{shown} {' '.join(text.split())}"


def paragraph_text(paragraph: Any) -> str:
    """Text of a paragraph with its line breaks, formulas and fields."""
    parts = []
    for one in descendants(paragraph, "t", "br", "tab"):
        parts.append("\n" if local(one) == "br" else "\t" if local(one) == "tab" else str(one.text or ""))
    return "".join(parts).replace("\v", "\n")


def table(one: Any) -> str:
    """Text of a table; merged cells are told once."""
    rows = [["" if cell.is_spanned else cell.text_frame.text for cell in row.cells] for row in one.rows]
    return table_text(rows)


def chart(shape: Any) -> str:
    """Titles and data of a chart; empty where the deck does not hold it."""
    try:
        return chart_text(shape.chart_part._element)
    except KeyError:
        return ""


def diagram(shape: Any) -> str:
    """The words of a diagram (SmartArt); empty for every other shape."""
    for reference in descendants(shape._element, "relIds"):
        try:
            part = shape.part.related_part(attribute(reference, "dm"))
        except KeyError:
            return ""
        root = parse_plain(part.blob)
        return diagram_text(root) if root is not None else ""
    return ""


def described(shape: Any) -> str:
    """What the author says that a picture, chart or drawing shows."""
    for one in children(shape._element):
        properties = child(one, "cNvPr")
        if properties is not None:
            return alternative_text(attribute(properties, "descr"))
    return ""


def _mark(paragraph: Any, bulleted: bool) -> str:
    """Kind of the bullet of a paragraph: by itself, else what its placeholder has; empty for none."""
    properties = child(paragraph, "pPr")
    for one in children(properties):
        if local(one) in _BULLETS:
            return local(one)
        if local(one) == "buNone":
            return ""
    return "buChar" if bulleted else ""


def _counted(mark: str, level: int, counters: dict[int, int]) -> str:
    for deeper in [one for one in counters if one > level]:
        del counters[deeper]
    if mark != "buAutoNum":
        counters.pop(level, None)
        return "-"
    counters[level] = counters.get(level, 0) + 1
    return f"{counters[level]}."
