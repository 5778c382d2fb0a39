"""The answers of a worker, all of them checked: a worker may have been taken over.

An answer has the number of its request, and consists of short lines that are checked one by one as they are read, so
that a frame costs little more memory than the values that it gives.

    {"number": 7, "title": "...", "problems": [...], "blocks": 2, "drafts": 1, "seconds": {"clean": 0.1}}
    "the text"
    ["heading", 0, 5, [[1, null, "iv"]], 1]         one line a block: a row, as `forms.py` bounds it
    ["paragraph", 7, 99, [], 0]
    [7, 99, ["Leave"], ""]                          one line a draft: where the text is cut

or, where nothing can be read:

    {"number": 7, "failure": {"stage": "parse", "kind": "BrokenSource", "message": "...", "retryable": false}}
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from penstock.loaders.sandbox.forms import MOST_NUMBER, form_of, items, number, real
from penstock.loaders.sandbox.forms import text as text_of
from penstock.loaders.sandbox.protocol import BadFrame, decode, framed, json_line, json_value
from penstock.model import (
    Block,
    Draft,
    Extraction,
    Failure,
    Problem,
    Span,
    Stage,
)
from penstock.urls import without_secrets

LINE_BYTES = 4 * 1024 * 1024
"""Of a line that is not the text, at most."""
MOST_ITEMS = 500_000
"""Blocks of a document, and pieces that it is cut into, at most."""
MOST_PROBLEMS = 2000
TITLE, KIND, MESSAGE, PROBLEM = 4000, 100, 4000, 400
"""Characters that a title, the name of an error, its message and that of a problem may have."""
OVERLAP = 16
"""How often the pieces of a document may repeat its text, all taken together."""
_STAGES = frozenset(get_args(Stage))
_NAME = re.compile(rf"[^\W\d]\w{{0,{KIND - 1}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The result of one file in a worker."""

    extraction: Extraction
    drafts: tuple[Draft, ...] | None = None
    """Where its text is cut; None where nothing was asked to cut it."""
    seconds: Mapping[Stage, float] = field(default_factory=dict)
    """Of the time that the file took, what stages other than parsing took."""


def encode_answer(number: int, answer: Parsed | Failure) -> bytes:
    """The answer to the request of that number as a frame; what is longer than the protocol allows is cut."""
    if isinstance(answer, Failure):
        failure = {
            "stage": answer.stage,
            "kind": answer.kind[:KIND],
            "message": answer.message[:MESSAGE],
            "retryable": answer.retryable,
        }
        return framed(json_line({"number": number, "failure": failure}))
    return framed(b"\n".join(_lines(number, answer)))


def decode_answer(body: bytes, request: Mapping[str, Any]) -> Parsed | Failure:
    """The answer to a request, which has its number.

    Raises:
        BadFrame: it answers another request, is not of the form of an answer, or holds what no document has.
    """
    lines = _split(body)
    try:
        head = decode(next(lines))
        if type(head["number"]) is not int or head["number"] != request["number"]:
            raise BadFrame("the answer to another request")
        if "failure" in head:
            answer: Parsed | Failure = _failure(head["failure"], request["source"]["uri"])
        else:
            answer = _parsed(head, lines, request.get("extraction", {}).get("text"))
        if next(lines, None) is not None:
            raise BadFrame("more lines than announced")
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise BadFrame(f"no answer: {type(error).__name__}: {str(error)[:200]}") from error
    return answer


def plain_extraction(extraction: Extraction) -> dict[str, Any]:
    """An extraction as a request holds it."""
    return {
        "title": extraction.title,
        "text": extraction.text,
        "blocks": [form_of(Block).fit(block) for block in extraction.blocks],
    }


def extraction_of(plain: Mapping[str, Any]) -> Extraction:
    """The extraction that `plain_extraction` was given."""
    text = plain["text"]
    return Extraction(title=plain["title"], text=text, blocks=_blocks(plain["blocks"], text))


def _lines(number: int, parsed: Parsed) -> Iterator[bytes]:
    extraction, drafts = parsed.extraction, parsed.drafts
    yield json_line(
        {
            "number": number,
            "title": extraction.title[:TITLE],
            "problems": [[problem.message[:PROBLEM], problem.page] for problem in extraction.problems[:MOST_PROBLEMS]],
            "blocks": len(extraction.blocks),
            "drafts": None if drafts is None else len(drafts),
            "seconds": dict(parsed.seconds),
        }
    )
    yield json_line(extraction.text)
    for block in extraction.blocks:
        yield json_line(form_of(Block).fit(block))
    for draft in drafts or ():
        yield json_line(form_of(Draft).fit(draft))


def _split(body: bytes) -> Iterator[bytes]:
    """The lines of a body; all but the second, which is the text, of limited length."""
    start, count = 0, 0
    while start <= len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        if end - start > LINE_BYTES and count != 1:
            raise BadFrame(f"a line of {end - start} bytes")
        yield body[start:end]
        start, count = end + 1, count + 1


def _parsed(head: Mapping[str, Any], lines: Iterator[bytes], known: str | None) -> Parsed:
    """What the lines hold; the cuts refer to the text that is `known` already, if one was to be cut."""
    text = text_of(json_value(next(lines)))
    extraction = Extraction(
        title=text_of(head["title"], TITLE),
        text=text,
        blocks=_blocks(_taken(lines, number(head["blocks"], 0, MOST_ITEMS)), text),
        problems=tuple(_problem(*problem) for problem in items(head["problems"], MOST_PROBLEMS)),
    )
    drafts = None
    if head["drafts"] is not None:
        drafts = _drafts(_taken(lines, number(head["drafts"], 0, MOST_ITEMS)), text if known is None else known)
    return Parsed(extraction=extraction, drafts=drafts, seconds=_seconds(head["seconds"]))


def _taken(lines: Iterator[bytes], count: int) -> Iterator[Any]:
    for _ in range(count):
        line = next(lines, None)
        if line is None:
            raise BadFrame("fewer lines than announced")
        yield json_value(line)


def _failure(plain: Mapping[str, Any], uri: str) -> Failure:
    stage, kind = plain["stage"], text_of(plain["kind"], KIND)
    if stage not in _STAGES or not _NAME.fullmatch(kind) or type(plain["retryable"]) is not bool:
        raise ValueError(f"a failure of stage {stage!r}, kind {kind!r}")
    return Failure(
        uri=uri,
        stage=stage,
        kind=kind,
        message=without_secrets(text_of(plain["message"], MESSAGE)),
        retryable=plain["retryable"],
    )


def _blocks(plain: Iterable[Any], text: str) -> tuple[Block, ...]:
    """Blocks in reading order, none in another."""
    blocks: list[Block] = []
    end, form = 0, form_of(Block)
    for row in plain:
        block: Block = form.check(row)
        if not end <= block.span.start <= block.span.end <= len(text):
            raise ValueError(f"a block from {block.span.start} to {block.span.end}")
        blocks.append(block)
        end = block.span.end
    return tuple(blocks)


def _problem(message: Any, page: Any) -> Problem:
    reason = without_secrets(text_of(message, PROBLEM))
    return Problem(message=reason, page=None if page is None else number(page, 1, MOST_NUMBER))


def _drafts(plain: Iterable[Any], text: str) -> tuple[Draft, ...]:
    """Pieces in reading order, none of them blank."""
    drafts: list[Draft] = []
    before, length, form = Span(0, 0), 0, form_of(Draft)
    for row in plain:
        draft: Draft = form.check(row)
        start, end = span = draft.span
        length += end - start
        behind = before.start <= start and before < span and end <= len(text)
        if not behind or length > OVERLAP * len(text) or not text[start:end].strip():
            raise ValueError(f"a piece from {start} to {end}")
        drafts.append(draft)
        before = span
    return tuple(drafts)


def _seconds(plain: Any) -> dict[Stage, float]:
    if type(plain) is not dict or not plain.keys() <= _STAGES:
        raise ValueError("no seconds of stages")
    return {stage: real(value, 0.0, float(MOST_NUMBER)) for stage, value in plain.items()}
