"""When something shall happen, as people write it: durations (`30m`), cron lines (`0 3 * * *`), time zones."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)
_PART = re.compile(r"(\d{1,6})([dhms])", re.ASCII)
MOST_CHARACTERS = 200
"""Characters of a duration, and of a cron line."""
_STEP = re.compile(r"(?P<range>[^/]+)(?:/(?P<step>\d+))?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("", *_MONTHS)),
    ("day of the week", 0, 7, _DAYS),
)
_LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month, which count from 1."""


def duration(text: str) -> timedelta:
    """The length of time that a text such as `30m`, `6h`, `1d` or `1h30m` names; it is never nothing.

    >>> duration("1h30m")
    datetime.timedelta(seconds=5400)

    Raises:
        ValueError: the text is of another form, or longer; says which forms there are.
    """
    plain = text[: MOST_CHARACTERS + 1].strip().lower()
    parts = _PART.findall(plain) if len(text) <= MOST_CHARACTERS and _DURATION.fullmatch(plain) else []
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not seconds:
        raise ValueError(f"{plain!r} is no duration; write 30s, 30m, 6h, 1d, or several of them such as 1h30m")
    return timedelta(seconds=seconds)


def duration_text(length: timedelta) -> str:
    """The shortest text of a duration of whole seconds.

    >>> duration_text(timedelta(minutes=90))
    '1h30m'
    """
    left, parts = int(length.total_seconds()), []
    for unit, seconds in _UNITS.items():
        count, left = divmod(left, seconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def checked_cron(line: str) -> str:
    """The cron line with single spaces, if each of its five fields can be met.

    Fields are numbers, `*`, ranges, lists, steps (`*/15`), and English short names of months and days of the week.

    >>> checked_cron("0  3 * * mon-fri")
    '0 3 * * mon-fri'

    Raises:
        ValueError: it is too long, it has not five fields, one of them is not understood (says which), or there is no
            such day.
    """
    if len(line) > MOST_CHARACTERS:
        raise ValueError(f"a cron line has {MOST_CHARACTERS} characters at most; this one has {len(line)}")
    parts = line.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{line!r} has {len(parts)} fields and not five: minute, hour, day, month, day of the week")
    fields: list[set[int]] = []
    for part, (name, least, most, names) in zip(parts, _FIELDS, strict=True):
        values = [_values(item, least, most, names) for item in part.lower().split(",")]
        if not all(values):
            raise ValueError(f"{part!r} is no {name} of a cron line; allowed: {least}-{most}, *, ranges, lists, steps")
        fields.append({number for numbers in values for number in numbers})
    _, _, days, months, _ = fields
    if min(days) > max(_LONGEST[month] for month in months):  # schedulers fail, also where a day of the week is given
        raise ValueError(f"{line!r} names day {min(days)} of the month, which none of its months has")
    return " ".join(parts)


def _values(text: str, least: int, most: int, names: tuple[str, ...]) -> range:
    """The numbers that a part of a field means; none where it is not understood."""
    match = _STEP.fullmatch(text)
    if not match or (match["step"] and not int(match["step"])):
        return range(0)
    ends = [least, most] if match["range"] == "*" else [_number(end, names) for end in match["range"].split("-")]
    if len(ends) > 2 or not all(least <= end <= most for end in ends) or ends != sorted(ends):
        return range(0)
    last = most if match["step"] and len(ends) == 1 else ends[-1]
    return range(ends[0], last + 1, int(match["step"] or 1))


def _number(text: str, names: tuple[str, ...]) -> int:
    if text and text in names:
        return names.index(text)
    return int(text) if re.fullmatch(r"\d{1,2}", text, re.ASCII) else -1


def checked_zone(name: str) -> str:
    """The name of a time zone, if there is one of that name.

    Raises:
        ValueError: there is none, or this machine has no table of time zones.
    """
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:  # a path, a folder, no such zone
        raise ValueError(f"there is no time zone {name!r}; write Asia/Shanghai, Europe/Berlin, UTC") from error
    return name
