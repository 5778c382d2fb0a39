"""Keeps a model's reasoning out of its answer where the server sends both in one stream."""

from collections.abc import Iterator

OPENERS = ("<think>", "<thinking>", "<thought>")
"""Tags with which reasoning begins in the raw output of DeepSeek, Qwen, MiniMax, GLM and others."""


def without_thoughts(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces of the answer, without blocks of reasoning at its beginning and without white space before it.

    Only blocks at the very beginning are reasoning; the same tag further on is part of the answer. A block that is
    never closed leaves nothing: the model did not come to an answer. A block whose opening tag the server ate (it
    stands in the chat template of some models) cannot be told from an answer: let the server split it off, as vLLM
    does with `--reasoning-parser`.

    >>> list(without_thoughts(iter(["<thi", "nk>Ten? Twelve?</think>", "  Ten ", "days."])))
    ['Ten ', 'days.']
    """
    held = ""
    for piece in pieces:
        held = _answer_part(held + piece)
        if held and not _may_be_thought(held):
            yield held
            yield from pieces
            return
    if held and not held.startswith(OPENERS):
        yield held


def _answer_part(text: str) -> str:
    text = text.lstrip()
    for opener in OPENERS:
        if text.startswith(opener):
            _, closed, rest = text.partition(opener.replace("<", "</"))
            return _answer_part(rest) if closed else text
    return text


def _may_be_thought(text: str) -> bool:
    return text.startswith(OPENERS) or any(opener.startswith(text) for opener in OPENERS)
