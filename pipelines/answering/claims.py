"""Cuts an answer, while it streams, into claims: a sentence with the citation marks that follow it.

Each end of a sentence is judged once, when enough of the text after it has arrived, and no text is searched twice: so a
claim ends at the same place in whatever pieces the answer arrives, and a long answer without sentence ends costs no
more than any other.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from penstock.pipelines.answering.passages import MARKER

LONGEST_MARK = 60
"""Characters within the brackets of a citation mark: a claim does not wait for the end of a longer one."""
_OPENERS, _CLOSERS = r"\[【［〔", r"\]】］〕"
_END = re.compile(rf"[。！？!?]{{1,64}}|\.(?=[\s{_OPENERS}\"”])|\n")
_TAIL = re.compile(
    rf"[”\"』」’)）\]]{{0,16}}(?:[ \t]{{0,16}}(?=.[^{_CLOSERS}\n]{{1,{LONGEST_MARK}}}[{_CLOSERS}])"
    rf"{MARKER.pattern.replace('?P<numbers>', '?:')}){{0,32}}[。．.]?",
    re.IGNORECASE,
)
_GAP = re.compile(r"[^\S\n]{0,16}")
_MAYBE_MARK = re.compile(rf"[{_OPENERS}][^{_CLOSERS}\n]{{0,{LONGEST_MARK}}}\Z")
_SAID = re.compile(r"\S")
_PAIRS = (("“", "”"), ("「", "」"), ("『", "』"), ("«", "»"))


@dataclass(slots=True)
class _Looked:
    """How far the buffered text was searched for the end of the claim that begins in it."""

    at: int = 0
    """No claim ends before this place."""
    blank: int = 0
    """Before this place the claim has only white space."""
    counted: int = 0
    """Quotation marks are counted up to this place."""
    straight: int = 0
    open: list[int] = field(default_factory=lambda: [0] * len(_PAIRS))

    def back(self, by: int) -> None:
        """Shifts all places after `by` characters were removed from the beginning of the text."""
        self.at, self.blank, self.counted = self.at - by, self.blank - by, self.counted - by


def claims(pieces: Iterable[str]) -> Iterator[str]:
    """The same text, cut after each sentence and its citation marks; the pieces joined are the text.

    A sentence is yielded as soon as the text after it shows that it has ended; a quotation is never cut, unless its
    line ends before it is closed.

    >>> list(claims(["Ten days. ", "[1] It ", "ends."]))
    ['Ten days. [1]', ' It ends.']
    """
    held, looked = "", _Looked()
    for piece in pieces:
        held += piece
        start = 0
        while (cut := _cut(held, looked)) is not None:
            yield held[start:cut]
            start, looked = cut, _Looked(at=cut, blank=cut, counted=cut)
        held = held[start:]
        looked.back(start)
    if held:
        yield held


def _cut(text: str, looked: _Looked) -> int | None:
    """Where the claim ends for certain; None while that is not known."""
    while match := _END.search(text, looked.at):
        if match[0] == "\n":
            word = _SAID.search(text, looked.blank, match.end())
            looked.at = looked.blank = match.end()
            if word:
                return match.end()
            continue
        tail = _TAIL.match(text, match.end())
        end = tail.end() if tail else match.end()
        ends = _ends(text, end)
        if ends is None:
            looked.at = match.start()
            return None
        looked.at = end
        if ends and _is_balanced(text, end, looked):
            return end
    looked.at = max(looked.at, len(text) - 1)  # a full stop may be followed by what shows that it is an end
    return None


def _ends(text: str, end: int) -> bool | None:
    """Whether a sentence ends before what follows it; None while too little follows."""
    gap = _GAP.match(text, end)
    at = gap.end() if gap else end
    if at == len(text) or _MAYBE_MARK.match(text, at):
        return None
    return text[at] not in '”"」』'


def _is_balanced(text: str, end: int, looked: _Looked) -> bool:
    """Whether every quotation of the claim is closed before this place."""
    part = text[looked.counted : end]
    looked.counted = end
    looked.straight += part.count('"')
    for number, (begin, close) in enumerate(_PAIRS):
        looked.open[number] += part.count(begin) - part.count(close)
    return looked.straight % 2 == 0 and not any(looked.open)
