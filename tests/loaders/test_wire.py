from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.loaders.wire import (
    BadFrame,
    encode,
    extraction_of,
    failure_of,
    plain_extraction,
    plain_source,
    read_frame,
    source_of,
)
from penstock.model import Block, Box, Extraction, Place, Problem, Source, Span

EXTRACTION = Extraction(
    title="年",
    text="ab\n\ncd",
    blocks=(
        Block(kind="heading", span=Span(0, 2), level=1, places=(Place(page=1, box=Box(0, 0.1, 0.5, 1), label="iv"),)),
        Block(kind="table", span=Span(4, 6), places=(Place(page=2),)),
    ),
    problems=(Problem(message="page 3 is damaged", page=3), Problem(message="no outline")),
)


def through(message: dict[str, Any]) -> dict[str, Any]:
    frame = read_frame(BytesIO(encode(message)))
    assert frame is not None
    return frame


def test_an_extraction_comes_back_as_it_went() -> None:
    assert extraction_of(through(plain_extraction(EXTRACTION))) == EXTRACTION


@pytest.mark.parametrize("modified", [None, datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC)])
def test_a_source_comes_back_as_it_went(modified: datetime | None) -> None:
    source = Source(
        uri="file:///a",
        media_type="text/plain",
        sha256="00",
        size=3,
        modified=modified,
        labels={"year": 2020, "team": "人事"},
        access=frozenset({"hr"}),
    )
    assert source_of(through(plain_source(source))) == source


@given(st.text(st.characters(codec=None), max_size=50))
def test_any_text_comes_back(text: str) -> None:
    assert through({"text": text}) == {"text": text}


@pytest.mark.parametrize("cut", [0, 3, 8, 12])
def test_a_stream_that_ends_gives_no_frame(cut: int) -> None:
    assert read_frame(BytesIO(encode({"a": "long enough"})[:cut])) is None


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(["virus", 0, 1, 0, []], id="kind"),
        pytest.param(["table", 0, 7, 0, []], id="end"),
        pytest.param(["table", -1, 2, 0, []], id="start"),
        pytest.param(["table", 2, 1, 0, []], id="order"),
        pytest.param(["table"], id="length"),
        pytest.param(["table", 0, 1, 0, [[1, [0, 0], ""]]], id="box"),
        pytest.param(["table", 0, 1, float("inf"), []], id="infinite"),
    ],
)
def test_blocks_that_cannot_be_are_refused(block: list[object]) -> None:
    with pytest.raises(BadFrame):
        extraction_of({"title": "", "text": "abcdef", "blocks": [block], "problems": []})


@pytest.mark.parametrize("plain", [pytest.param([], id="list"), pytest.param({"kind": "x"}, id="half")])
def test_failures_that_cannot_be_are_refused(plain: Any) -> None:
    with pytest.raises(BadFrame):
        failure_of(plain, "file:///a")
