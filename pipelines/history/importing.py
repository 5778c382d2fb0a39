"""Imports a collection from a file into a catalog: all of it or nothing, and only after checking all ids and hashes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from penstock.catalog import Catalog, Parcel, Quarantined, Upsert
from penstock.errors import BrokenSource
from penstock.ids import chunk_id, content_hash, document_id
from penstock.loaders.sandbox.answers import OVERLAP
from penstock.model import Access, Chunk, Document, Place, Source, Span
from penstock.pipelines.history.disk import DiskUse
from penstock.pipelines.history.package import (
    CarriedAddress,
    CarriedChunk,
    CarriedDocument,
    CarriedFailure,
    CarriedSource,
    Package,
    parsed,
    reading,
)
from penstock.ports import Float32Array

VECTORS_AT_ONCE = 500
LONGEST_VECTOR = 65_536
HASH = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A collection out of a file."""

    collection: str
    file: Path
    exported_revision: int
    """Its revision where it was exported; here it starts again."""
    sources: int
    chunks: int
    before: DiskUse
    after: DiskUse
    remarks: tuple[str, ...]


def name_in(path: Path) -> str:
    """The name of the collection in a file.

    Raises: as `take_in`.
    """
    with reading(path) as package:
        return package.manifest.name


def take_in(catalog: Catalog, path: Path, name: str) -> int:
    """Makes a collection of that name of a file; gives the revision that it had where it was exported.

    Raises:
        BrokenSource: the file is no export, is damaged, or holds what does not fit together.
        NewerCatalog: a newer version of Penstock wrote it.
        UsageError: there is a collection of that name.
        CatalogError: the catalog cannot be written. Nothing was written, whichever it is.
    """
    with reading(path) as package:
        package.check()  # before the catalog is locked for as long as the rest takes
        manifest = package.manifest
        if not 0 <= manifest.dimension <= LONGEST_VECTOR:
            raise BrokenSource(f"{package.where}: vectors of {manifest.dimension} numbers; at most {LONGEST_VECTOR}")
        catalog.receive(
            name,
            Parcel(
                origin=manifest.origin,
                embedder=manifest.embedder,
                dimension=manifest.dimension,
                vectors=_vectors(package),
                documents=_documents(package),
                sources=_sources(package),
                gone=_gone(package),
                quarantine=_quarantine(package),
                addresses=_addresses(package),
            ),
        )
        return manifest.revision


def _documents(package: Package) -> Iterator[Upsert]:
    for line, where in package.lines("documents.jsonl"):
        carried: CarriedDocument = parsed(CarriedDocument, line, where)
        yield _checked(carried, package.manifest.origin, where)


def _checked(carried: CarriedDocument, origin: str, where: str) -> Upsert:
    """The document with its chunks, whose ids were all recomputed and compared."""
    if carried.id != document_id(origin, carried.uri):
        raise BrokenSource(f"{where}: the id of the document is not the one of its address")
    length = len(carried.text)
    if sum(max(0, chunk.span.end - chunk.span.start) for chunk in carried.chunks) > OVERLAP * length:
        raise BrokenSource(f"{where}: its chunks say the text more than {OVERLAP} times, all taken together")
    for block in carried.blocks:
        _check_span(block.span, length, where)
        _check_places(block.places, where)
    if carried.content != content_hash(carried.title, carried.language, carried.text, carried.blocks):
        raise BrokenSource(f"{where}: the hash of the document is not the one of its text")
    source = Source(uri=carried.uri, media_type="", sha256="", size=0, labels={})
    return Upsert(
        source=source,
        outcome="indexed",
        reason="",
        content=carried.content,
        loader=carried.loader,
        chunker=carried.chunker,
        document=Document(
            id=carried.id,
            source=source,
            title=carried.title,
            language=carried.language,
            text=carried.text,
            blocks=carried.blocks,
            loader=carried.loader,
        ),
        chunks=tuple(_chunk(chunk, carried, where) for chunk in carried.chunks),
    )


def _chunk(carried: CarriedChunk, document: CarriedDocument, where: str) -> Chunk:
    _check_span(carried.span, len(document.text), where)
    _check_places(carried.places, where)
    if carried.id != chunk_id(document.content, carried.span, document.chunker):
        raise BrokenSource(f"{where}: the id of a chunk is not the one of its span")
    return Chunk(
        id=carried.id,
        document_id=document.id,
        span=carried.span,
        text=document.text[carried.span.start : carried.span.end],
        headings=carried.headings,
        places=carried.places,
        language=carried.language,
        table_header=carried.table_header,
    )


def _check_span(span: Span, length: int, where: str) -> None:
    if not 0 <= span.start <= span.end <= length:
        raise BrokenSource(f"{where}: a span of {list(span)} in a text of {length} characters")


def _check_places(places: tuple[Place, ...], where: str) -> None:
    for place in places:
        if not 1 <= place.page < 2**31 or (place.box and not all(map(isfinite, place.box))):
            raise BrokenSource(f"{where}: a place that no page has")


def _sources(package: Package) -> Iterator[Upsert]:
    for line, where in package.lines("sources.jsonl"):
        carried: CarriedSource = parsed(CarriedSource, line, where)
        yield Upsert(
            source=_plain(carried.source, where),
            outcome=carried.outcome,
            reason=carried.reason,
            content=carried.content,
            loader=carried.loader,
            chunker=carried.chunker,
        )


def _plain(source: Source, where: str) -> Source:
    numbers = [value for value in source.labels.values() if isinstance(value, float)]
    if source.size < 0 or not all(map(isfinite, numbers)) or (source.modified and source.modified.tzinfo is None):
        raise BrokenSource(f"{where}: a size, a date or a label that no source has")
    return source


def _gone(package: Package) -> Iterator[Source]:
    for line, where in package.lines("gone.jsonl"):
        yield _plain(parsed(Source, line, where), where)


def _quarantine(package: Package) -> Iterator[Quarantined]:
    for line, where in package.lines("quarantine.jsonl"):
        carried: CarriedFailure = parsed(CarriedFailure, line, where)
        if carried.since.tzinfo is None:
            raise BrokenSource(f"{where}: a time without a zone")
        yield Quarantined(
            source=_plain(carried.source, where), loader=carried.loader, failure=carried.failure, since=carried.since
        )


def _addresses(package: Package) -> Iterator[tuple[str, Access | None, int]]:
    for line, where in package.lines("addresses.jsonl"):
        carried: CarriedAddress = parsed(CarriedAddress, line, where)
        if not 0 <= carried.order < 2**31:
            raise BrokenSource(f"{where}: an order that no export has")
        yield carried.uri, None if carried.access is None else frozenset(carried.access), carried.order


def _vectors(package: Package) -> Iterator[Mapping[str, Float32Array]]:
    """Vectors by hash, each hash once: shape (dimension,), float32; they are checked to be finite when written."""
    size = package.manifest.dimension * 4
    last, waiting = "", []
    with package.part("vectors.f32") as data:
        for line, where in package.lines("hashes.txt"):
            key = line[:-1].decode("ascii", "replace")
            if not HASH.fullmatch(key) or key <= last:
                raise BrokenSource(f"{where}: not a hash, or not in order")
            last = key
            vector = data.read(size)
            if not size or len(vector) < size:
                raise BrokenSource(f"{where}: there is no vector for it")
            waiting.append((key, np.frombuffer(vector, np.dtype("<f4")).astype(np.float32)))
            if len(waiting) == VECTORS_AT_ONCE:
                yield dict(waiting)
                waiting = []
        if data.read(1):
            raise BrokenSource(f"{package.where}: more vectors than hashes")
    if waiting:
        yield dict(waiting)
