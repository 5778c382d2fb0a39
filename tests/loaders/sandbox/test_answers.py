import json
import tracemalloc
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.loaders.sandbox.answers import Parsed, decode_answer, encode_answer, extraction_of, plain_extraction
from penstock.loaders.sandbox.protocol import LENGTH_BYTES, BadFrame, encode, plain_source, read_frame, source_of
from penstock.model import Block, Box, Draft, Extraction, Failure, Place, Problem, Source, Span

EXTRACTION = Extraction(
    title="年",
    text="ab\n\ncd",
    blocks=(
        Block(kind="heading", span=Span(0, 2), level=1, places=(Place(page=1, box=Box(0, 0.1, 0.5, 1), label="iv"),)),
        Block(kind="table", span=Span(4, 6), places=(Place(page=2),)),
    ),
    problems=(Problem(message="page 3 is damaged", page=3), Problem(message="no outline")),
)


PARSED = Parsed(
    extraction=EXTRACTION,
    drafts=(Draft(span=Span(0, 2), headings=("年",)), Draft(span=Span(0, 6), table_header="a | b")),
    seconds={"clean": 0.5},
)
REQUEST = {"number": 7, "source": {"uri": "file:///a"}}


def through(message: dict[str, Any]) -> dict[str, Any]:
    frame = read_frame(BytesIO(encode(message)))
    assert frame is not None
    return frame


def body(answer: Parsed | Failure, number: int = 7) -> bytes:
    return encode_answer(number, answer)[LENGTH_BYTES:]


def lines(**changed: Any) -> list[Any]:
    """The lines of an honest answer of one block and one draft, with changes."""
    head = {"number": 7, "title": "", "problems": [], "blocks": 1, "drafts": 1, "seconds": {}}
    parts = {"text": "abcdef", "block": ["table", 0, 6, [], 0], "draft": [0, 6, [], ""]}
    head.update({key: value for key, value in changed.items() if key not in parts})
    parts.update({key: value for key, value in changed.items() if key in parts})
    return [head, parts["text"], parts["block"], parts["draft"]]


def decoded(*values: Any) -> Parsed | Failure:
    return decode_answer("\n".join(map(json.dumps, values)).encode(), REQUEST)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PARSED, id="prepared"),
        pytest.param(Parsed(extraction=EXTRACTION), id="parsed"),
        pytest.param(
            Failure(uri="file:///a", stage="clean", kind="BrokenSource", message="坏", retryable=True), id="failure"
        ),
    ],
)
def test_an_answer_comes_back_as_it_went(answer: Parsed | Failure) -> None:
    assert decode_answer(body(answer), REQUEST) == answer


def test_a_text_that_was_sent_comes_back_as_its_cuts_alone() -> None:
    extraction = extraction_of(through({"extraction": plain_extraction(EXTRACTION)})["extraction"])
    assert (extraction.text, extraction.blocks) == (EXTRACTION.text, EXTRACTION.blocks)
    nothing = Extraction(title="", text="", blocks=())
    answer = Parsed(extraction=nothing, drafts=PARSED.drafts)
    asked = {**REQUEST, "extraction": plain_extraction(EXTRACTION)}
    assert decode_answer(body(answer), asked) == answer


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
    extraction = Extraction(title="", text=text, blocks=())
    assert decode_answer(body(Parsed(extraction=extraction)), REQUEST) == Parsed(extraction=extraction)


@pytest.mark.parametrize("cut", [0, 3, 8, 12])
def test_a_stream_that_ends_gives_no_frame(cut: int) -> None:
    assert read_frame(BytesIO(encode({"a": "long enough"})[:cut])) is None


def test_what_is_too_long_for_an_answer_is_cut_and_no_reason_to_lose_a_file() -> None:
    places = tuple(Place(page=1, label="x" * 2000, box=Box(0.0, float("nan"), 1.0, 1.0)) for _ in range(1500))
    blocks = (Block(kind="list", span=Span(0, 1), level=2**40, places=places),)
    problems = tuple(Problem(message="m" * 1000) for _ in range(5000))
    answer = decode_answer(
        body(Parsed(extraction=Extraction(title="t" * 9000, text="x", blocks=blocks, problems=problems))), REQUEST
    )
    assert isinstance(answer, Parsed)
    assert len(answer.extraction.title) == 4000
    assert (len(answer.extraction.problems), len(answer.extraction.problems[0].message)) == (2000, 400)
    (block,) = answer.extraction.blocks
    assert (len(block.places), block.places[0].box, len(block.places[0].label)) == (1000, None, 1000)
    failure = Failure(uri="file:///a", stage="parse", kind="K" * 200, message="m" * 9000, retryable=False)
    shortened = decode_answer(body(failure), REQUEST)
    assert isinstance(shortened, Failure)
    assert (len(shortened.kind), len(shortened.message)) == (100, 4000)


def test_the_honest_lines_are_an_answer() -> None:
    assert isinstance(decoded(*lines()), Parsed)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"number": 8}, id="another number"),
        pytest.param({"number": True}, id="a number that is none"),
        pytest.param({"title": "t" * 4001}, id="long title"),
        pytest.param({"title": None}, id="no title"),
        pytest.param({"text": ["abcdef"]}, id="no text"),
        pytest.param({"blocks": 2}, id="fewer lines"),
        pytest.param({"drafts": 0}, id="more lines"),
        pytest.param({"blocks": 10**9}, id="many blocks"),
        pytest.param({"problems": [["m" * 401, None]]}, id="long problem"),
        pytest.param({"problems": [["m", 2**31]]}, id="page of a problem"),
        pytest.param({"problems": [["m", None]] * 2001}, id="many problems"),
        pytest.param({"seconds": {"sleep": 1}}, id="stage"),
        pytest.param({"seconds": {"clean": float("inf")}}, id="infinite seconds"),
        pytest.param({"seconds": [1]}, id="seconds of nothing"),
        pytest.param({"block": ["virus", 0, 1, [], 0]}, id="kind"),
        pytest.param({"block": [["table"], 0, 1, [], 0]}, id="kind of another type"),
        pytest.param({"block": ["table", 0, 7, [], 0]}, id="end"),
        pytest.param({"block": ["table", -1, 2, [], 0]}, id="start"),
        pytest.param({"block": ["table", 2, 1, [], 0]}, id="order"),
        pytest.param({"block": ["table", 0, 1.5, [], 0]}, id="fraction"),
        pytest.param({"block": ["table"]}, id="length"),
        pytest.param({"block": ["table", 0, 1, [[1, [0, 0], ""]], 0]}, id="half a box"),
        pytest.param({"block": ["table", 0, 1, [[1, [0, 0, 1, float("nan")], ""]], 0]}, id="no box"),
        pytest.param({"block": ["table", 0, 1, [[1, [0, 0, 1, 1e9], ""]], 0]}, id="far box"),
        pytest.param({"block": ["table", 0, 1, [[10**30, None, ""]], 0]}, id="huge page"),
        pytest.param({"block": ["table", 0, 1, [[0, None, ""]], 0]}, id="page zero"),
        pytest.param({"block": ["table", 0, 1, [[1, None, "l" * 1001]], 0]}, id="long label"),
        pytest.param({"block": ["table", 0, 1, [[1, None, ""]] * 1001, 0]}, id="many places"),
        pytest.param({"block": ["table", 0, 1, [], 2**63]}, id="level"),
        pytest.param({"block": ["table", 0, 1, [], float("inf")]}, id="infinite"),
        pytest.param({"draft": [0, 7, [], ""]}, id="draft beyond the text"),
        pytest.param({"draft": [0, 0, [], ""]}, id="empty draft"),
        pytest.param({"draft": [0, 6, "heading", ""]}, id="headings"),
        pytest.param({"draft": [0, 6, [1], ""]}, id="heading"),
        pytest.param({"draft": [0, 6, [], None]}, id="table header"),
        pytest.param({"draft": [0, 6]}, id="half a draft"),
    ],
)
def test_answers_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        decoded(*lines(**changed))


def test_blocks_in_one_another_and_pieces_that_say_the_text_too_often_are_refused() -> None:
    head, text, block, draft = lines(blocks=2)
    with pytest.raises(BadFrame):
        decoded(head, text, block, block, draft)
    head, text, block, _ = lines(drafts=5)
    with pytest.raises(BadFrame):
        decoded(head, text, block, *[[0, 6 - k, [], ""] for k in range(5)])
    many = [[k, 6, [], ""] for k in range(6)]
    assert isinstance(decoded({**head, "drafts": 6}, text, block, *many), Parsed)
    with pytest.raises(BadFrame):
        decoded({**head, "drafts": 18}, "abcdef" * 20, block, *[[k, 120, [], ""] for k in range(18)])


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param([], id="list"),
        pytest.param({"kind": "x"}, id="half"),
        pytest.param({"stage": "lie", "kind": "x", "message": "", "retryable": False}, id="stage"),
        pytest.param({"stage": "parse", "kind": "x y", "message": "", "retryable": False}, id="kind"),
        pytest.param({"stage": "parse", "kind": "x", "message": "m" * 4001, "retryable": False}, id="message"),
        pytest.param({"stage": "parse", "kind": "x", "message": "", "retryable": 1}, id="retryable"),
    ],
)
def test_failures_that_cannot_be_are_refused(failure: Any) -> None:
    with pytest.raises(BadFrame):
        decoded({"number": 7, "failure": failure})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"[" * 30_840, id="deep"),
        pytest.param(b'{"number":7,"title":"' + b"x" * 5_000_000 + b'"}', id="long line"),
        pytest.param(b'{"number":' + b"7" * 5000 + b"}", id="long number"),
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_answer(answer, REQUEST)


@pytest.mark.parametrize("lines_before", [0, 1, 2])
def test_a_frame_that_is_no_answer_costs_little_more_memory_than_its_bytes(lines_before: int) -> None:
    head = [json.dumps(line).encode() for line in lines(blocks=10, drafts=None)[:lines_before]]
    garbage = b"[" + b"[]," * 300_000 + b"[]]"
    answer = b"\n".join([*head, *[garbage] * 10])
    tracemalloc.start()
    try:
        with pytest.raises(BadFrame):
            decode_answer(answer, REQUEST)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(answer)  # all of it as lists would be 25 times its bytes
