"""Cuts an answer, while it streams, into claims: a sentence with the citation marks that follow it."""

import re
from collections.abc import Iterable, Iterator

from penstock.pipelines.passages import MARKER

_END = re.compile(r"[。！？!?]+|\.(?=[\s\[【［〔\"”])|\n")
_TAIL = re.compile(
    rf"[”\"』」’)）\]]*(?:[ \t]*{re.sub(r'[?]P<numbers>', '?:', MARKER.pattern)})*[。．.]?", re.IGNORECASE
)
_MAYBE_MARK = re.compile(r"[ \t]*[\[【［〔][^\]】］〕\n]{0,24}$")
_PAIRS = (("“", "”"), ("「", "」"), ("『", "』"), ("«", "»"))


def claims(pieces: Iterable[str]) -> Iterator[str]:
    """The same text, cut after each sentence and its citation marks; joined again it is what came in.

    A sentence is given out as soon as what follows shows that it has ended; a quotation is never cut, unless its line
    ends before it is closed.

    >>> list(claims(["Ten days. ", "[1] It ", "ends."]))
    ['Ten days. [1]', ' It ends.']
    """
    held = ""
    for piece in pieces:
        held += piece
        while (cut := _cut(held)) is not None:
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _cut(text: str) -> int | None:
    """Where the first claim ends for certain; None while that cannot be told."""
    for match in _END.finditer(text):
        if match[0] == "\n":
            if text[: match.end()].strip():
                return match.end()
            continue
        tail = _TAIL.match(text, match.end())
        end = tail.end() if tail else match.end()
        rest = text[end:]
        if not rest.strip() or _MAYBE_MARK.match(rest) or rest.lstrip(" \t").startswith(("”", '"', "」", "』")):
            if "\n" in rest and _balanced(text[:end]):
                return end
            continue
        if _balanced(text[:end]):
            return end
    return None


def _balanced(text: str) -> bool:
    return text.count('"') % 2 == 0 and all(text.count(begin) == text.count(end) for begin, end in _PAIRS)
