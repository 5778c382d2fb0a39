"""A prompt and the answer that a language model gave to it, with citations that were checked."""

from dataclasses import dataclass
from typing import Literal

from penstock.model.documents import Place, Source
from penstock.model.hits import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A hit that did not go into the prompt, and why."""

    chunk_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An assembled prompt: the messages, the hits of each source number, and what was left out."""

    question: str
    messages: tuple[Message, ...]
    passages: tuple[tuple[Hit, ...], ...]
    """`passages[n - 1]` are the hits that source number `n` quotes: several where neighbours were merged."""
    left_out: tuple[LeftOut, ...] = ()
    tokens: int
    """Tokens of all messages, counted with the target model's tokenizer, or its stated substitute."""
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A claim's evidence: a quote that is, character by character, in the cited chunk."""

    chunk_id: str
    source: Source
    places: tuple[Place, ...]
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens that a model call took, as the server reported them, or as counted here where it did not."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The text that a model gave, the citations in it that checked out, and the hits it was given."""

    text: str
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    prompt: Prompt
    usage: Usage
    refused: bool
    """Whether the sources do not answer the question, and the answer says so instead of guessing."""
    model: str
