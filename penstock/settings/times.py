"""When something shall happen, as people write it: durations (`30m`), cron lines (`0 3 * * *`), time zones."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)
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


def duration(text: str) -> timedelta:
    """The length of time that a text such as `30m`, `6h`, `1d` or `1h30m` names; it is never nothing.

    >>> duration("1h30m")
    datetime.timedelta(seconds=5400)

    Raises:
        ValueError: the text is of another form; says which forms there are.
    """
    plain = text.strip().lower()
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", plain))
    if not _DURATION.fullmatch(plain) or not seconds:
        raise ValueError(f"{text!r} is no duration; write 30s, 30m, 6h, 1d, or several of them such as 1h30m")
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
        ValueError: it has not five fields, or one of them is not understood; says which.
    """
    parts = line.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{line!r} has {len(parts)} fields and not five: minute, hour, day, month, day of the week")
    for part, (name, least, most, names) in zip(parts, _FIELDS, strict=True):
        if not all(_is_met(one, least, most, names) for one in part.lower().split(",")):
            raise ValueError(f"{part!r} is no {name} of a cron line; allowed: {least}-{most}, *, ranges, lists, steps")
    return " ".join(parts)


def _is_met(text: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    match = _STEP.fullmatch(text)
    if not match or match["step"] == "0":
        return False
    if match["range"] == "*":
        return True
    numbers = [_number(end, names) for end in match["range"].split("-")]
    return len(numbers) <= 2 and all(least <= number <= most for number in numbers) and numbers == sorted(numbers)


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
