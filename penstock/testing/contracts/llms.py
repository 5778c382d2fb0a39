"""Contract suite for language models, and `ScriptedLLM`, the double whose answers a test scripts."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from penstock.errors import EngineError
from penstock.model import Message, Usage
from penstock.ports import LLM
from penstock.testing.contracts.texts import AWKWARD, CHINESE, ENGLISH, at_once

GREETING = (Message(role="user", content="Say hello."),)


def pieces_of(llm: LLM, *messages: Message) -> list[str]:
    """The pieces of an answer."""
    return [item for item in llm.stream(messages, max_tokens=50) if isinstance(item, str)]


class ScriptedLLM:
    """Answers each call with the next of its scripted replies, in pieces, and keeps what it was asked."""

    def __init__(self, *replies: str | Exception, context_tokens: int = 4096, piece: int = 7) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Message, ...]] = []
        self._context_tokens = context_tokens
        self._piece = piece

    @property
    def name(self) -> str:
        """`scripted`."""
        return "scripted"

    @property
    def context_tokens(self) -> int:
        """As given."""
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """One token for each two characters begun."""
        return (len(text) + 1) // 2

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The next reply, cut into pieces, then the usage; an exception among the replies is raised."""
        self.asked.append(tuple(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        reply = reply[: 2 * max_tokens]
        yield from (reply[at : at + self._piece] for at in range(0, len(reply), self._piece))
        yield Usage(
            prompt_tokens=sum(self.count_tokens(message.content) for message in messages),
            completion_tokens=self.count_tokens(reply),
        )


class LLMContract:
    """What every language model must do: subclass it and give the fixture `llm`, which can answer a greeting.

    Where the model can be out of reach, give the fixture `unreachable` too.
    """

    @pytest.fixture
    def unreachable(self) -> LLM | None:
        """A model of the same kind that cannot be called; None where there is nothing to reach."""
        return None

    def test_has_a_name_and_a_window(self, llm: LLM) -> None:
        """An answer says who gave it, and a prompt is fitted to the window."""
        assert llm.name
        assert llm.name.isprintable()
        assert llm.context_tokens > 0

    def test_counts_tokens(self, llm: LLM) -> None:
        """More text never has fewer tokens, and no text has none."""
        texts = ["", "leave", "leave policy", "leave policy, 年假规定", "leave policy, 年假规定: 10 days a year"]
        counts = [llm.count_tokens(text) for text in texts]
        assert counts[0] == 0
        assert counts == sorted(counts)
        assert counts[1] > 0

    def test_any_text_has_a_number_of_tokens(self, llm: LLM) -> None:
        """Empty, broken and very long ones; long ones are counted to their end, and the same each time."""
        counts = [llm.count_tokens(text) for text in AWKWARD]
        assert all(count >= 0 for count in counts)
        assert [llm.count_tokens(text) for text in AWKWARD] == counts
        for text in (ENGLISH, CHINESE):
            assert llm.count_tokens(text * 400) > 100 * llm.count_tokens(text)

    def test_streams_text_and_then_at_most_one_usage(self, llm: LLM) -> None:
        """Pieces of text are not empty, together they say something, and the usage is the last item if there is one."""
        items: list[Any] = list(llm.stream([Message(role="user", content="Say hello.")], max_tokens=50))
        pieces = [item for item in items if isinstance(item, str)]
        assert "".join(pieces).strip()
        assert all(pieces)
        assert all(isinstance(item, str) for item in items[:-1])

    def test_may_be_left_in_the_middle(self, llm: LLM) -> None:
        """A reader who has read enough closes the stream, and the model can be asked again."""
        stream = llm.stream([Message(role="user", content="Say hello.")], max_tokens=50)
        assert next(iter(stream))
        close = getattr(stream, "close", None)
        if close is not None:
            close()
        assert list(llm.stream([Message(role="user", content="Say hello.")], max_tokens=50))

    def test_any_message_may_be_sent(self, llm: LLM) -> None:
        """Empty, broken and very long ones are answered or refused as a model refuses, and the next one is answered."""
        for text in AWKWARD:
            with suppress(EngineError):
                pieces_of(llm, Message(role="system", content=text), Message(role="user", content=text))
        assert pieces_of(llm, *GREETING)

    def test_threads_share_it(self, llm: LLM) -> None:
        """Collections of a library ask one model at the same moment."""
        assert all(at_once(lambda: "".join(pieces_of(llm, *GREETING)).strip()))

    def test_a_model_out_of_reach_is_reported(self, unreachable: LLM | None) -> None:
        """As an error of the engine that says what is the matter, at the call or while it is read."""
        if unreachable is None:
            pytest.skip("there is nothing to reach")
        with pytest.raises(EngineError, match=r"\w"):
            pieces_of(unreachable, *GREETING)
