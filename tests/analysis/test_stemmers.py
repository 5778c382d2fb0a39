"""The compiled stemmers give the stems of the same rules written in Python."""

import random
import sys
import threading
from typing import Any

import pytest

from penstock.analysis.words import STEMMERS, stem

TEXT = """
running runs ran leave leaves leaving policies policy employees carried carries carry organisation organization
generously international connections connected nationality skis skies dying news innings early only aggressive
relational conditional rational valenced digitizer conformably radically differently vileness analogously
"""
ENGLISH = TEXT.split()


def in_python(language: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in [name for name in sys.modules if name.partition(".")[0] == "snowballstemmer"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "Stemmer", None)  # it gives way to the compiled one where there is one
    import snowballstemmer

    return snowballstemmer.stemmer(language)


@pytest.mark.parametrize(("first", "last", "language"), STEMMERS)
def test_stems_agree(first: str, last: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [chr(code) for code in range(ord(first), ord(last) + 1) if chr(code).isalpha() and chr(code).islower()]
    letters = letters or [chr(code) for code in range(ord(first), ord(last) + 1) if chr(code).isalpha()]
    chance = random.Random(5)
    made = ["".join(chance.choices(letters, k=chance.randint(2, 12))) for _ in range(500)]
    words = [*made, *(ENGLISH if language == "english" else [])]
    ours = [stem(word) for word in words]
    theirs = in_python(language, monkeypatch)
    assert ours == [theirs.stemWord(word) for word in words]


def test_threads_do_not_disturb_each_other() -> None:
    alone = [stem(word) for word in ENGLISH]
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append([stem(word) for word in ENGLISH])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 8
