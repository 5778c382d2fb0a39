"""Which files the loaders of other distributions claim, beside those that the built-in loaders take."""

import hashlib
from dataclasses import dataclass

from penstock.loaders.detection.container_types import ENCRYPTED_OFFICE
from penstock.loaders.detection.kinds import BUILT_IN, CSV, JSON, MARKDOWN, PLAIN, TSV, XML, ending_of
from penstock.model import FileKind

_TAKEN = {kind.media_type for kind in BUILT_IN} | {ENCRYPTED_OFFICE}
_ENDINGS = {ending for kind in BUILT_IN for ending in kind.suffixes}
_CARRIERS = frozenset((PLAIN, JSON, XML, MARKDOWN, CSV, TSV))
"""Kinds of text in which other formats are written: notebooks are JSON, drawings XML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The kinds that other distributions add. What the built-in loaders take stays theirs, unless a setting says so."""

    kinds: tuple[FileKind, ...] = ()
    preferred: frozenset[str] = frozenset()
    """Media types for which a setting names the loader: they go before the kinds of the built-in loaders."""

    def settle(self, found: str, head: bytes, name: str, declared: str) -> str:
        """The media type of a file that was found to be of the kind `found`: that one, or one that is added.

        First bytes decide, where a kind states any; name and declaration choose among several, and take a text from a
        kind in which other formats are written, where its ending is none of the built-in loaders'.
        """
        fitting = [kind for kind in self.kinds if self._may_be(kind, found, head, name, declared)]
        fitting.sort(key=lambda kind: (kind.media_type not in self.preferred, not _is_named(kind, name, declared)))
        return fitting[0].media_type if fitting else found

    def _may_be(self, kind: FileKind, found: str, head: bytes, name: str, declared: str) -> bool:
        named = _is_named(kind, name, declared)
        if not (head.startswith(kind.magic) if kind.magic else named and head):
            return False
        if kind.media_type in self.preferred or found not in _TAKEN:
            return True
        return named and found in _CARRIERS and ending_of(name) not in _ENDINGS

    def mark(self, uri: str = "") -> str:
        """What changes when a file of that name may be of another kind than it was found to be; empty without claims.

        Without a name: of any file that no loader took.
        """
        ending = ending_of(uri)
        about = [kind for kind in self.kinds if not uri or ending in kind.suffixes]
        if not about:
            return ""
        claims = repr([(kind, kind.media_type in self.preferred) for kind in about])
        return f"; told from {hashlib.sha256(claims.encode()).hexdigest()[:8]}"


NONE = Claims()
"""Where no other distribution adds any."""


def _is_named(kind: FileKind, name: str, declared: str) -> bool:
    return ending_of(name) in kind.suffixes or declared.partition(";")[0].strip().lower() == kind.media_type
