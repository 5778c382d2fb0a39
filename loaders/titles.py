"""Which of the titles that a file offers says something."""

import re
from dataclasses import replace

from penstock.analysis.wide import one_line
from penstock.model import Extraction

MAX_TITLE_CHARACTERS = 300
"""A longer first heading is a paragraph in disguise; it is cut here."""

_EMPTY_WORDS = re.compile(
    r"(untitled|no title|slide \d+|title|powerpoint[ -]presentation|powerpoint 演示文稿|无标题"
    r"|演示文稿 ?\d*|幻灯片 ?\d*"
    r"|(sheet|table|chart|feuil|tabelle|hoja|planilha|foglio|munka|工作表|图表) ?\d*"
    r"|document ?\d*|文档 ?\d*|presentation ?\d*|workbook ?\d*|microsoft (word|powerpoint|excel) - .*"
    r"|[\w .-]+\.(docx?|pptx?|xlsx?|pdf|html?|odt|rtf|txt))",
    re.IGNORECASE,
)
"""What programs write where nobody gave a title, and names of files, which say nothing of the content."""


def choose_title(*candidates: str | None) -> str:
    """The first candidate that says something, on one line; empty where none does.

    >>> choose_title(None, "PowerPoint Presentation", "Leave\\n2026")
    'Leave 2026'
    """
    for candidate in candidates:
        title = one_line(candidate or "")
        if re.search(r"\w", title) and not _EMPTY_WORDS.fullmatch(title):
            return title[:MAX_TITLE_CHARACTERS]
    return ""


def titled(extraction: Extraction, *candidates: str | None) -> Extraction:
    """The extraction with the first candidate that says something as its title, else with its first heading."""
    headings = (block.span for block in extraction.blocks if block.kind == "heading")
    first = (extraction.text[start:end] for start, end in headings)
    return replace(extraction, title=choose_title(*candidates, next(first, "")))
