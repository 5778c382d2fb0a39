"""Exports a collection at its newest revision into one file, with only a part of it in memory at a time."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penstock import __version__
from penstock.catalog import Catalog, Collection, StoredDocument
from penstock.errors import CatalogError, UsageError
from penstock.files import replacing
from penstock.pipelines.history.disk import DiskUse
from penstock.pipelines.history.package import (
    FORMAT,
    MANIFEST,
    CarriedAddress,
    CarriedChunk,
    CarriedDocument,
    CarriedFailure,
    CarriedSource,
    Manifest,
    Member,
    adapter,
)

STORED = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A collection in a file."""

    collection: str
    revision: int
    file: Path
    bytes: int
    sha256: str
    before: DiskUse
    after: DiskUse


def export(catalog: Catalog, collection: Collection, target: Path) -> tuple[int, str]:
    """Writes the file, whole or not at all; gives the revision that is in it, and the file's SHA-256.

    Raises:
        UsageError: there is such a file already, or no such folder.
        CatalogError: the file or the catalog cannot be written or read.
    """
    if target.exists():
        raise UsageError(f"{str(target)!r} is there already; give another name, or move it away")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {str(target.parent)!r}")
    try:
        with replacing(target, private=True) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
            revision = _write(zipped, catalog, collection)
        with target.open("rb") as written:
            sha = hashlib.file_digest(written, "sha256").hexdigest()
    except OSError as error:
        raise CatalogError(f"{str(target)!r} cannot be written: {error.strerror or error}") from error
    return revision, sha


def _write(zipped: zipfile.ZipFile, catalog: Catalog, collection: Collection) -> int:
    revision, history, identity = collection.revision(), collection.history, collection.embedder()
    dimension = collection.dimension()
    order = {run: place for place, run in enumerate(sorted({given.run for given in collection.given().values()}))}

    def addresses() -> Iterator[CarriedAddress]:
        for uri, given in sorted(collection.given().items()):
            access = None if given.access is None else tuple(sorted(given.access))
            yield CarriedAddress(uri=uri, access=access, order=order[given.run])

    def vectors() -> Iterator[bytes]:
        for hashes in history.text_hashes(revision):
            found = catalog.vectors.get(identity, hashes)
            if len(found) < len(hashes):
                raise CatalogError("a chunk has no vector: the catalog is damaged; `penstock doctor --deep` says more")
            yield np.stack([found[key] for key in hashes]).astype(STORED).tobytes()

    parts: dict[str, Callable[[], Iterator[bytes]]] = {
        "documents.jsonl": lambda: (_line(CarriedDocument, _carried(stored)) for stored in history.documents(revision)),
        "sources.jsonl": lambda: (
            _line(
                CarriedSource,
                CarriedSource(
                    source=upsert.source,
                    outcome=upsert.outcome,
                    reason=upsert.reason,
                    content=upsert.content,
                    loader=upsert.loader,
                    chunker=upsert.chunker,
                ),
            )
            for upsert in history.sources(revision)
        ),
        "gone.jsonl": lambda: (_line(type(source), source) for source in history.gone()),
        "quarantine.jsonl": lambda: (
            _line(
                CarriedFailure,
                CarriedFailure(source=failed.source, loader=failed.loader, failure=failed.failure, since=failed.since),
            )
            for failed in collection.quarantine()
        ),
        "addresses.jsonl": lambda: (_line(CarriedAddress, address) for address in addresses()),
        "hashes.txt": lambda: (f"{key}\n".encode() for keys in history.text_hashes(revision) for key in keys),
        "vectors.f32": vectors,
    }
    manifest = Manifest(
        format=FORMAT,
        penstock=__version__,
        name=collection.name,
        origin=collection.origin,
        revision=revision,
        embedder=identity,
        dimension=dimension,
        members={name: _member(zipped, name, pieces()) for name, pieces in parts.items()},
    )
    zipped.writestr(MANIFEST, _line(Manifest, manifest))
    return revision


def _member(zipped: zipfile.ZipFile, name: str, pieces: Iterator[bytes]) -> Member:
    sha, count = hashlib.sha256(), 0
    info = zipfile.ZipInfo(name)  # its date is always the same: equal collections give equal parts
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".f32") else zipfile.ZIP_DEFLATED
    with zipped.open(info, "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)
            sha.update(piece)
            count += len(piece)
    return Member(sha256=sha.hexdigest(), bytes=count)


def _line(kind: object, value: object) -> bytes:
    line: bytes = adapter(kind).dump_json(value)
    return line + b"\n"


def _carried(stored: StoredDocument) -> CarriedDocument:
    document = stored.document
    return CarriedDocument(
        id=document.id,
        uri=document.source.uri,
        content=stored.content,
        title=document.title,
        language=document.language,
        loader=document.loader,
        chunker=stored.chunker,
        text=document.text,
        blocks=document.blocks,
        chunks=tuple(
            CarriedChunk(
                id=chunk.id,
                span=chunk.span,
                headings=chunk.headings,
                places=chunk.places,
                language=chunk.language,
                table_header=chunk.table_header,
            )
            for chunk in stored.chunks
        ),
    )
