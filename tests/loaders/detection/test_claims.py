import io
import re
from pathlib import Path
from typing import BinaryIO

import pytest

from penstock.errors import SourceError
from penstock.loaders.detection.claims import NONE, Claims
from penstock.loaders.detection.sniffing import sniff
from penstock.model import Extraction, ExtractionWriter, FileKind, Source
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read

NOTEBOOKS = FileKind(media_type="application/x-ipynb+json", suffixes=(".ipynb",))
DRAWINGS = FileKind(media_type="application/x-drawing", suffixes=(".svg", ".draw"))
VAULTS = FileKind(media_type="text/x-vault", suffixes=(".md",))
SCANS = FileKind(media_type="image/x-scan", suffixes=(".scan",), magic=(b"SCAN\0",))
PICTURES = FileKind(media_type="image/x-better-png", magic=(b"\x89PNG",))
ALL = Claims(kinds=(NOTEBOOKS, DRAWINGS, VAULTS, SCANS, PICTURES))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SCAN = b"SCAN\0\1\2\0" * 9
JSON = b'{"cells": []}'


def preferring(*kinds: FileKind) -> Claims:
    return Claims(kinds=ALL.kinds, preferred=frozenset(kind.media_type for kind in kinds))


@pytest.mark.parametrize(
    ("content", "name", "declared", "claims", "media_type"),
    [
        (JSON, "a.ipynb", "", ALL, "application/x-ipynb+json"),
        (JSON, "https://example.org/A.IPYNB?v=1.2", "", ALL, "application/x-ipynb+json"),
        (JSON, "https://example.org/a", "application/x-ipynb+json; v=4", ALL, "application/x-ipynb+json"),
        (JSON, "a.ipynb", "", NONE, "application/json"),
        (JSON, "a.json", "", ALL, "application/json"),
        (JSON, "a.json", "application/x-ipynb+json", ALL, "application/json"),
        (b"", "a.ipynb", "", ALL, "text/plain"),
        (PNG, "a.ipynb", "", ALL, "image/png"),
        (b"<html><p>x</p></html>", "a.ipynb", "", ALL, "text/html"),
        (b'<?xml version="1.0"?><draw/>', "a.draw", "", ALL, "application/x-drawing"),
        (b'<?xml version="1.0"?><draw/>', "a.xml", "", ALL, "application/xml"),
        (b"# Title", "a.md", "", ALL, "text/markdown"),
        (b"# Title", "a.md", "", preferring(VAULTS), "text/x-vault"),
        (SCAN, "a", "", ALL, "image/x-scan"),
        (SCAN, "a.scan", "", NONE, "application/octet-stream"),
        (b"U" + SCAN, "a.scan", "", ALL, "application/octet-stream"),
        (PNG, "a.png", "", ALL, "image/png"),
        (PNG, "a.png", "", preferring(PICTURES), "image/x-better-png"),
        (b"%PDF-1.7\n1 0 obj", "a.ipynb", "", preferring(VAULTS), "application/pdf"),
    ],
)
def test_what_others_take_is_added_to_what_penstock_reads(
    tmp_path: Path, content: bytes, name: str, declared: str, claims: Claims, media_type: str
) -> None:
    path = tmp_path / "content"
    path.write_bytes(content)
    assert sniff(path, name, declared, claims) == media_type


def test_the_mark_of_a_file_changes_with_what_may_take_it() -> None:
    assert {NONE.mark(uri) for uri in ("", "a.ipynb")} == {""}
    assert ALL.mark("file:///a.pdf") == ""
    marks = [ALL.mark("file:///a.ipynb"), ALL.mark("file:///a.md"), preferring(VAULTS).mark("file:///a.md"), ALL.mark()]
    assert len({*marks, ""}) == 5
    assert Claims(kinds=(NOTEBOOKS, SCANS)).mark("file:///a.ipynb") == marks[0]


class Notes:
    """A loader as its author would write it, without a word about types of its attributes."""

    takes = (NOTEBOOKS, VAULTS)
    fingerprint = "notes-1"

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        writer = ExtractionWriter()
        writer.add("paragraph", data.read().decode("utf-8", "replace"))
        return writer.finish()


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return Notes()

    @pytest.fixture
    def sample(self) -> bytes:
        return b"ten days of leave carry over into the next year " * 20


class TestContractOfThePage(TestContract):
    @pytest.fixture
    def loader(self) -> Loader:
        page = Path(__file__).resolve().parents[3] / "docs" / "loaders.md"
        known: dict[str, type[Loader]] = {}
        (code,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        exec(code, known)
        return known["NotebookLoader"]()

    @pytest.fixture
    def sample(self) -> bytes:
        return b'{"cells": [{"cell_type": "code", "source": ["print(1)"]}, {"cell_type": "raw", "source": ["leave"]}]}'

    def test_what_is_no_notebook_is_reported(self, loader: Loader) -> None:
        with pytest.raises(SourceError, match="is no notebook"):
            loader.load(Source(uri="x", media_type="", sha256="", size=0, labels={}), io.BytesIO(b"[]"))
        assert read(loader, b'{"cells": []}').blocks == ()
