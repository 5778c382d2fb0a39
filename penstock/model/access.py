"""Who may see a source: a set of principals; the empty set means everybody."""

from collections.abc import Iterable

Access = frozenset[str]
"""Principals that may see a source; empty means everybody."""
EVERYBODY: Access = frozenset()


def may_see(access: Access, principals: frozenset[str] | None) -> bool:
    """Whether a reader sees what has this access; None means no restriction.

    >>> may_see(frozenset({"staff"}), frozenset()), may_see(EVERYBODY, frozenset())
    (False, True)
    """
    return principals is None or not access or bool(access & principals)


def lets_in(access: Access, before: Access) -> bool:
    """Whether somebody sees what has this access who did not see it with the one before."""
    return bool(before) and (not access or bool(access - before))


def is_wider(access: Access, other: Access) -> bool:
    """Whether all readers of the other see it, and more.

    >>> is_wider(EVERYBODY, frozenset({"staff"})), is_wider(frozenset({"board"}), frozenset({"staff"}))
    (True, False)
    """
    return bool(other) and (not access or access > other)


def narrowest(several: Iterable[Access | None]) -> Access | None:
    """The readers that all of these have in common; None where there is none, or where one of these is None.

    >>> sorted(narrowest([EVERYBODY, frozenset({"ann", "bob"}), frozenset({"bob"})]) or ())
    ['bob']
    """
    common = EVERYBODY
    for access in several:
        if access is None or (common and access and not common & access):
            return None
        common = common & access if common and access else common or access
    return common


def readers(access: Access) -> str:
    """The readers, for messages: `everybody`, or the principals.

    >>> readers(frozenset({"staff", "board"})), readers(EVERYBODY)
    ("'board', 'staff'", 'everybody')
    """
    return ", ".join(map(repr, sorted(access))) or "everybody"
