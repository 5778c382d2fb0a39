"""OpenDocument texts (ODT, OTT) and presentations (ODP): headings, lists, tables, notes, text boxes."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from penstock.analysis.wide import one_line
from penstock.errors import BrokenSource
from penstock.loaders.containers.archive import encrypted, open_archive, read_part
from penstock.loaders.containers.xmltree import all_text, attribute, child, children, descendants, local, parse_xml
from penstock.loaders.detection.container_types import ODT
from penstock.loaders.detection.kinds import ODP, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.opendocument.odf_text import drawn, flat_text, line_text, rows, seen
from penstock.loaders.tables import table_text
from penstock.loaders.titles import titled
from penstock.model import BlockKind, Extraction, ExtractionWriter, Place, Source

MAX_LIST_DEPTH = 20


class OdtLoader:
    """Reads OpenDocument texts and presentations; tracked deletions and comments are left out.

    Pages of a text come into being when it is printed, so texts have no places; places of a presentation are slides.
    Headers and footers are furniture, notes follow the text and are marked `[^1]` where they are referred to.
    """

    takes = kinds_of(ODT, ODP)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("odt", 2, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the document is protected with a password.
            BrokenSource, LimitExceeded: the package cannot be read.
        """
        with open_archive(source, data) as archive:
            parts = {name: read_part(source, archive, name) for name in ("content.xml", "styles.xml", "meta.xml")}
            manifest = read_part(source, archive, "META-INF/manifest.xml")
        if manifest is not None and b"encryption-data" in manifest:
            raise encrypted(source)
        if parts["content.xml"] is None:
            raise BrokenSource(f"{source.uri!r} is damaged: it holds no content")
        roots = {name: parse_xml(source, content, name) for name, content in parts.items() if content}
        return _Reading(roots["content.xml"], roots.get("styles.xml")).read(_title(roots.get("meta.xml")))


def _title(meta: etree._Element | None) -> str:
    return next((all_text(title) for title in descendants(meta, "title")), "") if meta is not None else ""


class _Reading:
    """One document on its way into a writer."""

    def __init__(self, content: etree._Element, styles: etree._Element | None) -> None:
        self._content = content
        self._styles = styles
        self._writer = ExtractionWriter()
        self._places: tuple[Place, ...] = ()
        self._numbered = _numbered_lists(content, styles)
        self._notes: list[etree._Element] = []

    def read(self, title: str) -> Extraction:
        for body in children(child(self._content, "body")):
            if local(body) == "presentation":
                for number, page in enumerate(children(body, "page"), start=1):
                    self._places = (Place(page=number, label=attribute(page, "name")),)
                    self._blocks(page)
                self._places = ()
            else:
                self._blocks(body)
        for number, note in enumerate(self._notes, start=1):
            self._add("note", f"[^{number}] {flat_text(child(note, 'note-body'))}")
        self._margins()
        return titled(self._writer.finish(), title)

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        self._writer.add(kind, text, places=self._places, level=level)

    def _blocks(self, container: etree._Element) -> None:
        for element in seen(container):
            self._block(element)

    def _block(self, element: etree._Element) -> None:
        name = local(element)
        if name in ("h", "p"):
            self._line(element, name)
        elif name == "list":
            self._add("list", "\n".join(self._items(element, 0, attribute(element, "style-name"))), 1)
            self._beside(element)
        elif name == "table":
            self._add("table", table_text(rows(element)))
        elif name == "notes":
            for text in descendants(element, "text-box"):
                self._add("note", flat_text(text))
        elif name in ("title", "desc"):
            self._add("caption", all_text(element))
        else:
            self._blocks(element)

    def _line(self, element: etree._Element, name: str) -> None:
        text = line_text(element, self._notes)
        if name == "h":
            level = attribute(element, "outline-level")
            self._add("heading", one_line(text), int(level) if level.isdigit() and 0 < int(level) < 10 else 1)
        else:
            is_title = attribute(element, "style-name") == "Title"
            self._add("heading" if is_title else "paragraph", text, int(is_title))
        self._beside(element)

    def _beside(self, element: etree._Element) -> None:
        for frame in drawn(element):
            self._blocks(frame)

    def _items(self, element: etree._Element, depth: int, style: str) -> Iterator[str]:
        number = _start(element)
        for item in children(element, "list-item", "list-header"):
            lines = [line_text(part, self._notes) for part in children(item, "p", "h")]
            text = " ".join(" ".join(lines).split())
            if text:
                mark = f"{number}." if (style, depth + 1) in self._numbered else "-"
                yield f"{'  ' * depth}{mark if local(item) == 'list-item' else ''} {text}".rstrip()
                number += 1
            for inner in children(item, "list") if depth < MAX_LIST_DEPTH else ():
                yield from self._items(inner, depth + 1, attribute(inner, "style-name") or style)

    def _margins(self) -> None:
        """Headers, footers and all else that is on every page or slide, each text once."""
        seen_texts: set[str] = set()
        masters = descendants(self._styles, "master-page") if self._styles is not None else ()
        for part in (part for master in masters for part in children(master) if local(part) != "notes"):
            text = flat_text(part)
            # `<number>` and the like are fields that are filled in later.
            if text not in seen_texts and "<" not in text:
                self._add("furniture", text)
            seen_texts.add(text)


def _start(element: etree._Element) -> int:
    number = next((attribute(item, "start-value") for item in children(element, "list-item")), "")
    return int(number) if number.isdigit() else 1


def _numbered_lists(*roots: etree._Element | None) -> frozenset[tuple[str, int]]:
    """Style and level of the lists that are numbered."""
    found = set()
    for style in (style for root in roots if root is not None for style in descendants(root, "list-style")):
        for level in children(style, "list-level-style-number"):
            depth = attribute(level, "level")
            if attribute(level, "num-format") and depth.isdigit():
                found.add((attribute(style, "name"), int(depth)))
    return frozenset(found)
