"""What is drawn on the sheets of an XLSX workbook: text boxes, charts, diagrams."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from penstock.errors import BrokenSource
from penstock.loaders.containers.drawings import chart_text, diagram_text
from penstock.loaders.containers.package import Package
from penstock.loaders.containers.xmltree import all_text, attribute, child, children, descendants
from penstock.model import BlockKind, Source


def drawings_by_sheet(source: Source, data: BinaryIO) -> dict[int, list[tuple[BlockKind, str]]]:
    """Kind and text of each drawing by the 1-based number of its sheet; nothing for other kinds of workbook.

    Raises:
        LimitExceeded: a part is too large.
    """
    data.seek(0)
    if data.read(2) != b"PK":
        return {}
    try:
        return _drawn(Package(source, data))
    except BrokenSource:  # OpenDocument and binary workbooks, or drawings that are damaged: the cells count
        return {}


def _drawn(package: Package) -> dict[int, list[tuple[BlockKind, str]]]:
    main = package.main_part()
    targets = {relationship.id: relationship.target for relationship in package.relationships(main)}
    sheets = children(child(package.part(main), "sheets"), "sheet")
    found = {}
    for number, sheet in enumerate(sheets, start=1):
        drawings = list(_of_sheet(package, targets.get(attribute(sheet, "id"), "")))
        if drawings:
            found[number] = drawings
    return found


def _of_sheet(package: Package, sheet: str) -> Iterator[tuple[BlockKind, str]]:
    for name in package.related(sheet, "drawing"):
        root = package.part(name)
        for box in descendants(root, "txBody") if root is not None else ():
            lines = (" ".join(all_text(paragraph).split()) for paragraph in children(box, "p"))
            yield "paragraph", "\n".join(line for line in lines if line)
        for chart in _parts(package, name, "chart"):
            yield "table", chart_text(chart)
        for diagram in _parts(package, name, "diagramData"):
            yield "list", diagram_text(diagram)


def _parts(package: Package, name: str, kind: str) -> Iterator[etree._Element]:
    for target in package.related(name, kind):
        root = package.part(target)
        if root is not None:
            yield root
