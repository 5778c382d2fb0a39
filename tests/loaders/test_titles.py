import pytest

from penstock.loaders.titles import choose_title, titled
from penstock.model import ExtractionWriter


@pytest.mark.parametrize(
    ("candidates", "title"),
    [
        pytest.param((None, "", "  "), "", id="nothing"),
        pytest.param(("PowerPoint Presentation", "Annual plan"), "Annual plan", id="what a program wrote"),
        pytest.param(("report-final.docx", "年度计划"), "年度计划", id="name of a file"),
        pytest.param(("Microsoft Word - draft.doc",), "", id="printed from Word"),
        pytest.param(("?????", "幻灯片 1", "Sheet1"), "", id="no words, numbered slide, numbered sheet"),
        pytest.param(("The\nplan",), "The plan", id="one line"),
        pytest.param(("我爱𠮷\n野家",), "我爱𠮷野家", id="one line of Chinese"),
        pytest.param(("x" * 1000,), "x" * 300, id="cut"),
    ],
)
def test_the_first_title_that_says_something_wins(candidates: tuple[str | None, ...], title: str) -> None:
    assert choose_title(*candidates) == title


def test_without_a_title_the_first_heading_is_it() -> None:
    writer = ExtractionWriter()
    writer.add("paragraph", "Before.")
    writer.add("heading", "Leave", level=1)
    assert titled(writer.finish(), "untitled").title == "Leave"
    assert titled(writer.finish(), "Handbook").title == "Handbook"
