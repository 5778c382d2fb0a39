"""What a person sees of texts: as they are, never as markup, and without what could steer a terminal."""

import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 1000
"""Columns of a table that goes to a file or a pipe, where nothing has to be cut to fit."""
Piece = str | tuple[str, str]
"""Text, or text with its style."""

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text with control characters, also those that turn the direction of writing, as visible escapes.

    >>> harmless("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return _STEERING.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


class Screen(Console):
    """A console for texts that others wrote; lines are wrapped by the terminal, so that they can be copied whole."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)
        if not self.is_terminal:
            self.width = WIDE

    def say(self, *pieces: Piece) -> None:
        """One line of text, parts of it in a style."""
        plain = [harmless(one) if isinstance(one, str) else (harmless(one[0]), one[1]) for one in pieces]
        self.print(Text.assemble(*plain))

    def draw(self, table: Table) -> None:
        """A table; where it goes to no terminal, as wide as it wants to be."""
        self.print(table, soft_wrap=False)

    def on_broken_pipe(self) -> None:
        """Leaves the end of the program to those who know what it had done: the reader of its output has gone."""
        raise BrokenPipeError
