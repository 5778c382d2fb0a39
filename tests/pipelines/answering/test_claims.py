"""An answer is cut into claims while it streams, and no character of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.pipelines.answering.claims import claims


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("Ten days [1]. It ends [2].", ["Ten days [1].", " It ends [2]."], id="mark inside"),
        pytest.param("Ten days. [1][2] It ends.", ["Ten days. [1][2]", " It ends."], id="marks after"),
        pytest.param("十天。[1]到期作废。【2】完。", ["十天。[1]", "到期作废。【2】", "完。"], id="Chinese"),
        pytest.param("“甲。乙。”[1]丙。", ["“甲。乙。”[1]", "丙。"], id="quotation kept whole"),
        pytest.param('He said "One. Two." [1] Three.', ['He said "One. Two." [1]', " Three."], id="straight marks"),
        pytest.param("- a [1]\n- b [2]\n", ["- a [1]\n", "- b [2]\n"], id="list"),
        pytest.param("version 3.5 of v2.0 runs", ["version 3.5 of v2.0 runs"], id="numbers"),
        pytest.param("“open. x\nnext. y", ["“open. x\n", "next.", " y"], id="never closed"),
        pytest.param("\n\na. b", ["\n\na.", " b"], id="blank lines first"),
    ],
)
def test_cuts_claims(text: str, expected: list[str]) -> None:
    assert list(claims([text])) == expected
    assert list(claims(text)) == expected, "the same when it comes letter by letter"


def test_gives_a_claim_out_before_the_next_is_complete() -> None:
    stream = claims(iter(["Ten days", ". [1", "] The", " rest"]))
    assert next(stream) == "Ten days. [1]"


@given(st.lists(st.text(alphabet='ab.。!? \n[]【1,"“”）'), max_size=20))
def test_loses_nothing(pieces: list[str]) -> None:
    found = list(claims(pieces))
    assert "".join(found) == "".join(pieces)
    assert all(found)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_cuts_the_same_however_the_answer_arrives(size: int) -> None:
    answer = "Ten days carry over [1]. “Until March. Not later.” [2] 未休完的年假可以结转。【1】再见！\nThe end."
    pieces = [answer[start : start + size] for start in range(0, len(answer), size)]
    assert list(claims(pieces)) == list(claims([answer]))


@given(st.text(alphabet='ab.。!? \n[]【1,"“”）', max_size=40), st.integers(1, 9))
def test_a_claim_ends_at_the_same_place_however_the_answer_arrives(answer: str, size: int) -> None:
    pieces = [answer[start : start + size] for start in range(0, len(answer), size)]
    assert list(claims(pieces)) == list(claims([answer]))
