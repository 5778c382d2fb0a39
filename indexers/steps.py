"""Whether a change can be applied to an index, given its revision."""

from penstock.errors import IndexingError
from penstock.model import Change


def is_step(change: Change, revision: int) -> bool:
    """Whether there is anything to do: an index at the change's end or beyond holds it already.

    Raises:
        IndexingError: changes between the index and this one are missing.
    """
    if change.since > revision:
        raise IndexingError(
            f"the index stands at revision {revision}, and the change starts at {change.since}: replay what is between"
        )
    return change.revision > revision
