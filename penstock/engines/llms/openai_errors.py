"""What went wrong in a call to an OpenAI-compatible server, in Penstock's own errors and without the key."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock import retries
from penstock.errors import EngineError, MissingKey, ModelRefused, ModelUnavailable

if TYPE_CHECKING:
    import httpx

BUSY_WORDS = (
    "overload",
    "busy",
    "rate limit",
    "too many",
    "timed out",
    "timeout",
    "try again",
    "capacity",
    "繁忙",
    "稍后",
)
"""An error inside a stream has no status code; these words say that the same request may work later."""
SPENT_CODES = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance")
"""Codes of a 429 that no waiting helps against."""
MAX_WAIT_SECONDS = 60.0
"""A server that asks for a longer pause is taken as unavailable."""
WORDS_SHOWN = 500
"""Characters of a server's own words that an error shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The server that was called, for the text of errors; the key is known only to be kept out of them."""

    server: str
    model: str
    key: str
    key_hint: str
    """Names the variables in which a key is looked for."""

    def redacted(self, words: object) -> str:
        """A server's words, shortened, with the key blotted out."""
        text = " ".join(str(words).split())
        if self.key:
            text = text.replace(self.key, "***")
        return text if len(text) <= WORDS_SHOWN else f"{text[:WORDS_SHOWN]}..."


def translated(error: "httpx.HTTPError | ValueError", endpoint: Endpoint) -> EngineError:
    """The Penstock error for an error of the transport."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return _status_error(error.response, endpoint)
    if isinstance(error, httpx.TimeoutException):
        return ModelUnavailable(
            f"{endpoint.server} did not answer in time; raise llm.timeout_seconds if it is only slow"
        )
    if isinstance(error, httpx.HTTPError):
        return ModelUnavailable(
            f"the connection to {endpoint.server} failed ({endpoint.redacted(error)}); is the server running?"
        )
    return ModelUnavailable(
        f"{endpoint.server} sent something that is no stream of answers: {endpoint.redacted(error)}"
    )


def stream_error(body: object, endpoint: Endpoint) -> EngineError:
    """The error that a server reports inside a stream that it had begun with status 200."""
    words, *codes = _words(body)
    text = f"{endpoint.server} broke off with an error: {endpoint.redacted(words)}"
    busy = any(code.startswith(("5", "429")) for code in codes) or any(word in words.lower() for word in BUSY_WORDS)
    return ModelUnavailable(text) if busy else ModelRefused(text)


def error_in(event: Mapping[str, Any]) -> object | None:
    """What an event that carries no answer complains about: each vendor has its own shape; None if it does not."""
    if event.get("error"):
        return {"error": event["error"]}
    base = event.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code"):
        return {"message": base.get("status_msg", ""), "code": base["status_code"]}
    if event.get("error_code") or (event.get("message") and str(event.get("code", "")) not in ("", "0", "200")):
        return {
            "message": event.get("message") or event.get("text"),
            "code": event.get("error_code", event.get("code")),
        }
    return event if event.get("object") == "error" else None


def asked_pause(error: BaseException | None) -> float | None:
    """Seconds that the server asked to wait (`Retry-After`), None where it did not say."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    return retries.asked_pause(headers.get("retry-after", ""))


def _status_error(response: "httpx.Response", endpoint: Endpoint) -> EngineError:
    body: object = response.text
    with suppress(ValueError):
        body = json.loads(response.content)
    words, *codes = _words(body)
    message, status = endpoint.redacted(words or response.reason_phrase), response.status_code
    if status == 401 and not endpoint.key:
        return MissingKey(f"{endpoint.server} wants a key: set {endpoint.key_hint} ({message})")
    if status in (408, 409, 425) or status >= 500 or (status == 429 and not any(code in SPENT_CODES for code in codes)):
        return ModelUnavailable(f"{endpoint.server} cannot answer now (status {status}): {message}")
    return ModelRefused(
        f"{endpoint.server} refused the request (status {status}): {message}{_advice(status, endpoint)}"
    )


def _advice(status: int, endpoint: Endpoint) -> str:
    if 300 <= status < 400:
        return "; it points to another address: set llm.base_url to that one"
    if status in (401, 403):
        return f"; check the key in {endpoint.key_hint}"
    if status in (404, 405):
        return (
            f"; check llm.model ({endpoint.model!r}) and llm.base_url, which is used as given (most servers end in /v1)"
        )
    return ""


def _words(body: object) -> tuple[str, str, str]:
    """The message of an error's body, its code and its type, all as text."""
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        if isinstance(inner, Mapping):
            words = inner.get("message") or inner.get("msg") or inner.get("detail") or dict(inner)
            return str(words), str(inner.get("code") or ""), str(inner.get("type") or "")
        return str(inner), str(body.get("code") or ""), ""
    return str(body), "", ""
