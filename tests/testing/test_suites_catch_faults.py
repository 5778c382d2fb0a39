"""Every check of the suites can fail: for each there is a part with one fault that it catches."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import FetchError, SourceError
from penstock.model import Failure, Fetched, Filter, Hit, Listed, Message, Retrieved, Source, Usage
from penstock.testing.contracts.analysers import AnalyserContract
from penstock.testing.contracts.counters import TokenCounterContract
from penstock.testing.contracts.fetchers import FetcherContract
from penstock.testing.contracts.listers import ListerContract
from penstock.testing.contracts.llms import LLMContract, ScriptedLLM
from penstock.testing.contracts.rerankers import RerankerContract, hits_of
from penstock.testing.contracts.retrievers import RetrieverContract
from penstock.testing.doubles.counting import WordCounter
from penstock.testing.doubles.rerankers import OverlapReranker

QUESTION = "turbine"


class Words:
    """An analyser that keeps its contract."""

    fingerprint = "words-1"

    def tokens(self, text: str) -> list[str]:
        marks = [text[at:end] for at, end in WordCounter().offsets(text)]
        return [mark.casefold() for mark in marks if mark.isprintable() and not mark.isspace()]

    def query_tokens(self, text: str) -> list[str]:
        return self.tokens(text)


class Pages:
    """A lister that keeps its contract."""

    uris: tuple[str, ...] = ("https://example.org/a", "https://example.org/b")
    modified: datetime | None = None
    whole = True

    def list(self) -> Iterator[Listed | Failure]:
        for uri in self.uris:
            yield Listed(uri=uri, modified=self.modified)

    def complete(self) -> bool:
        return self.whole

    def covers(self, uri: str) -> bool:
        return uri in self.uris


class Refused(Pages):
    """One that could list only in part."""

    whole = False
    failure = Failure(
        uri="https://example.org/a", stage="discover", kind="FetchError", message="no answer", retryable=False
    )

    def list(self) -> Iterator[Listed | Failure]:
        yield self.failure


class Files:
    """A fetcher that keeps its contract, of whatever the test wrote."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a"
        self.path.write_bytes(b"eight days")

    def __call__(self, content: bytes) -> None:
        self.path.write_bytes(content)

    def fetched(self, listed: Listed) -> Fetched:
        if listed.uri != "a:here":
            raise FetchError(f"{listed.uri!r} is not here")
        content = self.path.read_bytes()
        return Fetched(path=self.path, sha256=sha256(content).hexdigest(), size=len(content))

    def fetch(self, listed: Listed, known: Source | None) -> AbstractContextManager[Fetched | None]:
        return self.opened(listed, known)

    @contextmanager
    def opened(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        yield self.fetched(listed)


class Found:
    """A retriever that keeps its contract."""

    def hits(self) -> list[Hit]:
        return [replace(hit, score=1.0) for hit in hits_of("turbine one", "turbine two", "turbine three")]

    def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
        hits = self.hits() if where.is_empty or where.sources == ("file:///a.txt",) else []
        return Retrieved(question=question, revision=1, hits=tuple(hits[:k]))


def with_method(base: type, name: str, method: Any) -> type:
    """The part with one method, or property, in the place of its own."""
    return type(f"Broken{base.__name__}", (base,), {name: method})


class Hasty:
    """Notices when two threads are in it at once, and gives each the wrong thing."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(1)

    def alone(self) -> bool:
        alone = self.inside.acquire(blocking=False)
        time.sleep(0.02)
        if alone:
            self.inside.release()
        return alone


HASTY = Hasty()


def counters(name: str, method: Callable[..., Any]) -> dict[str, Any]:
    return {"counter": with_method(WordCounter, name, method)()}


def analysers(name: str, method: Any) -> dict[str, Any]:
    return {"analyser": with_method(Words, name, method)()}


def listers(**attributes: Any) -> dict[str, Any]:
    return {
        "lister": type("BrokenPages", (Pages,), attributes)(),
        "elsewhere": "https://elsewhere.example/page",
        "broken": type("BrokenRefused", (Refused,), attributes)(),
    }


def rerankers(rerank: Callable[..., list[Hit]]) -> dict[str, Any]:
    return {"reranker": with_method(OverlapReranker, "rerank", rerank)()}


def retrievers(retrieve: Callable[..., Retrieved]) -> dict[str, Any]:
    return {"retriever": with_method(Found, "retrieve", retrieve)(), "question": QUESTION}


def llms(name: str, method: Any) -> dict[str, Any]:
    llm = with_method(ScriptedLLM, name, method)(*["Hello there."] * 40)
    return {"llm": llm, "unreachable": llm}


def numbered() -> Callable[..., str]:
    """Says something else each time."""
    numbers = iter(range(10**6))
    return lambda self: f"{next(numbers)}"


def found(change: Callable[[Retrieved], Retrieved]) -> dict[str, Any]:
    return retrievers(lambda self, question, *, k, where: change(Found().retrieve(question, k=k, where=where)))


def ranked(change: Callable[[list[Hit]], list[Hit]]) -> dict[str, Any]:
    return rerankers(lambda self, question, hits, *, k: change(OverlapReranker().rerank(question, hits, k=k)))


def unsure(self: Any, question: str, *args: Any, **options: Any) -> Any:
    """As it should be, unless another thread asks at the same moment."""
    if HASTY.alone():
        return (
            Found().retrieve(question, **options)
            if "where" in options
            else OverlapReranker().rerank(question, *args, **options)
        )
    return Retrieved(question="", revision=0, hits=()) if "where" in options else []


def refused_if_blank(self: Any, text: str) -> list[str]:
    return Words().tokens(text) or ["blank"]


def stream_of(*items: Any) -> Callable[..., Iterator[Any]]:
    return lambda self, messages, *, max_tokens: iter(items)


def strict_stream(self: Any, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
    yield "".join(message.content for message in messages).encode().decode()


def lonely_stream(self: Any, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
    if HASTY.alone():
        yield "Hello."


def once_stream(self: Any, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
    before, self.has_answered = getattr(self, "has_answered", False), True
    if not before:
        yield "Hello."


def wrong_scores(hits: list[Hit]) -> list[Hit]:
    return [replace(hit, score=float(at)) for at, hit in enumerate(hits)]


COUNTERS: list[tuple[str, dict[str, Any]]] = [
    ("counts_the_tokens_that_it_places", counters("count", lambda self, texts: [len(text) for text in texts])),
    ("tokens_are_places_in_the_text", counters("offsets", lambda self, text: [(0, len(text) + 1)])),
    ("special_tokens_are_not_counted", counters("count", lambda self, texts: [2 for _ in texts])),
    ("long_texts_are_counted_to_their_end", counters("offsets", lambda self, text: [(0, min(len(text), 512))])),
]
ANALYSERS: list[tuple[str, dict[str, Any]]] = [
    ("tokens_can_be_stored_by_any_index", analysers("tokens", lambda self, text: [text])),
    ("tokens_can_be_stored_by_any_index", analysers("query_tokens", lambda self, text: text.split(" "))),
    ("text_has_tokens_and_white_space_has_none", analysers("tokens", refused_if_blank)),
    ("text_has_tokens_and_white_space_has_none", analysers("tokens", lambda self, text: [])),
    ("tokens_come_in_order_and_repeats_stay", analysers("tokens", lambda self, text: sorted(set(text.split())))),
    ("a_text_is_found_by_its_own_words", analysers("query_tokens", lambda self, text: [f"{text}?"])),
    ("the_same_text_has_the_same_tokens", analysers("tokens", lambda self, text: [*"ab"] if HASTY.alone() else [])),
    ("fingerprint_is_one_line_and_stays", analysers("fingerprint", property(numbered()))),
]
LISTERS: list[tuple[str, dict[str, Any]]] = [
    ("lists_sources_once_and_speaks_for_them", listers(uris=("https://example.org/a",) * 2)),
    ("lists_sources_once_and_speaks_for_them", listers(uris=("/a", "/b"))),
    ("lists_sources_once_and_speaks_for_them", listers(whole=False)),
    ("lists_sources_once_and_speaks_for_them", listers(covers=lambda self, uri: False)),
    ("says_what_can_be_compared", listers(modified=datetime(2026, 1, 1))),
    (
        "lists_the_same_again",
        listers(list=lambda self, seen=[]: iter([seen.append(0) or Listed(uri=f"a:{len(seen)}")])),
    ),
    ("does_not_speak_for_what_lies_elsewhere", listers(covers=lambda self, uri: uri.startswith("https:"))),
    ("does_not_speak_for_what_lies_elsewhere", listers(covers=lambda self, uri: uri in self.uris or not uri)),
    ("what_could_not_be_listed_is_not_taken_for_gone", listers(whole=True)),
    ("what_could_not_be_listed_is_not_taken_for_gone", listers(failure=replace(Refused.failure, stage="fetch"))),
    ("what_could_not_be_listed_is_not_taken_for_gone", listers(failure=replace(Refused.failure, message=" "))),
    ("what_could_not_be_listed_is_not_taken_for_gone", listers(list=lambda self: iter(()), whole=True)),
]
RERANKERS: list[tuple[str, dict[str, Any]]] = [
    ("gives_the_best_k", rerankers(lambda self, question, hits, *, k: OverlapReranker().rerank(question, hits, k=9))),
    (
        "gives_the_best_k",
        rerankers(lambda self, question, hits, *, k: OverlapReranker().rerank(question, hits[:k], k=k)),
    ),
    ("changes_nothing_but_the_order", ranked(lambda hits: [replace(hit, title="") for hit in hits])),
    ("changes_nothing_but_the_order", ranked(lambda hits: hits[:1] * len(hits))),
    ("the_order_is_that_of_the_new_scores", ranked(wrong_scores)),
    ("the_order_is_that_of_the_new_scores", ranked(lambda hits: [replace(hit, score=math.nan) for hit in hits])),
    ("looks_at_the_texts_and_not_at_their_order", rerankers(lambda self, question, hits, *, k: list(hits[:k]))),
    (
        "any_text_and_any_question_can_be_ranked",
        rerankers(lambda self, question, hits, *, k: [hits[len(question.split()) - 1]]),
    ),
    ("the_same_hits_are_ranked_the_same", rerankers(unsure)),
]
RETRIEVERS: list[tuple[str, dict[str, Any]]] = [
    (
        "finds_at_most_k",
        retrievers(lambda self, question, *, k, where: Found().retrieve(question, k=k + 1, where=where)),
    ),
    ("hits_have_one_order", found(lambda retrieved: replace(retrieved, hits=retrieved.hits[::-1]))),
    (
        "hits_have_one_order",
        found(lambda retrieved: replace(retrieved, hits=tuple(wrong_scores(list(retrieved.hits))))),
    ),
    ("hits_have_chunk_source_and_place", found(lambda retrieved: replace(retrieved, hits=retrieved.hits * 2))),
    ("hits_have_chunk_source_and_place", found(lambda retrieved: replace(retrieved, question="another"))),
    ("the_same_question_has_the_same_answer", retrievers(unsure)),
    ("a_filter_holds", retrievers(lambda self, question, *, k, where: Found().retrieve(question, k=k, where=Filter()))),
    (
        "any_question_may_be_asked",
        found(lambda retrieved: replace(retrieved, question=retrieved.question.encode().decode())),
    ),
]
LLMS: list[tuple[str, dict[str, Any]]] = [
    ("has_a_name_and_a_window", llms("name", "")),
    ("has_a_name_and_a_window", llms("context_tokens", 0)),
    ("counts_tokens", llms("count_tokens", lambda self, text: 1)),
    ("counts_tokens", llms("count_tokens", lambda self, text: 0)),
    ("any_text_has_a_number_of_tokens", llms("count_tokens", lambda self, text: min(512, len(text)))),
    ("any_text_has_a_number_of_tokens", llms("count_tokens", lambda self, text: len(text.encode()))),
    ("streams_text_and_then_at_most_one_usage", llms("stream", stream_of("a", "", "b"))),
    (
        "streams_text_and_then_at_most_one_usage",
        llms("stream", stream_of(Usage(prompt_tokens=1, completion_tokens=1), "a")),
    ),
    ("streams_text_and_then_at_most_one_usage", llms("stream", stream_of())),
    ("may_be_left_in_the_middle", llms("stream", once_stream)),
    ("any_message_may_be_sent", llms("stream", strict_stream)),
    ("threads_share_it", llms("stream", lonely_stream)),
    ("a_model_out_of_reach_is_reported", llms("stream", stream_of("I am here."))),
]


class Miscounting(Files):
    def fetched(self, listed: Listed) -> Fetched:
        return replace(super().fetched(listed), size=3)


class OutOfDate(Files):
    @contextmanager
    def opened(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        yield None if known else self.fetched(listed)


class OneAtATime(Files):
    @contextmanager
    def opened(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        yield self.fetched(listed)
        self.path.write_bytes(b"")


class Untranslated(Files):
    def fetched(self, listed: Listed) -> Fetched:
        if listed.uri != "a:here":
            raise FileNotFoundError(listed.uri)
        return super().fetched(listed)


class Swallowing(Files):
    @contextmanager
    def opened(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        try:
            yield self.fetched(listed)
        except ZeroDivisionError as error:
            raise SourceError("something went wrong") from error


FETCHERS: list[tuple[str, type[Files]]] = [
    ("brings_the_bytes", Miscounting),
    ("bytes_stay_as_long_as_the_context", OneAtATime),
    ("what_is_known_is_not_brought_again_unless_it_changed", OutOfDate),
    ("what_is_not_there_is_reported", Untranslated),
    ("an_address_that_is_none_is_reported", Untranslated),
    ("an_error_of_the_reader_comes_through", Swallowing),
]
SUITES: list[tuple[type, dict[str, Any], list[tuple[str, dict[str, Any]]]]] = [
    (TokenCounterContract, {"counter": WordCounter()}, COUNTERS),
    (AnalyserContract, {"analyser": Words()}, ANALYSERS),
    (ListerContract, {"lister": Pages(), "elsewhere": "https://elsewhere.example/page", "broken": Refused()}, LISTERS),
    (RerankerContract, {"reranker": OverlapReranker()}, RERANKERS),
    (RetrieverContract, {"retriever": Found(), "question": QUESTION}, RETRIEVERS),
    (LLMContract, {"llm": ScriptedLLM(*["Hello there."] * 60), "unreachable": None}, LLMS),
]
CASES = [(suite, name, fixtures) for suite, _, broken in SUITES for name, fixtures in broken]


def check(suite: type, name: str, fixtures: dict[str, Any]) -> None:
    """Runs one check of a suite with these fixtures."""
    method = getattr(suite(), f"test_{name}")
    method(**{parameter: fixtures[parameter] for parameter in signature(method).parameters})


@pytest.mark.parametrize(
    ("suite", "name", "fixtures"), CASES, ids=[f"{suite.__name__}-{name}" for suite, name, _ in CASES]
)
def test_a_fault_is_caught(suite: type, name: str, fixtures: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, UnicodeError, pytest.fail.Exception)):
        check(suite, name, fixtures)


@pytest.mark.parametrize(("suite", "fixtures"), [(suite, fixtures) for suite, fixtures, _ in SUITES])
def test_what_has_no_fault_passes(suite: type, fixtures: dict[str, Any]) -> None:
    for name in names_of(suite):
        if name != "a_model_out_of_reach_is_reported":
            check(suite, name, fixtures)


def fixtures(files: Files) -> dict[str, Any]:
    return {
        "fetcher": files,
        "write": files,
        "listed": Listed(uri="a:here"),
        "missing": Listed(uri="a:gone"),
        "uri": "nowhere",
    }


@pytest.mark.parametrize(("name", "broken"), FETCHERS)
def test_a_fault_of_a_fetcher_is_caught(tmp_path: Path, name: str, broken: type[Files]) -> None:
    check(FetcherContract, name, fixtures(Files(tmp_path)))
    with pytest.raises((AssertionError, FileNotFoundError, SourceError)):
        check(FetcherContract, name, fixtures(broken(tmp_path)))


def names_of(suite: type) -> set[str]:
    return {name.removeprefix("test_") for name in dir(suite) if name.startswith("test_")}


def test_every_check_is_proved() -> None:
    for suite, _, broken in SUITES:
        assert names_of(suite) == {name for name, _ in broken}
    assert names_of(FetcherContract) == {name for name, _ in FETCHERS}
