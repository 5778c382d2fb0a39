"""Documents that a program hands over as text, without a file."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from penstock.catalog import Collection
from penstock.errors import LimitExceeded
from penstock.model import EVERYBODY, Access, Extraction, ExtractionWriter, Labels, Source
from penstock.pipelines.access.inheriting import NOTHING_SAID, UNKNOWN, Inheritance
from penstock.pipelines.ingest.lookups import NEW, known_of
from penstock.pipelines.ingest.outcomes import SourceOutcome, as_before, not_fetched
from penstock.pipelines.ingest.reading import KnownState, cut
from penstock.ports import Chunker

LOADER = "record-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A text under a URI of the caller's choice."""

    uri: str
    text: str
    title: str = ""
    labels: Labels = field(default_factory=dict)
    access: Access | None = None
    """None: the access it had before, or was last given to its address; else everybody."""

    def source(self, access: Access) -> Source:
        """Where the text came from, as the catalog keeps it, for those who may see it."""
        encoded = f"{self.title}\n{self.text}".encode("utf-8", "surrogatepass")
        return Source(
            uri=self.uri,
            media_type="text/plain",
            sha256=hashlib.sha256(encoded).hexdigest(),
            size=len(encoded),
            labels=self.labels,
            access=access,
        )

    def extraction(self) -> Extraction:
        """The text as paragraphs, parted at blank lines."""
        writer = ExtractionWriter()
        for paragraph in _whole(self.text).split("\n\n"):
            writer.add("paragraph", paragraph)
        return writer.finish(title=_whole(self.title))


def _whole(text: str) -> str:
    """The text with U+FFFD in place of lone surrogates, which no database stores."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Records:
    """Looks up records and turns each into an outcome; a record that the catalog holds already is unchanged."""

    def __init__(self, collection: Collection, chunker: Chunker) -> None:
        self._collection = collection
        self._chunker = chunker

    def known(self, items: Sequence[Record]) -> Mapping[str, KnownState]:
        """What is known of some records, and what new ones inherit."""
        before = dict(known_of(self._collection, [record.uri for record in items]))
        new = [record for record in items if record.access is None and before.get(record.uri, NEW).known is None]
        inheritance = Inheritance(self._collection, [record.uri for record in new])
        for record in new:
            inherited = inheritance.of(record.uri, tried=EVERYBODY, beside=NOTHING_SAID)
            before[record.uri] = replace(before.get(record.uri, NEW), inherited=inherited)
        return before

    def read(self, item: Record, before: KnownState) -> SourceOutcome:
        """The outcome of a record."""
        known = before.known
        access = _access(item, before)
        if access is None:
            return not_fetched(item.uri, UNKNOWN, None)
        source = item.source(access)
        try:
            self._collection.check_uri(item.uri)
        except LimitExceeded as error:
            return not_fetched(item.uri, str(error), known)
        if known and (known.source, known.chunker) == (source, self._chunker.fingerprint):
            return as_before(known)
        origin = self._collection.origin
        return cut(source, item.extraction(), LOADER, known, collection=origin, chunker=self._chunker)


def _access(record: Record, before: KnownState) -> Access | None:
    if record.access is not None:
        return record.access
    return before.known.source.access if before.known else before.inherited.access
