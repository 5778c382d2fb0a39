"""Files that a user writes: words to keep whole, and synonyms."""

from dataclasses import dataclass
from pathlib import Path

from penstock.analysis.normal import normalise
from penstock.analysis.words import MAX_TOKEN_BYTES
from penstock.errors import SettingsError

MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWord:
    """A word to keep whole, normalised, and how often the language has it, where the file says so."""

    text: str
    frequency: int | None


def read_user_words(path: Path) -> tuple[UserWord, ...]:
    """Words of a dictionary in jieba's format: a line has a word, then perhaps its frequency, then perhaps its class.

    Lines that start with `#` and blank lines count for nothing.

    Raises:
        SettingsError: the file cannot be read, or a line is not of that form; says which.
    """
    return tuple(_user_word(path, number, line) for number, line in _lines(path, "user dictionary"))


def read_synonyms(path: Path) -> tuple[tuple[str, ...], ...]:
    """Groups of terms that mean the same, normalised: a line is a group, its terms separated by commas.

    Lines that start with `#` and blank lines count for nothing.

    Raises:
        SettingsError: the file cannot be read, or a line is not of that form; says which.
    """
    return tuple(_group(path, number, line) for number, line in _lines(path, "synonyms"))


def _user_word(path: Path, number: int, line: str) -> UserWord:
    word, *rest = line.split()
    if len(rest) > 2 or (rest and not rest[0].isdecimal() and len(rest) > 1):
        raise SettingsError(
            f"{path}, line {number}: expected a word, then perhaps a frequency and a class; found {line!r}"
        )
    text = normalise(word)
    if not any(character.isalnum() for character in text):
        raise SettingsError(f"{path}, line {number}: {word!r} has no letter and no digit")
    if len(text.encode("utf-8", "ignore")) > MAX_TOKEN_BYTES:
        raise SettingsError(f"{path}, line {number}: a word may have {MAX_TOKEN_BYTES} bytes at most; found {word!r}")
    return UserWord(text=text, frequency=int(rest[0]) if rest and rest[0].isdecimal() else None)


def _group(path: Path, number: int, line: str) -> tuple[str, ...]:
    if "=>" in line:
        raise SettingsError(
            f"{path}, line {number}: '=>' is not understood; write terms of equal meaning: car, motorcar"
        )
    terms = tuple(dict.fromkeys(" ".join(normalise(term).split()) for term in line.replace("，", ",").split(",")))
    if "" in terms or len(terms) < 2:
        raise SettingsError(
            f"{path}, line {number}: expected two or more terms with commas between them; found {line!r}"
        )
    return terms


def _lines(path: Path, kind: str) -> list[tuple[int, str]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(f"{kind} {path}: larger than the {MAX_FILE_BYTES} bytes that are allowed")
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{kind} {path} cannot be read: {error.strerror or error}") from error
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {number}: not UTF-8; save the {kind} file as UTF-8") from error
    stripped = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return [(number, line) for number, line in stripped if line and not line.startswith("#")]
