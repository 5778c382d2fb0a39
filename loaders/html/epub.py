"""EPUB books: the chapters in the order of the spine."""

import posixpath
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote, urldefrag
from zipfile import ZipFile

from lxml import etree

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.containers.archive import open_archive, read_part
from penstock.loaders.containers.xmltree import all_text, attribute, descendants, parse_xml
from penstock.loaders.detection.container_types import EPUB
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.html.markup import inline_text, parse_html, write_blocks
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Place, Source

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


class EpubLoader:
    """Reads EPUB 2 and 3.

    A book has no pages of its own: `Place.page` is the 1-based position of the chapter's file in the spine, and its
    label is the name that the table of contents gives that file.
    """

    takes = kinds_of(EPUB)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("epub", 2, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the text of the book is locked (DRM).
            BrokenSource, LimitExceeded: the archive cannot be read.
        """
        with open_archive(source, data) as archive:
            return _Book(source, archive).read()


class _Book:
    def __init__(self, source: Source, archive: ZipFile) -> None:
        self._source = source
        self._archive = archive
        self._refuse_locked()
        self._folder, self._package = self._find_package()
        self._manifest = {attribute(item, "id"): item for item in descendants(self._package, "item")}

    def read(self) -> Extraction:
        writer = ExtractionWriter()
        names = self._chapter_names()
        for page, name in enumerate(self._spine(), start=1):
            content = read_part(self._source, self._archive, name)
            if content is None:
                writer.problem(f"the chapter {name!r} is listed in the book but missing from it", page=page)
                continue
            root = parse_html(decode_text(content))
            if root is not None:
                write_blocks(root, writer, places=(Place(page=page, label=names.get(name, "")),))
        title = next((all_text(element) for element in descendants(self._package, "title")), "")
        return titled(writer.finish(), title)

    def _refuse_locked(self) -> None:
        content = read_part(self._source, self._archive, _ENCRYPTION)
        if content is None:
            return
        methods = descendants(parse_xml(self._source, content, _ENCRYPTION), "EncryptionMethod")
        # Fonts are often scrambled in books that are otherwise free.
        if any(attribute(method, "Algorithm") not in _FONT_ALGORITHMS for method in methods):
            raise EncryptedSource(
                f"the text of {self._source.uri!r} is locked by its seller (DRM); ingest a copy without that lock"
            )

    def _find_package(self) -> tuple[str, etree._Element]:
        content = read_part(self._source, self._archive, _CONTAINER)
        if content is not None:
            for rootfile in descendants(parse_xml(self._source, content, _CONTAINER), "rootfile"):
                path = attribute(rootfile, "full-path")
                package = read_part(self._source, self._archive, path)
                if package is not None:
                    return posixpath.dirname(path), parse_xml(self._source, package, path)
        raise BrokenSource(f"{self._source.uri!r} is damaged: the book does not say which part lists its chapters")

    def _spine(self) -> Iterator[str]:
        for reference in descendants(self._package, "itemref"):
            item = self._manifest.get(attribute(reference, "idref"))
            if item is not None:
                yield self._resolve(self._folder, attribute(item, "href"))

    def _chapter_names(self) -> dict[str, str]:
        """What the table of contents (EPUB 3 `nav`, EPUB 2 `ncx`) calls each file; the first entry of a file counts."""
        names: dict[str, str] = {}
        for item in self._manifest.values():
            is_nav = "nav" in attribute(item, "properties").split()
            if not is_nav and attribute(item, "media-type") != "application/x-dtbncx+xml":
                continue
            path = self._resolve(self._folder, attribute(item, "href"))
            content = read_part(self._source, self._archive, path)
            for href, label in _entries(content, is_nav, self._source, path) if content else ():
                names.setdefault(self._resolve(posixpath.dirname(path), href), " ".join(label.split()))
        return names

    def _resolve(self, folder: str, href: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(href).url)))


def _entries(content: bytes, is_nav: bool, source: Source, path: str) -> Iterator[tuple[str, str]]:
    if is_nav:
        root = parse_html(decode_text(content))
        for link in root.iter("a") if root is not None else ():
            yield str(link.get("href") or ""), inline_text(link)
        return
    for point in descendants(parse_xml(source, content, path), "navPoint"):
        target = next(descendants(point, "content"), None)
        label = next(descendants(point, "text"), None)
        yield attribute(target, "src"), all_text(label)
