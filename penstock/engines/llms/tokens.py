"""How many tokens a text has for a language model: counted where its tokenizer is at hand, else an upper estimate."""

import re
from collections.abc import Callable
from functools import partial
from math import ceil
from pathlib import Path

from penstock.errors import SettingsError

TOKENS_PER_HAN = 1.5
"""Han, kana and hangul: about 0.6 to 1.0 in vocabularies made for Chinese, 1.1 to 1.3 in older English-centred ones."""
LETTERS_PER_TOKEN = 3
"""Letters of a Latin word that one token covers, rounded up for each word; common words are one token whole."""

_PIECES = re.compile(
    r"(?P<latin>[A-Za-z\u00c0-\u024f]+)"
    r"|(?P<digit>\d)"
    r"|(?P<han>[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])"
    r"|(?P<mark>[\x21-\x7e\u2010-\u2027\u3000-\u303f\uff00-\uffef])"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def estimated_tokens(text: str) -> int:
    """An upper estimate of a text's tokens, from its characters alone.

    A Latin word counts one token for each three letters begun, a digit and a punctuation mark one each, a Han, kana or
    hangul character one and a half, white space beyond the single blank before a word one for each two characters, and
    any other character as many as it has bytes in UTF-8, which no byte-level vocabulary exceeds.

    >>> estimated_tokens("Ten days carry over."), estimated_tokens("十天年假")
    (8, 6)
    """
    total = 0.0
    for piece in _PIECES.finditer(text):
        match piece.lastgroup:
            case "latin":
                total += ceil(len(piece.group()) / LETTERS_PER_TOKEN)
            case "han":
                total += TOKENS_PER_HAN
            case "space":
                total += 0 if piece.group() == " " else ceil(len(piece.group()) / 2)
            case "other":
                total += len(piece.group().encode("utf-8", "surrogatepass"))
            case _:
                total += 1
    return ceil(total)


def token_counter(tokenizer: Path | None) -> Callable[[str], int]:
    """Counts with a `tokenizer.json` file, exactly; without one, the upper estimate.

    Raises:
        SettingsError: the file is no tokenizer.
    """
    return estimated_tokens if tokenizer is None else partial(_counted, _read(tokenizer))


def _read(path: Path) -> object:
    from tokenizers import Tokenizer

    try:
        read = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for every kind of bad file
        raise SettingsError(f"{str(path)!r} cannot be read as a tokenizer (tokenizer.json): {error}") from error
    read.no_truncation()
    read.no_padding()
    return read


def _counted(tokenizer: object, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False))  # type: ignore[attr-defined] # kept out of annotations: imported at use only
