"""Which known sources are gone, and whether so many at once can be believed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from penstock.ports import Lister

ALWAYS_ALLOWED = 10
"""So many sources may always go, whatever their share: small collections are emptied on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The sources that a run removes, or why it does not."""

    uris: tuple[str, ...] = ()
    reason: str = "no longer there"
    left_out: tuple[str, ...] = ()
    """Known sources that a setting leaves out now, such as links: they are gone whatever the guard says, and their
    outcome is that of their listing."""
    behind: tuple[str, ...] = ()
    """Known sources behind a linked folder that is left out; they go whatever the guard says."""
    refused: str = ""
    """Set where the guard stops the removal: what it would have been, what is allowed, what to do next."""
    remarks: tuple[str, ...] = ()
    since: int | None = None
    """The collection's revision when the listing began: what another run brought or changed after it, which the listing
    may have missed, stays. None: whatever there is goes."""

    @property
    def removed(self) -> tuple[str, ...]:
        """Sources that end as removed."""
        return self.behind + self.uris


def is_gone(uri: str, listers: Sequence[Lister]) -> bool:
    """Whether a complete listing speaks for a missing source, and no incomplete one might have listed it."""
    speaking = [lister for lister in listers if lister.covers(uri)]
    return bool(speaking) and all(lister.complete() for lister in speaking)


def guarded(missing: Iterable[str], *, known: Callable[[], int], share: float, remarks: tuple[str, ...]) -> Removal:
    """The removal of the missing sources, unless they are more than the share of the known ones that may go.

    The known ones are counted where that decides it; of what may not go no more is kept than its number.
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
