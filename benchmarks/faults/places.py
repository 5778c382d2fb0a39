"""Where the collection under test is, and how a child opens it: a home, a catalog, and settings that change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.faults.work import BATCH
from penstock import registry
from penstock.analysis.analyser import TextAnalyser
from penstock.pipelines.ingest import ingest
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings, read_settings
from penstock.testing.doubles.embedders import LittleModel

COLLECTION = "faults"
ARRIVED = "arrived"
"""The collection that an import makes from an export of `COLLECTION`."""
DIMENSIONS = (8, 12)
"""Lengths of the vectors of the two models that are used in turn."""
CHUNK_TOKENS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A home and its settings."""

    home: Path
    url: str = ""
    """Address of the catalog's server; empty: a file in the home."""
    keyword: str = "tantivy"
    model: int = 0
    """Which of the two models is set."""
    words: int = 0
    """Which of the two user dictionaries is set."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        dictionary = self.home / f"words-{self.words}.txt"
        if not dictionary.exists():
            dictionary.write_text(f"水轮机{self.words}\n", "utf-8")
        return read_settings(
            home=self.home,
            collection=COLLECTION,
            catalog={"url": self.url},
            batch=BATCH,
            chunker={"size": CHUNK_TOKENS},
            indexes={"keyword": self.keyword},
            analyser={"user_dictionary": dictionary},
        )

    @property
    def indexes(self) -> list[Path]:
        """The folders of all indexes, also of those that were moved away."""
        return sorted((self.home / "collections").glob(f"{COLLECTION}-*/*"))

    @property
    def exported(self) -> Path:
        """Where an export is written, until it is imported again."""
        return self.home / "export.zip"

    @property
    def aside(self) -> int:
        """How many indexes were moved away."""
        return sum(".aside-" in folder.name for folder in self.indexes)


def warm() -> None:
    """Loads what each child would otherwise load itself: modules that are imported late, and dictionaries."""
    for name in ("tantivy", "rank-bm25", "faiss"):
        registry.load("indexers", name)
    for module in ("faiss", "tantivy", "rank_bm25", "filelock", "numpy.ma"):
        import_module(module)
    TextAnalyser(user_dictionary=None, synonyms=None).tokens("turbines 水轮机")


def prepare(*, follow_each_commit: bool) -> None:
    """Lets the indexes of this process, a child, follow each commit, if that is asked for."""
    if follow_each_commit:
        ingest.SECONDS_BETWEEN_FOLLOWS = -1.0


@contextmanager
def opened(place: Place, collection: str = COLLECTION) -> Iterator[Penstock]:
    """The workspace of a place, with the little model that is set there; for a process that opens no other model."""
    model = LittleModel(dimension=DIMENSIONS[place.model])
    with Penstock(settings=place.settings, collection=collection, embedder=model) as penstock:
        yield penstock
