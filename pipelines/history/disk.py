"""How much disk space a home uses: reported before and after upkeep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from penstock.catalog import Catalog
from penstock.pipelines.indexing.set_aside import MARK, size_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """Bytes by content; without indexes on servers."""

    catalog: int
    """The database, with all collections."""
    indexes: int
    """The indexes of all collections in the home."""
    aside: int
    """Indexes that were replaced and moved away."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.catalog + self.indexes + self.aside


class Measured(Protocol):
    """Something that was done, with the disk use around it."""

    @property
    def before(self) -> DiskUse:
        """Before it was done."""
        ...

    @property
    def after(self) -> DiskUse:
        """After that."""
        ...


def disk_use(catalog: Catalog, home: Path) -> DiskUse:
    """What a home uses now."""
    folder = home / "collections"
    aside = sum(map(size_of, folder.glob(f"*/*{MARK}*")))
    indexes = sum(size_of(path) for path in folder.glob("*") if path.is_dir())
    return DiskUse(catalog=catalog.size(), indexes=indexes - aside, aside=aside)
