"""What the styles of a Word document say about its paragraphs: heading level, title, list."""

import re
from dataclasses import dataclass

from lxml import etree

from penstock.loaders.containers.xmltree import attribute, child, children

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|标题|標題|見出し) ?([1-9])", re.IGNORECASE)
_TITLES = ("title", "titel", "titre", "标题", "標題")
_DEEPEST = 20
"""Styles are based on each other; a longer chain than this is a circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """The list that a paragraph belongs to, and how deep it is in it."""

    list_id: str
    depth: int


class Styles:
    """The paragraph styles of one document."""

    def __init__(self, root: etree._Element | None) -> None:
        self._styles = {attribute(style, "styleId"): style for style in children(root, "style")}

    def heading_level(self, properties: etree._Element | None) -> int:
        """Heading level of a paragraph by its own properties, then its style's; 0 for body text, 1 for a title."""
        for element, name in self._sources(properties):
            outline = child(element, "outlineLvl")
            if outline is not None:
                level = attribute(outline, "val")
                return int(level) + 1 if level.isascii() and level.isdigit() and int(level) < 9 else 0
            found = _HEADING.fullmatch(name)
            if found:
                return int(found.group(1))
        return 1 if self.is_title(properties) else 0

    def is_title(self, properties: etree._Element | None) -> bool:
        """Whether a paragraph is the title of the document."""
        return any(name in _TITLES for _, name in self._sources(properties))

    def numbered(self, properties: etree._Element | None) -> Numbered | None:
        """The list of a paragraph; the nearest statement counts, and list 0 means none."""
        list_id, depth = "", ""
        for element, _ in self._sources(properties):
            numbering = child(element, "numPr")
            list_id = list_id or attribute(child(numbering, "numId"), "val")
            depth = depth or attribute(child(numbering, "ilvl"), "val")
        if not list_id or list_id == "0":
            return None
        return Numbered(list_id=list_id, depth=int(depth) if depth.isascii() and depth.isdigit() else 0)

    def _sources(self, properties: etree._Element | None) -> list[tuple[etree._Element | None, str]]:
        """The paragraph's own properties, then those of its style and of the styles below it, with their names."""
        sources: list[tuple[etree._Element | None, str]] = [(properties, "")]
        style_id = attribute(child(properties, "pStyle"), "val")
        while style_id in self._styles and len(sources) <= _DEEPEST:
            style = self._styles[style_id]
            name = attribute(child(style, "name"), "val").strip().lower()
            sources.append((child(style, "pPr"), name))
            style_id = attribute(child(style, "basedOn"), "val")
        return sources
