import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.loaders.tables import cell_text, table_text


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param([], "", id="no rows"),
        pytest.param([["", " "], []], "", id="only blank rows"),
        pytest.param([["a", "b"], ["1"]], "a | b\n1", id="short row"),
        pytest.param([["", "b"], ["1", "2"]], " | b\n1 | 2", id="empty corner keeps its bar"),
        pytest.param([["名称", "", "天数"], ["年假", "", "10"]], "名称 | 天数\n年假 | 10", id="blank column"),
        pytest.param([["a\r\n b", "c\td"]], "a b | c d", id="breaks inside cells"),
    ],
)
def test_a_table_is_one_row_a_line(rows: list[list[str]], text: str) -> None:
    assert table_text(rows) == text


@given(st.lists(st.lists(st.text(max_size=8), max_size=5), max_size=6))
def test_every_cell_is_in_the_text_and_rows_are_lines(rows: list[list[str]]) -> None:
    text = table_text(rows)
    shown = [row for row in rows if any(cell_text(cell) for cell in row)]
    assert len(text.split("\n")) == max(len(shown), 1)
    for line, row in zip(text.split("\n"), shown, strict=False):
        assert all(cell_text(cell) in line for cell in row)
