"""The numbers and bullets that Word shows before paragraphs, counted as Word counts them."""

import re
from dataclasses import dataclass, replace

from lxml import etree

from penstock.loaders.containers.xmltree import attribute, child, children

BULLET = "-"
_CHINESE = "〇一二三四五六七八九"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a list: where it starts counting, how it writes numbers, and the text around them (`%1.%2`)."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    legal: bool = False
    """Whether all numbers in the text are written in digits, whatever their own level says."""


class Numbering:
    """The lists of one document, with their counters; paragraphs are to be asked for in document order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._abstract = {
            attribute(element, "abstractNumId"): _levels(element) for element in children(root, "abstractNum")
        }
        self._lists: dict[str, tuple[str, dict[int, Level]]] = {}
        self._restarts: dict[str, set[int]] = {}
        self._counters: dict[str, dict[int, int]] = {}
        for number in children(root, "num"):
            self._add(number)

    def _add(self, number: etree._Element) -> None:
        name = attribute(number, "numId")
        abstract = attribute(child(number, "abstractNumId"), "val")
        levels = dict(self._abstract.get(abstract, {}))
        for override in children(number, "lvlOverride"):
            index = _number(attribute(override, "ilvl"))
            level = child(override, "lvl")
            if level is not None:
                levels[index] = _level(level)
            start = child(override, "startOverride")
            if start is not None:
                levels[index] = replace(levels.get(index, Level()), start=_number(attribute(start, "val")))
                self._restarts.setdefault(name, set()).add(index)
        self._lists[name] = (abstract, levels)

    def label(self, name: str, index: int) -> str | None:
        """The number or bullet of the next paragraph of that list and level; None where the list is not known.

        Empty where the level shows nothing; `BULLET` for every kind of bullet.
        """
        if name not in self._lists:
            return None
        abstract, levels = self._lists[name]
        level = levels.get(index, Level(style="none"))
        counters = self._counters.setdefault(abstract, {})
        self._restart(name, levels, counters)
        counters[index] = counters.get(index, level.start - 1) + 1
        for deeper in [known for known in counters if known > index]:
            del counters[deeper]
        if level.style == "bullet":
            return BULLET
        return self._written(level, levels, counters)

    def _restart(self, name: str, levels: dict[int, Level], counters: dict[int, int]) -> None:
        # Lists that share one definition go on counting, unless this one says where it starts: then once.
        for index in self._restarts.pop(name, set()):
            counters[index] = levels[index].start - 1

    def _written(self, level: Level, levels: dict[int, Level], counters: dict[int, int]) -> str:
        def number(found: re.Match[str]) -> str:
            index = int(found.group(1)) - 1
            shown = levels.get(index, Level())
            value = counters.setdefault(index, shown.start)
            return write_number(value, "decimal" if level.legal else shown.style)

        return re.sub(r"%(\d)", number, level.text).strip()


def write_number(value: int, style: str) -> str:
    """A number as Word writes it in one of its styles; in digits where the style is not known here.

    >>> [write_number(14, style) for style in ("lowerRoman", "upperLetter", "chineseCounting", "ordinal")]
    ['xiv', 'N', '十四', '14th']
    """
    if style == "none":
        return ""
    if style.endswith("Roman") and 0 < value < 4000:
        return _roman(value) if style.startswith("upper") else _roman(value).lower()
    if style.endswith("Letter") and value > 0:
        # After z comes aa, then bb: the letter is repeated.
        letter = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1)
        return letter.upper() if style.startswith("upper") else letter
    if style == "ordinal":
        return f"{value}{_ordinal(value)}"
    if style == "decimalZero":
        return f"{value:02d}"
    return _east_asian(value, style)


def _east_asian(value: int, style: str) -> str:
    if style.startswith(("chineseCounting", "japaneseCounting", "taiwaneseCounting", "ideographDigital")):
        return _chinese(value) if 0 < value < 100 else str(value)
    if style == "ideographTraditional" and 0 < value <= len(_STEMS):
        return _STEMS[value - 1]
    if style == "ideographZodiac" and 0 < value <= len(_BRANCHES):
        return _BRANCHES[value - 1]
    if style.startswith("decimalEnclosedCircle") and 0 < value <= 20:
        return chr(0x2460 + value - 1)
    return str(value)


def _chinese(value: int) -> str:
    tens, units = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE[tens]}十"
    return head + (_CHINESE[units] if units else "")


def _roman(value: int) -> str:
    written = ""
    for size, letters in _ROMAN:
        count, value = divmod(value, size)
        written += letters * count
    return written


def _ordinal(value: int) -> str:
    return "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def _levels(abstract: etree._Element) -> dict[int, Level]:
    return {_number(attribute(level, "ilvl")): _level(level) for level in children(abstract, "lvl")}


def _level(element: etree._Element) -> Level:
    start, legal = child(element, "start"), child(element, "isLgl")
    return Level(
        start=_number(attribute(start, "val")) if start is not None else 0,
        style=attribute(child(element, "numFmt"), "val") or "decimal",
        text=attribute(child(element, "lvlText"), "val"),
        legal=legal is not None and attribute(legal, "val") not in ("0", "false", "off"),
    )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else 0
