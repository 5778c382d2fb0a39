"""Building an `Extraction` block by block, so that spans always fit the text."""

from dataclasses import replace

from penstock.model.documents import Block, BlockKind, Extraction, Place, Problem, Span

SEPARATOR = "\n\n"
"""The text between two blocks of a document."""


class ExtractionWriter:
    """Collects blocks in reading order and keeps their spans right.

    >>> writer = ExtractionWriter()
    >>> writer.add("heading", "Leave", level=1)
    >>> writer.add("paragraph", "Ten days carry over.")
    >>> writer.finish(title="Leave").text
    'Leave\\n\\nTen days carry over.'
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._problems: list[Problem] = []
        self._length = 0

    def add(self, kind: BlockKind, text: str, *, places: tuple[Place, ...] = (), level: int = 0) -> None:
        """Appends one block; white space at its ends is dropped, and a blank one is not added."""
        self.add_like(Block(kind=kind, span=Span(0, 0), places=places, level=level), text)

    def add_like(self, block: Block, text: str) -> None:
        """Appends a block that is all that the given one is, with another text."""
        text = text.strip()
        if not text:
            return
        start = self._length + len(SEPARATOR) if self._parts else 0
        self._parts.append(text)
        self._length = start + len(text)
        self._blocks.append(replace(block, span=Span(start, self._length)))

    def problem(self, message: str, *, page: int | None = None) -> None:
        """Records a part that could not be read."""
        self._problems.append(Problem(message=message, page=page))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added yet."""
        return not self._parts

    def finish(self, *, title: str = "") -> Extraction:
        """The extraction of what was collected."""
        return Extraction(
            title=title.strip(),
            text=SEPARATOR.join(self._parts),
            blocks=tuple(self._blocks),
            problems=tuple(self._problems),
        )
