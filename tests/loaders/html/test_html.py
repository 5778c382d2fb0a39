import pytest

from penstock.loaders.html.html import HtmlLoader
from penstock.model import Extraction
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts

SENTENCE = "Up to ten days of leave that was not taken carry over into the next year, until the end of March. "
ARTICLE = f"""<!doctype html><html><head><title>Leave | Example Inc</title>
<meta property="og:title" content="Leave and carry-over"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News of the day</a></li></ul></nav>
<article><h1>Leave</h1><p>{SENTENCE * 3}</p><h2>Carry-over</h2><p>See <a href="x">the rules</a>. {SENTENCE}</p>
<ul><li>Ask first<ul><li>in writing</li></ul></li><li>Then go</li></ul>
<table><tr><th>Years</th><th>Days</th></tr><tr><td>1</td><td>25</td></tr></table>
<pre>if days > 10:
    ask()</pre></article>
<script>var hidden = "never shown";</script><footer>Copyright Example Inc</footer></body></html>"""


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return HtmlLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return ARTICLE.encode()


def page(markup: str, encoding: str = "utf-8") -> Extraction:
    return read(HtmlLoader(), markup.encode(encoding))


def test_a_page_gives_its_main_content_with_its_structure() -> None:
    found = page(ARTICLE)
    assert found.title == "Leave and carry-over"
    assert [(block.kind, block.level) for block in found.blocks] == [
        ("heading", 1), ("paragraph", 0), ("heading", 2), ("paragraph", 0), ("list", 1), ("table", 0), ("code", 0),
    ]  # fmt: skip
    assert texts(found, "list") == ["- Ask first\n  - in writing\n- Then go"]
    assert texts(found, "table") == ["Years | Days\n1 | 25"]
    assert texts(found, "code") == ["if days > 10:\n    ask()"]
    assert "the rules" in found.text
    assert not any(word in found.text for word in ("News of the day", "hidden", "Copyright"))


@pytest.mark.parametrize(
    ("markup", "kinds", "text"),
    [
        pytest.param("<p>One<p>Two", ["paragraph"] * 2, "One\n\nTwo", id="fragment without ends"),
        pytest.param("just words", ["paragraph"], "just words", id="no markup"),
        pytest.param("<h3>A</h3>b<br>c<br><br>d", ["heading", "paragraph", "paragraph"], "A\n\nb\nc\n\nd", id="breaks"),
        pytest.param("<table><tr><td>a<td>b</table>", ["table"], "a | b", id="table"),
        pytest.param("<table><tr><td>only</table>", ["paragraph"], "only", id="frame"),
        pytest.param(
            "<table><tr><td>x<table><tr><td>a<td>b</table></table>", ["paragraph", "table"], "x\n\na | b", id="layout"
        ),
        pytest.param(
            "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=2>d</table>", ["table"], "a | b\n | c\nd",
            id="spans",
        ),
        pytest.param("<table><caption>T</caption><tr><td>a<td>b</table>", ["caption", "table"], "T\n\na | b", id="cap"),
        pytest.param("<ol start=3><li>c<li value=9>i</ol>", ["list"], "3. c\n9. i", id="numbered list"),
        pytest.param("<ul><li><h2>H</h2>t</ul>", ["heading", "paragraph"], "H\n\nt", id="list as layout"),
        pytest.param("<dl><dt>Term<dd>Meaning</dl>", ["paragraph"] * 2, "Term\n\nMeaning", id="definitions"),
        pytest.param(
            "<figure><img src=a alt='Map'><figcaption>Fig. 1</figcaption></figure>", ["caption"] * 2, "Map\n\nFig. 1",
            id="figure",
        ),
        pytest.param("<p>年假\n可以<b>结转</b></p>", ["paragraph"], "年假可以结转", id="wrapped Chinese"),
        pytest.param("<p>a &amp; b<style>x</style><!-- c --></p>", ["paragraph"], "a & b", id="unseen parts"),
        pytest.param("<p>x<math alttext='a^2'><mi>a</mi></math>y</p>", ["paragraph"], "xa^2y", id="formula"),
    ],
)  # fmt: skip
def test_small_pages_and_fragments_are_read_whole(markup: str, kinds: list[str], text: str) -> None:
    found = page(markup)
    assert [block.kind for block in found.blocks] == kinds
    assert found.text == text


@pytest.mark.parametrize("markup", ["", "   ", "<!-- nothing -->", "<script>x</script>"])
def test_a_page_without_text_is_empty(markup: str) -> None:
    assert page(markup).blocks == ()


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        pytest.param("", "utf-16", id="utf-16 with mark"),
        pytest.param('<meta charset="gb2312">', "gb18030", id="gb2312 by meta"),
        pytest.param('<?xml version="1.0" encoding="gbk"?>', "gbk", id="xhtml declaration"),
        pytest.param("", "utf-8-sig", id="utf-8 with mark"),
    ],
)
def test_encodings_are_found(head: str, encoding: str) -> None:
    assert page(f"{head}<p>员工年假可以结转十天。</p>", encoding).text == "员工年假可以结转十天。"


def test_hostile_nesting_is_no_crash() -> None:
    assert page("<div>" * 1500 + "deep" + "</div>" * 1500).text == "deep"
    assert page("<ul><li>x" * 900).text.count("x") == 900
    (problem,) = page("<div>x" * 5000).problems
    assert "nests too deep" in problem.message
    assert page("<p>x").problems == ()


def test_false_spans_are_not_laid_out() -> None:
    rows = "<tr><td colspan=1000 rowspan=60000>a<td colspan=1000>b<td colspan=-1>c" * 50
    assert page(f"<table>{rows}</table>").text.split("\n")[0].startswith("a | b")


def test_a_dump_of_a_whole_page_keeps_its_lines() -> None:
    lines = "".join(f"<span>第{n}条 员工应当遵守本办法关于年假的规定，并提前申请。</span><br>" for n in range(40))
    found = page(f"<html><body><div>{lines}</div></body></html>")
    assert "第1条" in found.text
    assert "第39条" in found.text
    assert "申请。第" not in found.text
