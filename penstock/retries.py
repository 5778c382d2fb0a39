"""When a call is tried again: as the server asks, else ever later, and not all callers at the same moment."""

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

JITTER = 0.75, 1.25
"""A pause is multiplied by a random factor from this range, so that crowds disperse; pauses still grow."""
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?")


def pause(tried: int, *, first: float, longest: float) -> float:
    """Seconds to wait after try number `tried`, from 1: twice as long each time, up to `longest`, with jitter."""
    usual = min(longest, first * 2.0 ** min(tried - 1, 64))
    return usual * random.uniform(*JITTER)  # noqa: S311 - no secret


def asked_pause(retry_after: str, *, now: datetime | None = None) -> float | None:
    """Seconds that a server asks to wait in `Retry-After`, in numbers or as a date; None where it does not say.

    >>> asked_pause("1.5"), asked_pause("soon")
    (1.5, None)
    """
    header = retry_after.strip()
    if _SECONDS.fullmatch(header):
        return float(header)
    date = http_date(header)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds()) if date else None


def http_date(header: str) -> datetime | None:
    """The moment that a header of HTTP names, in UTC also where it does not say its zone; None where it names none."""
    try:
        date = parsedate_to_datetime(header)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one beyond the year 9999
        return None
