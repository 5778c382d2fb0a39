"""The analyser that every keyword index and every question goes through."""

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from penstock.analysis.han import Segmenter, han_tokens, pairs
from penstock.analysis.normal import normalise
from penstock.analysis.phrases import PhraseFinder
from penstock.analysis.scan import HAN, runs
from penstock.analysis.stopwords import STOP_WORDS
from penstock.analysis.wordlists import UserWord, read_synonyms, read_user_words
from penstock.analysis.words import camel_parts, word_tokens

RULES = 2
"""Version of the rules of this package: raised when they give other tokens; every index is then rebuilt."""

_HAN_ONLY = re.compile(f"[{HAN}]+")
_IN_CAPITALS = re.compile(r"\b[A-Z]{2,}\b|(?<=\S )\bA\b")


class TextAnalyser:
    """Tokens of Chinese, English and mixed text: the same rules for every backend.

    A text is normalised, cut into runs, and each run into tokens by the rules of its kind. Words of the user
    dictionary are kept whole besides; synonyms are added to questions only, so that changing them rebuilds nothing.

    Raises:
        SettingsError: the user dictionary or the synonyms cannot be read; says the file and the line.
    """

    def __init__(self, *, user_dictionary: Path | None = None, synonyms: Path | None = None) -> None:
        self._words = read_user_words(user_dictionary) if user_dictionary else ()
        self._mixed = PhraseFinder(word.text for word in self._words if not _HAN_ONLY.fullmatch(word.text))
        groups = read_synonyms(synonyms) if synonyms else ()
        self._synonyms = PhraseFinder(term for group in groups for term in group)
        self._meanings = _meanings(groups)

    @cached_property
    def fingerprint(self) -> str:
        """Version of the rules, of the libraries that cut and stem, and a digest of the user dictionary."""
        libraries = " ".join(f"{name} {version(name)}" for name in ("rjieba", "PyStemmer"))
        return f"penstock tokens {RULES}; {libraries}; words {_digest(self._words)}"

    def tokens(self, text: str) -> list[str]:
        """Tokens in order, repeats included; none is empty, holds white space or is longer than 200 bytes."""
        normalised = normalise(text)
        return [*self._cut(normalised), *self._besides(text, normalised)]

    def query_tokens(self, text: str) -> list[str]:
        """Tokens to search a question with: without words that only phrase the question, and with synonyms.

        A question of nothing but such words keeps them all; a capitalised one among others (`WHO`, `IT`) is a name.
        """
        normalised = normalise(text)
        names = frozenset() if text.isupper() else frozenset(map(str.lower, _IN_CAPITALS.findall(text)))
        asked = list(self._cut(normalised, without=STOP_WORDS - names))
        asked += self._besides(text, normalised)
        asked = asked or list(self._cut(normalised))
        added = (token for term in self._other_terms(normalised) for token in self.tokens(term))
        known = frozenset(asked)
        return [*asked, *(token for token in dict.fromkeys(added) if token not in known)]

    def _cut(self, normalised: str, without: frozenset[str] = frozenset()) -> Iterator[str]:
        for kind, run in runs(normalised):
            if kind == "word":
                if run.removesuffix("'s") not in without:
                    yield from word_tokens(run)
            elif kind == "han":
                yield from (token for token in han_tokens(run, self._segmenter) if token not in without)
            else:
                yield from pairs(run)

    def _besides(self, text: str, normalised: str) -> Iterator[str]:
        yield from camel_parts(text)
        yield from self._mixed.find(normalised)

    def _other_terms(self, normalised: str) -> Iterator[str]:
        for term in self._synonyms.find(normalised):
            yield from (synonym for synonym in self._meanings[term] if synonym != term)

    @cached_property
    def _segmenter(self) -> Segmenter:
        """The dictionary of jieba, once a process; a copy with the user's words where there are any."""
        import rjieba

        own = [word for word in self._words if _HAN_ONLY.fullmatch(word.text)]
        if not own:
            shared: Segmenter = rjieba
            return shared
        segmenter = rjieba.Jieba()
        for word in own:
            segmenter.add_word(word.text, word.frequency, None)
        cutter: Segmenter = segmenter
        return cutter


def _meanings(groups: tuple[tuple[str, ...], ...]) -> dict[str, tuple[str, ...]]:
    """The terms of all groups that a term is in."""
    known: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for term in group:
            known[term] = tuple(dict.fromkeys((*known.get(term, ()), *group)))
    return known


def _digest(words: tuple[UserWord, ...]) -> str:
    listed = "\n".join(sorted(f"{word.text} {word.frequency}" for word in words))
    return hashlib.sha256(listed.encode()).hexdigest()[:16] if words else "none"
