"""Citations are checked against the passages: what a passage does not contain is not shown as a citation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.analysis.analyser import TextAnalyser
from penstock.model import Chunk, Hit, Place, Source, Span, Trace
from penstock.pipelines.answering.citing import check_claim
from penstock.pipelines.answering.passages import MARKER, Passage, passage
from tests.examples import examples

ANALYSER = TextAnalyser()


def hit(text: str, *, document: str = "d", start: int = 0) -> Hit:
    source = Source(uri=f"file:///{document}", media_type="text/plain", sha256="", size=1, labels={})
    span = Span(start, start + len(text))
    chunk = Chunk(
        id=f"{document}-{start}",
        document_id=document,
        span=span,
        text=text,
        language="en",
        places=(Place(page=start + 1),),
    )
    trace = Trace(ranks={}, scores={}, shares={}, weights={})
    return Hit(chunk=chunk, sources=(source,), title=document, score=1.0, trace=trace)


LEAVE = passage(
    [hit("Employees may carry over up to ten days of unused leave. Requests go to the manager by 31 March.")]
)
CHINESE = passage([hit("员工可将最多十天未休年假结转至下一年度。逾期未休的视为自动放弃。", document="zh")])
LONG = passage(
    [
        hit("The first part ends here and", document="m"),
        hit("ends here and the second part begins.", document="m", start=15),
    ]
)
GIVEN = [LEAVE, CHINESE, LONG]


def checked(claim: str, given: list[Passage] | None = None) -> tuple[str, list[tuple[str, str]]]:
    found = check_claim(claim, given or GIVEN, ANALYSER)
    return found.text, [(citation.chunk_id, citation.quote) for citation in found.citations]


UP_TO = ("d-0", "up to ten days of unused leave")


@pytest.mark.parametrize(
    ("claim", "text", "citations"),
    [
        pytest.param(
            'It is "up to ten days of unused leave" [1].',
            'It is "up to ten days of unused leave" [1].',
            [UP_TO],
            id="quoted",
        ),
        pytest.param(
            "“Up to ten days of unused leave.”【1】",
            "“Up to ten days of unused leave.”[1]",
            [("d-0", UP_TO[1])],
            id="lenticular",
        ),
        pytest.param(
            "“最多十天未休年假”［２］。", "“最多十天未休年假”[2]。", [("zh-0", "最多十天未休年假")], id="full width"
        ),
        pytest.param(
            "根据[2]，“逾期未休的视为自动放弃”。",
            "根据[2]，“逾期未休的视为自动放弃”。",
            [("zh-0", "逾期未休的视为自动放弃")],
            id="mark first",
        ),
        pytest.param(
            'It is "up to twelve days of leave" [1].', 'It is "up to twelve days of leave".', [], id="not what it says"
        ),
        pytest.param(
            'It is "up to ten days of unused leave" [2].',
            'It is "up to ten days of unused leave".',
            [],
            id="wrong passage",
        ),
        pytest.param(
            'It is "up to ten days of unused leave" [7].',
            'It is "up to ten days of unused leave".',
            [],
            id="no such passage",
        ),
        pytest.param(
            'It is "up to ten days of unused leave" [0][1].',
            'It is "up to ten days of unused leave" [1].',
            [UP_TO],
            id="no number nought",
        ),
        pytest.param(
            'It is "up to ten days of unused leave" [1, 2].',
            'It is "up to ten days of unused leave" [1].',
            [UP_TO],
            id="one of two",
        ),
        pytest.param(
            "“Employees may carry over” and “最多十天未休年假” [1][2].",
            "“Employees may carry over” and “最多十天未休年假” [1][2].",
            [("d-0", "Employees may carry over"), ("zh-0", "最多十天未休年假")],
            id="a quotation each",
        ),
        pytest.param(
            "“Employees may carry over” and “fifteen days of leave” [1].",
            "“Employees may carry over” and “fifteen days of leave”.",
            [],
            id="one of two quotations false",
        ),
        pytest.param(
            "By [1] “Requests go to the manager” and by [2] “最多十天未休年假”.",
            "By [1] “Requests go to the manager” and by [2] “最多十天未休年假”.",
            [("d-0", "Requests go to the manager"), ("zh-0", "最多十天未休年假")],
            id="quotations after their marks",
        ),
        pytest.param(
            "Employees can carry over ten days of leave [1].",
            "Employees can carry over ten days of leave [1].",
            [("d-0", "Employees may carry over up to ten days of unused leave.")],
            id="no quotation, supported",
        ),
        pytest.param(
            "年假最多可结转十天[2]。",
            "年假最多可结转十天[2]。",
            [("zh-0", "员工可将最多十天未休年假结转至下一年度。")],
            id="Chinese, supported",
        ),
        pytest.param(
            "Employees can carry over 12 days of leave [1].",
            "Employees can carry over 12 days of leave.",
            [],
            id="a number that is not there",
        ),
        pytest.param(
            "Remote work is allowed on Fridays [1].", "Remote work is allowed on Fridays.", [], id="not supported"
        ),
        pytest.param(
            "Employees carry over leave “十天” [2].",
            "Employees carry over leave “十天”.",
            [],
            id="a quotation too short to count",
        ),
        pytest.param(
            "年假最多可结转“十天”[2]。",
            "年假最多可结转“十天”[2]。",
            [("zh-0", "十天")],
            id="a short one in a supported claim",
        ),
        pytest.param(
            "Managers may refuse unused leave [1].", "Managers may refuse unused leave.", [], id="half supported"
        ),
        pytest.param("Employees [1]", "Employees", [], id="one word"),
        pytest.param("See `row[1]` and array.", "See `row[1]` and array.", [], id="code"),
        pytest.param("No marks at all.", "No marks at all.", [], id="no marks"),
        pytest.param("In [2019] and [a].", "In [2019] and [a].", [], id="other brackets"),
        pytest.param(
            "“up to ten days of unused leave” [1-2]", "“up to ten days of unused leave” [1]", [UP_TO], id="range"
        ),
        pytest.param(
            "“ends here and the second part” [3]",
            "“ends here and the second part” [3]",
            [("m-15", "ends here and the second part")],
            id="in the second chunk",
        ),
        pytest.param(
            "“first part ends here and the second part begins” [3]",
            "“first part ends here and the second part begins” [3]",
            [("m-15", "ends here and the second part begins")],
            id="across two chunks",
        ),
    ],
)
def test_checks_claims(claim: str, text: str, citations: list[tuple[str, str]]) -> None:
    assert checked(claim) == (text, citations)


def test_a_citation_carries_the_place_of_the_chunk_that_holds_the_quote() -> None:
    (citation,) = check_claim("“the second part begins” [3]", GIVEN, ANALYSER).citations
    assert citation.places == (Place(page=16),)
    assert citation.source.uri == "file:///m"


PARTS = st.sampled_from(
    [
        "[1]",
        "[2]",
        "[3][1]",
        "【9】",
        "“up to ten days”",
        "“最多十天未休年假”",
        '"first part ends here and the second',
        '"',
        "。",
        ". ",
        "Employees may carry over ten days",
        "年假结转",
        " ",
    ]
)


@settings(max_examples=examples(60))
@given(st.lists(PARTS | st.text(max_size=5), max_size=10).map("".join))
def test_a_quote_always_stands_in_the_cited_chunk_and_a_mark_in_the_list(claim: str) -> None:
    found = check_claim(claim, GIVEN, ANALYSER)
    chunks = {hit.chunk.id: hit.chunk.text for group in GIVEN for hit in group.hits}
    cited = {citation.chunk_id for citation in found.citations}
    for citation in found.citations:
        assert citation.quote
        assert citation.quote in chunks[citation.chunk_id]
    for match in MARKER.finditer(found.text):
        if found.text[: match.start()].count("`") == 0:
            assert any(hit.chunk.id in cited for hit in GIVEN[int(match["numbers"]) - 1].hits)
