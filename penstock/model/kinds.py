"""What a loader states of the files that it takes."""

from dataclasses import dataclass

MEDIA_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*"
"""The form of a media type, without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """A kind of file: its media type, and the signs by which its files are recognised."""

    media_type: str
    """In small letters, without parameters."""
    suffixes: tuple[str, ...] = ()
    """Endings of names in small letters, each with its dot."""
    magic: tuple[bytes, ...] = ()
    """First bytes, any of which every file of this kind begins with; none where its beginning is no sign of it."""
    name: str = ""
    """What messages call it."""
