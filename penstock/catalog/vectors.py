"""The embedding cache: one vector for each model and text, shared by all collections, computed once."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.dialect import insert_if_absent
from penstock.catalog.database.schema import models, vectors
from penstock.errors import CatalogError
from penstock.ports import Float32Array

STORED = np.dtype("<f4")
"""Vectors are stored in the database as little-endian 32-bit floats, whatever the machine."""


class Model(NamedTuple):
    """An embedding model as the cache knows it."""

    row: int
    dimension: int


class VectorCache:
    """Vectors by (model identity, `ids.text_hash` of the text); a stored vector is never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[str, Model] = {}

    def get(self, identity: str, hashes: Sequence[str]) -> dict[str, Float32Array]:
        """The stored vectors of these hashes, each of shape (dimension,), float32, read-only."""
        with self._database.read() as connection:
            model = self.model(connection, identity)
            return {} if model is None else read_vectors(connection, model, hashes)

    def missing(self, identity: str, hashes: Sequence[str]) -> set[str]:
        """Which of the hashes have no vector yet."""
        with self._database.read() as connection:
            model = self.model(connection, identity)
            return set(hashes) if model is None else missing_hashes(connection, model, hashes)

    def put(self, identity: str, found: Mapping[str, Float32Array]) -> None:
        """Stores vectors of shape (dimension,), float32; does not change those that are stored already.

        Raises:
            CatalogError: a vector is not finite, or not as long as the model's others; nothing is stored then.
        """
        if not found:
            return
        with self._database.write() as connection:
            model = self.write(connection, identity, found)
        self._models[identity] = model

    def write(self, connection: Connection, identity: str, found: Mapping[str, Float32Array]) -> Model:
        """Writes vectors of shape (dimension,), float32, in the caller's transaction.

        Raises: as `put`.
        """
        stacked = _checked(identity, found)
        model = self.interned(connection, identity, stacked.shape[1])
        rows = [
            {"model": model.row, "hash": key, "vector": vector.tobytes()}
            for key, vector in sorted(zip(found, stacked, strict=True), key=itemgetter(0))  # the same order everywhere:
        ]  # of two processes that write the same texts, one waits for the other, so there is no deadlock
        connection.execute(insert_if_absent(connection, vectors), rows)
        return model

    def know(self, identity: str, dimension: int) -> None:
        """Stores a model that may have no vectors yet, so that its dimension is known without any text.

        Raises:
            CatalogError: vectors of that identity have another length.
        """
        with self._database.read() as connection:
            known = self.model(connection, identity)
        if known is None or known.dimension != dimension:
            with self._database.write() as connection:
                model = self.interned(connection, identity, dimension)
            self._models[identity] = model

    def model(self, connection: Connection, identity: str) -> Model | None:
        """The model of that identity; None where it is not known."""
        if identity not in self._models:
            found = connection.execute(
                select(models.c.row, models.c.dimension).where(models.c.identity == identity)
            ).one_or_none()
            if found is None:
                return None
            self._models[identity] = Model(*found)
        return self._models[identity]

    def interned(self, connection: Connection, identity: str, dimension: int) -> Model:
        """The model of that identity, stored in the caller's transaction if needed.

        Raises:
            CatalogError: vectors of that identity have another length.
        """
        connection.execute(insert_if_absent(connection, models), {"identity": identity, "dimension": dimension})
        row, known = connection.execute(
            select(models.c.row, models.c.dimension).where(models.c.identity == identity)
        ).one()
        if known != dimension:
            raise CatalogError(
                f"vectors of {identity!r} have {known} numbers each, these have {dimension}: they are another model's"
            )
        return Model(row, dimension)


def _checked(identity: str, found: Mapping[str, Float32Array]) -> Float32Array:
    lengths = {vector.shape for vector in found.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise CatalogError(f"vectors of {identity!r} differ in shape: {sorted(lengths)}; allowed: one, (dimension,)")
    stacked = np.stack(list(found.values())).astype(STORED)
    finite = np.isfinite(stacked).all(axis=1)
    if not finite.all():
        key = list(found)[int(np.argmin(finite))]
        raise CatalogError(f"the vector of text {key} by {identity!r} is not finite; nothing was kept")
    return stacked


def read_vectors(connection: Connection, model: Model, hashes: Sequence[str]) -> dict[str, Float32Array]:
    """The stored vectors by hash, each of shape (dimension,), float32."""
    found: dict[str, Float32Array] = {}
    for page in pages(list(dict.fromkeys(hashes))):
        query = select(vectors.c.hash, vectors.c.vector).where(vectors.c.model == model.row, vectors.c.hash.in_(page))
        for key, data in connection.execute(query):
            if len(data) != model.dimension * STORED.itemsize:
                raise CatalogError(f"the vector of text {key} is damaged; restore the catalog from a copy")
            found[key] = np.frombuffer(data, dtype=STORED).astype(np.float32, copy=False)
    return found


def missing_hashes(connection: Connection, model: Model, hashes: Sequence[str]) -> set[str]:
    """Which of the hashes have no vector."""
    absent = set(hashes)
    for page in pages(list(absent)):
        query = select(vectors.c.hash).where(vectors.c.model == model.row, vectors.c.hash.in_(page))
        absent.difference_update(connection.scalars(query))
    return absent
