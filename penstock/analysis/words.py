"""Tokens of words that are written with spaces between them: stems, numbers and identifiers."""

import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

MAX_TOKEN_BYTES = 200
"""Longest token, in bytes of UTF-8: every backend accepts it, and no word of any language reaches it."""

CONNECTORS = r"\-_./:@&'+\\"
"""What joins the parts of an identifier, between letters or digits, as a character class."""

STEMMERS = (
    ("a", "z", "english"),
    ("\u0370", "\u03ff", "greek"),
    ("\u0400", "\u052f", "russian"),
    ("\u0530", "\u058f", "armenian"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hindi"),
    ("\u0b80", "\u0bff", "tamil"),
)
"""First and last letter of a script, and the Snowball stemmer that takes its words.

The script of the word decides, not the language of the text around it: a question is too short to show its language,
and a word must have the same stem on both sides of a search. French or German words thus get the English rules.
"""

_BETWEEN = re.compile(rf"[{CONNECTORS}#,]+")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+")
_IDENTIFIER = re.compile(r"[0-9_@#+]")
_DIGIT = re.compile(r"[0-9]")
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_ONE_LETTER = re.compile(r"([^\W\d_])-([^\W\d_]{2,})")
_SUBPARTS = re.compile(r"[0-9]{2,}|[^\W\d_]{2,}")
_CAMEL = re.compile(r"(?<![A-Za-z])(?=[A-Z]*[a-z]+[A-Z]|[A-Z]{2,}[a-z]{2})[A-Za-z]{4,100}(?![A-Za-z])")
_CAMEL_PART = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+|[a-z]{2,}")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|o)'(.{3,})")


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - PyStemmer's name


_own = threading.local()


def word_tokens(run: str) -> tuple[str, ...]:
    """Tokens of one normalised run of letters, digits and what connects them.

    An identifier (it has a digit or one of `_@#+`) stays whole, and its parts can be found as well; other compounds
    are found by their parts. Initials become one word, and thousands separators go.

    >>> word_tokens("gb/t-22239")
    ('gb/t-22239', 'gb', 't', '22239')
    >>> word_tokens("well-known"), word_tokens("u.s"), word_tokens("1,000")
    (('well', 'known'), ('us',), ('1000',))
    """
    return _cached(run) if len(run) <= MAX_TOKEN_BYTES else tuple(_tokens(run))  # a page without spaces is no cache key


@lru_cache(maxsize=65536)
def _cached(run: str) -> tuple[str, ...]:
    return tuple(_tokens(run))


def _tokens(run: str) -> Iterator[str]:
    if run.isalpha():
        yield stem(run)
    elif _NUMBER.fullmatch(run):
        yield cut(run.replace(",", ""))
    elif _INITIALS.fullmatch(run):
        yield cut(run.replace(".", ""))
    elif "'" in run and run.replace("'", "").isalpha():
        yield from _apostrophe(run)
    else:
        yield from _compound(run)


def _apostrophe(run: str) -> Iterator[str]:
    """`company's` is its stem, `don't` one word; `l'homme` is found as `homme`, too."""
    yield stem(run).replace("'", "")
    if elided := _ELISION.fullmatch(run):
        yield stem(elided[1].replace("'", ""))


def _compound(run: str) -> Iterator[str]:
    if _IDENTIFIER.search(run):
        yield cut(run)
    if initial := _ONE_LETTER.fullmatch(run):
        yield stem(initial[1] + initial[2])  # e-mail is found by email
    for part in filter(None, _BETWEEN.split(run)):
        if not _DIGIT.search(part):
            yield stem(part)
        elif part != run:
            yield cut(part)
        if _DIGIT.search(part) and not part.isdecimal():
            yield from map(cut, _SUBPARTS.findall(part))  # t22239 is found by 22239


def camel_parts(text: str) -> Iterator[str]:
    """Stems of the words in names such as `getUserName`, for text whose case is not folded yet.

    >>> list(camel_parts("call getUserName of HTTPServer"))
    ['get', 'user', 'name', 'http', 'server']
    """
    for name in _CAMEL.findall(text):
        yield from (stem(part.lower()) for part in _CAMEL_PART.findall(name))


def stem(word: str) -> str:
    """The stem of a lower-case word, by the rules of the language that its script suggests."""
    word = cut(word)
    for first, last, language in STEMMERS:
        if first <= word[0] <= last:
            return _stemmer(language).stemWord(word) or word
    return word


def cut(token: str) -> str:
    """The token, or as many of its first characters as fit into `MAX_TOKEN_BYTES`."""
    if len(token) * 4 <= MAX_TOKEN_BYTES:
        return token
    return token.encode("utf-8", "ignore")[:MAX_TOKEN_BYTES].decode("utf-8", "ignore")


def _stemmer(language: str) -> _Stemmer:
    """One stemmer a thread: it keeps the word that it works on in itself."""
    known: dict[str, _Stemmer] = _own.__dict__.setdefault("stemmers", {})
    if language not in known:
        import Stemmer

        known[language] = Stemmer.Stemmer(language)
    return known[language]
