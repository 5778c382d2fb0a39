"""Shell patterns (`*`, `?`, `[...]`, `[!...]`) as regular expressions: what `fnmatch` makes of them, and nothing else.

SQLite calls Python for `REGEXP`, by way of SQLAlchemy; PostgreSQL reads most of the same expression in its own engine.
"""

import re
from fnmatch import translate

_INNER = re.compile(r"\(\?s:(.*)\)\\[Zz]", re.DOTALL)
"""An expression as `translate` writes it, which ends in `\\z` from Python 3.14 on."""
_PART = re.compile(r"\\.|\[(\^?)(\]?(?:\\.|[^\]\\])*+)\]|\(\?>\.\*\?", re.DOTALL)
"""Of such an expression: an escaped character, a set, and the beginning of a group that is never entered again."""
_BRACKET = re.compile(r"(\\.)|\[", re.DOTALL)


def python_expression(pattern: str) -> str:
    """The pattern as Python searches for it. Its time grows with the text, however many `*` it holds.

    >>> python_expression("a.*[!c-d]")
    '\\\\A(?s:a\\\\..*[^c-d])\\\\Z'
    """
    return rf"\A(?s:{_translated(pattern)})\Z"


def postgresql_expression(pattern: str) -> str:
    """The pattern as PostgreSQL's `~` reads it: its engine neither needs nor supports atomic groups.

    >>> postgresql_expression("a.*b*[!c-d[]")
    '^a\\\\.(?:.*b).*[^c-d\\\\[]$'
    """
    return f"^{_PART.sub(_spelt, _translated(pattern))}$"


def _translated(pattern: str) -> str:
    """The expression without its ends. After the last `]` each bracket is a text: none is followed to the end."""
    last = pattern.rfind("]") + 1
    return _inner(pattern[:last]) + _inner(pattern[last:].replace("[", "[[]"))


def _inner(pattern: str) -> str:
    found = _INNER.fullmatch(translate(pattern))
    assert found is not None  # noqa: S101 - as it writes all of them
    return found[1]


def _spelt(part: re.Match[str]) -> str:
    if part[0].startswith("["):  # `[.` and `[:` begin a name in a set there
        inside = _BRACKET.sub(lambda found: found[1] or r"\[", part[2])
        return f"[{part[1]}{inside}]"
    return "(?:.*" if part[0].startswith("(") else part[0]
