"""What a person sees of texts: as they are, never as markup, without what could steer a terminal, each in its place.

A line of ours begins at the left margin, or says what it is; titles, headings and messages keep to one line; texts of
documents and models are indented, also where a line goes on in the next row of a terminal.
"""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.cli.output.escaping import one_line
from penstock.cli.output.text_rows import Rows

WIDE = 1000
"""Columns of a table that goes to a file or a pipe, where nothing has to be cut to fit."""
HANGING = "      "
"""Before the further rows of a line that is too long for the terminal."""
Piece = str | tuple[str, str]
"""Text, or text with its style."""


class Screen(Console):
    """A console for texts that others wrote. In a file or a pipe lines stay whole."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)
        if not self.is_terminal:
            self.width = WIDE

    def say(self, *pieces: Piece) -> None:
        """One line of text, parts of it in a style."""
        rows = self.rows(HANGING, first="")
        self._say(pieces, lambda text: rows.laid_out(one_line(text)))

    def say_whole(self, *pieces: Piece) -> None:
        """One line of our own that is there to be copied: where it is too long, the terminal goes on at the margin."""
        self._say(pieces, one_line)

    def quote(self, text: str, *, indent: int = 2, first: str | None = None, style: str = "") -> None:
        """Text of many lines, each indented; the first begins with `first` instead of the blanks."""
        self._say([(text, style)], self.rows(" " * indent, first=first).laid_out)

    def rows(self, indent: str, *, first: str | None = None) -> Rows:
        """Rows as wide as the terminal, or as long as their lines where there is none."""
        return Rows(indent=indent, first=first, width=self.width if self.is_terminal else None)

    def draw(self, table: Table) -> None:
        """A table; where it goes to no terminal, as wide as it wants to be."""
        self.print(table, soft_wrap=False)

    def on_broken_pipe(self) -> None:
        """Leaves the end of the program to those who know what it had done: the reader of its output has gone."""
        raise BrokenPipeError

    def _say(self, pieces: Sequence[Piece], laid_out: Callable[[str], str]) -> None:
        styled = [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
        self.print(Text.assemble(*((laid_out(text), style) for text, style in styled)))
