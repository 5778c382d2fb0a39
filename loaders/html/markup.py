"""A tree of HTML elements to blocks: headings with their level, paragraphs, lists, tables, code, captions."""

import re
from collections.abc import Iterator

from lxml import etree, html

from penstock.analysis.wide import one_line, unwrapped
from penstock.loaders.containers.xmltree import all_text, local
from penstock.loaders.tables import table_text
from penstock.model import BlockKind, ExtractionWriter, Place

HEADINGS = {f"h{level}": level for level in range(1, 7)}
UNREAD = frozenset({
    "script", "style", "template", "noscript", "head", "title", "svg", "object", "embed", "iframe", "audio", "video",
    "canvas", "select", "datalist", "button", "rp",
})  # fmt: skip
"""Elements whose content is no text for readers; forms keep their labels."""
BREAKING = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figure", "figcaption", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li",
    "main", "menu", "nav", "ol", "p", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
"""Elements that start and end a block."""
CELLS = ("td", "th")

MAX_COLUMNS = 1000
MAX_SPANNED = 1000
"""Most cells that one cell may cover; pages carry spans in the thousands by mistake."""

_NUMBER = re.compile(r"-?\d{1,9}")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BREAK = "\v"
"""Marks a line break that the page asks for, until white space was collapsed."""


def parse_html(text: str) -> etree._Element | None:
    """The root element of a page or fragment; None where there is no markup or text at all.

    >>> parse_html("<p>One<p>Two").tag
    'html'
    """
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    # An encoding declaration in the text would make lxml refuse it, and a NUL would end it.
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\0", ""))
    try:
        root = html.document_fromstring(text, parser=parser, ensure_head_body=True) if text.strip() else None
    except etree.ParserError:  # nothing but comments
        return None
    if root is not None:
        _drop_false_spans(root)
    return root


def is_cut_off(root: etree._Element) -> bool:
    """Whether the parser gave up on a page that nests too deep (2048 elements), so that the rest is missing."""
    return any("Excessive depth" in entry.message for entry in root.getroottree().parser.error_log)


def _drop_false_spans(root: etree._Element) -> None:
    """Takes away spans that cover more cells than tables have: laying them out would take minutes."""
    for cell in root.iter(*CELLS):
        if _span(cell, "colspan") * _span(cell, "rowspan") > MAX_SPANNED:
            cell.attrib.pop("colspan", "")
            cell.attrib.pop("rowspan", "")


def write_blocks(root: etree._Element, writer: ExtractionWriter, *, places: tuple[Place, ...] = ()) -> None:
    """Adds everything that a reader sees below an element to the writer, in document order."""
    _Walk(writer, places).over(root)


def inline_text(element: etree._Element) -> str:
    """What a reader sees of an element, on one line."""
    return one_line(collapse(visible_text(element)))


def collapse(text: str) -> str:
    """White space as a browser shows it; between Chinese or Japanese characters a wrapped line leaves none."""
    text = _SPACE.sub(" ", unwrapped(text))
    return re.sub(rf" ?{_BREAK} ?", "\n", text).strip()


def visible_text(element: etree._Element) -> str:
    """Character data below an element without scripts and the like; block elements are kept apart."""
    parts: list[str] = []
    walker = etree.iterwalk(element, events=("start", "end"))
    for event, node in walker:
        name = local(node)
        if event == "end":
            parts.append(" " if name in BREAKING else "")
            parts.append(str(node.tail or "") if node is not element else "")
        elif name in UNREAD or not name:
            walker.skip_subtree()
        else:
            parts.append(_BREAK if name == "br" else " " if name in BREAKING else "")
            parts.append(str(node.text or ""))
    return "".join(parts)


class _Walk:
    """One pass over a tree, without recursion: hostile pages nest deeper than Python's stack."""

    def __init__(self, writer: ExtractionWriter, places: tuple[Place, ...]) -> None:
        self._writer = writer
        self._places = places
        self._inline: list[str] = []

    def over(self, root: etree._Element) -> None:
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, node in walker:
            name = local(node)
            if event == "start":
                if self._takes_whole(node, name):
                    walker.skip_subtree()
                else:
                    self._enter(node, name)
                continue
            if name in BREAKING:
                self._flush("caption" if name == "figcaption" else "paragraph")
            if node is not root:
                self._inline.append(str(node.tail or ""))
        self._flush()

    def _enter(self, node: etree._Element, name: str) -> None:
        if name in BREAKING:
            self._flush()
        if name == "br":
            self._inline.append(_BREAK)
        self._inline.append(str(node.text or ""))

    def _takes_whole(self, node: etree._Element, name: str) -> bool:
        """Reads an element that is a block as a whole; True where nothing is left to descend into."""
        if not name or name in UNREAD:
            return True
        if name in HEADINGS:
            self._add("heading", inline_text(node), HEADINGS[name])
        elif name in ("pre", "listing", "xmp"):
            self._add("code", all_text(node).strip("\n"))
        elif name == "table" and _is_data(node):
            self._table(node)
        elif name in ("ul", "ol", "menu") and _is_plain_list(node):
            self._add("list", "\n".join(_list_lines(node)), 1)
        elif name == "img":
            self._add("caption", collapse(str(node.get("alt") or "")))
        elif name == "math":
            self._inline.append(str(node.get("alttext") or all_text(node)))
        else:
            return False
        return True

    def _table(self, table: etree._Element) -> None:
        for caption in table.iter("caption"):
            self._add("caption", inline_text(caption))
        self._add("table", table_text(_rows(table)))

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        self._flush()
        self._writer.add(kind, text, places=self._places, level=level)

    def _flush(self, kind: BlockKind = "paragraph") -> None:
        text = collapse("".join(self._inline))
        self._inline.clear()
        for part in text.split("\n\n"):  # two line breaks in a row are how older pages separate paragraphs
            self._writer.add(kind, part, places=self._places)


def _is_data(table: etree._Element) -> bool:
    """Whether a table holds data and not the layout of a page."""
    layout = ("table", *HEADINGS, "ul", "ol", "pre", "form")
    if table.get("role") in ("presentation", "none") or _holds(table, *layout):
        return False
    rows = [row for row in _rows(table) if any(cell.strip() for cell in row)]
    return len(rows) > 1 or (len(rows) == 1 and len(rows[0]) > 1)


def _holds(element: etree._Element, *names: str) -> bool:
    """Whether there is an element of one of these names below."""
    return any(inner is not element for inner in element.iter(*names))


def _rows(table: etree._Element) -> list[list[str]]:
    """Cells by row; a cell that spans columns is followed by empty ones, a cell that spans rows is in its first row."""
    rows: list[list[str]] = []
    hanging: dict[int, int] = {}  # column -> rows that a cell from above still covers
    for row in table.iter("tr"):
        cells: list[str] = []
        for cell in row.iterchildren(*CELLS):
            _skip_covered(cells, hanging)
            wide, high = max(min(_span(cell, "colspan"), MAX_COLUMNS - len(cells)), 1), _span(cell, "rowspan")
            hanging.update({len(cells) + offset: high for offset in range(wide)} if high > 1 else {})
            cells += [collapse(visible_text(cell))] + [""] * (wide - 1)
        hanging = {column: rest - 1 for column, rest in hanging.items() if rest > 1}
        rows.append(cells)
    return rows


def _skip_covered(cells: list[str], hanging: dict[int, int]) -> None:
    while len(cells) < MAX_COLUMNS and hanging.get(len(cells), 0) > 0:
        cells.append("")


def _span(cell: etree._Element, name: str) -> int:
    span = str(cell.get(name) or "1").strip()
    return max(int(span), 1) if _NUMBER.fullmatch(span) else 1


def _is_plain_list(element: etree._Element) -> bool:
    """Whether a list can be shown one item a line: it holds no tables, headings or code of its own."""
    return not _holds(element, "table", "pre", *HEADINGS)


def _list_lines(element: etree._Element) -> list[str]:
    lines: list[str] = []
    pending = [("", element, 0)]
    # Depth first without recursion: lists are replaced by their items, items by themselves and the lists they hold.
    while pending:
        bullet, line, depth = pending.pop()
        if local(line) in ("ul", "ol", "menu"):
            pending += reversed([(mark, item, depth) for mark, item in _marked(line)])
            continue
        own, nested = _split_item(line)
        if own:
            lines.append(f"{'  ' * depth}{bullet} {own}")
        pending += [("", inner, depth + 1) for inner in reversed(nested)]
    return lines


def _marked(element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The items of a list with their bullets or numbers."""
    start = str(element.get("start") or "")
    number = int(start) if _NUMBER.fullmatch(start) else 1
    for item in element:
        if not local(item):
            continue
        value = str(item.get("value") or "")
        number = int(value) if _NUMBER.fullmatch(value) else number
        yield (f"{number}." if local(element) == "ol" else "-"), item
        number += 1


def _split_item(item: etree._Element) -> tuple[str, list[etree._Element]]:
    """The text of a list item without the lists inside it, and those lists."""
    nested: list[etree._Element] = []
    parts: list[str] = []
    walker = etree.iterwalk(item, events=("start", "end"))
    for event, node in walker:
        name = local(node)
        if event == "end":
            parts.append(str(node.tail or "") if node is not item else "")
        elif name in ("ul", "ol", "menu"):
            nested.append(node)
            walker.skip_subtree()
        elif name in UNREAD or not name:
            walker.skip_subtree()
        else:
            parts.append(" " if name in BREAKING or name == "br" else "")
            parts.append(str(node.text or ""))
    return " ".join(collapse("".join(parts)).split()), nested
