"""From a listed source to what is written to the catalog: fetch, sniff, parse, clean, chunk.

An error in a source becomes its outcome here: it fails that source and not the run.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Protocol

from penstock import ids
from penstock.catalog import Collection, KnownSource, Quarantined, Upsert
from penstock.chunkers import chunks_of
from penstock.errors import ExcludedSource, LimitExceeded, PenstockError, SourceError
from penstock.loaders import Parsed, shown
from penstock.model import (
    EVERYBODY,
    Access,
    Chunk,
    Document,
    Draft,
    Extraction,
    Failure,
    Fetched,
    Labels,
    Listed,
    Source,
)
from penstock.pipelines.access.inheriting import NOTHING_SAID, UNKNOWN, Inherited, access_of_copies
from penstock.pipelines.ingest import outcomes
from penstock.pipelines.ingest.documents import Formats, dated, document_of, not_read, read_with, source_of, unsupported
from penstock.pipelines.ingest.outcomes import SourceOutcome
from penstock.pipelines.ingest.preparation import fault
from penstock.pipelines.ingest.stopwatch import Stopwatch
from penstock.ports import Chunker, Fetcher

log = logging.getLogger(__name__)


class Parser(Protocol):
    """Parses, cleans and chunks in a process where that can do no harm."""

    def prepare(self, source: Source, path: Path, declared: str) -> Parsed | Failure:
        """The parsed file, or why it cannot be read; `declared` is the media type that its origin declared."""
        ...

    def cut(self, source: Source, extraction: Extraction) -> tuple[Draft, ...] | Failure | None:
        """Where a cleaned text is cut; None where that is left to the caller."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Labels and access to attach to a source; None keeps those it has."""

    labels: Labels | None = None
    access: frozenset[str] | None = None

    def on(self, source: Source) -> Source:
        """The source with these marks."""
        labels = source.labels if self.labels is None else self.labels
        access = source.access if self.access is None else self.access
        return replace(source, labels=labels, access=access)


KEEP = Marks()
"""Attaches nothing and takes nothing away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSource:
    """A source as its listing shows it, with the labels and access to attach."""

    listed: Listed
    marks: Marks = KEEP
    address: str = ""
    """The address given to the run under which the source was listed, as a URI; empty where it was named itself."""
    beside: Inherited = NOTHING_SAID
    """What it inherits from its neighbours if it is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownState:
    """What the catalog knew of a URI before the run."""

    known: KnownSource | None = None
    failed: Quarantined | None = None
    inherited: Inherited = NOTHING_SAID
    """What it inherits where the run does not give its access and it is new."""


class Reader:
    """Reads listed sources into the form in which the catalog holds them; safe to use from several threads."""

    def __init__(
        self,
        collection: Collection,
        *,
        fetcher_for: Callable[[str], Fetcher],
        formats: Formats,
        parser: Parser,
        chunker: Chunker,
        stopwatch: Stopwatch,
        limits: str = "",
    ) -> None:
        """`limits` names the parser's limits.

        A file that exceeded a limit is tried again when the limits or the chunker change.
        """
        self._collection = collection
        self._fetcher_for = fetcher_for
        self._formats = formats
        self._parser = parser
        self._chunker = chunker
        self._stopwatch = stopwatch
        self._limits = limits

    def settled(self, found: FoundSource, before: KnownState) -> SourceOutcome | None:
        """The outcome, where the listing alone shows that neither the source nor its loader has changed."""
        listed, known, failed = found.listed, before.known, before.failed
        if failed:
            same = _same(listed, failed.source) and self._is_as_tried(failed, self._loader(failed.source))
            marked = all(found.marks.on(record.source) == record.source for record in (known, failed) if record)
            return outcomes.not_tried_again(failed, known) if same and marked else None
        if known and _same(listed, known.source) and self._is_current(known, found.marks) and self._is_cut(known):
            return outcomes.as_before(known)
        return None

    def read(self, found: FoundSource, before: KnownState) -> SourceOutcome:
        """The outcome of a source that is fetched and read.

        Labels and access of what was read before are updated even where the source cannot be read now.
        """
        if before.known is None and found.marks.access is None and before.inherited.access is None:
            return outcomes.not_fetched(found.listed.uri, UNKNOWN, None)
        return _marked(self._read_or_failed(found, before), found.marks, before)

    def _read_or_failed(self, found: FoundSource, before: KnownState) -> SourceOutcome:
        listed = found.listed
        try:
            return self._read(found, before)
        except ExcludedSource as error:
            return outcomes.left_out(listed.uri, str(error), was_known=bool(before.known or before.failed))
        except SourceError as error:
            log.warning("not read: %s", error)
            return outcomes.not_fetched(listed.uri, str(error), before.known)
        except PenstockError:
            raise  # the catalog or a setting fails: all other sources would fail too
        except Exception as error:  # noqa: BLE001 - it ends in the outcome of this source: the others are not at fault
            log.warning("not read: %s (%s)", shown(listed.uri), type(error).__name__)
            return outcomes.not_fetched(listed.uri, fault(error), before.known)

    def _read(self, found: FoundSource, before: KnownState) -> SourceOutcome:
        listed, known = found.listed, before.known
        self._collection.check_uri(listed.uri)
        reusable = known if known and not before.failed and self._loader(known.source) == known.loader else None
        if reusable and _same(listed, reusable.source):  # only its access and labels can have changed
            return self._cut_again(found.marks.on(reusable.source), reusable)
        with ExitStack() as at_hand:
            with self._stopwatch.timing("fetch", shown(listed.uri)):
                fetching = self._fetcher_for(listed.uri).fetch(listed, reusable.source if reusable else None)
                fetched = at_hand.enter_context(fetching)
            if fetched is None and reusable:
                return self._cut_again(dated(found.marks.on(reusable.source), listed), reusable)
            if fetched is None:
                raise AssertionError(f"{listed.uri}: called unchanged, but never read")
            return self._read_bytes(found, fetched, before)

    def _read_bytes(self, found: FoundSource, fetched: Fetched, before: KnownState) -> SourceOutcome:
        with self._stopwatch.timing("sniff"):
            media_type = self._formats.sniff(fetched.path, found.listed.uri, fetched.declared_type)
        source = found.marks.on(self._source(found.listed, fetched, media_type, before))
        loader = read_with(self._formats, media_type, found.listed.uri)
        if loader is None:
            return outcomes.skipped(source, unsupported(self._formats), not_read(media_type))
        known, failed = before.known, before.failed
        if failed and failed.source.sha256 == fetched.sha256 and self._is_as_tried(failed, loader):
            return outcomes.not_tried_again(failed, known, source)
        if known and (known.source.sha256, known.loader) == (fetched.sha256, loader):
            return self._cut_again(source, known)
        copy = self._collection.by_bytes(fetched.sha256, loader)
        if copy and copy.content and self._is_cut(copy):
            return outcomes.copied(source, copy)
        return self._parse(source, fetched, loader, known)

    def _source(self, listed: Listed, fetched: Fetched, media_type: str, before: KnownState) -> Source:
        labels = before.known.source.labels if before.known else {}
        access = before.known.source.access if before.known else self._inherited(before.inherited, fetched.sha256)
        return source_of(listed, fetched, media_type, labels=labels, access=access)

    def _inherited(self, inherited: Inherited, sha256: str) -> Access:
        if not inherited.decided:
            return access_of_copies(self._collection.access_of_bytes(sha256))
        return EVERYBODY if inherited.access is None else inherited.access  # None: the run itself says who

    def _parse(self, source: Source, fetched: Fetched, loader: str, known: KnownSource | None) -> SourceOutcome:
        with self._stopwatch.timing("parse", shown(source.uri)):
            parsed = self._parser.prepare(source, fetched.path, fetched.declared_type)
        if isinstance(parsed, Failure):
            # Without its message, in which a parser may quote the file.
            log.warning("not taken from the sandbox: %s (%s in %s)", shown(source.uri), parsed.kind, parsed.stage)
            return outcomes.broken(source, self._tried_with(parsed, loader), parsed, known)
        self._stopwatch.part("parse", parsed.seconds)
        with self._stopwatch.timing("chunk"):
            return cut(
                source,
                parsed.extraction,
                loader,
                known,
                collection=self._collection.origin,
                chunker=self._chunker,
                drafts=parsed.drafts,
            )

    def _cut_again(self, source: Source, known: KnownSource) -> SourceOutcome:
        """Chunks the stored text again, because the chunker or its settings changed; nothing is parsed."""
        if self._is_cut(known):
            return outcomes.touched(source, known) if source != known.source else outcomes.as_before(known)
        stored = self._collection.document(known.document_id)
        if stored is None:
            return outcomes.overtaken(source.uri, known)  # another run removed it since the look-up
        with self._stopwatch.timing("chunk"):
            drafts = self._parser.cut(source, _as_extraction(stored.document))
            if isinstance(drafts, Failure):
                return outcomes.not_fetched(source.uri, drafts.message, known)
            chunks = chunked(stored.document, stored.content, self._chunker, drafts)
        upsert = Upsert(
            source=source,
            outcome=known.outcome,
            reason=known.reason,
            content=stored.content,
            loader=known.loader,
            chunker=self._chunker.fingerprint,
            document=stored.document,
            chunks=chunks,
        )
        return outcomes.cut_again(upsert)

    def _is_cut(self, known: KnownSource) -> bool:
        return known.chunker in ("", self._chunker.fingerprint)

    def _is_current(self, known: KnownSource, marks: Marks) -> bool:
        marked = marks.on(known.source) == known.source
        return marked and self._loader(known.source) == known.loader

    def _is_as_tried(self, failed: Quarantined, loader: str) -> bool:
        return failed.loader == self._tried_with(failed.failure, loader)

    def _tried_with(self, failure: Failure, loader: str) -> str:
        if failure.kind != LimitExceeded.__name__:
            return loader
        return f"{loader}; {self._limits}; {self._chunker.fingerprint}"

    def _loader(self, source: Source) -> str:
        return read_with(self._formats, source.media_type, source.uri) or unsupported(self._formats)


def _marked(outcome: SourceOutcome, marks: Marks, before: KnownState) -> SourceOutcome:
    """The outcome, with the marks put on what was read or tried before, where nothing replaces that."""
    known, failed = before.known, before.failed
    if outcome.upsert or outcome.removed:
        return outcome
    if failed and outcome.quarantined is None and marks.on(failed.source) != failed.source:
        outcome = replace(outcome, quarantined=replace(failed, source=marks.on(failed.source)))
    if known is None or marks.on(known.source) == known.source:
        return outcome
    # An upsert takes a source out of quarantine: a source that stays there is entered again.
    upsert = outcomes.touched(marks.on(known.source), known).upsert
    return replace(outcome, upsert=upsert, quarantined=outcome.quarantined or failed)


def _as_extraction(document: Document) -> Extraction:
    return Extraction(title=document.title, text=document.text, blocks=document.blocks)


def _same(listed: Listed, source: Source) -> bool:
    if listed.version:
        return listed.version == source.etag
    return listed.modified is not None and listed.modified == source.modified and listed.size in (None, source.size)


def chunked(
    document: Document, content: str, chunker: Chunker, drafts: tuple[Draft, ...] | None = None
) -> tuple[Chunk, ...]:
    """The chunks of a document: from the drafts of the same chunker in another process, else made here.

    Raises:
        LimitExceeded: cutting takes too long.
    """
    if drafts is None:
        return tuple(chunker.chunk(document, content))
    return tuple(chunks_of(drafts, document, content, fingerprint=chunker.fingerprint))


def cut(
    source: Source,
    extraction: Extraction,
    loader: str,
    known: KnownSource | None,
    *,
    collection: str,
    chunker: Chunker,
    drafts: tuple[Draft, ...] | None = None,
) -> SourceOutcome:
    """The outcome of a source with an extracted text: its document and chunks, or that it has no text.

    `drafts` are the chunks that this chunker already made of the text in another process.

    Raises:
        LimitExceeded: cutting takes too long.
    """
    document = document_of(source, extraction, document_id=ids.document_id(collection, source.uri), loader=loader)
    content = ids.content_hash(document.title, document.language, document.text, document.blocks)
    chunks = chunked(document, content, chunker, drafts)
    pages = len({place.page for block in document.blocks for place in block.places}) or 1
    if not chunks:
        return outcomes.without_text(source, loader, extraction, pages=pages)
    outcome = outcomes.cut(document, content, chunks, chunker.fingerprint, extraction)
    if known and (known.content, known.chunker) == (content, chunker.fingerprint) and not extraction.problems:
        same = replace(outcome.result, outcome="unchanged", reason="read again: its text is the same")
        return replace(outcome, result=same, pages=pages)
    return replace(outcome, pages=pages)


class TimedChunker:
    """A chunker that gives up a document that takes longer than `seconds`; checked between chunks."""

    def __init__(self, inner: Chunker, *, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    @property
    def fingerprint(self) -> str:
        """That of the inner chunker, whose chunks are the same."""
        return self._inner.fingerprint

    @property
    def size(self) -> int:
        """That of the inner chunker."""
        return self._inner.size

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        """The document's chunks.

        Raises:
            LimitExceeded: it takes too long.
        """
        until = monotonic() + self._seconds
        for chunk in self._inner.chunk(document, content):
            if monotonic() > until:
                raise LimitExceeded(
                    f"{shown(document.source.uri)!r} took more than {self._seconds:g} seconds to be cut; "
                    "raise limits.parse_seconds (PENSTOCK_LIMITS__PARSE_SECONDS) to read it"
                )
            yield chunk
