"""Which known sources are gone, and whether so many at once can be believed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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

    @property
    def removed(self) -> tuple[str, ...]:
        """Sources that end as removed."""
        return self.behind + self.uris


def gone(missing: Iterable[str], listers: Sequence[Lister]) -> list[str]:
    """Those of the missing sources that a complete listing speaks for, and no incomplete one might have listed."""
    complete = [lister for lister in listers if lister.complete()]
    incomplete = [lister for lister in listers if not lister.complete()]
    return [
        uri
        for uri in missing
        if any(lister.covers(uri) for lister in complete) and not any(lister.covers(uri) for lister in incomplete)
    ]


def guarded(missing: Sequence[str], *, known: int, share: float, remarks: tuple[str, ...]) -> Removal:
    """The removal of the missing sources of so many known ones, unless it is more than the share that may go."""
    if len(missing) > max(ALWAYS_ALLOWED, share * known):
        return Removal(
            refused=f"{len(missing)} of {known} sources are no longer there, more than the {share:.0%} that one run "
            "may remove: none was removed. Check that the folder is complete (a drive that is not mounted?); if they "
            "are really gone, run again with --removal-share 1",
            remarks=remarks,
        )
    return Removal(uris=tuple(missing), remarks=remarks)
