"""Writing to Elasticsearch in bulk; each item is looked at: written, older than what is there, refused, or tried again.

A write carries the revision as its external version, so that sending it twice is sending it once.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from elasticsearch import Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk

from penstock import retries
from penstock.errors import IndexingError, IndexUnavailable
from penstock.indexers.changes import in_batches
from penstock.indexers.elasticsearch.client import error_for, of_status
from penstock.indexers.elasticsearch.documents import stub

log = logging.getLogger(__name__)

Operation = dict[str, Any]
Answer = tuple[str, dict[str, Any]]
"""The answer to one operation: its kind, and what the server says of it."""

DOCUMENTS, BYTES = 500, 8 * 1024 * 1024
"""Documents and bytes of one request, at most; the bytes as far as a document fits into them."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds before a write is tried again; each time twice as long."""
CONFLICT, TOO_LARGE = 409, 413
AGAIN = (429, *range(500, 600))
"""Answers after which the same may go through."""
POISON = ("document_parsing_exception", "mapper_parsing_exception", "illegal_argument_exception")
"""What the server says of a document that it will never take."""


class Writing:
    """Writes of one revision through one alias."""

    def __init__(self, client: Elasticsearch, alias: str, revision: int, attempts: int) -> None:
        self._client = client.options(max_retries=0)  # the client would try again at once
        self._alias = alias
        self._revision = revision
        self._attempts = attempts
        self._what = f"writing to {alias}"

    def put(self, documents: Iterable[dict[str, Any]]) -> None:
        """Writes documents by their `row`; one that the server will never take is held as a stub with the reason.

        Raises:
            IndexingError: the index cannot be written; IndexUnavailable: not now.
        """
        for batch in in_batches(documents, DOCUMENTS):
            refused = self._send([self._operation("index", document["row"], document) for document in batch])
            stubs = [self._operation("index", row, stub(row, reason)) for row, reason in refused]
            if stubs and (again := self._send(stubs)):
                raise IndexingError(f"{self._what}: {again[0][1]}")

    def delete(self, rows: Sequence[int]) -> None:
        """Takes rows out; one that is not there is as good as taken out.

        Raises: as `put`.
        """
        for batch in in_batches(rows, 10 * DOCUMENTS):
            self._send([self._operation("delete", row) for row in batch])

    def _operation(self, kind: str, row: int, document: dict[str, Any] | None = None) -> Operation:
        source = {} if document is None else {"_source": document}
        return {"_op_type": kind, "_id": str(row), "version": self._revision, "version_type": "external", **source}

    def _send(self, operations: list[Operation]) -> list[tuple[int, str]]:
        """Sends it all; gives the rows that the server will never take, with its reasons."""
        failed = self._failed(operations)
        if any(answer["status"] == TOO_LARGE for _, answer in failed):
            if len(operations) == 1:
                return [(int(operations[0]["_id"]), "larger than the server takes (http.max_content_length)")]
            middle = len(operations) // 2
            return [*self._send(operations[:middle]), *self._send(operations[middle:])]
        reasons = ((int(answer["_id"]), self._refusal(kind, answer)) for kind, answer in failed)
        return [(row, reason) for row, reason in reasons if reason]

    def _failed(self, operations: list[Operation]) -> list[Answer]:
        """Kind and answer of each operation that did not go through, in spite of trying again.

        Only tries with which nothing went through are counted: a busy server may take many to take everything.
        """
        failed: list[Answer] = []
        left, idle = operations, 0
        while True:
            try:
                answers = [next(iter(answer.items())) for _, answer in self._bulk(left)]
            except TransportError as error:  # no answer: what was written meanwhile is written again in vain
                idle += 1
                unavailable = error_for(error, self._what)
                if idle >= self._attempts or not isinstance(unavailable, IndexUnavailable):
                    raise unavailable from error
                self._wait(idle, type(error).__name__)
                continue
            again = [answer for answer in answers if answer[1]["status"] in AGAIN]
            failed += [answer for answer in answers if answer[1]["status"] not in AGAIN]
            idle = idle + 1 if len(again) == len(left) else 0
            if not again or idle >= self._attempts:
                return [*failed, *again]
            self._wait(max(idle, 1), f"{len(again)} of {len(left)} documents not taken")
            ids = {answer["_id"] for _, answer in again}
            left = [operation for operation in left if operation["_id"] in ids]

    def _wait(self, tried: int, why: str) -> None:
        pause = _pause(tried)
        log.warning("%s: %s; in %.1f s it is tried again", self._what, why, pause)
        time.sleep(pause)

    def _bulk(self, operations: list[Operation]) -> Iterable[tuple[bool, dict[str, Any]]]:
        return streaming_bulk(
            self._client,
            operations,
            chunk_size=DOCUMENTS * 10,
            max_chunk_bytes=BYTES,
            raise_on_error=False,
            raise_on_exception=False,
            yield_ok=False,
            index=self._alias,
            require_alias=True,  # a bulk would create a missing index again, with fields of its own
        )

    def _refusal(self, kind: str, answer: dict[str, Any]) -> str:
        """Why the server will never take the document; empty where there is nothing to do any more.

        Raises:
            IndexingError: it is not the document's fault.
        """
        status, error = answer["status"], answer.get("error")
        if status == CONFLICT or (kind == "delete" and answer.get("result") == "not_found"):
            return ""  # the same or a newer one is there; or none
        if isinstance(answer.get("exception"), Exception):
            raise error_for(answer["exception"], self._what)
        error = error if isinstance(error, dict) else {"reason": error}
        if kind == "index" and error.get("type") in POISON:
            return f"{error['type']}: {_innermost(error)}"
        raise of_status(status, error, self._what)


def _innermost(error: dict[str, Any]) -> str:
    cause = error.get("caused_by")
    return _innermost(cause) if isinstance(cause, dict) else str(error.get("reason", ""))


def _pause(tried: int) -> float:
    return retries.pause(tried, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
