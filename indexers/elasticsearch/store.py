"""Elasticsearch as keyword index, vector index, or both: one document for each chunk, written once.

A document of the index itself records the applied revision, so that a search reads it in the same request. The mapping
would be as safe a place, but a search does not return it.

A change is applied in three steps: add the new chunks, record the revision, delete the chunks that are gone. So every
chunk that is live at the recorded revision is present at all times, even if the process dies in between. Chunks added
early carry the revision they came with and are not shown before it; chunks deleted late are no longer live in the
catalog.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
from elasticsearch import ApiError, Elasticsearch
from numpy.typing import NDArray

from penstock.errors import DamagedIndex, IndexingError, IndexUnavailable
from penstock.indexers.changes import is_step
from penstock.indexers.elasticsearch import documents, queries
from penstock.indexers.elasticsearch.client import BUSY, check_server, connect, is_absent, of_status, translated
from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.indexers.elasticsearch.verifying import flaws
from penstock.indexers.elasticsearch.versions import Versions, delete_all
from penstock.indexers.elasticsearch.views import ElasticsearchKeywordIndex, ElasticsearchVectorIndex
from penstock.indexers.elasticsearch.writing import Writing
from penstock.model import Candidate, Change, Entry, Flaw, Scope
from penstock.ports import Analyser, Float32Array

KEEP_ALIVE = "5m"
SECONDS_UNTIL_ASKED_AGAIN = 0.2
TIES = 16
"""Vectors that are asked for beyond k, to see whether all that tie with the last one were seen."""


class ElasticsearchStore:
    """One index on the servers, behind an alias, that holds tokens, vectors, or both.

    Nothing is asked of the servers before it is needed. `keyword` and `vector` are its two views: the first that
    gets a change applies it for both.
    """

    on_servers: ClassVar[bool] = True

    def __init__(
        self,
        alias: str,
        *,
        analyser: Analyser | None,
        identity: str = "",
        dimension: int = 0,
        connection: Connection,
        layout: Layout,
    ) -> None:
        """Without an analyser it holds no tokens, with dimension 0 no vectors."""
        self.alias = alias
        self.dimension = dimension
        self._analyser = analyser
        self._connection = connection
        self._layout = layout
        self._meta = {
            "kind": "penstock",
            "format": documents.FORMAT,
            "analyser": analyser.fingerprint if analyser else "",
            "model": identity if dimension else "",
            "dimension": dimension,
        }
        self._identity = identity
        self._lock = threading.Lock()
        self._checked = False
        self._renewing = False
        self._seen: int | None = None
        self._shards = layout.shards
        self._preference = uuid4().hex
        self.keyword = ElasticsearchKeywordIndex(self)
        self.vector = ElasticsearchVectorIndex(self)

    @cached_property
    def _client(self) -> Elasticsearch:
        return connect(self._connection)

    @cached_property
    def _versions(self) -> Versions:
        return Versions(self._client, self.alias, self._meta)

    @property
    def revision(self) -> int:
        """The last revision that was applied whole, asked of the servers now; 0 where there is no index.

        A search may see a later one, of which all was added and not everything taken out yet.

        Raises:
            DamagedIndex: what is there was built by another version, or for other content.
            IndexingError: the servers cannot be asked.
        """
        return self._look()[1]

    @property
    def visible_revision(self) -> int:
        """The revision that a search sees, asked of the servers now; 0 where there is no index.

        Raises: as `revision`.
        """
        return self._look()[0]

    @property
    def last_seen_revision(self) -> int:
        """The revision that the last search saw; the index's revision where there was no search."""
        return self.visible_revision if self._seen is None else self._seen

    def is_at(self, revision: int) -> bool:
        """Whether the index has that revision, as the last search saw it, or else as the servers say now."""
        return self._seen == revision or self.revision == revision

    def delete(self) -> None:
        """Deletes all versions of the index, and of those whose names begin with its own followed by `-`.

        Raises:
            IndexingError: the servers do not answer, or do not allow it.
        """
        delete_all(self._connection, self.alias)

    def replacement(self) -> "ElasticsearchStore":
        """A store that takes the place of this one as soon as it was given a change from revision 0.

        It is built beside the live version, which is searched until then.
        """
        store = ElasticsearchStore(
            self.alias,
            analyser=self._analyser,
            identity=self._identity,
            dimension=self.dimension,
            connection=self._connection,
            layout=self._layout,
        )
        store._renewing = True
        return store

    def apply(self, change: Change) -> None:
        """Brings the index to the change's revision.

        Raises:
            IndexingError: the index cannot be written; what it held can still be searched.
        """
        if not is_step(change, self.revision):
            return
        with self._translated("writing"):
            if change.since == 0:
                name = self._versions.begin(
                    documents.settings(self._layout),
                    documents.mappings(self._meta, dimension=self.dimension, layout=self._layout),
                )
                self._shards = self._layout.shards
                self._write(change, self._versions.building)
                self._versions.switch(name)
            else:
                self._write(change, self.alias)
        self._renewing = False
        self._checked = True
        self._seen = change.revision

    def search(
        self, tokens: Sequence[str] | None, vector: Float32Array | None, *, k: int, scope: Scope
    ) -> tuple[list[Candidate], list[Candidate], int]:
        """The hits by the tokens and by the vector, and the revision that the index had after that.

        `vector` is float32 of shape (dimension,). One request asks for all, its parts in order, the revision last.

        Raises:
            DamagedIndex: the index is gone.
            IndexingError: the index cannot be searched, or the query is no vector of its dimension.
        """
        if vector is not None:
            documents.checked(vector, self.dimension, "a query")
        self._check()
        k = min(k, queries.MOST)
        if k < 1:
            return [], [], self.last_seen_revision
        with self._translated("searching"):
            try:
                return self._search(tokens, vector, k, [queries.there_at(scope.revision), *queries.within(scope)])
            except IndexUnavailable:
                raise
            except IndexingError:
                self._seen, self._checked = None, False
                self._check()  # perhaps another index has taken its place
                raise

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted.

        Raises:
            IndexingError: the index cannot be read.
        """
        self._check()
        with self._translated("reading"):
            try:
                return np.fromiter(self._rows(), np.int64)
            except ApiError as error:
                if is_absent(error):
                    return np.empty(0, np.int64)
                raise

    def count(self) -> int:
        """How many rows the index holds.

        Raises:
            IndexingError: the index cannot be read.
        """
        self._check()
        with self._translated("counting"):
            try:
                return int(self._client.count(index=self.alias, query={"exists": {"field": "row"}})["count"])
            except ApiError as error:
                if is_absent(error):
                    return 0
                raise

    def rejected(self) -> dict[int, str]:
        """The rows that the servers refused, with the reasons: they are held, and cannot be found."""
        self._check()
        with self._translated("reading"):
            (answer,) = self._asked([queries.of_rejected(queries.MOST)])
        return {int(hit["_source"]["row"]): str(hit["_source"]["rejected"]) for hit in answer or ()}

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """Where the documents differ from the entries; tokens and vectors cannot be read back."""
        self._check()
        with self._translated("reading"):
            return flaws(self._client, self.alias, live)

    def close(self) -> None:
        """Closes the connections; the next call makes new ones."""
        self.__dict__.pop("_versions", None)
        client: Elasticsearch | None = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()
        self._checked = False
        self._seen = None

    def _check(self) -> None:
        """Checks once that server and index are what is expected."""
        if self._checked:
            return
        with self._lock:
            if not self._checked:
                check_server(self._client, self._connection.shown())
                if not self._renewing:
                    with self._translated("reading"):
                        live = self._versions.live()
                    self._shards = live.shards if live else self._layout.shards
                    self._checked = live is not None

    def _look(self) -> tuple[int, int]:
        """The recorded revision, and the revision up to which removed rows are gone."""
        if self._renewing:
            return 0, 0
        self._check()
        with self._translated("reading"):
            applied, cleared = self._applied()
        self._seen = applied
        return applied, cleared

    def _applied(self) -> tuple[int, int]:
        try:
            found = self._state()
        except ApiError as error:
            if error.status_code == 404:  # no index, or one without its state
                self._checked = False
                return 0, 0
            raise
        return int(found["applied"]), int(found["cleared"])

    def _state(self) -> dict[str, Any]:
        # Refreshed, as searches see it: what a writer that died recorded and did not show yet is shown now.
        ask = partial(
            self._client.get, index=self.alias, id=documents.STATE, realtime=False, preference=self._preference
        )
        try:
            answer = ask()
        except ApiError as error:
            if error.status_code not in BUSY:
                raise
            time.sleep(SECONDS_UNTIL_ASKED_AGAIN)  # as while a new version takes its place
            answer = ask()
        return dict(answer["_source"])

    def _write(self, change: Change, alias: str) -> None:
        writing = Writing(self._client, alias, change.revision, self._connection.attempts)
        added: set[int] = set()
        writing.put(self._document(entry, added) for entry in change.added)
        # A row that goes and comes again in one change has one version: it is replaced, and not taken out.
        gone = [row for row in change.removed if row not in added]
        self._publish(alias, applied=change.revision, cleared=change.since if gone else change.revision)
        if gone:
            writing.delete(gone)
            self._publish(alias, applied=change.revision, cleared=change.revision)

    def _publish(self, alias: str, *, applied: int, cleared: int) -> None:
        """Makes what was written visible, and then records at which revision that is."""
        if self._shards > 1:  # they show what is new one after the other, and none may do so after the state
            self._client.indices.refresh(index=alias)
        state = {"applied": applied, "cleared": cleared}
        self._client.index(index=alias, id=documents.STATE, document=state, require_alias=True)
        self._client.indices.refresh(index=alias)  # one shard shows all that is new at once, the state with it

    def _document(self, entry: Entry, added: set[int]) -> dict[str, Any]:
        added.add(entry.row)
        tokens = self._analyser.tokens(entry.chunk.context) if self._analyser else None
        return documents.document(entry, tokens, self.dimension)

    def _search(
        self, tokens: Sequence[str] | None, vector: Float32Array | None, k: int, within: list[queries.Body]
    ) -> tuple[list[Candidate], list[Candidate], int]:
        """As `search`, with the conditions of the scope; `vector` is float32 of shape (dimension,)."""
        size = min(queries.MOST, k + TIES)
        while True:
            asked: dict[str, queries.Body] = {}
            if tokens:
                asked["keyword"] = queries.by_tokens(tokens, size=k, within=within)
            if vector is not None:
                asked["vector"] = queries.by_vector(
                    vector, size=size, within=within, approximate=self._layout.approximate
                )
            asked["state"] = queries.of_state()
            answers = dict(zip(asked, self._asked(list(asked.values())), strict=True))
            if not answers["state"]:
                return self._gone()
            near = queries.found_by_vector(answers.get("vector"))
            if len(near) < size or near[k - 1].score > near[-1].score or size == queries.MOST:
                break
            size = min(queries.MOST, size * 4)
        self._seen = max((int(hit["_source"]["applied"]) for hit in answers["state"]), default=0)
        return queries.found_by_tokens(answers.get("keyword")), near[:k], self._seen

    def _gone(self) -> tuple[list[Candidate], list[Candidate], int]:
        """The result of a search without an index, or without its state: an error if there was an index before."""
        before, self._seen, self._checked = self._seen, 0, False
        if before:
            raise DamagedIndex(f"{self.alias!r} is gone from the servers: it is rebuilt from the catalog")
        return [], [], 0

    def _asked(self, bodies: list[queries.Body]) -> list[list[dict[str, Any]] | None]:
        """The hits of each search, all carried out in one request; None where there is no index."""
        kind = {"search_type": "dfs_query_then_fetch"} if self._shards > 1 else {}
        # One copy of each shard answers all parts: copies show what is new one after the other.
        head = {"index": self.alias, "allow_partial_search_results": False, "preference": self._preference, **kind}
        searches = [part for body in bodies for part in (head, body)]
        answer = self._client.msearch(searches=searches, max_concurrent_searches=1)
        if any(part.get("status") in BUSY for part in answer["responses"]):  # as while a new version takes its place
            time.sleep(SECONDS_UNTIL_ASKED_AGAIN)
            answer = self._client.msearch(searches=searches, max_concurrent_searches=1)
        return [self._hits(response) for response in answer["responses"]]

    def _hits(self, answer: dict[str, Any]) -> list[dict[str, Any]] | None:
        if "error" not in answer:
            hits: list[dict[str, Any]] = answer["hits"]["hits"]
            return hits
        error = answer["error"]
        if error.get("type") == "index_not_found_exception":
            return None
        cause = (error.get("root_cause") or [{}])[0]
        reason = {"type": error.get("type"), "reason": cause.get("reason") or error.get("reason")}
        raise of_status(int(answer.get("status", 500)), reason, self._doing("searching"))

    def _rows(self) -> Iterator[int]:
        point = self._client.open_point_in_time(index=self.alias, keep_alive=KEEP_ALIVE)["id"]
        try:
            after: dict[str, Any] = {}
            while True:
                page = self._client.search(
                    pit={"id": point, "keep_alive": KEEP_ALIVE},
                    query={"exists": {"field": "row"}},
                    sort=[{"row": "asc"}],
                    size=queries.MOST,
                    source=False,
                    stored_fields="_none_",
                    track_total_hits=False,
                    allow_partial_search_results=False,
                    filter_path="hits.hits.sort,pit_id",
                    **after,
                )
                hits = page.get("hits", {}).get("hits", [])
                yield from (int(hit["sort"][0]) for hit in hits)
                if len(hits) < queries.MOST:
                    return
                after = {"search_after": [hits[-1]["sort"][0]]}
        finally:
            self._client.close_point_in_time(id=point)

    def _doing(self, action: str) -> str:
        return f"{action} {self.alias} at {self._connection.shown()}"

    def _translated(self, action: str) -> Any:
        return translated(self._doing(action))
