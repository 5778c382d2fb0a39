"""What may be asked: a question, how many hits, and a filter, each within the limits of `penstock.limits`."""

from collections.abc import Iterator, Mapping, Sequence

from penstock.errors import UsageError
from penstock.limits import (
    LAST_PAGE,
    LONGEST_QUESTION,
    LONGEST_VALUE,
    MOST_HITS,
    MOST_LABELS,
    MOST_NEIGHBOURS,
    MOST_PATTERNS,
    MOST_VALUES,
)
from penstock.model import Filter

SIGNS = "*?["
"""What makes a pattern of a text."""


def check_question(question: str) -> None:
    """Lets a question through that is none too long and not blank.

    Raises:
        UsageError: it is blank, or too long.
    """
    if not question.strip():
        raise UsageError("the question is blank")
    if len(question) > LONGEST_QUESTION:
        raise UsageError(
            f"the question has {len(question)} characters; at most {LONGEST_QUESTION} are allowed: shorten it"
        )


def check_counts(k: int | None, neighbours: int | None) -> None:
    """Checks how many hits and neighbours are asked for; None means the setting.

    Raises:
        UsageError: it is fewer or more than that.
    """
    if k is not None and not 1 <= k <= MOST_HITS:
        raise UsageError(f"k={_shown(k)}: ask for 1 to {MOST_HITS} hits")
    if neighbours is not None and not 0 <= neighbours <= MOST_NEIGHBOURS:
        raise UsageError(f"neighbours={_shown(neighbours)}: ask for 0 to {MOST_NEIGHBOURS} neighbours of a hit")


def check_filter(where: Filter) -> None:
    """Lets a filter through that a database can take.

    Raises:
        UsageError: a condition has too many values, or a value is too long; says how many, and how many are allowed.
    """
    for name, values in _values(where).items():
        _check_values(name, values)
    if len(where.labels) > MOST_LABELS:
        raise UsageError(f"the filter names {len(where.labels)} labels; at most {MOST_LABELS} are allowed")
    _check_values("labels", [text for label in where.labels.items() for text in label if isinstance(text, str)])
    if where.pages is not None and not all(abs(page) <= LAST_PAGE for page in where.pages):
        first, last = map(_shown, where.pages)
        raise UsageError(f"the filter asks for the pages {first} to {last}; the last that can be is {LAST_PAGE}")


def _values(where: Filter) -> Mapping[str, Sequence[str]]:
    return {
        "sources": where.sources,
        "media types": where.media_types,
        "languages": where.languages,
        "principals": tuple(where.principals or ()),
    }


def _check_values(name: str, values: Sequence[str]) -> None:
    if len(values) > MOST_VALUES:
        raise UsageError(f"the filter names {len(values)} {name}; at most {MOST_VALUES} are allowed")
    if name != "principals" and sum(1 for _ in _patterns(values)) > MOST_PATTERNS:
        raise UsageError(
            f"the filter has more than {MOST_PATTERNS} patterns for {name} ({', '.join(SIGNS)}); give fewer, or whole "
            f"addresses, of which {MOST_VALUES} are allowed"
        )
    longest = max(map(len, values), default=0)
    if longest > LONGEST_VALUE:
        raise UsageError(
            f"the filter has a text of {longest} characters among its {name}; at most {LONGEST_VALUE} are allowed"
        )


def _patterns(values: Sequence[str]) -> Iterator[str]:
    return (value for value in values if any(sign in value for sign in SIGNS))


def _shown(number: int) -> str:
    """A number as a message can hold it: Python refuses to write those of more than 4300 digits."""
    return str(number) if abs(number) < 10**30 else f"a number of {number.bit_length()} bits"
