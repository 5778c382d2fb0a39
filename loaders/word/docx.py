"""Word documents (DOCX, DOCM, DOTX), read from their parts: python-docx passes over notes, boxes and insertions."""

from typing import BinaryIO

from lxml import etree

from penstock.analysis.wide import one_line
from penstock.loaders.containers.drawings import alternative_text, chart_text, diagram_text
from penstock.loaders.containers.package import Package
from penstock.loaders.containers.xmltree import attribute, child, children, local
from penstock.loaders.detection.container_types import DOCX
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.tables import table_text
from penstock.loaders.titles import titled
from penstock.loaders.word import word_text
from penstock.loaders.word.numbering import BULLET, Numbering
from penstock.loaders.word.styles import Styles
from penstock.model import Extraction, ExtractionWriter, Source

MAX_BOX_DEPTH = 8
"""Text boxes and one-cell tables inside each other; deeper ones are read as flat text."""


class DocxLoader:
    """Reads Word documents: tracked insertions are in, deletions and comments are out.

    Pages of a Word file come into being when it is printed, so there are no places. Headers and footers are furniture,
    footnotes and endnotes follow the text as notes, marked `[^1]` and `[^e1]` where they are referred to.
    """

    takes = kinds_of(DOCX)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("docx", 2, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the document is protected with a password.
            BrokenSource, LimitExceeded: the package cannot be read.
        """
        return _Reading(Package(source, data)).read()


class _Reading:
    """One document on its way into a writer."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.main_part()
        self._styles = Styles(self._related("styles"))
        self._numbering = Numbering(self._related("numbering"))
        self._targets = {
            relationship.id: relationship.target
            for relationship in package.relationships(self._main)
            if not relationship.external
        }
        self._writer = ExtractionWriter()
        self._list: list[str] = []
        self._title: list[str] = []

    def read(self) -> Extraction:
        root = self._package.part(self._main)
        body = child(root, "body")
        footnotes, endnotes = self._related("footnotes"), self._related("endnotes")
        if root is not None:
            word_text.number_notes(root, footnotes, "footnote")
            word_text.number_notes(root, endnotes, "endnote")
        self._margins("header")
        if body is not None:
            self._blocks(body, 0)
        self._notes(footnotes, "footnote", "")
        self._notes(endnotes, "endnote", "e")
        self._margins("footer")
        return titled(self._writer.finish(), self._package.title(), " ".join(self._title))

    def _related(self, kind: str) -> etree._Element | None:
        return next((self._package.part(name) for name in self._package.related(self._main, kind)), None)

    def _blocks(self, container: etree._Element, depth: int) -> None:
        for element in word_text.blocks(container):
            if local(element) == "p":
                self._paragraph(element, depth)
            else:
                self._table(element, depth)
        self._end_list()

    def _paragraph(self, paragraph: etree._Element, depth: int) -> None:
        properties = child(paragraph, "pPr")
        text = word_text.paragraph_text(paragraph).strip()
        if text:
            self._line(properties, text)
        self._beside(paragraph, depth)

    def _line(self, properties: etree._Element | None, text: str) -> None:
        numbered = self._styles.numbered(properties)
        label = self._numbering.label(numbered.list_id, numbered.depth) if numbered else None
        level = self._styles.heading_level(properties)
        if level:
            self._end_list()
            if self._styles.is_title(properties):
                self._title.append(text)
            shown = f"{label} {text}" if label and label != BULLET else text
            self._writer.add("heading", one_line(shown), level=level)
        elif numbered and label is not None:
            self._list.append("  " * numbered.depth + " ".join(f"{label} {text}".split()))
        else:
            self._end_list()
            self._writer.add("paragraph", text)

    def _labelled(self, paragraph: etree._Element) -> str:
        """A paragraph of a cell, with its number, on one line."""
        text = word_text.paragraph_text(paragraph).strip()
        numbered = self._styles.numbered(child(paragraph, "pPr")) if text else None
        label = self._numbering.label(numbered.list_id, numbered.depth) if numbered else None
        return f"{label} {text}" if label else text

    def _end_list(self) -> None:
        self._writer.add("list", "\n".join(self._list), level=1)
        self._list.clear()

    def _beside(self, paragraph: etree._Element, depth: int) -> None:
        """What is anchored in a paragraph without being part of its line: pictures, charts, text boxes."""
        for text in word_text.alternative_texts(paragraph):
            self._end_list()
            self._writer.add("caption", alternative_text(text))
        for name in word_text.drawn_parts(paragraph):
            self._drawing(name)
        for box in word_text.boxes(paragraph):
            self._end_list()
            if depth < MAX_BOX_DEPTH:
                self._blocks(box, depth + 1)
            else:
                self._writer.add("paragraph", word_text.flat_text(box))

    def _drawing(self, relationship: str) -> None:
        root = self._package.part(self._targets[relationship]) if relationship in self._targets else None
        if root is None:
            return
        self._end_list()
        if local(root) == "dataModel":
            self._writer.add("list", diagram_text(root), level=1)
        else:
            self._writer.add("table", chart_text(root))

    def _table(self, table: etree._Element, depth: int) -> None:
        self._end_list()
        cell = _only_cell(table)
        if cell is not None and depth < MAX_BOX_DEPTH:
            self._blocks(cell, depth + 1)  # a frame around text, not data
        else:
            self._writer.add("table", table_text(word_text.table_rows(table, self._labelled)))

    def _notes(self, root: etree._Element | None, name: str, mark: str) -> None:
        for note in children(root, name):
            # Separators between text and notes are stored as notes of a type of their own.
            if attribute(note, "type") in ("", "normal"):
                text = word_text.flat_text(note)
                self._writer.add("note", f"[^{mark}{attribute(note, 'id')}] {text}" if text else "")

    def _margins(self, kind: str) -> None:
        seen = set()
        for name in self._package.related(self._main, kind):
            root = self._package.part(name)
            text = word_text.flat_text(root) if root is not None else ""
            if text not in seen:  # first, even and odd pages often say the same
                self._writer.add("furniture", text)
            seen.add(text)


def _only_cell(table: etree._Element) -> etree._Element | None:
    rows = list(children(table, "tr"))
    cells = list(children(rows[0], "tc")) if len(rows) == 1 else []
    return cells[0] if len(cells) == 1 else None
