import gzip
import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import EncryptedSource, FetchError, UnknownName, UnsupportedFormat
from penstock.loaders.detection import container_types
from penstock.loaders.detection.container_types import (
    DOC,
    DOCX,
    ENCRYPTED_OFFICE,
    EPUB,
    MSG,
    ODS,
    ODT,
    PPT,
    PPTX,
    XLS,
    XLSB,
    XLSX,
)
from penstock.loaders.detection.kinds import PDF as PDF_TYPE
from penstock.loaders.detection.sniffing import charset_of, sniff
from penstock.loaders.formats import LOADERS, LoaderOptions, fingerprint, loader_for
from penstock.registry import load, names
from tests.examples import examples

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
MAIL = "From: a@example.org\nTo: b@example.org\nSubject: =?utf-8?b?5bm05YGH?=\nDate: Mon, 1 Jan 2024\n\nHello"
MARKDOWN = "# Leave\n\n- ten days\n- in **spring**\n\nSee [the form](form.html).\n"
FEED = '<?xml version="1.0"?>\n<feed><entry><title>x</title></entry></feed>'


def zipped(*members: str, mimetype: str = "") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for member in members:
            archive.writestr(member, "<x/>")
    return data.getvalue()


def ole(*streams: str) -> bytes:
    """An OLE2 file of empty streams: header, one sector of allocation table, as many of directory as are needed."""
    entries = [("Root Entry", 5), *((stream, 2) for stream in streams)]
    entries += [("", 0)] * (-len(entries) % 4)
    sectors = len(entries) // 4
    directory = b""
    for at, (name, kind) in enumerate(entries):
        raw = (name + "\0").encode("utf-16-le") if name else b""
        right = at + 1 if 0 < at < len(streams) else -1
        child = 1 if at == 0 and streams else -1
        directory += raw.ljust(64, b"\0") + struct.pack("<HBBiii", len(raw), kind, 1, -1, right, child)
        directory += bytes(36) + struct.pack("<iII", -2, 0, 0)
    table = [-3, *range(2, sectors + 1), -2]
    header = container_types.MAGIC_OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<iiiiIiiii", 0, 1, 1, 0, 4096, -2, 0, -2, 0) + struct.pack("<i", 0)
    return header.ljust(512, b"\xff") + struct.pack(f"<{len(table)}i", *table).ljust(512, b"\xff") + directory


def kind(folder: Path, content: bytes | str, name: str = "x", declared: str = "") -> str:
    path = folder / "content"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return sniff(path, name, declared)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        pytest.param(PDF, "application/pdf", id="pdf"),
        pytest.param(b"junk before it\n" + PDF, "application/pdf", id="pdf after junk"),
        pytest.param(zipped("[Content_Types].xml", "word/document.xml"), DOCX, id="docx"),
        pytest.param(zipped("[Content_Types].xml", "word\\document.xml"), DOCX, id="docx with backslashes"),
        pytest.param(zipped("[Content_Types].xml", "ppt/presentation.xml"), PPTX, id="pptx"),
        pytest.param(zipped("_rels/.rels", "xl/workbook.xml"), XLSX, id="xlsx"),
        pytest.param(zipped("[Content_Types].xml", "xl/workbook.bin"), XLSB, id="xlsb"),
        pytest.param(zipped("[Content_Types].xml", "ppt/slides/s.xml", "x/y")[:-60], PPTX, id="pptx cut off"),
        pytest.param(zipped("content.xml", mimetype=ODT), ODT, id="odt"),
        pytest.param(zipped("content.xml", mimetype=ODS), ODS, id="ods"),
        pytest.param(zipped(mimetype=EPUB), EPUB, id="epub"),
        pytest.param(zipped("META-INF/container.xml", "book.opf"), EPUB, id="epub without mimetype"),
        pytest.param(zipped("word/readme.txt"), "application/zip", id="zip with a folder named word"),
        pytest.param(zipped(), "application/zip", id="empty zip"),
        pytest.param(ole("WordDocument"), DOC, id="doc"),
        pytest.param(ole("CompObj", "PowerPoint Document"), PPT, id="ppt"),
        pytest.param(ole("a", "b", "c", "d", "WORKBOOK"), XLS, id="xls in capitals"),
        pytest.param(ole("Book"), XLS, id="old xls"),
        pytest.param(ole("__properties_version1.0"), MSG, id="msg"),
        pytest.param(ole("EncryptionInfo", "EncryptedPackage"), ENCRYPTED_OFFICE, id="locked docx"),
        pytest.param(ole("Other"), "application/x-ole-storage", id="other ole"),
        pytest.param(container_types.MAGIC_OLE + b"x" * 99, "application/x-ole-storage", id="broken ole"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0", "image/png", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg", id="jpeg"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", id="webp"),
        pytest.param(b"RIFF\0\0\0\0xxxx", "application/octet-stream", id="riff"),
        pytest.param(b"\0\0\0\x18ftypheic", "image/heic", id="heic"),
        pytest.param(b"\0\0\0\x18ftypisom", "video/mp4", id="mp4"),
        pytest.param(b"BM" + bytes(30), "image/bmp", id="bmp"),
        pytest.param("BMW sells cars, and many of them at that.", "text/plain", id="a text on BMW"),
        pytest.param(gzip.compress(b"x"), "application/gzip", id="gzip"),
        pytest.param(r"{\rtf1\ansi x}", "application/rtf", id="rtf"),
        pytest.param(bytes(range(256)), "application/octet-stream", id="binary"),
        pytest.param(b"\x01\x02\x03\x04\x05 no text", "application/octet-stream", id="control characters"),
        pytest.param("", "text/plain", id="empty"),
        pytest.param("年假可以结转。".encode("gb18030"), "text/plain", id="gb18030"),
        pytest.param("The %PDF-1.7 header is explained here.", "text/plain", id="a text about PDF"),
        pytest.param("<!-- x -->\n<!DOCTYPE html>\n<p>", "text/html", id="html"),
        pytest.param('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "text/html", id="xhtml"),
        pytest.param("<div><p>a</p><p>b</p></div>", "text/html", id="html fragment"),
        pytest.param("<!DOCTYPE html><p>年</p>".encode("utf-16"), "text/html", id="utf-16 html"),
        pytest.param(FEED, "application/xml", id="xml"),
        pytest.param(FEED.encode("utf-16"), "application/xml", id="utf-16 xml"),
        pytest.param('<?xml version="1.0"?><a:b><a:c/><a:c/><a:c/></a:b>', "application/xml", id="xml with prefix a"),
        pytest.param(MAIL, "message/rfc822", id="mail"),
        pytest.param("Received: by x\n\tfolded\nFrom: a\r\nTo: b\r\n\r\nx", "message/rfc822", id="folded mail"),
        pytest.param("To: all\nSubject: leave\nDate: today\n\nHello", "text/plain", id="a memo"),
        pytest.param(MARKDOWN, "text/markdown", id="markdown"),
        pytest.param("name,days,year\n张三,3,2024\n李四,5,2024\n", "text/csv", id="csv"),
        pytest.param("name;days;year\na;3;2024\nb;5;2024\n", "text/csv", id="csv with semicolons"),
        pytest.param("a\tb\n1\t2\n3\t4\n", "text/tab-separated-values", id="tsv"),
        pytest.param("Yes, no, and so\nHe, she, they\nOne, two, three\n", "text/plain", id="verse with commas"),
        pytest.param('"' + "x" * 200_000 + ",a,b\n", "text/plain", id="a field longer than any"),
    ],
)
def test_content_decides_the_kind(tmp_path: Path, content: bytes | str, media_type: str) -> None:
    for name in ("x", "wrong.txt"):
        assert kind(tmp_path, content, name) == media_type


@pytest.mark.parametrize(
    ("content", "name", "declared", "media_type"),
    [
        pytest.param(PDF, "report.txt", "text/plain", "application/pdf", id="a pdf named txt"),
        pytest.param("Hello", "a.md", "", "text/markdown", id="markdown by name"),
        pytest.param("a,b\n1,2\n", "a.CSV", "", "text/csv", id="small csv by name"),
        pytest.param('{"a": 1}', "a.json", "", "application/json", id="json"),
        pytest.param("not json", "a.json", "", "text/plain", id="json that is none"),
        pytest.param(MARKDOWN, "a.py", "", "text/plain", id="code"),
        pytest.param(
            "<p>Hello", "https://example.org/a.php?x=1", "text/html; charset=utf-8", "text/html", id="declared"
        ),
        pytest.param("Hello", "https://example.org/a.html", "text/html", "text/plain", id="html without a tag"),
        pytest.param("Hello", "https://example.org/a.md", "text/plain", "text/markdown", id="raw markdown"),
        pytest.param(
            MARKDOWN, "https://example.org/a.cgi", "text/plain", "text/markdown", id="unknown name on the web"
        ),
        pytest.param("# <b>Hello</b>", "a.md", "", "text/markdown", id="markdown with tags"),
        pytest.param("<svg><text>x</text></svg>", "a", "image/svg+xml", "application/xml", id="svg"),
        pytest.param("<note><to>x</to></note>", "a.xml", "", "application/xml", id="xml without declaration"),
    ],
)
def test_name_and_declaration_decide_between_texts(
    tmp_path: Path, content: bytes | str, name: str, declared: str, media_type: str
) -> None:
    assert kind(tmp_path, content, name, declared) == media_type


def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no-such"):
        sniff(tmp_path / "no-such", "x")


def test_a_zip_of_too_many_members_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_types, "MAX_DIRECTORY_BYTES", 10)
    path = tmp_path / "a"
    path.write_bytes(zipped("[Content_Types].xml", "word/document.xml"))
    assert container_types.member_names(path) is None
    with path.open("rb") as data:
        assert container_types.expanded_bytes(data) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(150), deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", container_types.MAGIC_OLE, b"<?xml", b"RIFF", ole("Book")]),
    st.binary(max_size=99),
)
def test_every_content_has_a_kind(tmp_path: Path, start: bytes, rest: bytes) -> None:
    assert "/" in kind(tmp_path, start + rest)


def test_the_charset_of_a_declaration() -> None:
    assert charset_of('text/html; charset="gbk"') == "gbk"
    assert charset_of("text/html") == ""


@pytest.mark.parametrize("media_type", sorted(LOADERS))
def test_every_kind_has_a_loader_with_a_fingerprint(media_type: str) -> None:
    options = LoaderOptions()
    assert loader_for(media_type, options).fingerprint == fingerprint(options, media_type)


CHOSEN = {"pdf-pypdfium2", "unstructured"}
"""Built-in loaders that only a setting gives files to."""


def test_loaders_are_asked_for_what_they_state() -> None:
    stated = {name: {kind.media_type for kind in load("loaders", name).takes} for name in names("loaders")}
    assert {kind: name for name in stated.keys() - CHOSEN for kind in stated[name]} == LOADERS
    assert all(stated[name] <= LOADERS.keys() for name in CHOSEN & stated.keys())


def test_options_change_the_fingerprint_of_what_they_change() -> None:
    plain, never = LoaderOptions(), LoaderOptions(ocr="never", engines={PDF_TYPE: "pdf-pypdfium2"}, encoding="big5")
    for media_type, changes in (("application/pdf", True), ("text/csv", True), ("image/png", True), (DOCX, False)):
        assert (fingerprint(plain, media_type) != fingerprint(never, media_type)) is changes


def test_what_no_loader_reads_is_named_with_what_can_be_read() -> None:
    with pytest.raises(UnsupportedFormat, match=r"video/mp4; supported are PDF, .*DOCX"):
        fingerprint(LoaderOptions(), "video/mp4")
    with pytest.raises(UnsupportedFormat, match="unpack it"):
        loader_for("application/zip", LoaderOptions())
    with pytest.raises(EncryptedSource, match="password"):
        loader_for(ENCRYPTED_OFFICE, LoaderOptions())
    assert fingerprint(LoaderOptions(), ENCRYPTED_OFFICE)
    with pytest.raises(UnknownName, match="pdf-none"):
        fingerprint(LoaderOptions(engines={PDF_TYPE: "pdf-none"}), PDF_TYPE)


def test_fingerprints_import_no_parsing_library() -> None:
    program = (
        "import sys\nfrom penstock.loaders import LoaderOptions, fingerprint\n"
        "from penstock.loaders.formats import LOADERS\nfor one in LOADERS: fingerprint(LoaderOptions(), one)\n"
        "heavy = 'pymupdf pypdfium2 pptx docx trafilatura rapidocr onnxruntime cv2 python_calamine PIL oxmsg'\n"
        "print(sorted(set(heavy.split()) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
