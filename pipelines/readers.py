"""Who asks, as the calls of a workspace take it: principals by name, of which None stands for no restriction."""

from collections.abc import Iterable

from penstock.errors import UsageError

Principals = Iterable[str] | None
"""The names of those who ask; none of them is somebody who sees what everybody does."""


def principals_of(given: str | Iterable[str]) -> frozenset[str]:
    """One principal or several.

    Raises:
        UsageError: one is blank, as an unset variable of a script is.
    """
    names = frozenset([given] if isinstance(given, str) else given)
    if not all(name.strip() for name in names):
        raise UsageError("the name of a principal is blank; what everybody may see: --everybody, in Python access=()")
    return names


def reader_of(given: str | Principals) -> frozenset[str] | None:
    """The same; None where nobody is named."""
    return None if given is None else principals_of(given)
