"""Decides which known sources are gone, and refuses to remove too many at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from penstock.ports import Lister

ALWAYS_ALLOWED = 10
"""This many sources may always be removed, whatever their share: small collections are emptied on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The sources that a run removes, or why it removes none."""

    uris: tuple[str, ...] = ()
    reason: str = "no longer there"
    left_out: tuple[str, ...] = ()
    """Known sources that a setting excludes now, such as links: they are removed whatever the guard says, and their
    outcome is that of their listing."""
    behind: tuple[str, ...] = ()
    """Known sources behind a linked folder that is excluded; they are removed whatever the guard says."""
    refused: str = ""
    """Set where the guard stops the removal: how many it would remove, how many are allowed, and what to do next."""
    remarks: tuple[str, ...] = ()
    since: int | None = None
    """The collection's revision when the listing began: sources that another run added or changed later stay, because
    the listing may have missed them. None: all are removed."""

    @property
    def removed(self) -> tuple[str, ...]:
        """Sources that end as removed."""
        return self.behind + self.uris


def is_gone(uri: str, listers: Sequence[Lister]) -> bool:
    """Whether a complete listing covers a missing source, and no incomplete listing might contain it."""
    covering = [lister for lister in listers if lister.covers(uri)]
    return bool(covering) and all(lister.complete() for lister in covering)


def guarded(missing: Iterable[str], *, known: Callable[[], int], share: float, remarks: tuple[str, ...]) -> Removal:
    """The removal of the missing sources, unless they are more than the share of the known ones that may go.

    The known sources are counted only where that decides; of a refused removal only the number is kept.
    """
    missing = iter(missing)
    uris = list(islice(missing, ALWAYS_ALLOWED + 1))
    if len(uris) > ALWAYS_ALLOWED:
        count = known()
        uris += islice(missing, max(0, int(share * count) + 1 - len(uris)))
        if len(uris) > share * count:
            found = len(uris) + sum(1 for _ in missing)
            return Removal(
                refused=f"{found} of {count} sources are no longer there, more than the {share:.0%} that one run "
                "may remove: none was removed. Check that the folder is complete (a drive that is not mounted?); if "
                "they are really gone, run again with --removal-share 1",
                remarks=remarks,
            )
    return Removal(uris=tuple(uris), remarks=remarks)
