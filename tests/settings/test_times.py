from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.settings.times import checked_cron, checked_zone, duration, duration_text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("30s", timedelta(seconds=30), id="seconds"),
        pytest.param("30m", timedelta(minutes=30), id="minutes"),
        pytest.param("6h", timedelta(hours=6), id="hours"),
        pytest.param(" 1D ", timedelta(days=1), id="a day"),
        pytest.param("1h30m", timedelta(minutes=90), id="several"),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "30", "m", "0s", "-5m", "5 minutes", "1.5h", "PT30M", "٣m", "9999999s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write"):
        duration(text)


@given(st.integers(1, 999_999))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert duration(duration_text(length)) == length


@pytest.mark.parametrize(
    "line",
    [
        "0 3 * * *",
        "*/15 * * * *",
        "0,30 8-18 * * 1-5",
        "5 4 1 jan MON",
        "0 0 1,15 */2 *",
        "0-30/10 * * * 7",
        "0 9 * feb-apr sun-tue",
        "0 0 29 2 *",
        "0 0 31 4-6 *",
        "*/90 5/7 * * *",
    ],
)
def test_cron_lines(line: str) -> None:
    assert checked_cron(f"  {line} ") == line


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("0 3 * *", "4 fields and not five", id="four fields"),
        pytest.param("0 0 3 * * *", "6 fields", id="seconds"),
        pytest.param("@daily", "1 fields", id="nickname"),
        pytest.param("60 3 * * *", "'60' is no minute", id="minute"),
        pytest.param("0 24 * * *", "'24' is no hour", id="hour"),
        pytest.param("0 0 0 * *", "'0' is no day of the month", id="day"),
        pytest.param("0 0 * 13 *", "'13' is no month", id="month"),
        pytest.param("0 0 * monday *", "'monday' is no month", id="long name"),
        pytest.param("0 0 * * 8", "'8' is no day of the week", id="weekday"),
        pytest.param("30-10 * * * *", "'30-10' is no minute", id="backwards"),
        pytest.param("*/0 * * * *", "no minute", id="no step"),
        pytest.param("1-2-3 * * * *", "no minute", id="two ranges"),
        pytest.param(", * * * *", "no minute", id="nothing listed"),
        pytest.param("0 0 30,31 feb *", "names day 30 of the month, which none", id="no such day"),
        pytest.param("0 0 31 4-6/2,9 mon", "names day 31", id="no such day in several months"),
    ],
)
def test_what_is_no_cron_line(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_cron(line)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../../etc/passwd", "/etc/localtime", "Asia"])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        checked_zone(name)


def test_time_zones() -> None:
    assert checked_zone("Asia/Shanghai") == "Asia/Shanghai"
