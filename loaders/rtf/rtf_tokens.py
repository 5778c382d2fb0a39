"""The tokens of RTF: control words, control symbols, braces, text; binary data is passed over."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "symbol", "byte", "open", "close", "text"]

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n\0]+)|[\r\n\0]+|\\\Z", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `name` of a control word or symbol, its number, and the bytes of text."""

    kind: Kind
    name: str = ""
    number: int | None = None
    content: bytes = b""


def tokens(content: bytes) -> Iterator[Token]:
    """The tokens of an RTF file in order."""
    position = 0
    while position < len(content):
        found = _TOKEN.match(content, position)
        if found is None:
            return
        position = found.end()
        word, number, code, symbol, brace, text = found.groups()
        if word is not None:
            value = int(number) if number is not None else None
            if word == b"bin" and value:
                position += max(value, 0)
            yield Token("word", word.decode("ascii"), value)
        elif code is not None:
            yield Token("byte", content=bytes([int(code, 16)]))
        elif symbol is not None:
            yield Token("symbol", symbol.decode("latin-1"))
        elif brace is not None:
            yield Token("open" if brace == b"{" else "close")
        elif text is not None:
            yield Token("text", content=text)
