"""Documents that a program hands over as text, without a file."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from penstock.catalog import Collection, KnownSource
from penstock.errors import LimitExceeded
from penstock.model import EVERYBODY, Access, Extraction, ExtractionWriter, Labels, Source
from penstock.pipelines.access.inheriting import NOTHING_SAID, UNKNOWN, Inheritance
from penstock.pipelines.ingest.outcomes import SourceOutcome, as_before, not_fetched
from penstock.pipelines.ingest.reading import cut
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
    """None: as it was before, or what its address was last given; else everybody."""

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
    """The text with U+FFFD for halves of surrogate pairs, which no database stores."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def readings_of(records: Iterable[Record], collection: Collection, chunker: Chunker) -> Iterator[SourceOutcome]:
    """What the catalog shall hold of each record; one that it holds already is unchanged."""
    for record in records:
        known = collection.known(record.uri)
        access = _access(record, collection, known)
        if access is None:
            yield not_fetched(record.uri, UNKNOWN, None)
            continue
        source = record.source(access)
        try:
            collection.check_uri(record.uri)
        except LimitExceeded as error:
            yield not_fetched(record.uri, str(error), known)
            continue
        if known and (known.source, known.chunker) == (source, chunker.fingerprint):
            yield as_before(known)
        else:
            yield cut(source, record.extraction(), LOADER, known, collection=collection.origin, chunker=chunker)


def _access(record: Record, collection: Collection, known: KnownSource | None) -> Access | None:
    if record.access is not None:
        return record.access
    if known is not None:
        return known.source.access
    return Inheritance(collection, [record.uri]).of(record.uri, tried=EVERYBODY, beside=NOTHING_SAID).access
