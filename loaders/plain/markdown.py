"""Markdown (CommonMark with tables and strike-through): headings, lists, code, tables; front matter gives the title."""

import re
from typing import BinaryIO

from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import MARKDOWN, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.html.markup import parse_html, write_blocks
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Source

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*+[:=](.+)$", re.MULTILINE | re.IGNORECASE)


class MarkdownLoader:
    """Reads Markdown, HTML inside it included. There are no places: a file has no pages.

    `encoding` is what the origin declared; the bytes are believed where they contradict it.
    """

    takes = kinds_of(MARKDOWN)

    def __init__(self, *, encoding: str = "") -> None:
        self._encoding = encoding

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("markdown", 2, "markdown-it-py", "lxml", encoding=self._encoding)

    def load(self, source: Source, data: BinaryIO) -> Extraction:  # noqa: ARG002 the port passes it
        """See `Loader`; every text is Markdown, so none is refused."""
        from markdown_it import MarkdownIt

        text = decode_text(data.read(), self._encoding).replace("\r\n", "\n").replace("\r", "\n")
        title, text = split_front_matter(text)
        root = parse_html(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
        writer = ExtractionWriter()
        if root is not None:
            write_blocks(root, writer)
        return titled(writer.finish(), title)


def split_front_matter(text: str) -> tuple[str, str]:
    """The title in the front matter (YAML or TOML), and the text after it.

    >>> split_front_matter("---\\ntitle: 'Leave'\\n---\\nTen days.")
    ('Leave', 'Ten days.')
    """
    found = _FRONT_MATTER.match(text)
    if not found:
        return "", text
    title = _TITLE.search(found.group(2))
    return (title.group(1).strip(" \t").strip("\"'") if title else ""), text[found.end() :]
