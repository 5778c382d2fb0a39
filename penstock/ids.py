"""The written recipe of every id. Ids are stable across machines, runs and backends; `RECIPE` is part of each.

Every id is the first 32 hexadecimal digits (128 bits) of a SHA-256 over the recipe version and the parts, each part
preceded by its length in bytes, so that no two different lists of parts give the same input.
"""

import hashlib
import json
from collections.abc import Sequence

from penstock.model import Block, Span

RECIPE = "penstock-ids-1"


def digest(*parts: str) -> str:
    """32 hexadecimal digits for a list of texts.

    >>> digest("a", "bc") == digest("ab", "c")
    False
    """
    sha = hashlib.sha256()
    for part in (RECIPE, *parts):
        encoded = part.encode("utf-8", "surrogatepass")
        sha.update(len(encoded).to_bytes(8, "big"))
        sha.update(encoded)
    return sha.hexdigest()[:32]


def document_id(collection: str, uri: str) -> str:
    """Id of the document that a collection holds for a URI: it stays while the content changes."""
    return digest("document", collection, uri)


def content_hash(title: str, language: str, text: str, blocks: Sequence[Block]) -> str:
    """Hash of everything that was read: equal for exact copies, whatever their names and places in the file tree."""
    return digest("content", title, language, text, json.dumps([_plain(block) for block in blocks]))


def chunk_id(content: str, span: Span, chunker: str) -> str:
    """Id of a chunk, from its document's content hash, its span and the chunker's fingerprint.

    Moving or copying a file keeps the ids of its chunks.
    """
    return digest("chunk", content, str(span.start), str(span.end), chunker)


def text_hash(text: str) -> str:
    """Key of a text in the embedding cache."""
    return digest("text", text)


def _plain(block: Block) -> list[object]:
    """What of a block is in the hash: part of the recipe, and so not whatever fields a block has."""
    places = [[place.page, list(place.box) if place.box else None, place.label] for place in block.places]
    return [block.kind, list(block.span), places, block.level]
