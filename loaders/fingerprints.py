"""Fingerprints of loaders: what must be read again when a loader or the library behind it changes."""

from importlib.metadata import version


def fingerprint(name: str, revision: int, *distributions: str, **options: str | int | bool) -> str:
    """Name and revision of a loader, the versions of the distributions behind it, and the options that are set.

    Nothing is imported.

    >>> fingerprint("text", 1, encoding="big5"), fingerprint("text", 1, encoding="")
    ('text-1 encoding=big5', 'text-1')
    """
    libraries = [f"{distribution}-{version(distribution)}" for distribution in distributions]
    chosen = [f"{key}={value}" for key, value in sorted(options.items()) if value]
    return " ".join((f"{name}-{revision}", *libraries, *chosen))
