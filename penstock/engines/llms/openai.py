"""Any language model behind the OpenAI wire format, local or remote: one request over `httpx`, one stream of events.

What leaves the machine is the request and nothing else: redirects are not followed, no variable names a key or an
address behind the settings' back, and servers on loopback are reached directly. For other servers the proxy variables
of the environment (`HTTPS_PROXY`, `NO_PROXY`) are obeyed.
"""

import ipaddress
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from penstock import retries
from penstock.engines.llms.openai_errors import MAX_WAIT_SECONDS, Endpoint, asked_pause, translated
from penstock.engines.llms.openai_stream import StreamReader
from penstock.engines.llms.presets import preset as preset_named
from penstock.engines.llms.thinking import without_thoughts
from penstock.engines.llms.tokens import token_counter
from penstock.errors import EngineError, MissingKey, SettingsError
from penstock.model import Message, Usage

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

DEFAULT_CONTEXT_TOKENS = 8192
"""Taken where neither a setting nor a preset says how large the window is."""
CONNECT_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
KEY_VARIABLE = "PENSTOCK_LLM__API_KEY"
HINT_SECONDS = 5.0
"""How long the names of a server's models may take, which are only a hint."""


class OpenAILLM:
    """A model on an OpenAI-compatible server; a preset fills in what is not given.

    Raises:
        SettingsError: no base URL or no model is known, or the tokenizer file is none.
        UnknownName: there is no such preset.
    """

    def __init__(
        self,
        *,
        model: str = "",
        base_url: str = "",
        api_key: str | None = None,
        context_tokens: int | None = None,
        timeout_seconds: float = 60.0,
        attempts: int = 3,
        temperature: float | None = 0.0,
        preset: str = "",
        tokenizer: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        known = preset_named(preset) if preset else None
        self._base_url = base_url or (known.base_url if known else "")
        self._model = model or (known.model if known else "")
        if not self._base_url or urlsplit(self._base_url).scheme not in ("http", "https"):
            raise SettingsError(f"llm.base_url {self._base_url!r} is no http(s) address; set it, or llm.preset")
        if not self._model:
            raise SettingsError(f"{self._base_url} serves what its owner loaded: name the model in llm.model")
        self._context_tokens = context_tokens or (known.context_tokens if known else DEFAULT_CONTEXT_TOKENS)
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._temperature = temperature
        self._count = token_counter(tokenizer)
        self._wait = wait
        self._key = (api_key or "").strip()
        self._needs_key = known is not None and known.needs_key and self._base_url == known.base_url
        hint = f"{KEY_VARIABLE} or {known.key_variable}" if known and known.key_variable else KEY_VARIABLE
        server = urlsplit(self._base_url)
        address = server._replace(netloc=server.netloc.rpartition("@")[2], query="", fragment="").geturl()
        self._endpoint = Endpoint(server=address, model=self._model, key=self._key, key_hint=hint)
        self._unwanted: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"OpenAILLM(model={self._model!r}, base_url={self._endpoint.server!r})"

    @property
    def name(self) -> str:
        """The model's name on its server."""
        return self._model

    @property
    def context_tokens(self) -> int:
        """The model's window, as given or as its preset says."""
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """Exact with a tokenizer file; without one, the upper estimate of `penstock.engines.llms.tokens`."""
        return self._count(text)

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The answer piece by piece, without the model's reasoning; then the usage, where the server reports it.

        A call is repeated, with growing pauses or the pause that the server asks for, only while nothing of the
        answer has been given out. The time-out is for silence: between two pieces, or before the first.

        Raises:
            MissingKey: the server wants a key and none is set.
            ModelRefused: the server refused, and will again; the message carries its words.
            ModelUnavailable: no answer, an overloaded server, or one that broke off, after all attempts.
        """
        if self._needs_key and not self._key:
            raise MissingKey(f"{self._endpoint.server} wants a key: set {self._endpoint.key_hint}")
        with self._client() as client:
            for attempt in range(1, self._attempts + 1):
                began = False
                try:
                    for item in self._once(client, messages, max_tokens):
                        began = True
                        yield item
                except EngineError as error:
                    pause = self._pause(error, attempt)
                    if began or pause is None:
                        raise
                    self._log(error, pause, attempt)
                    self._wait(pause)
                else:
                    return

    def _pause(self, error: EngineError, attempt: int) -> float | None:
        """Seconds before the next attempt; None when there is none."""
        if not error.retryable or attempt >= self._attempts:
            return None
        asked = asked_pause(error.__cause__)
        if asked is not None:
            return asked if asked <= MAX_WAIT_SECONDS else None
        return retries.pause(attempt, first=FIRST_PAUSE_SECONDS, longest=MAX_WAIT_SECONDS / 2)

    def _log(self, error: EngineError, pause: float, attempt: int) -> None:
        """Logs a failure without the server's own words, which may quote the question."""
        cause = error.__cause__ or error
        status = getattr(getattr(cause, "response", None), "status_code", None)
        reason = f"status {status}" if status else type(cause).__name__
        server = self._endpoint.server
        log.warning(
            "%s: %s; in %.1f s it is asked again (%d of %d)", server, reason, pause, attempt + 1, self._attempts
        )

    def _once(self, client: "httpx.Client", messages: Sequence[Message], max_tokens: int) -> Iterator[str | Usage]:
        import httpx

        reading, has_text = StreamReader(self._endpoint), False
        try:
            with (
                self._opened(client, messages, max_tokens) as response,
                closing(reading.pieces(response)) as pieces,
            ):
                for piece in without_thoughts(pieces):
                    has_text = True
                    yield piece
        except (httpx.HTTPError, ValueError) as error:  # ValueError: broken JSON or UTF-8
            found = translated(error, self._endpoint)
            if isinstance(error, httpx.HTTPStatusError) and error.response.status_code == HTTPStatus.NOT_FOUND:
                found = type(found)(f"{found}{self._models(client)}")
            raise found from error
        reading.check_complete(max_tokens, has_text=has_text)
        if reading.usage is not None:
            yield reading.usage

    @contextmanager
    def _opened(
        self, client: "httpx.Client", messages: Sequence[Message], max_tokens: int
    ) -> "Iterator[httpx.Response]":
        """The response, unread; options that this server does not know are left out, now and later."""
        while True:
            request = self._request(messages, max_tokens)
            with client.stream("POST", self._url("chat/completions"), json=request) as response:
                if response.is_success:
                    yield response
                    return
                response.read()
                refused = response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
                unwanted = _unwanted(response.text, self._unwanted) if refused else None
                if unwanted is None:
                    response.raise_for_status()
                    return
                self._unwanted |= {unwanted}
            log.info("%s does not know %s: asking without it", self._endpoint.server, unwanted)

    def _request(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        limit = "max_completion_tokens" if "max_tokens" in self._unwanted else "max_tokens"
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": True,
            limit: max_tokens,
        }
        if "stream_options" not in self._unwanted:
            request["stream_options"] = {"include_usage": True}
        if self._temperature is not None and "temperature" not in self._unwanted:
            request["temperature"] = self._temperature
        return request

    def _models(self, client: "httpx.Client") -> str:
        """The names of the server's models, as a hint beside a name that it does not know."""
        import httpx

        try:
            listed = client.get(self._url("models"), timeout=HINT_SECONDS).raise_for_status().json()["data"]
            names = sorted(str(model["id"]) for model in listed)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):  # a hint only: the first error is what counts
            return ""
        return f"; it serves {', '.join(map(repr, names[:20]))}" if names else ""

    def _url(self, path: str) -> str:
        base = urlsplit(self._base_url)
        server = base.netloc.rpartition("@")[2]
        return base._replace(netloc=server, path=f"{base.path.rstrip('/')}/{path}", fragment="").geturl()

    def _client(self) -> "httpx.Client":
        import httpx

        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return httpx.Client(
            headers={"Accept": "application/json", "User-Agent": "penstock", **key},
            timeout=httpx.Timeout(self._timeout_seconds, connect=min(CONNECT_SECONDS, self._timeout_seconds)),
            trust_env=not _is_loopback(self._base_url),
        )


def _unwanted(words: str, already: frozenset[str]) -> str | None:
    """Which option a server complains about, and if it names none, the one that servers know least; None: give up."""
    for option in ("stream_options", "max_tokens", "temperature"):
        if option in words and option not in already:
            return option
    named = any(option in words for option in ("max_completion_tokens", "stream_options", "temperature"))
    return None if named or "stream_options" in already else "stream_options"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
