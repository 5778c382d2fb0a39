"""Reads one response of an OpenAI-compatible server: a stream of events, or one object where it cannot stream."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from penstock.engines.llms.openai_errors import Endpoint, error_in, stream_error
from penstock.errors import ModelRefused, ModelUnavailable
from penstock.model import Usage

if TYPE_CHECKING:
    import httpx

DATA = b"data:"
DONE = b"[DONE]"
"""What ends a stream in place of an event."""


class StreamReader:
    """The state of one response while it is read: how it ended and what was used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._finish = ""
        self._thought = False
        self.usage: Usage | None = None
        """As the server reported it last; None where it did not."""

    def pieces(self, response: "httpx.Response") -> Generator[str, None, None]:
        """The text of the answer, piece by piece, none of them empty.

        Raises:
            ModelRefused: the server reports an error, or what came is no answer at all.
            ModelUnavailable: the server reports an error that may pass.
            ValueError: what came is broken JSON or broken UTF-8.
        """
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            raise ModelRefused(
                f"{self._endpoint.server} answered with a web page: check llm.base_url, which is used as given "
                "(most servers end in /v1)"
            )
        events = (response.read(),) if kind == "application/json" else _events(response.iter_bytes())
        for event in events:
            message = json.loads(event.decode())
            if isinstance(message, Mapping):
                yield from self._texts(message)

    def check_complete(self, max_tokens: int, *, has_text: bool) -> None:
        """Raises for an answer that was cut off; `has_text`: whether there was more than reasoning.

        Raises:
            ModelUnavailable: the stream ended in the middle, or nothing came.
            ModelRefused: the server stopped the answer, or all tokens went on reasoning.
        """
        server = self._endpoint.server
        if self._finish == "content_filter":
            raise ModelRefused(f"{server} stopped the answer: its content filter does not allow it")
        if not self._finish and self.usage is None:
            raise ModelUnavailable(f"{server} broke off in the middle of its answer")
        if not has_text and self._finish == "length":
            spent = " on its reasoning" if self._thought else ""
            raise ModelRefused(
                f"the model spent all {max_tokens} tokens{spent} and gave no answer; raise prompt.answer_tokens"
            )
        if not has_text:
            raise ModelUnavailable(f"{server} gave an empty answer")

    def _texts(self, event: Mapping[str, Any]) -> Iterator[str]:
        self._note_usage(event.get("usage"))
        choices = event.get("choices")
        if event.get("error") or not isinstance(choices, list) or not choices:
            complaint = error_in(event)
            if complaint is not None:
                raise stream_error(complaint, self._endpoint)
            return
        choice = choices[0] if isinstance(choices[0], Mapping) else {}
        self._finish = choice.get("finish_reason") or self._finish
        part = choice.get("delta") or choice.get("message") or {}
        self._thought = self._thought or bool(part.get("reasoning_content") or part.get("reasoning"))
        text = part.get("content")
        if isinstance(text, str) and text:
            self._thought = self._thought or text.lstrip().startswith("<th")
            yield text

    def _note_usage(self, usage: Any) -> None:
        if isinstance(usage, Mapping):
            counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
            if all(isinstance(count, int) for count in counts):
                self.usage = Usage(prompt_tokens=counts[0] or 0, completion_tokens=counts[1] or 0)


def _events(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The data of server-sent events, up to the one that ends the stream; an event that was cut off counts."""
    data: list[bytes] = []
    for line in _lines(pieces):
        if line.startswith(DATA):
            data.append(line[len(DATA) :].removeprefix(b" "))
        elif not line and data:
            if data[0].startswith(DONE):
                return
            yield b"\n".join(data)
            data = []
    if data and not data[0].startswith(DONE):
        yield b"\n".join(data)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of bytes: where text is cut into lines, U+2028 ends one too, and JSON may hold it."""
    held: list[bytes] = []
    for piece in pieces:
        first, *more = piece.split(b"\n")
        held.append(first)
        for begun in more:
            yield b"".join(held).removesuffix(b"\r")
            held = [begun]
    yield b"".join(held)
