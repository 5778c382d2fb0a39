"""What the shapes of a slide say: paragraphs and lists, tables, charts, diagrams, descriptions of pictures."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from penstock.analysis.wide import one_line
from penstock.loaders.containers.drawings import alternative_text, chart_text, diagram_text
from penstock.loaders.containers.xmltree import attribute, child, children, descendants, local, parse_plain
from penstock.loaders.powerpoint.slide_shapes import is_body
from penstock.loaders.tables import table_text
from penstock.model import BlockKind

_BULLETS = ("buChar", "buBlip", "buAutoNum")


def text_blocks(shape: Any, *, heading: bool) -> Iterator[tuple[BlockKind, str, int]]:
    """Kind, text and level of each block in a shape with text."""
    paragraphs = [(paragraph, paragraph_text(paragraph._p)) for paragraph in shape.text_frame.paragraphs]
    paragraphs = [(paragraph, text) for paragraph, text in paragraphs if text.strip()]
    if heading:
        yield "heading", one_line("\n".join(text for _, text in paragraphs)), 1
        return
    marked = [(paragraph, text, _mark(paragraph._p, is_body(shape))) for paragraph, text in paragraphs]
    for is_list, run in groupby(marked, key=lambda item: bool(item[2])):
        members = list(run)
        if is_list and len(members) > 1:
            yield "list", "\n".join(_list_lines(members)), 1
        else:
            yield from (("paragraph", text, 0) for _, text, _ in members)


def _list_lines(members: list[tuple[Any, str, str]]) -> Iterator[str]:
    counters: dict[int, int] = {}
    for paragraph, text, mark in members:
        shown = _counted(mark, paragraph.level, counters)
        yield f"{'  ' * paragraph.level}{shown} {' '.join(text.split())}"


def paragraph_text(paragraph: Any) -> str:
    """Text of a paragraph with its line breaks, formulas and fields."""
    parts = []
    for node in descendants(paragraph, "t", "br", "tab"):
        parts.append("\n" if local(node) == "br" else "\t" if local(node) == "tab" else str(node.text or ""))
    return "".join(parts).replace("\v", "\n")


def table(grid: Any) -> str:
    """Text of a table; merged cells are written once."""
    rows = [["" if cell.is_spanned else cell.text_frame.text for cell in row.cells] for row in grid.rows]
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
    for element in children(shape._element):
        properties = child(element, "cNvPr")
        if properties is not None:
            return alternative_text(attribute(properties, "descr"))
    return ""


def _mark(paragraph: Any, bulleted: bool) -> str:
    """Kind of the bullet of a paragraph: by itself, else what its placeholder has; empty for none."""
    properties = child(paragraph, "pPr")
    for element in children(properties):
        if local(element) in _BULLETS:
            return local(element)
        if local(element) == "buNone":
            return ""
    return "buChar" if bulleted else ""


def _counted(mark: str, level: int, counters: dict[int, int]) -> str:
    for deeper in [known for known in counters if known > level]:
        del counters[deeper]
    if mark != "buAutoNum":
        counters.pop(level, None)
        return "-"
    counters[level] = counters.get(level, 0) + 1
    return f"{counters[level]}."
