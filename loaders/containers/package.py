"""Office Open XML packages: parts, and the relationships by which they point to each other."""

import posixpath
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from penstock.errors import BrokenSource
from penstock.loaders.containers.archive import open_archive, read_part
from penstock.loaders.containers.xmltree import all_text, attribute, children, descendants, parse_xml
from penstock.model import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A pointer from one part to another."""

    id: str
    kind: str
    """Last part of the relationship's type: `styles`, `footnotes`, `header`, `chart` ..."""
    target: str
    """Full name of the part, or an address where `external`."""
    external: bool


class Package:
    """An opened package; the archive stays open as long as its file does."""

    def __init__(self, source: Source, data: BinaryIO) -> None:
        self._source = source
        self._archive: ZipFile = open_archive(source, data)

    @cached_property
    def _names(self) -> dict[str, str]:
        # Part names are case-insensitive in the standard, and some writers start them with a slash.
        return {name.lstrip("/").lower(): name for name in self._archive.namelist()}

    def part(self, name: str) -> etree._Element | None:
        """The root element of a part, or None where it is missing.

        Raises:
            SourceError: the part is damaged or too large.
        """
        stored = self._names.get(name.lstrip("/").lower())
        content = read_part(self._source, self._archive, stored) if stored else None
        return parse_xml(self._source, content, name) if content else None

    def relationships(self, part: str = "") -> tuple[Relationship, ...]:
        """What a part points to; what the package itself points to where no part is named."""
        folder, name = posixpath.split(part)
        root = self.part(posixpath.join(folder, "_rels", f"{name}.rels"))
        return tuple(_relationship(folder, element) for element in children(root, "Relationship"))

    def related(self, part: str, kind: str) -> tuple[str, ...]:
        """Names of the parts of one kind that a part points to."""
        return tuple(
            relationship.target
            for relationship in self.relationships(part)
            if relationship.kind == kind and not relationship.external
        )

    def main_part(self) -> str:
        """Name of the part that holds the document.

        Raises:
            BrokenSource: the package names none.
        """
        for name in self.related("", "officeDocument"):
            return name
        raise BrokenSource(f"{self._source.uri!r} is damaged: the package does not say which part is the document")

    def title(self) -> str:
        """The title in the core properties."""
        for name in self.related("", "core-properties"):
            root = self.part(name)
            for element in descendants(root, "title") if root is not None else ():
                return all_text(element)
        return ""


def _relationship(folder: str, element: etree._Element) -> Relationship:
    external = attribute(element, "TargetMode") == "External"
    target = attribute(element, "Target")
    if not external:
        target = posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")
    kind = attribute(element, "Type").rpartition("/")[2]
    return Relationship(id=attribute(element, "Id"), kind=kind, target=target, external=external)
