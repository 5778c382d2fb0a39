"""How does the time of a function grow with the length of its text? Measured so that a busy machine changes nothing.

Measured is the processor's time of this process, the least of several runs. What is fast at four times the length is
fast enough. What seems to grow too fast is measured again, more often and at greater lengths, and only what does so
every time is said to: noise makes single runs slower, and never all of them.
"""

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time

LIMIT = 1.3
"""Exponent that a function must stay below: 1 is in step with the length, 2 with its square."""
FAST = 0.004
"""Seconds within which a text of four times the length may be read, whatever the shorter one took."""
LONGEST = 0.5
"""Seconds of a measurement after which no longer text is tried."""
CONFIRMATIONS = 3

Work = Callable[[str], object]
Make = Callable[[int], str]


def exponent(work: Work, make: Make, length: int) -> float:
    """By which power of the length the time grows, from `length` to four times of it; 0 where it is always fast.

    An exponent of `LIMIT` or more was measured several times, at growing lengths as far as time allows.
    """
    with _undisturbed():
        found = _measured(work, make, length, runs=1)
        for trial in range(CONFIRMATIONS):
            if found < LIMIT:
                return found
            short, long = make(length), make(4 * length)
            before, after = _least(work, short, 2 + trial), _least(work, long, 2 + trial)
            found = min(found, _power(before, after))
            if after < LONGEST:
                length *= 2
        return found


def _measured(work: Work, make: Make, length: int, *, runs: int) -> float:
    long = _least(work, make(4 * length), runs)
    return 0.0 if long < FAST else _power(_least(work, make(length), runs), long)


def _least(work: Work, text: str, runs: int) -> float:
    return min(_seconds(work, text) for _ in range(runs))


def _seconds(work: Work, text: str) -> float:
    start = process_time()
    work(text)
    return process_time() - start


def _power(before: float, after: float) -> float:
    return math.log(max(after, 1e-6) / max(before, 1e-6), 4)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the collector of garbage, whose runs cost what was made before and not what is measured."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
