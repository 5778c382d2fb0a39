"""How a run ended, as one number: the exit code of commands and of flows that are run as commands."""

from collections.abc import Mapping, Sequence
from typing import Any

ALL_WELL, NOTHING_DONE, USAGE, ATTENTION, INTERRUPTED = 0, 1, 2, 3, 130
"""0 all well; 1 nothing could be done, or too many sources failed; 2 wrong usage; 3 some sources failed or need
attention; 130 interrupted."""
_FROM_BEST = (ALL_WELL, ATTENTION, NOTHING_DONE, USAGE, INTERRUPTED)


def exit_code(report: Mapping[str, Any]) -> int:
    """The code for a finished run, given as `reports.run_report` gives it."""
    if report["interrupted"]:
        return INTERRUPTED
    if report["failure"]:
        return NOTHING_DONE
    wrong = report["failed"] or report["partial"] or report["empty"] or report["attention"]
    return ATTENTION if wrong else ALL_WELL


def worst(codes: Sequence[int]) -> int:
    """The code for several runs together; without any, all is well.

    >>> worst((ALL_WELL, NOTHING_DONE, ATTENTION))
    1
    """
    return max(codes, key=_FROM_BEST.index, default=ALL_WELL)
