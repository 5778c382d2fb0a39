"""Texts that every part meets sooner or later, and calls from several threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

ENGLISH = "Ten days of leave carry over into the next year."
CHINESE = "未休完的年假可以结转到下一年。"
AWKWARD = ("", " \n\t ", "\x00", "a\ud800b", "😀" * 3, "e\u0301", "\u202eabc", "word " * 2000, "年" * 2000, "x" * 5000)
THREADS = 4


def at_once(call: Callable[[], T]) -> list[T]:
    """What the call gives to each of several threads that make it several times at the same moment."""
    with ThreadPoolExecutor(THREADS) as threads:
        return [done.result() for done in [threads.submit(call) for _ in range(3 * THREADS)]]
