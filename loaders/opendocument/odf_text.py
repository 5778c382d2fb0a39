"""Running text of OpenDocument: what a reader sees of a paragraph or table."""

from collections.abc import Iterator

from lxml import etree

from penstock.loaders.containers.xmltree import all_text, attribute, children, descendants, local
from penstock.loaders.tables import cell_text

MAX_REPEATED = 1000
"""Empty rows and cells are stored as one with a count, which may reach the end of the sheet."""

_GONE = frozenset({
    "tracked-changes", "annotation", "annotation-end", "forms", "sequence-decls", "variable-decls",
    "user-field-decls", "bookmark", "alphabetical-index-mark", "toc-mark", "index-title-template", "settings",
    "event-listeners", "ruby-text-hidden",
})  # fmt: skip
_DRAWN = frozenset(["frame", "custom-shape", "rect", "line", "ellipse", "g", "connector", "polygon", "path", "caption"])
_LINES = frozenset(["p", "h"])
_CHARACTERS = {"tab": "\t", "line-break": "\n", "soft-page-break": ""}


def seen(container: etree._Element) -> Iterator[etree._Element]:
    """The elements of a container that readers see, in order."""
    return (element for element in children(container) if local(element) not in _GONE)


def line_text(paragraph: etree._Element, notes: list[etree._Element] | None = None) -> str:
    """Text of a paragraph; notes are collected and marked `[^1]`, text boxes left to `drawn`."""
    return "".join(_pieces(paragraph, notes)).strip()


def flat_text(element: etree._Element | None) -> str:
    """Everything below an element on one line."""
    if element is None:
        return ""
    return " ".join(text for paragraph in descendants(element, *_LINES) if (text := cell_text(line_text(paragraph))))


def drawn(paragraph: etree._Element) -> Iterator[etree._Element]:
    """Frames and shapes that are anchored in a paragraph or list."""
    pending = list(seen(paragraph))
    while pending:
        frame = pending.pop(0)
        if local(frame) in _DRAWN:
            yield frame
        elif local(frame) != "note":
            pending = [*seen(frame), *pending]


def rows(table: etree._Element) -> Iterator[list[str]]:
    """Rows of a table; covered cells of a merged one are empty."""
    for row in _rows(table):
        cells: list[str] = []
        for cell in children(row, "table-cell", "covered-table-cell"):
            text = flat_text(cell) if local(cell) == "table-cell" else ""
            cells += [text] * _repeated(cell, "number-columns-repeated")
        repeated = _repeated(row, "number-rows-repeated") if any(cells) else 1
        yield from (cells for _ in range(repeated))


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    for element in children(table):
        if local(element) == "table-row":
            yield element
        elif local(element) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(element)


def _repeated(cell: etree._Element, name: str) -> int:
    count = attribute(cell, name)
    return min(int(count), MAX_REPEATED) if count.isascii() and count.isdigit() else 1


def _pieces(element: etree._Element, notes: list[etree._Element] | None) -> Iterator[str]:
    # White space in the file is a single space; more is written as elements.
    yield " ".join(str(element.text or "").split("\n"))
    for node in element:
        name = local(node)
        if name == "s":
            count = attribute(node, "c")
            yield " " * (min(int(count), MAX_REPEATED) if count.isascii() and count.isdigit() else 1)
        elif name in _CHARACTERS:
            yield _CHARACTERS[name]
        elif name == "note":
            yield _note(node, notes)
        elif name == "ruby":
            yield _with_reading(node)
        elif name and name not in _GONE and name not in _DRAWN:
            yield from _pieces(node, notes)
        yield " ".join(str(node.tail or "").split("\n"))


def _note(note: etree._Element, notes: list[etree._Element] | None) -> str:
    if notes is None:
        return ""
    notes.append(note)
    return f"[^{len(notes)}]"


def _with_reading(ruby: etree._Element) -> str:
    base, reading = (" ".join(all_text(part) for part in children(ruby, name)) for name in ("ruby-base", "ruby-text"))
    return f"{base} ({reading})" if reading else base
