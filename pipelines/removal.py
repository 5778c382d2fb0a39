"""Which known sources are gone, and whether so many at once can be believed."""

from collections.abc import Collection as Container
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.pipelines.reading import Before
from penstock.ports import Lister

ALWAYS_ALLOWED = 10
"""So many sources may always go, whatever their share: small collections are emptied on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The sources that a run removes, or why it does not."""

    uris: tuple[str, ...] = ()
    reason: str = "no longer there"
    refused: str = ""
    """Set where the guard stops the removal: what it would have been, what is allowed, what to do next."""
    remarks: tuple[str, ...] = ()


def plan_removal(
    before: Mapping[str, Before], seen: Container[str], listers: Sequence[Lister], *, share: float
) -> Removal:
    """Known sources that a complete listing covers and did not find."""
    complete = [lister for lister in listers if lister.complete()]
    remarks: tuple[str, ...] = ()
    if len(complete) < len(listers):
        remarks = ("a listing was incomplete: sources that are missing from it were not removed",)
    gone = tuple(uri for uri in before if uri not in seen and any(lister.covers(uri) for lister in complete))
    if len(gone) > max(ALWAYS_ALLOWED, share * len(before)):
        return Removal(
            refused=f"{len(gone)} of {len(before)} sources are no longer there, more than the {share:.0%} that one run "
            "may remove: none was removed. Check that the folder is complete (a drive that is not mounted?); if they "
            "are really gone, run again with --removal-share 1",
            remarks=remarks,
        )
    return Removal(uris=gone, remarks=remarks)
