"""Reading sources for a framework's own pipeline: one text a source or one a page, and no source lost in silence."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from penstock import errors
from penstock.errors import SourceError, UsageError
from penstock.integrations.hits import citation, name_of
from penstock.integrations.opening import GivenSettings, settings_of
from penstock.loaders import shown
from penstock.model import Block, Document, Failure, Place, SourceResult
from penstock.model.writing import SEPARATOR
from penstock.pipelines.extracting import Extracted, extract

By = Literal["source", "page"]
OnError = Literal["raise", "warn"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedText:
    """What a framework takes as a document: a whole source, or one page of it, without running headers and footers."""

    id: str
    text: str
    metadata: Mapping[str, Any]


class Loading:
    """Reads addresses (files, folders, URLs) into texts, and remembers how each source ended.

    A source that cannot be read raises its error, or with `on_error="warn"` is logged and left out. What is read only
    in part, holds no text, or is of a kind that nothing here reads, is logged as a warning either way.

    Raises:
        UsageError: there is no address, or an option is not one of those allowed.
        SettingsError: a setting is not known or not allowed.
    """

    def __init__(
        self, *addresses: str | Path, settings: GivenSettings | None, by: By = "source", on_error: OnError = "raise"
    ) -> None:
        if not addresses:
            raise UsageError("nothing to read: give at least one file, folder or URL")
        _check("by", by, get_args(By))
        _check("on_error", on_error, get_args(OnError))
        self._addresses = addresses
        self._settings = settings_of(settings)
        self._by = by
        self._on_error = on_error
        self.results: tuple[SourceResult, ...] = ()
        """The outcome of every source that the last reading has come to, in order."""

    def texts(self) -> Iterator[LoadedText]:
        """The texts, read while they are asked for.

        Raises:
            SourceError: a source cannot be read, unless that is to be logged; its subclass says why.
        """
        self.results = ()
        for extracted in extract(self._settings, *self._addresses):
            self.results = (*self.results, extracted.result)
            self._check(extracted)
            if extracted.document:
                yield from texts_of(extracted.document, by=self._by)

    def _check(self, extracted: Extracted) -> None:
        result = extracted.result
        if result.outcome == "failed" and extracted.failure and self._on_error == "raise":
            raise _error(extracted.failure)
        if result.outcome != "indexed":
            logger.warning("%s: %s (%s)", shown(result.uri), result.outcome, result.reason)


def texts_of(document: Document, *, by: By) -> Iterator[LoadedText]:
    """The document as one text, or as one a page; a block over a page break counts for the page where it begins."""
    blocks = [block for block in document.blocks if block.kind != "furniture"]
    pages = {block.places[0].page: block.places[0] for block in reversed(blocks) if block.places}
    if by == "source" or not pages:
        yield _text(document, blocks, None)
        return
    on: dict[int, list[Block]] = {page: [] for page in sorted(pages)}
    page = min(on)
    for block in blocks:  # a block without a page is on that of the block before
        page = block.places[0].page if block.places else page
        on[page].append(block)
    for page, found in on.items():
        yield _text(document, found, pages[page])


def _text(document: Document, blocks: list[Block], place: Place | None) -> LoadedText:
    source = document.source
    metadata = {
        "document_id": document.id,
        "source": source.uri,
        "title": document.title or name_of(source),
        "page": place.page if place else None,
        "citation": citation(source, (place,) if place else ()),
        "language": document.language,
        "media_type": source.media_type,
        "modified": source.modified.isoformat() if source.modified else None,
    }
    text = SEPARATOR.join(document.text[block.span.start : block.span.end] for block in blocks)
    return LoadedText(id=f"{document.id}-{place.page}" if place else document.id, text=text, metadata=metadata)


def _error(failure: Failure) -> SourceError:
    kind = getattr(errors, failure.kind, SourceError)
    if not (isinstance(kind, type) and issubclass(kind, SourceError)):
        kind = SourceError
    return kind(failure.message)


def _check(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{option}={value!r} is not allowed; give {' or '.join(map(repr, allowed))}")
