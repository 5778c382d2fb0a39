"""When a call is tried again: the server's word first, else ever longer pauses."""

from datetime import UTC, datetime

import pytest

from penstock.retries import JITTER, asked_pause, http_date, pause

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 1.5 ", 1.5, id="part of a second"),
        pytest.param("Thu, 01 Jan 2026 00:00:30 GMT", 30.0, id="date"),
        pytest.param("Thu, 01 Jan 2026 00:00:30 -0000", 30.0, id="date without a zone is in UTC"),
        pytest.param("Thu, 01 Jan 2025 00:00:00 GMT", 0.0, id="date gone by"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2300", None, id="date beyond all years"),
        pytest.param("9" * 400, float("inf"), id="longer than any number"),
        *[pytest.param(value, None, id=value) for value in ("soon", "-1", "inf", "nan", "1e9", "1_0", "٣")],
        pytest.param("", None, id="nothing"),
    ],
)
def test_what_a_server_asks_for(value: str, expected: float | None) -> None:
    assert asked_pause(value, now=NOW) == expected


def test_a_date_of_http() -> None:
    assert http_date("Thu, 01 Jan 2026 01:00:00 +0100") == NOW
    assert http_date("yesterday") is None


def test_pauses_grow_up_to_the_longest_and_are_not_all_the_same() -> None:
    for tried, usual in ((1, 0.5), (2, 1.0), (3, 2.0), (6, 15.0), (10**6, 15.0)):
        pauses = {pause(tried, first=0.5, longest=15.0) for _ in range(50)}
        assert len(pauses) > 1
        assert all(usual * JITTER[0] <= seconds <= usual * JITTER[1] for seconds in pauses)
