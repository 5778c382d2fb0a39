"""Lines that a page's width broke, joined again: hyphens resolved, no space between Chinese characters."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise

from penstock.analysis.list_marks import is_chapter, list_mark
from penstock.analysis.scripts import CJK
from penstock.analysis.wide import SHARED, is_solid, stand_solid, text_width

_FIELD = re.compile(r"[A-Z][\w-]{0,20}(?: [\w-]{1,20}){0,2}:\s|[^\W\d_a-zA-Z]{1,10}：")
"""`From: ...`, `日期：...`: a line that begins a new field."""
_HYPHENS = "-\u2010"
_BROKEN_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]++[-\u2010]\n\s*+[^\W\d_]++")
_WORD_WITH_HYPHENS = re.compile(r"[^\W\d_]++(?:[-\u2010][^\W\d_]++)*+")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
LONGEST_WORD = 200
"""Characters at the end of a line among which a broken word, or an address, is looked for."""
_SUSPENDED = frozenset(("and", "or", "to", "und", "oder", "et", "ou", "y", "o"))
"""After `pre-`, as in `pre- and post-war`, the hyphen stays and so does the space."""
_FIRST_PARTS = frozenset(("non", "quasi", "self", "well", "two", "three", "four", "twenty", "thirty"))
_LAST_PARTS = frozenset(
    {"art", "aware", "based", "dependent", "driven", "end", "free", "known", "level", "of", "oriented", "related"}
    | {"scale", "specific", "term", "the", "time", "to", "wide", "year"}
)
"""Parts whose compounds keep their hyphen (`long-term`, `state-of-the-art`), where the document does not say."""
_SPACED_HAN = re.compile(rf"(?<![{CJK}])[{CJK}](?: [{CJK}]){{2,}}(?![{CJK}])|^[{CJK}] [{CJK}]$")

Belongs = Callable[[str, str], bool]

NARROW = 24
"""Columns: a block of lines all shorter than this was broken on purpose (an address, a verse)."""
FULL = 0.72
"""A line is full where the next word would have reached beyond this share of the longest line."""


class Words:
    """How often each word occurs in a document, a compound with a hyphen as one word; counted at first use."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    @cached_property
    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for text in self._texts:
            whole = _BROKEN_WORD.sub(" ", text).casefold().replace("\u2010", "-")
            counts.update(_WORD_WITH_HYPHENS.findall(whole))
        return counts

    def prefers_hyphen(self, first: str, second: str) -> bool:
        """Whether a word broken at a hyphen has one: as the document writes it elsewhere, else as is usual."""
        first, second = first.casefold(), second.casefold()
        whole, parted = self._counts[first + second], self._counts[f"{first}-{second}"]
        if whole != parted:
            return parted > whole
        return first in _FIRST_PARTS or second in _LAST_PARTS


def joined(before: str, after: str, words: Words) -> str:
    """Two lines that belong together as one.

    A hyphen at the end goes where the document or ordinary spelling says that the word has none.

    >>> none = Words([])
    >>> joined("infor-", "mation", none), joined("well-", "known", none), joined("水从", "水库", none)
    ('information', 'well-known', '水从水库')
    """
    whole = Joining(before)
    whole.add(after, words)
    return whole.text


class Joining:
    """Lines or halves of a paragraph that belong together; to add one, only the end of the text before is read."""

    def __init__(self, first: str) -> None:
        self._pieces = [first.rstrip()]
        self.end = self._pieces[0][-LONGEST_WORD:]
        """Its last characters."""
        self.length = len(self._pieces[0])
        """Characters of all of it."""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def add(self, after: str, words: Words) -> None:
        """Goes on with a text as `joined` does; one that is blank adds nothing."""
        after = after.strip()
        if not after:
            return
        kept, glue = _seam(self.end, after, words)
        dropped = len(self.end) - kept
        self._pieces[-1] = self._pieces[-1][: len(self._pieces[-1]) - dropped]
        self._pieces.append(glue + after)
        self.length += len(glue) + len(after) - dropped
        self.end = (self.end[:kept] + glue + after)[-LONGEST_WORD:]


def _seam(before: str, after: str, words: Words) -> tuple[int, str]:
    """How many characters of the first line stay, and what comes between it and the second."""
    if not before or not after:
        return len(before), ""
    if before[-1] in _HYPHENS and after[0].isalnum():
        first = _last_word(before[:-1])
        if first:
            return len(before) - 1, _hyphen(before, first, after, words)
    return len(before), "" if stand_solid(before, after) else " "


def _last_word(text: str) -> str:
    """The letters with which a text ends, as far back as a word reaches."""
    start = end = len(text)
    while start > max(0, end - LONGEST_WORD) and _FIRST_WORD.match(text, start - 1, start):
        start -= 1
    return text[start:]


def _hyphen(before: str, first: str, after: str, words: Words) -> str:
    """What comes between the parts of a word that was broken at a hyphen."""
    found = _FIRST_WORD.match(after)
    second = found[0] if found else ""
    if second in _SUSPENDED:
        return "- "
    if not after[0].islower() or "/" in before[-LONGEST_WORD:].rsplit(maxsplit=1)[-1]:
        return "-"  # `Anglo-Saxon`, `COVID-19`, an address
    return "-" if words.prefers_hyphen(first, second) else ""


def begins_item(line: str) -> bool:
    """Whether a line begins a list item or a field of its own."""
    return bool(list_mark(line) or is_chapter(line) or _FIELD.match(line))


def reflowed(lines: list[str], words: Words) -> list[str]:
    """The lines of a paragraph with broken ones joined; kept as they are where they were broken on purpose."""
    if not _is_wrapped(lines):
        return lines
    return _merged(lines, words, lambda _, after: not begins_item(after))


def reflowed_list(lines: list[str], words: Words) -> list[str]:
    """The lines of a list, each item with the lines that go on with it joined; lists without marks keep theirs."""
    if not lines or not begins_item(lines[0].lstrip()):
        return lines
    items: list[list[str]] = []
    for line in lines:
        if items and not begins_item(line.lstrip()):
            items[-1].append(line)
        else:
            items.append([line])
    return [line for item in items for line in _item(item, words)]


def _item(lines: list[str], words: Words) -> list[str]:
    """The lines of one item: one line if the page's width broke it, else with those joined that clearly go on."""
    whole = reflowed(lines, words)
    return whole if len(whole) == 1 else reflowed(_merged(whole, words, _goes_on), words)


def unspaced(text: str) -> str:
    """The text with `年 度 报 告`, set apart for looks, as one word.

    >>> unspaced("目 录"), unspaced("姓名 张三")
    ('目录', '姓名 张三')
    """
    if text.isascii():
        return text
    return _SPACED_HAN.sub(lambda match: match[0].replace(" ", ""), text)


def _merged(lines: list[str], words: Words, belongs: Belongs) -> list[str]:
    merged: list[list[str]] = []  # pieces of each line, so that a paragraph of a megabyte is put together once
    for line in lines:
        if merged and belongs(merged[-1][-1], line.lstrip()):
            before, after = merged[-1][-1].rstrip(), line.strip()
            kept, glue = _seam(before, after, words)
            merged[-1][-1] = before[:kept]
            merged[-1] += [glue, after]
        else:
            merged.append([line])
    return ["".join(pieces) for pieces in merged]


def _goes_on(before: str, after: str) -> bool:
    return before[-1:] in _HYPHENS or after[:1].islower() or before.endswith((",", "，", "、"))


def _is_wrapped(lines: list[str]) -> bool:
    """Whether the width of the page broke the lines: most of them are full, or a word is broken."""
    if len(lines) < 2:
        return False
    longest = max(map(text_width, lines))
    if longest < NARROW:
        return False
    full = 0
    for before, after in pairwise(lines):
        full += text_width(before) + _first_word_width(after) >= FULL * longest
        if before[-1:] in _HYPHENS and before[-2:-1].isalpha() and after[:1].islower():
            return True
    return full * 2 >= len(lines) - 1


def _first_word_width(line: str) -> int:
    if is_solid(line.lstrip(SHARED)[:1]):
        return 2
    return 1 + text_width(line.split(maxsplit=1)[0]) if line.strip() else 0
