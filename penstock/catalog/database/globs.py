"""Shell patterns as `fnmatch` reads them (`*`, `?`, `[...]`, `[!...]`), spelt for each database.

One parser, so that a pattern means the same everywhere: an unclosed bracket is literal, `]` that comes first belongs to
its set, `[b-a]` holds nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

PART = re.compile(r"\*++|\?|\[(!?)(\]?[^\]]*+)\]|[^*?\[]++|\[", re.DOTALL)
"""Any run, any character, a set, a text, or a bracket that opens no set."""
LITERAL = re.compile(r"\*++|\?|[^*?]++", re.DOTALL)
"""The same after the last bracket that closes, where no set can be: each other bracket would be followed to the end."""

SPECIAL = "]^-"
"""What can mean something else in a set."""


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """Characters of which one must stand there, or of which none may; as inclusive ranges."""

    negated: bool
    ranges: tuple[tuple[str, str], ...]


def parts_of(pattern: str) -> Iterator[str | CharacterSet]:
    """A pattern's parts: `*`, `?`, sets, and everything else as single literal characters after a backslash.

    >>> list(parts_of("a*[!b-d]"))
    ['\\\\a', '*', CharacterSet(negated=True, ranges=(('b', 'd'),))]
    """
    at, last = 0, pattern.rfind("]")
    while at < len(pattern):
        found = (PART if at < last else LITERAL).match(pattern, at)
        assert found is not None  # noqa: S101 - each character is at least a text
        text, at = found.group(), found.end()
        if text.startswith(("*", "?")):
            yield text[0]
        elif found.re is PART and found.group(2):
            yield _set(found.group(1), found.group(2))
        else:
            yield from ("\\" + character for character in text)


def _set(negation: str, inside: str) -> CharacterSet:
    chunks = _chunks(inside, negation)
    # Read after empty ranges fell out, as in CPython: `[b-a!c]` is `[!c]`.
    negated = chunks[0].startswith("!")
    chunks[0] = chunks[0].removeprefix("!")
    if not chunks[0] and len(chunks) > 1:
        chunks[:2] = ["-" + chunks[1]]
    ranges = [(before[-1], after[0]) for before, after in pairwise(chunks)]
    last = len(chunks) - 1
    singles = [chunk[n > 0 : len(chunk) - (n < last)] for n, chunk in enumerate(chunks)]
    return CharacterSet(negated, (*ranges, *((one, one) for one in "".join(singles))))


def _chunks(inside: str, negation: str) -> list[str]:
    """The set cut at the hyphens that make ranges; those that hold nothing are left out.

    Source: `fnmatch.translate` of CPython 3.11 and later.
    """
    text = negation + inside
    chunks, start, at = [], 0, len(negation) + 1
    while (hyphen := text.find("-", at)) >= 0:
        chunks.append(text[start:hyphen])
        start, at = hyphen + 1, hyphen + 3
    if text[start:]:
        chunks.append(text[start:])
    else:
        chunks[-1] += "-"
    for n in range(len(chunks) - 1, 0, -1):
        if chunks[n - 1][-1] > chunks[n][0]:
            chunks[n - 1 : n + 1] = [chunks[n - 1][:-1] + chunks[n][1:]]
    return chunks


def sqlite_glob(pattern: str) -> str:
    """The pattern for SQLite's GLOB, where `[^...]` negates.

    >>> sqlite_glob("a[!b]*[c")
    'a[^b]*[[]c'
    """
    parts = list(parts_of(pattern))
    if any(isinstance(part, CharacterSet) and not (part.ranges or part.negated) for part in parts):
        return "["  # a set that never closes matches nothing
    return "".join(map(_sqlite_part, parts))


def _sqlite_part(part: str | CharacterSet) -> str:
    if isinstance(part, str):
        character = part[-1]
        return part if len(part) == 1 else f"[{character}]" if character in "*?[" else character
    return _sqlite_set(part) if part.ranges else "?"


def _sqlite_set(part: CharacterSet) -> str:
    # `]` is itself only when it comes first, `-` when it comes last, `^` when it does not come first.
    singles: set[str] = set()
    spans: list[str] = []
    for first, last in part.ranges:
        low, high = first, last
        while low in SPECIAL and low <= high:
            singles.add(low)
            low = chr(ord(low) + 1)
        while high in SPECIAL and low <= high:
            singles.add(high)
            high = chr(ord(high) - 1)
        if low < high:
            spans.append(f"{low}-{high}")
        elif low == high:
            singles.add(low)
    special = singles & set(SPECIAL)
    plain = "".join(spans) + "".join(sorted(singles - special))
    if part.negated or plain or "]" in special:
        body = "]" * ("]" in special) + plain + "^" * ("^" in special) + "-" * ("-" in special)
        return f"[{'^' if part.negated else ''}{body}]"
    return "^" if special == {"^"} else "[-^]" if len(special) == 2 else "-"


def regular_expression(pattern: str) -> str:
    """The pattern as an anchored regular expression, as PostgreSQL's `~` reads it.

    >>> regular_expression("a.b*[!c-d]")
    '^a\\\\.b.*[^c-d]$'
    """
    return f"^{''.join(map(_regular_part, parts_of(pattern)))}$"


def _regular_part(part: str | CharacterSet) -> str:
    if isinstance(part, str):
        return {"*": ".*", "?": "."}.get(part) or _literal(part[-1])
    if not part.ranges:
        return "." if part.negated else "(?!)"
    inside = "".join(
        _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}" for first, last in part.ranges
    )
    return f"[{'^' if part.negated else ''}{inside}]"


def _literal(character: str) -> str:
    return f"\\{character}" if character.isascii() and not character.isalnum() else character
