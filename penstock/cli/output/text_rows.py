"""Text laid out in rows that begin with blanks, so that no row of it can be taken for a line of ours."""

from rich.cells import cell_len

from penstock.cli.output.escaping import harmless

TAB = 8


class Rows:
    """Text in rows, also where it comes in pieces.

    The first row begins with `first`, each further one with `indent`: after a line feed and, where `width` (columns of
    a terminal) is given, also where a line has to go on in the next row. Without a width lines stay whole.
    """

    def __init__(self, *, indent: str, first: str | None = None, width: int | None = None) -> None:
        self._indent = indent
        self._next = indent if first is None else first
        self._width = max(width, len(indent) + TAB) if width else None
        self._column = 0

    def laid_out(self, piece: str) -> str:
        """The piece, harmless, with the beginnings of its rows."""
        text = harmless(piece.replace("\r\n", "\n"))
        return "".join(map(self._placed, text if self._width else text.splitlines(keepends=True)))

    def _placed(self, part: str) -> str:
        """One character or, where lines stay whole, one line; begins a new row first where that has to be."""
        if part == "\n":
            self._column = 0
            self._next = self._indent
            return part
        cells = TAB - self._column % TAB if part == "\t" else cell_len(part)
        before = ""
        if self._width and self._column + cells > self._width and self._column > len(self._indent):
            before, self._column, self._next = "\n", 0, self._indent
        if self._column == 0:
            before += self._next
            self._column = len(self._next)
        self._column += cells
        if part.endswith("\n"):
            self._column, self._next = 0, self._indent
        return before + part
