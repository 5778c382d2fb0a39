"""The adapter for `unstructured`: what it makes of elements, and, where the library is installed, of files."""

import importlib.util
import io
from collections.abc import Iterator
from email.message import EmailMessage
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docx
import pytest

from penstock.errors import BrokenSource, MissingExtra, ModelNotFound, SettingsError, UnsupportedFormat
from penstock.loaders import LoaderOptions, Sandbox, loader_for, unstructured, uri_of
from penstock.loaders.detection.container_types import DOCX, PPTX, XLSX
from penstock.loaders.detection.kinds import EML, HTML, MARKDOWN, PDF, PLAIN
from penstock.loaders.unstructured import SPACY_MODEL, UnstructuredLoader
from penstock.model import Box, Extraction, Failure, Place
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, texts
from penstock.testing.doubles.files import source_of

INSTALLED = importlib.util.find_spec("unstructured") is not None
installed = pytest.mark.skipif(not INSTALLED, reason="unstructured (extra) is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
BLANK = {"unstructured": {"model": "blank"}}
PAGE = SimpleNamespace(convert_to_relative=lambda x, y: (x / 100, 1 - y / 200))


def element(category: str, text: str, **about: Any) -> Any:
    """What the library gives, as far as it is looked at."""
    known = {"category_depth": None, "page_number": None, "page_name": None, "text_as_html": None, "coordinates": None}
    return SimpleNamespace(category=category, text=text, metadata=SimpleNamespace(**{**known, **about}))


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the modules that are installed."""
    names = {"unstructured"}
    monkeypatch.setattr(unstructured, "find_spec", lambda name: ModuleSpec(name, None) if name in names else None)
    return names


def extracted(monkeypatch: pytest.MonkeyPatch, *elements: Any, media_type: str = DOCX) -> Extraction:
    monkeypatch.setattr(unstructured, "_partition", lambda name, *, blank: lambda file, **options: list(elements))
    source = source_of(b"x", media_type=media_type)
    return UnstructuredLoader(model="blank").load(source, io.BytesIO(b"x"))


def test_elements_become_blocks(monkeypatch: pytest.MonkeyPatch, present: set[str]) -> None:
    html = "<table><tr><td>Team</td><td>Cups</td></tr><tr><td>Blues</td><td>1</td></tr></table>"
    found = extracted(
        monkeypatch,
        element("Header", "Internal"),
        element("Title", "Leave", category_depth=0),
        element("Title", "Who may ask", category_depth=1),
        element("NarrativeText", "Everybody."),
        element("PageBreak", ""),
        element("ListItem", "ask", category_depth=1),
        element("Table", "Team Cups Blues 1", text_as_html=html, page_number=2, page_name="Cups"),
        element("Table", "Flyers 2"),
        element("CodeSnippet", "x = 1"),
        element("PageNumber", "7"),
    )
    kinds = [(block.kind, block.level) for block in found.blocks]
    assert kinds[:5] == [("furniture", 0), ("heading", 1), ("heading", 2), ("paragraph", 0), ("list", 1)]
    assert kinds[5:] == [("table", 0), ("table", 0), ("code", 0), ("furniture", 0)]
    assert found.title == "Leave"
    assert texts(found, "table") == ["Team | Cups\nBlues | 1", "Flyers 2"]
    assert found.blocks[5].places == (Place(page=2, label="Cups"),)


def test_points_become_a_box(monkeypatch: pytest.MonkeyPatch, present: set[str]) -> None:
    points = SimpleNamespace(points=((10, 20), (10, 40), (120, 40), (120, 20)), system=PAGE)
    (block,) = extracted(monkeypatch, element("Text", "x", page_number=1, coordinates=points)).blocks
    assert block.places[0].box == pytest.approx(Box(0.1, 0.1, 1.0, 0.2))


def test_a_pdf_that_gives_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch, present: set[str]) -> None:
    with pytest.raises(UnsupportedFormat, match=r"pip install 'unstructured\[pdf\]'"):
        extracted(monkeypatch, media_type=PDF)
    present.add("unstructured_inference")
    with pytest.raises(BrokenSource, match="found no text and no reason"):
        extracted(monkeypatch, element("PageBreak", ""), media_type=PDF)
    assert extracted(monkeypatch, element("Text", "x"), media_type=PDF).text == "x"
    assert extracted(monkeypatch, media_type=PLAIN).text == ""


def test_what_is_missing_is_named(present: set[str]) -> None:
    with pytest.raises(ModelNotFound, match=r"en_core_web_sm-3\.8\.0-py3-none-any\.whl.*model = \"blank\""):
        UnstructuredLoader()
    with pytest.raises(SettingsError, match=r"unstructured\.model: Input should be 'en_core_web_sm' or 'blank'"):
        loader_for(DOCX, LoaderOptions(engines={DOCX: "unstructured"}, options={"unstructured": {"model": "large"}}))
    present.clear()
    with pytest.raises(MissingExtra, match=r"penstock\[unstructured\]"):
        UnstructuredLoader(model="blank")


def written() -> bytes:
    document = docx.Document()
    document.add_heading("Leave", 1)
    document.add_heading("Who may ask", 2)
    document.add_paragraph("Ten days carry over into the next year. 年假可以结转十天。")
    table = document.add_table(rows=2, cols=2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = str(number)
    document.sections[0].header.paragraphs[0].text = "Internal"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


@installed
class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return UnstructuredLoader(model="blank")

    @pytest.fixture
    def sample(self) -> bytes:
        return written()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    engines = dict.fromkeys((kind.media_type for kind in UnstructuredLoader.takes), "unstructured")
    options = LoaderOptions(engines=engines, options=BLANK)
    with Sandbox(options=options, seconds=100, memory_mib=1536, text_mib=8, workers=1) as opened:
        yield opened


@installed
def test_attachments_are_not_read() -> None:
    message = EmailMessage()
    message["Subject"] = "Leave"
    message.set_content("Ten days carry over.")
    message.add_attachment("Nobody else may read this.", filename="private.txt")
    content = message.as_bytes()
    found = UnstructuredLoader(model="blank").load(source_of(content, media_type=EML), io.BytesIO(content))
    assert found.text == "Ten days carry over."


def parsed(sandbox: Sandbox, folder: Path, content: bytes, media_type: str) -> Extraction:
    path = folder / "file"
    path.write_bytes(content)
    found = sandbox.parse(source_of(content, uri=uri_of(path), media_type=media_type), path)
    assert not isinstance(found, Failure), found.message
    return found


MAIL = b"From: a@example.org\nTo: b@example.org\nSubject: Leave\n\nTen days of leave carry over, he said.\n"
PAGES = "<html><body><h1>Leave</h1><p>未休完的年假可以结转到下一年度。</p></body></html>".encode()


@installed
@pytest.mark.parametrize(
    ("content", "media_type", "kinds", "text"),
    [
        (PAGES, HTML, ["heading", "paragraph"], "年假可以结转"),
        (b"# Leave\n\nTen days carry over.\n\n- ask\n", MARKDOWN, ["heading", "paragraph", "list"], "carry over"),
        (MAIL, EML, ["heading"], "Ten days of leave carry over"),  # the blank pipeline knows no verbs
    ],
)
def test_it_reads_where_nothing_can_be_fetched_or_written(
    sandbox: Sandbox, tmp_path: Path, content: bytes, media_type: str, kinds: list[str], text: str
) -> None:
    found = parsed(sandbox, tmp_path, content, media_type)
    assert [block.kind for block in found.blocks] == kinds
    assert text in found.text


@installed
def test_a_word_file_keeps_its_outline_its_table_and_its_header(sandbox: Sandbox, tmp_path: Path) -> None:
    found = parsed(sandbox, tmp_path, written(), DOCX)
    headings = [(texts(found)[at], block.level) for at, block in enumerate(found.blocks) if block.kind == "heading"]
    assert headings == [("Leave", 1), ("Who may ask", 2)]
    assert texts(found, "table") == ["0 | 1\n2 | 3"]
    assert texts(found, "furniture") == ["Internal"]


@installed
@pytest.mark.parametrize("media_type", [DOCX, PPTX, XLSX])
def test_a_broken_file_is_reported(sandbox: Sandbox, tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"PK\3\4 nothing")
    found = sandbox.parse(source_of(b"", uri=uri_of(path), media_type=media_type), path)
    assert isinstance(found, Failure)
    assert (found.kind, "cannot be read by unstructured" in found.message) == ("BrokenSource", True)


@installed
def test_the_model_that_is_named_is_the_one_that_the_library_would_fetch() -> None:
    tokenize = importlib.import_module("unstructured.nlp.tokenize")
    assert tokenize._SPACY_MODEL_URL == unstructured.WHEEL
    assert tokenize._SPACY_MODEL_NAME == SPACY_MODEL
