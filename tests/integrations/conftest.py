"""The sample documents and a shelf of marked texts, ingested once, as plug-ins find them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the collections `handbook`, without what OCR would read of it, and `shelf`."""
    home = tmp_path_factory.mktemp("library")
    with Penstock(settings=read_settings(home=home, collection="handbook", loaders={"ocr": "never"})) as penstock:
        assert not penstock.ingest(HANDBOOK).count("failed")
    with Penstock(home, "shelf") as penstock:
        penstock.add(shelf())
    return home


def shelf() -> Iterator[Record]:
    """Texts that differ in language, labels and readers."""
    yield Record(uri="memo:leave", text="Ten days of leave carry over.", labels={"team": "people", "year": 2026})
    yield Record(uri="memo:pay", text="Leave is paid in full.", labels={"team": "pay"}, access=frozenset({"staff"}))
    yield Record(uri="memo:plan", text="The leave plan is drawn up in May.", access=frozenset({"board"}))
    yield Record(uri="https://example.org/a?b=[1]", text="Leave days are counted in the portal.")
    yield Record(uri="memo:年假", text="年假可以结转，leave 最多十天。", labels={"team": "people"})


@pytest.fixture
def penstock(library: Path) -> Iterator[Penstock]:
    """The sample documents, opened."""
    with Penstock(library, "handbook") as opened:
        yield opened


@pytest.fixture
def marked(library: Path) -> Iterator[Penstock]:
    """The shelf, opened."""
    with Penstock(library, "shelf") as opened:
        yield opened
