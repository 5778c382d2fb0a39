"""Charts and diagrams of Office files: the words and figures that are drawn, from their own parts."""

import re

from lxml import etree

from penstock.loaders.containers.xmltree import all_text, child, children, descendants
from penstock.loaders.tables import table_text

_FILE = re.compile(
    r"(?:[A-Za-z]:\\|/|file:|https?:).*|\S+\.(?:jpe?g|png|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE
)


def chart_text(root: etree._Element) -> str:
    """Title and axis titles of a chart, then its data as a table: a column a series, a row a category."""
    titles = [" ".join(all_text(part) for part in descendants(title, "t", "v")) for title in descendants(root, "title")]
    series = list(descendants(root, "ser"))
    columns = [_values(child(line, "val")) or _values(child(line, "yVal")) for line in series]
    categories = next(
        (found for line in series if (found := _values(child(line, "cat")) or _values(child(line, "xVal")))), []
    )
    header = ["", *(" ".join(_values(child(line, "tx"))) for line in series)]
    height = max([len(categories), *map(len, columns)], default=0)
    rows = [[_at(column, row) for column in (categories, *columns)] for row in range(height)]
    return "\n".join(part for part in (*titles, table_text([header, *rows])) if part.strip())


def diagram_text(root: etree._Element) -> str:
    """The words of a diagram (SmartArt), one shape a line."""
    shapes = (
        " ".join(all_text(paragraph) for paragraph in descendants(shape, "p")) for shape in descendants(root, "pt")
    )
    return "\n".join(f"- {text}" for text in shapes if text.strip())


def alternative_text(text: str) -> str:
    """The author's description of a picture; empty where a program filled it in with a path or a file's name.

    >>> alternative_text("C:\\\\scans\\\\page 1.jpg"), alternative_text("Map of the plant")
    ('', 'Map of the plant')
    """
    return "" if _FILE.fullmatch(text.strip()) else text


def _values(holder: etree._Element | None) -> list[str]:
    """The values that a chart keeps of its sheet, in the order of their points."""
    if holder is None:
        return []
    points = list(descendants(holder, "pt"))
    # Categories of several levels are written innermost first; one line of them is enough to find the chart.
    return [all_text(child(point, "v")) for point in points] or [all_text(value) for value in children(holder, "v")]


def _at(column: list[str], row: int) -> str:
    return column[row] if row < len(column) else ""
