"""Reads one response of an OpenAI-compatible server: a stream of events, or one object where it cannot stream."""

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from penstock.engines.llms.openai_errors import Caller, error_in, stream_error
from penstock.errors import ModelRefused, ModelUnavailable
from penstock.model import Usage


class Reading:
    """The state of one response while it is read: how it ended and what was used."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._finish = ""
        self._thought = False
        self.usage: Usage | None = None
        """As the server reported it last; None where it did not."""

    def pieces(self, stream: Any) -> Generator[str, None, None]:
        """The text of the answer, piece by piece, none of them empty.

        Raises:
            ModelRefused: the server reports an error, or what came is no answer at all.
            ModelUnavailable: the server reports an error that may pass.
        """
        kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            stream.close()
            raise ModelRefused(
                f"{self._caller.server} answered with a web page: check llm.base_url, which is used as given "
                "(most servers end in /v1)"
            )
        events = self._whole(stream) if kind == "application/json" else self._streamed(stream)
        for event in events:
            yield from self._texts(event)

    def check_complete(self, max_tokens: int, *, said: bool) -> None:
        """Tells an answer that ended from one that was cut off; `said`: whether there was more than reasoning.

        Raises:
            ModelUnavailable: the stream ended in the middle, or nothing came.
            ModelRefused: the server stopped the answer, or all tokens went on reasoning.
        """
        server = self._caller.server
        if self._finish == "content_filter":
            raise ModelRefused(f"{server} stopped the answer: its content filter does not allow it")
        if not self._finish and self.usage is None:
            raise ModelUnavailable(f"{server} broke off in the middle of its answer")
        if not said and self._finish == "length":
            spent = " on its reasoning" if self._thought else ""
            raise ModelRefused(
                f"the model spent all {max_tokens} tokens{spent} and gave no answer; raise prompt.answer_tokens"
            )
        if not said:
            raise ModelUnavailable(f"{server} gave an empty answer")

    def _streamed(self, stream: Any) -> Iterator[Mapping[str, Any]]:
        with stream:
            for chunk in stream:
                yield chunk.to_dict(warnings=False) if hasattr(chunk, "to_dict") else {}

    def _whole(self, stream: Any) -> Iterator[Mapping[str, Any]]:
        body = json.loads(stream.response.read())
        yield body if isinstance(body, Mapping) else {}

    def _texts(self, event: Mapping[str, Any]) -> Iterator[str]:
        self._note_usage(event.get("usage"))
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices:
            complaint = error_in(event)
            if complaint is not None:
                raise stream_error(complaint, self._caller)
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
