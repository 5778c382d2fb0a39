"""What Prefect's page shows of a run: keys that Prefect takes, and a summary that reads well whatever it names."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from penstock.flows.artifacts import artifacts
from penstock.flows.artifacts.summary import headline, summary

CALLS = re.compile("<(?:img|a)[ >]")
NAMES = st.text(st.characters(categories=["L", "N"], include_characters="_.-"), min_size=1, max_size=50)


def report(*sources: tuple[str, str, str], **also: Any) -> dict[str, Any]:
    outcomes = ("indexed", "unchanged", "empty", "partial", "skipped", "failed", "removed")
    counts = {name: sum(outcome == name for _, outcome, _ in sources) for name in outcomes}
    return {
        "collection": "handbook",
        "revision": 7,
        "discovered": len(sources) - counts["removed"],
        **counts,
        "parsed": 2,
        "embedded": 5,
        "seconds": 1.25,
        "stage_seconds": {"parse": 0.5},
        "chunks": {"catalog": 9, "keyword": 9, "vector": 9},
        "attention": [],
        "sources": [{"uri": uri, "outcome": outcome, "reason": reason} for uri, outcome, reason in sources],
        **also,
    }


@given(NAMES, NAMES)
def test_keys_are_legal_and_differ(first: str, second: str) -> None:
    keys = [artifacts.key(name, "outcomes") for name in (first, second)]
    assert all(re.fullmatch(r"[a-z0-9-]+", key) for key in keys)
    assert (keys[0] == keys[1]) == (first == second)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("handbook", "penstock-handbook-summary", id="plain"),
        pytest.param("员工手册", "penstock-c3c2cc2-summary", id="Chinese"),
        pytest.param("Team_A", "penstock-team-a-c4f0d32-summary", id="capitals"),
    ],
)
def test_keys_say_the_name_as_far_as_prefect_lets_them(name: str, key: str) -> None:
    assert re.sub("c[0-9a-f]{6}", "X", artifacts.key(name, "summary")) == re.sub("c[0-9a-f]{6}", "X", key)


def test_the_summary_says_what_changed() -> None:
    text = summary(
        report(
            ("file:///docs/new.txt", "indexed", ""),
            ("file:///docs/old.txt", "indexed", ""),
            ("file:///docs/same.txt", "unchanged", ""),
            ("file:///docs/bad.pdf", "failed", "cannot be read: *not* a PDF"),
            ("file:///docs/gone.txt", "removed", "no longer there"),
            attention=["a listing was incomplete"],
        ),
        {"file:///docs/new.txt", "file:///docs/bad.pdf"},
    )
    assert text.splitlines()[0] == "# handbook, revision 7"
    assert "Of 4 sources: 1 added, 1 changed, 1 failed, 1 unchanged, and 1 removed." in text
    assert "## Added\n\n- `/docs/new.txt`\n" in text
    assert "## Changed\n\n- `/docs/old.txt`\n" in text
    assert "- `/docs/bad.pdf`: cannot be read: \\*not\\* a PDF" in text
    assert "**Attention:** a listing was incomplete" in text
    assert "| parse | 0.5 |" in text


def test_long_lists_are_capped_and_say_so() -> None:
    text = summary(report(*((f"file:///{number}.txt", "indexed", "") for number in range(50))), ())
    assert text.count("- `") == 20
    assert "- and 30 more" in text


def test_names_cannot_break_out_of_their_line() -> None:
    text = summary(report(("https://example.org/a`b``c\n# x", "failed", "line\n# heading")), ())
    assert "\n# x" not in text
    assert "\n# heading" not in text
    assert "```https://example.org/a`b``c" in text


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("![x](https://example.org/x.png)", id="image"),
        pytest.param("![x][1]\n\n[1]: https://example.org/x.png", id="image by reference"),
        pytest.param("a | ![x](https://example.org/x.png) | b", id="image past a cell's end"),
        pytest.param("`![x](https://example.org/x.png)`", id="image past a code's end"),
        pytest.param("\\![x](https://example.org/x.png)", id="escaped already"),
        pytest.param("<img src=https://example.org/x.png>", id="HTML"),
        pytest.param("[look](https://example.org)", id="link"),
        pytest.param("<https://example.org>", id="address"),
    ],
)
def test_names_and_reasons_make_no_page_call_out(name: str) -> None:
    """As a cell of its own, and as one of a table that is written in Markdown: pages of Prefect do either."""
    (row,) = artifacts._rows([{"uri": f"file:///docs/{name}", "outcome": "failed", "reason": name}])
    for text in (row["source"], row["reason"]):
        table = f"| source | more |\n|---|---|\n| {text} | x |"
        for written in (text, table, summary(report((name, "failed", name)), ())):
            assert not CALLS.search(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(written)), written


def test_names_without_marks_read_as_they_are() -> None:
    (row,) = artifacts._rows([{"uri": "file:///docs/员工_手册 (2).pdf", "outcome": "failed", "reason": "not *read*"}])
    assert row == {"source": "/docs/员工_手册 (2).pdf", "outcome": "failed", "reason": "not *read*"}


def test_the_headline_counts_what_there_is() -> None:
    assert headline(report(("file:///a", "indexed", ""))) == "handbook, revision 7: 1 indexed"
    assert headline(report()) == "handbook, revision 7: no sources"
