"""Where sentences end in Chinese and English, and that nothing is lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.analysis.sentences import sentence_spans


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("It turns. It stops! Why? Go.", ["It turns.", "It stops!", "Why?", "Go."], id="plain"),
        pytest.param("Dr. Lee met Mr. J. R. Smith.", ["Dr. Lee met Mr. J. R. Smith."], id="titles and initials"),
        pytest.param("It costs $3.50. Buy v2.1 now.", ["It costs $3.50.", "Buy v2.1 now."], id="decimals"),
        pytest.param(
            "See https://a.example/x.html?q=1. Then go.",
            ["See https://a.example/x.html?q=1.", "Then go."],
            id="address",
        ),
        pytest.param("Use a pump, e.g. Model X. It works.", ["Use a pump, e.g. Model X.", "It works."], id="e.g."),
        pytest.param("Bolts, nuts, etc. The rest follows.", ["Bolts, nuts, etc.", "The rest follows."], id="etc. ends"),
        pytest.param(
            "The U.S. Navy left. So did I. We stayed.", ["The U.S. Navy left.", "So did I.", "We stayed."], id="U.S."
        ),
        pytest.param(
            "See Fig. 3 and No. 5. The answer is no. Done.",
            ["See Fig. 3 and No. 5.", "The answer is no.", "Done."],
            id="numbers",
        ),
        pytest.param("Lee et al. (2019) say so.", ["Lee et al. (2019) say so."], id="et al."),
        pytest.param(
            "Wait... what? He left... Then rain.", ["Wait... what?", "He left...", "Then rain."], id="ellipsis"
        ),
        pytest.param('"Why?" he asked. "Go!" She went.', ['"Why?" he asked.', '"Go!"', "She went."], id="quotes"),
        pytest.param("1. First step. 2. Second.", ["1. First step.", "2. Second."], id="numbered"),
        pytest.param(
            "水从水库流下。它推动水轮机！真的吗？", ["水从水库流下。", "它推动水轮机！", "真的吗？"], id="chinese"
        ),
        pytest.param("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"], id="chinese quotes"),
        pytest.param("第一；第二……第三", ["第一；", "第二……", "第三"], id="semicolon and ellipsis"),
        pytest.param("（见附件。）完", ["（见附件。）", "完"], id="brackets"),
        pytest.param("今天很好.明天再说", ["今天很好.", "明天再说"], id="western mark in chinese"),
        pytest.param(
            "版本为3.5，文件a.txt在此。1.总则 略", ["版本为3.5，文件a.txt在此。", "1.总则 略"], id="no end in chinese"
        ),
        pytest.param("全角３．１４是数．完", ["全角３．１４是数．", "完"], id="full-width stop"),
        pytest.param(
            "使用 PyTorch. 然后训练 Model A. 结束", ["使用 PyTorch.", "然后训练 Model A.", "结束"], id="mixed"
        ),
        pytest.param("これは文です。次の文です。", ["これは文です。", "次の文です。"], id="japanese"),
        pytest.param("one line\nanother line\n\nlast", ["one line", "another line", "last"], id="lines"),
        pytest.param("", [], id="empty"),
        pytest.param(" \n ", [], id="blank"),
        pytest.param("...", ["..."], id="marks only"),
    ],
)
def test_sentence_spans(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(st.text(alphabet='aB 。.！!?…\n"”)1，；I水．', max_size=60))
def test_every_character_lies_in_exactly_one_sentence(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join(split(text)).split() == "".join(text[s:e] for s, e in spans).split()
    covered = [index for start, end in spans for index in range(start, end)]
    assert covered == sorted(set(covered))
    assert all(text[index].isspace() for index in range(len(text)) if index not in set(covered))
    assert all(sentence == sentence.strip() != "" for sentence in split(text))
