"""Web pages and HTML files: the main content of a page, or all of it where no part is clearly the main one."""

from typing import BinaryIO

from lxml import etree

from penstock.loaders.containers.xmltree import all_text
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import HTML, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.html.markup import inline_text, is_cut_off, parse_html, write_blocks
from penstock.loaders.html.page_content import main_content
from penstock.loaders.titles import choose_title, titled
from penstock.model import Extraction, ExtractionWriter, Source


class HtmlLoader:
    """Reads HTML and XHTML: pages, saved pages and fragments.

    `charset` is what the origin declared; the bytes are believed where they contradict it. Pages have no places.
    """

    takes = kinds_of(HTML)

    def __init__(self, *, charset: str = "") -> None:
        self._charset = charset

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("html", 2, "trafilatura", "lxml", encoding=self._charset)

    def load(self, source: Source, data: BinaryIO) -> Extraction:  # noqa: ARG002 the port passes it; pages need no name
        """See `Loader`; damaged markup is read as browsers read it, so that no page is refused."""
        writer = ExtractionWriter()
        root = parse_html(decode_text(data.read(), self._charset))
        if root is None:
            return writer.finish()
        if is_cut_off(root):
            writer.problem("the page nests too deep; what lies below the 2048th level is not read")
        content = main_content(root)
        write_blocks(root if content is None else content, writer)
        return titled(writer.finish(), page_title(root))


def page_title(root: etree._Element) -> str:
    """The title that a page gives itself: what it offers to those who share it, its title, its first heading."""
    shared = [str(meta.get("content") or "") for meta in root.iter("meta") if meta.get("property") == "og:title"]
    named = [all_text(title) for title in root.iter("title")][:1]  # drawings inside the page have titles of their own
    headings = [inline_text(heading) for heading in root.iter("h1")]
    return choose_title(*shared, *named, *headings)
