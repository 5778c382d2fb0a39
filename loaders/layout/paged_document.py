"""A document of pages: takes them one by one, keeps only their blocks, and gives the extraction at the end."""

from collections.abc import Sequence

from penstock.analysis.wide import one_line
from penstock.loaders.layout.headings import with_headings
from penstock.loaders.layout.layout import page_drafts
from penstock.loaders.layout.pages import OutlineEntry, Page
from penstock.loaders.layout.paragraphs import BlockDraft
from penstock.loaders.titles import choose_title
from penstock.model import Extraction, ExtractionWriter


class PagedDocument:
    """Collects pages one by one; holds their blocks and nothing else of them."""

    def __init__(self, *, outline: Sequence[OutlineEntry] = ()) -> None:
        self._outline = outline
        self._drafts: list[BlockDraft] = []
        self._writer = ExtractionWriter()

    def add(self, page: Page) -> None:
        """Takes the text of a page."""
        self._drafts += page_drafts(page)

    def problem(self, message: str, *, page: int | None = None) -> None:
        """Notes a part that could not be read."""
        self._writer.problem(message, page=page)

    def finish(self, *, title: str = "") -> Extraction:
        """The whole document; its title is the one given where it says something, else its first heading."""
        drafts = with_headings(self._drafts, self._outline)
        for draft in drafts:
            self._writer.add(draft.kind, draft.text, places=draft.places, level=draft.level)
        return self._writer.finish(title=choose_title(title.replace("\x00", ""), _first_heading(drafts)))


def _first_heading(drafts: Sequence[BlockDraft]) -> str:
    """The first heading of the highest level on the first page that has one."""
    headings = [draft for draft in drafts if draft.kind == "heading"]
    first = [draft for draft in headings if draft.places[:1] and draft.places[0].page == headings[0].places[0].page]
    best = min(first, key=lambda draft: draft.level, default=None)
    return one_line(best.text) if best else ""
