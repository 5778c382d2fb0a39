"""Running text of WordprocessingML: what a reader sees of a paragraph or table once all changes are accepted."""

from collections.abc import Callable, Iterator

from lxml import etree

from penstock.loaders.containers.xmltree import attribute, child, children, descendants, local
from penstock.loaders.tables import cell_text

_GONE = frozenset({
    "del", "moveFrom", "delText", "delInstrText", "instrText", "pPr", "rPr", "rubyPr", "sdtPr", "sdtEndPr", "tblPr",
    "trPr", "tcPr",
})  # fmt: skip
"""Deleted text, codes of fields, properties."""
_APART = frozenset(["txbxContent", "ruby"])
"""Text boxes, which are beside the line that anchors them, and phonetic guides, which are above it."""
_CHARACTERS = {
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011", "softHyphen": "\u00ad",
}  # fmt: skip
_NOTES = {"footnoteReference": "", "endnoteReference": "e"}


def paragraph_text(paragraph: etree._Element) -> str:
    """Text of a paragraph; notes are marked `[^1]`, phonetic guides are in parentheses."""
    return "".join(_pieces(paragraph))


def boxes(paragraph: etree._Element) -> Iterator[etree._Element]:
    """The text boxes that are anchored in a paragraph, each once."""
    for element in _visible(paragraph):
        if local(element) == "txbxContent":
            yield element


def alternative_texts(paragraph: etree._Element) -> Iterator[str]:
    """The author's descriptions of the pictures in a paragraph."""
    for element in _visible(paragraph):
        if local(element) == "docPr" and attribute(element, "descr"):
            yield attribute(element, "descr")


def drawn_parts(paragraph: etree._Element) -> Iterator[str]:
    """Relationship ids of the charts and diagrams in a paragraph."""
    for element in _visible(paragraph):
        if local(element) == "chart":
            yield attribute(element, "id")
        elif local(element) == "relIds":
            yield attribute(element, "dm")


def table_rows(table: etree._Element, line: Callable[[etree._Element], str]) -> Iterator[list[str]]:
    """Rows of a table: a cell that spans columns is followed by empty ones, a cell that spans rows is in its first row.

    `line` gives the text of a paragraph.
    """
    for row in _through(table, "tr"):
        if child(row, "trPr", "del") is not None:
            continue
        cells = [""] * _number(attribute(child(row, "trPr", "gridBefore"), "val"))
        for cell in _through(row, "tc"):
            merge = child(cell, "tcPr", "vMerge")
            continued = merge is not None and attribute(merge, "val") in ("", "continue")
            wide = max(_number(attribute(child(cell, "tcPr", "gridSpan"), "val")), 1)
            cells += ["" if continued else flat_text(cell, line), *[""] * (wide - 1)]
        yield cells


def flat_text(element: etree._Element, line: Callable[[etree._Element], str] = paragraph_text) -> str:
    """Everything in a cell or note on one line, tables and text boxes inside it included."""
    parts: list[str] = []
    for inner in descendants(element, "p"):
        text = "" if _is_hidden(inner, element) else cell_text(line(inner))
        if text:
            parts.append(text)
    return " ".join(parts)


def blocks(container: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables of a body, cell, note or text box in order, content controls opened."""
    for element in children(container):
        name = local(element)
        if name in ("p", "tbl"):
            yield element
        elif name == "sdt":
            content = child(element, "sdtContent")
            yield from blocks(content) if content is not None else ()
        elif name in ("customXml", "smartTag", "ins", "moveTo"):
            yield from blocks(element)


def number_notes(root: etree._Element, notes: etree._Element | None, kind: str) -> None:
    """Gives the notes of a kind (`footnote`, `endnote`) and what refers to them the numbers that readers see."""
    shown: dict[str, str] = {}
    for reference in descendants(root, f"{kind}Reference"):
        shown.setdefault(attribute(reference, "id"), str(len(shown) + 1))
        _set_id(reference, shown)
    for note in children(notes, kind):
        _set_id(note, shown)


def _set_id(reference: etree._Element, shown: dict[str, str]) -> None:
    for key, value in reference.attrib.items():
        if str(key).endswith("}id") and str(value) in shown:
            reference.set(key, shown[str(value)])


def _through(element: etree._Element, name: str) -> Iterator[etree._Element]:
    for inner in children(element):
        if local(inner) == name:
            yield inner
        elif local(inner) in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _through(inner, name)


def _visible(element: etree._Element) -> Iterator[etree._Element]:
    """Elements below, text boxes themselves but not what is in them; of two alternatives the first."""
    pending = list(reversed(list(children(element))))
    while pending:
        inner = pending.pop()
        name = local(inner)
        if name in _GONE:
            continue
        yield inner
        if name in _APART:
            continue
        below = list(children(inner))
        if name == "AlternateContent":
            below = below[:1]
        pending += reversed(below)


def _pieces(paragraph: etree._Element) -> Iterator[str]:
    for element in _visible(paragraph):
        name = local(element)
        if name == "t":
            yield str(element.text or "")
        elif name in _CHARACTERS:
            yield _CHARACTERS[name]
        elif name == "sym":
            yield _symbol(attribute(element, "char"))
        elif name in _NOTES:
            yield f"[^{_NOTES[name]}{attribute(element, 'id')}]"
        elif name == "ruby":
            yield _with_reading(element)


def _with_reading(ruby: etree._Element) -> str:
    base, reading = (child(ruby, name) for name in ("rubyBase", "rt"))
    written = paragraph_text(base) if base is not None else ""
    read = paragraph_text(reading) if reading is not None else ""
    return f"{written} ({read})" if read else written


def _symbol(code: str) -> str:
    """Characters of symbol fonts lie in a private area of Unicode, where their names say nothing."""
    try:
        value = int(code, 16)
    except ValueError:
        return ""
    return "" if 0xE000 <= value <= 0xF8FF else chr(value) if value <= 0x10FFFF else ""


def _is_hidden(paragraph: etree._Element, within: etree._Element) -> bool:
    for holder in paragraph.iterancestors():
        if holder is within:
            return False
        if local(holder) in _GONE or local(holder) == "Fallback":
            return True
    return False


def _number(text: str) -> int:
    return min(int(text), 1000) if text.isascii() and text.isdigit() else 0
