"""Small documents for tests of the catalog and of what follows it, made from plain paragraphs."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from penstock.catalog import Catalog, Upsert
from penstock.catalog.database.dialect import backend_of
from penstock.ids import chunk_id, content_hash, document_id, text_hash
from penstock.model import Chunk, Document, ExtractionWriter, Labels, Outcome, Place, Source
from penstock.ports import Float32Array

DIMENSION = 8


def make_source(
    uri: str,
    *,
    media_type: str = "text/plain",
    sha256: str = "",
    modified: datetime | None = None,
    labels: Labels | None = None,
    access: Iterable[str] = (),
) -> Source:
    """A source; without a hash, its bytes are made from its URI."""
    return Source(
        uri=uri,
        media_type=media_type,
        sha256=sha256 or hashlib.sha256(uri.encode()).hexdigest(),
        size=len(uri),
        modified=modified,
        labels=labels or {},
        access=frozenset(access),
    )


def make_put(
    collection: str,
    source: Source,
    paragraphs: Sequence[str],
    *,
    title: str = "",
    languages: Sequence[str] = ("en",),
    pages: Sequence[Sequence[int]] = (),
    chunker: str = "paragraphs-1",
    loader: str = "lines-1",
    outcome: Outcome = "indexed",
) -> Upsert:
    """An upsert of a document with one chunk a paragraph; `languages` and `pages` repeat when they are shorter."""
    writer = ExtractionWriter()
    for number, paragraph in enumerate(paragraphs):
        on = pages[number % len(pages)] if pages else ()
        writer.add("paragraph", paragraph, places=tuple(Place(page=page) for page in on))
    read = writer.finish(title=title)
    content = content_hash(read.title, languages[0], read.text, read.blocks)
    document = Document(
        id=document_id(collection, source.uri),
        source=source,
        title=read.title,
        language=languages[0],
        text=read.text,
        blocks=read.blocks,
        loader=loader,
    )
    chunks = tuple(
        Chunk(
            id=chunk_id(content, block.span, chunker),
            document_id=document.id,
            span=block.span,
            text=read.text[slice(*block.span)],
            headings=(title,) if title else (),
            places=block.places,
            language=languages[number % len(languages)],
        )
        for number, block in enumerate(read.blocks)
    )
    return Upsert(
        source=source,
        outcome=outcome,
        reason="",
        content=content,
        loader=loader,
        chunker=chunker,
        document=document,
        chunks=chunks,
    )


def text_vector(text: str, dimension: int = DIMENSION) -> Float32Array:
    """A unit vector that depends on the text alone, float32, shape (dimension,)."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def cache_vectors(catalog: Catalog, identity: str, upserts: Iterable[Upsert]) -> None:
    """Puts the vectors of all chunks into the embedding cache."""
    contexts = [chunk.context for upsert in upserts for chunk in upsert.chunks]
    catalog.vectors.put(identity, {text_hash(context): text_vector(context) for context in contexts})


def execute_on(url: str, statement: str) -> None:
    """Runs one statement on a catalog's database, past the catalog."""
    engines = backend_of(url).connect()
    with engines.writing.begin() as connection:
        connection.exec_driver_sql(statement)
    engines.pool.dispose()
