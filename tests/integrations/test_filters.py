"""Filters from dictionaries and conditions, and what several of them let through together."""

from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UnknownName, UsageError
from penstock.integrations.conditions import Combination, Condition, filter_by
from penstock.integrations.filters import NO_SOURCE, all_of, filter_of
from penstock.model import Filter

NOTHING = Filter(sources=NO_SOURCE)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param(None, Filter(), id="nothing asked"),
        pytest.param({}, Filter(), id="empty"),
        pytest.param(Filter(pages=(2, 3)), Filter(pages=(2, 3)), id="a filter"),
        pytest.param({"sources": "*.pdf"}, Filter(sources=("*.pdf",)), id="one text"),
        pytest.param({"languages": ["zh", "en"]}, Filter(languages=("zh", "en")), id="a list"),
        pytest.param({"media_types": []}, Filter(media_types=NO_SOURCE), id="among none"),
        pytest.param({"labels": {"year": 2026}}, Filter(labels={"year": 2026}), id="labels"),
        pytest.param({"pages": 3}, Filter(pages=(3, 3)), id="a page"),
        pytest.param({"pages": [3, 7]}, Filter(pages=(3, 7)), id="pages"),
        pytest.param({"modified_from": "2026-01-01"}, Filter(modified_from=NEW_YEAR), id="an ISO date"),
        pytest.param({"modified_before": date(2026, 1, 1)}, Filter(modified_before=NEW_YEAR), id="a date"),
        pytest.param({"modified_from": NEW_YEAR}, Filter(modified_from=NEW_YEAR), id="a moment"),
        pytest.param({"principals": ["a", "b"]}, Filter(principals=frozenset("ab")), id="readers"),
        pytest.param({"principals": []}, Filter(principals=frozenset()), id="a reader in no group"),
    ],
)
def test_a_dictionary_is_a_filter(where: Any, expected: Filter) -> None:
    assert filter_of(where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        pytest.param({"language": "zh"}, "known: 'labels', 'languages'", id="misspelt"),
        pytest.param({"sources": 3}, "neither a text nor a list", id="no text"),
        pytest.param({"sources": ["a", 3]}, "neither a text nor a list", id="not only texts"),
        pytest.param({"labels": ["team"]}, "names a text or a number", id="no labels"),
        pytest.param({"pages": [7, 3]}, "range such as", id="backwards"),
        pytest.param({"pages": 0}, "count from 1", id="page zero"),
        pytest.param({"pages": True}, "count from 1", id="no page"),
        pytest.param({"modified_from": "yesterday"}, "no date such as", id="no date"),
        pytest.param({"modified_from": 7}, "no date such as", id="a number"),
        pytest.param({"principals": None}, "would show everything", id="nobody in particular"),
    ],
)
def test_what_is_no_filter_is_refused(where: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        filter_of(where)


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(UnknownName, match="no condition named 'language'"):
        filter_of({"language": "zh"})


URIS = ("a.pdf", "b.pdf", "b.txt", "")
PATTERNS = st.sampled_from(("a.pdf", "b.pdf", "b.txt", "*.pdf", "b.*", "?.txt"))
FILTERS = st.builds(
    Filter,
    sources=st.lists(PATTERNS, max_size=2).map(tuple),
    labels=st.dictionaries(st.sampled_from("xy"), st.integers(0, 1), max_size=2),
    languages=st.lists(st.sampled_from(("zh", "en")), max_size=2).map(tuple),
    pages=st.none() | st.tuples(st.integers(1, 3), st.integers(3, 4)),
    principals=st.none() | st.frozensets(st.sampled_from("ab")),
)


def matches(where: Filter, uri: str, language: str, page: int, labels: dict[str, int], access: frozenset[str]) -> bool:
    """What a filter means, said directly; the empty address means no source."""
    return (
        uri != ""
        and (not where.sources or any(fnmatchcase(uri, pattern) for pattern in where.sources))
        and all(labels.get(name) == value for name, value in where.labels.items())
        and (not where.languages or language in where.languages)
        and (where.pages is None or where.pages[0] <= page <= where.pages[1])
        and (where.principals is None or not access or bool(access & where.principals))
    )


@given(
    left=FILTERS,
    right=FILTERS,
    uri=st.sampled_from(URIS),
    language=st.sampled_from(("zh", "en")),
    page=st.integers(1, 4),
    labels=st.dictionaries(st.sampled_from("xy"), st.integers(0, 1)),
    access=st.sampled_from((frozenset[str](), frozenset("a"), frozenset("b"))),
)
def test_together_filters_let_through_what_each_does(left: Filter, right: Filter, **chunk: Any) -> None:
    try:
        both = all_of((left, right))
    except UsageError:  # two patterns
        return
    assert matches(both, **chunk) == (matches(left, **chunk) and matches(right, **chunk))


def test_together_filters_meet_in_time() -> None:
    later, earlier = Filter(modified_from=NEW_YEAR), Filter(modified_before=datetime(2025, 1, 1, tzinfo=UTC))
    assert all_of((later, earlier)) == Filter(modified_from=NEW_YEAR, modified_before=earlier.modified_before)
    assert all_of((later, Filter(modified_from=datetime(2026, 5, 1, tzinfo=UTC)))).modified_from == datetime(
        2026, 5, 1, tzinfo=UTC
    )


def condition(field: str, operator: str, value: Any) -> Condition:
    return Condition(field=field, operator=operator, value=value)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(
            condition("source", "==", "https://e.org/a?b"), Filter(sources=("https://e.org/a[?]b",)), id="exactly"
        ),
        pytest.param(condition("language", "in", ["zh", "en"]), Filter(languages=("zh", "en")), id="one of"),
        pytest.param(condition("language", "in", []), NOTHING, id="one of none"),
        pytest.param(condition("media_type", "==", "image/*"), Filter(media_types=("image/*",)), id="kind of media"),
        pytest.param(condition("page", "==", 3), Filter(pages=(3, 3)), id="a page"),
        pytest.param(condition("page", "==", 0), NOTHING, id="page zero"),
        pytest.param(condition("page", "in", [4, 3, 5.0]), Filter(pages=(3, 5)), id="some pages"),
        pytest.param(condition("page", "in", []), NOTHING, id="no pages"),
        pytest.param(condition("page", ">", 3), Filter(pages=(4, 2**31 - 1)), id="after a page"),
        pytest.param(condition("page", ">=", -3), Filter(pages=(1, 2**31 - 1)), id="any page"),
        pytest.param(condition("page", "<", 3), Filter(pages=(1, 2)), id="before a page"),
        pytest.param(condition("page", "<", 1), NOTHING, id="before the first"),
        pytest.param(condition("page", "<=", 3), Filter(pages=(1, 3)), id="to a page"),
        pytest.param(condition("modified", ">=", "2026-01-01"), Filter(modified_from=NEW_YEAR), id="since"),
        pytest.param(
            condition("modified", ">", NEW_YEAR), Filter(modified_from=NEW_YEAR.replace(microsecond=1)), id="after"
        ),
        pytest.param(condition("modified", "<", "2026-01-01T00:00:00Z"), Filter(modified_before=NEW_YEAR), id="before"),
        pytest.param(
            condition("modified", "<=", NEW_YEAR), Filter(modified_before=NEW_YEAR.replace(microsecond=1)), id="until"
        ),
        pytest.param(condition("labels.team", "==", "pay"), Filter(labels={"team": "pay"}), id="a label"),
        pytest.param(
            condition("labels.team", "in", ["pay", "pay"]), Filter(labels={"team": "pay"}), id="one value twice"
        ),
        pytest.param(condition("labels.team", "in", []), NOTHING, id="no label"),
        pytest.param(
            Combination(
                joint="and",
                members=(condition("page", ">", 1), condition("page", "<", 4), condition("language", "==", "zh")),
            ),
            Filter(pages=(2, 3), languages=("zh",)),
            id="and",
        ),
        pytest.param(
            Combination(joint="or", members=(condition("language", "==", "zh"), condition("language", "in", ["en"]))),
            Filter(languages=("zh", "en")),
            id="or",
        ),
        pytest.param(
            Combination(
                joint="or",
                members=(Combination(joint="and", members=(condition("page", "==", 1),)), condition("page", "==", 2)),
            ),
            Filter(pages=(1, 2)),
            id="or of groups of one",
        ),
        pytest.param(
            Combination(joint="or", members=(condition("page", ">", 2),)), Filter(pages=(3, 2**31 - 1)), id="or of one"
        ),
        pytest.param(Combination(joint="and", members=()), Filter(), id="and of none"),
        pytest.param(
            Combination(joint="and", members=(condition("labels.a", "==", 1), condition("labels.a", "==", 2))),
            NOTHING,
            id="impossible",
        ),
    ],
)
def test_conditions_are_a_filter(condition: Condition | Combination, expected: Filter) -> None:
    assert filter_by(condition) == expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        pytest.param(condition("langauge", "==", "zh"), "known: 'source', .*'labels.NAME'", id="misspelt"),
        pytest.param(condition("language", ">", "zh"), "allowed: '==' and 'in'", id="no order"),
        pytest.param(condition("language", "in", "zh"), "takes a list", id="no list"),
        pytest.param(condition("language", "==", 3), "neither a text", id="no text"),
        pytest.param(condition("page", "text_match", 3), "allowed: ==, in, >", id="unknown operator"),
        pytest.param(condition("page", "==", "3"), "whole numbers", id="no number"),
        pytest.param(condition("page", "in", [1, 3]), "one range", id="a gap"),
        pytest.param(condition("modified", "==", "2026-01-01"), "allowed: >, >=, <, <=", id="a moment"),
        pytest.param(condition("labels.year", ">", 2025), "allowed: '==' with one", id="label compared"),
        pytest.param(condition("labels.year", "in", [1, 2]), "one text or number", id="two labels"),
        pytest.param(condition("labels.year", "==", None), "one text or number", id="no label"),
        pytest.param(Combination(joint="not", members=(condition("page", "==", 1),)), "negated", id="not"),
        pytest.param(
            Combination(joint="or", members=(condition("page", "==", 1), condition("language", "==", "zh"))),
            "values of one field",
            id="or over fields",
        ),
        pytest.param(
            Combination(
                joint="or",
                members=(
                    Combination(joint="and", members=(condition("page", ">", 1), condition("page", "<", 9))),
                    condition("page", "==", 1),
                ),
            ),
            "single conditions",
            id="or of groups",
        ),
    ],
)
def test_what_no_filter_says_is_refused(condition: Condition | Combination, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        filter_by(condition)
