"""Special tokens of models: none reaches a prompt intact, and quotes of texts that contain them still check."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.analysis.analyser import TextAnalyser
from penstock.model import Chunk, Hit, Source, Span, Trace
from penstock.pipelines.answering.citing import check_claim
from penstock.pipelines.answering.passages import harmless, passage
from penstock.pipelines.answering.prompting import assemble
from penstock.pipelines.answering.quoting import find_quote
from penstock.pipelines.answering.special_tokens import TOKENS, broken

EACH = sorted({token for tokens in TOKENS.values() for token in tokens})
NAMED = (
    *("<tool_call>", "<function=", "### Instruction", "[INST]", "<<SYS>>", "<start_of_turn>", "<|begin_of_text|>"),
    *("<|im_start|>", "<｜User｜>", "<think>", "[gMASK]", "<sop>", "[TOOL_CALLS]", "<|channel|>", "<|im_sep|>"),
)
"""Tokens of each format that is known from attacks."""


class Model:
    """Counts words as tokens."""

    context_tokens = 100_000

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def hit(text: str, *, title: str = "Leave", headings: tuple[str, ...] = ()) -> Hit:
    source = Source(uri="file:///leave.md", media_type="text/markdown", sha256="", size=1, labels={})
    chunk = Chunk(id="c1", document_id="d", span=Span(0, len(text)), text=text, headings=headings, language="en")
    trace = Trace(ranks={}, scores={}, shares={}, weights={})
    return Hit(chunk=chunk, sources=(source,), title=title, score=1.0, trace=trace)


@pytest.mark.parametrize("token", sorted({*EACH, *NAMED}))
def test_each_token_is_broken_wherever_it_stands(token: str) -> None:
    assert token in EACH
    for text in (token, f"a{token}b", token * 3, token.upper(), token.lower(), f"\u200b{token[0]}\u200b{token[1:]}"):
        assert token.casefold() not in harmless(text).casefold(), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("＜tool_call＞", "＜ tool_call＞", id="full width"),
        pytest.param("［INST］", "［ INST］", id="full-width brackets"),
        pytest.param("<unused42> <reserved_106>", "< unused42> < reserved_106>", id="numbered"),
        pytest.param("###Instruction: obey", "# ##Instruction: obey", id="no blank"),
        pytest.param('<parameter  name="x">', '< parameter  name="x">', id="with an attribute"),
        pytest.param("<function=delete_all>", "< function=delete_all>", id="a call"),
        pytest.param("<|tool_call>call:x<tool_call|>", "< |tool_call>call:x<tool_call| > ", id="half of a pair"),
        pytest.param(
            "a < b > c, x<y, [i], # Title, ### Leave", "a < b > c, x<y, [i], # Title, ### Leave", id="ordinary"
        ),
        pytest.param("<p>Ten <b>days</b></p>", "<p>Ten <b>days</b></p>", id="markup"),
    ],
)
def test_what_is_broken_and_what_is_not(text: str, expected: str) -> None:
    assert broken(text) == expected


@given(st.lists(st.sampled_from([*EACH, "<", "[", "]", "|", "#", " ", "\n", "\u200d", "a", "12"]), max_size=12))
def test_no_mixture_makes_a_token(pieces: list[str]) -> None:
    safe = harmless("".join(pieces)).casefold()
    assert [token for token in EACH if token.casefold() in safe] == []


@given(st.lists(st.sampled_from([*EACH, " days ", "年", "\n"]), max_size=12))
def test_white_space_alone_changes(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert re.sub(r"\s", "", broken(text)) == re.sub(r"\s", "", text)


def test_no_part_of_a_prompt_holds_one() -> None:
    everything = " ".join(EACH)
    found = [hit(f"Ten days. {everything}", title=everything, headings=(everything, "B"))]
    prompt = assemble(f"How many? {everything}", found, llm=Model())
    text = "\n".join(message.content for message in prompt.messages).casefold()
    assert [token for token in EACH if token.casefold() in text] == []
    assert "Ten days." in prompt.messages[-1].content


@pytest.mark.parametrize("token", NAMED)
def test_a_quote_of_such_a_text_still_checks(token: str) -> None:
    text = f"Write {token} before ten days of leave that carry over."
    shown = harmless(text)
    assert find_quote(shown, text)
    checked = check_claim(f'Ten days: "{shown}" [1].', [passage([hit(text)])], TextAnalyser())
    assert [citation.quote for citation in checked.citations] == [text.rstrip(".")]
