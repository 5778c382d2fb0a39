"""Keeps a model's reasoning out of its answer where the server sends both in one stream."""

from collections.abc import Iterator

OPENERS = ("<think>", "<thinking>", "<thought>")
"""Tags with which reasoning begins in the raw output of DeepSeek, Qwen, MiniMax, GLM and others."""


def without_thoughts(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces of the answer, without blocks of reasoning at its beginning and without white space before it.

    Only blocks at the very beginning are reasoning; the same tag further on is part of the answer. A block that is
    never closed leaves nothing: the model did not come to an answer. Where the server dropped the opening tag (it
    is in the chat template of some models), reasoning cannot be distinguished from an answer: let the server split it
    off, as vLLM does with `--reasoning-parser`.

    >>> list(without_thoughts(iter(["<thi", "nk>Ten? Twelve?</think>", "  Ten ", "days."])))
    ['Ten ', 'days.']
    """
    held, closer = "", ""
    for piece in pieces:
        held += piece
        while closer or held:
            if closer:
                _, closed, rest = held.partition(closer)
                if not closed:
                    held = held[1 - len(closer) :]  # the beginning of a closing tag may be among it
                    break
                held, closer = rest, ""
            held = held.lstrip()
            opener = next(filter(held.startswith, OPENERS), "")
            if not opener:
                break
            held, closer = held.removeprefix(opener), opener.replace("<", "</")
        if held and not closer and not any(opener.startswith(held) for opener in OPENERS):
            yield held
            yield from pieces
            return
    if held and not closer:
        yield held
