"""The page about security names tests that exist, in every row, and is linked from where a reader looks for it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ATTACKS = PAGE.partition("## Attacks, and what they get now")[2]
ROWS = [row for row in ATTACKS.splitlines() if row.startswith("| ") and not row.startswith(("| attack |", "| **"))]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_each_attack_has_tests_that_exist(row: str) -> None:
    attack, result, tests = row.strip("| ").split(" | ")
    assert attack
    assert result
    named = TEST.findall(tests)
    assert named
    assert TEST.sub("", tests).strip(", ") == ""
    for file, name in named:
        source = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^(?:    )?(?:async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


def test_there_are_rows() -> None:
    assert len(ROWS) >= 15


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_it_is_linked(page: str) -> None:
    assert "](docs/security.md)" in (ROOT / page).read_text("utf-8")


def test_its_own_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
