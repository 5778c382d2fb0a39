"""A chunker of another distribution whose pieces overlap: how much they may, and the error where it is more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import registry
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel

SLIDING = """
from penstock.chunkers import chunks_of
from penstock.model import Draft, Span


class Sliding:
    def __init__(self, counter, *, size, tokenizer):
        self._size, self.fingerprint = size, f"sliding-{size}"

    def chunk(self, document, content):
        starts = range(0, len(document.text) - self._size + 1, 10)
        drafts = [Draft(span=Span(start, start + self._size), headings=()) for start in starts]
        return chunks_of(drafts, document, content, fingerprint=self.fingerprint)
"""


@pytest.fixture
def _sliding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pieces of `size` characters, each ten after the last."""
    info = tmp_path / "site" / "sliding_chunker-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "sliding_chunker.py").write_text(SLIDING, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sliding-chunker\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[penstock.chunkers]\nsliding = sliding_chunker:Sliding\n", "utf-8")
    monkeypatch.syspath_prepend(str(info.parent))
    registry._found.cache_clear()
    yield
    registry._found.cache_clear()


@pytest.mark.usefixtures("_sliding")
def test_pieces_that_overlap_too_much_are_told_and_tried_again_with_others(
    model: LittleModel, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("turbine".ljust(10, "s") * 300, "utf-8")

    def cut_to(size: int) -> Any:
        settings = read_settings(home=home, allow_external=True, chunker={"name": "sliding", "size": size})
        with Penstock(settings=settings) as penstock:
            (result,) = penstock.ingest(path).results
        return result

    failed = cut_to(200)
    assert failed.outcome == "failed"
    assert "more than the 16 times that they may" in failed.reason
    assert failed.reason.endswith("choose a chunker, or options of it, whose pieces overlap less")
    assert "a.txt' is cut into pieces that say its text 18.7 times" in failed.reason
    assert "tried again when the file, a limit or the chunker changes" in cut_to(200).reason
    indexed = cut_to(150)
    assert (indexed.outcome, indexed.chunks) == ("indexed", 286)
    assert "18.7 times" in cut_to(200).reason
