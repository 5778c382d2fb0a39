import pytest

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.html.epub import EpubLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import zip_of

CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
CHAPTERS = {
    "OEBPS/text/one.xhtml": '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>'
    "<body><h1>Leave</h1><p>Ten days&nbsp;carry over.</p></body></html>",
    "OEBPS/text/二.xhtml": "<html><body><h2>年假</h2><ul><li>申请</li></ul></body></html>",
}
NAV = '<html><body><nav><ol><li><a href="text/one.xhtml#top">First <b>part</b></a></li></ol></nav></body></html>'
NCX = (
    '<ncx><navMap><navPoint><navLabel><text>Part two</text></navLabel><content src="text/%E4%BA%8C.xhtml"/></navPoint>'
    '<navPoint><navLabel><text>again</text></navLabel><content src="text/%E4%BA%8C.xhtml#x"/></navPoint></navMap></ncx>'
)


def book(spine: str = "ba", **more: str) -> bytes:
    package = (
        "<package><metadata><title>Handbook</title></metadata><manifest>"
        '<item id="a" href="text/one.xhtml"/><item id="b" href="text/%E4%BA%8C.xhtml"/><item id="c" href="gone.xhtml"/>'
        '<item id="n" href="nav.xhtml" properties="nav"/>'
        '<item id="t" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest><spine>'
        + "".join(f'<itemref idref="{name}"/>' for name in spine)
        + "</spine></package>"
    )
    return zip_of({
        "mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package,
        "OEBPS/nav.xhtml": NAV, "OEBPS/toc.ncx": NCX, **CHAPTERS, **more,
    })  # fmt: skip


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return EpubLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return book()


def test_chapters_come_in_the_order_of_the_spine_with_their_names() -> None:
    found = read(EpubLoader(), book())
    assert found.title == "Handbook"
    assert texts(found) == ["年假", "- 申请", "Leave", "Ten days\u00a0carry over."]
    assert [(block.places[0].page, block.places[0].label) for block in found.blocks] == [
        (1, "Part two"), (1, "Part two"), (2, "First part"), (2, "First part"),
    ]  # fmt: skip


def test_a_missing_chapter_is_a_problem() -> None:
    found = read(EpubLoader(), book("acx"))
    assert [(problem.page, "gone.xhtml" in problem.message) for problem in found.problems] == [(2, True)]
    assert texts(found, "heading") == ["Leave"]


@pytest.mark.parametrize(
    ("algorithm", "locked"),
    [("http://www.idpf.org/2008/embedding", False), ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", True)],
    ids=["scrambled fonts", "locked text"],
)
def test_only_a_locked_text_is_refused(algorithm: str, locked: bool) -> None:
    encryption = f'<encryption><EncryptedData><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'
    content = book(**{"META-INF/encryption.xml": encryption})
    if locked:
        with pytest.raises(EncryptedSource, match="DRM"):
            read(EpubLoader(), content)
    else:
        assert read(EpubLoader(), content).blocks


@pytest.mark.parametrize(
    "content",
    [b"PK", zip_of({"a": "b"}), zip_of({"META-INF/container.xml": CONTAINER})],
    ids=["zip", "book", "package"],
)
def test_damage_is_named(content: bytes) -> None:
    with pytest.raises(BrokenSource):
        read(EpubLoader(), content)
