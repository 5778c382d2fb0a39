"""`Penstock`: one collection of one home, and everything that can be done with it, as Python calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

from penstock.catalog import Catalog, Collection, writing
from penstock.errors import CatalogError, DamagedIndex, RevisionGone, UnknownName, UsageError
from penstock.loaders import Sandbox
from penstock.model import Answer, Filter, Labels, Prompt, Retrieved, RunReport
from penstock.pipelines import assembly
from penstock.pipelines.access.visibility import View, access_of, principals_of
from penstock.pipelines.answering.answering import Quoter, answer, stream_answer
from penstock.pipelines.answering.asking import check_counts, check_filter, check_question
from penstock.pipelines.answering.prompting import Prompting, assemble
from penstock.pipelines.connectors import Connectors
from penstock.pipelines.history.compacting import tidy
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.ingest import preparation
from penstock.pipelines.ingest.discovery import Discovery
from penstock.pipelines.ingest.ingest import Ingestion, Pace, Watch, ignore
from penstock.pipelines.ingest.joining import status_of
from penstock.pipelines.ingest.reading import Marks, Parser, Reader
from penstock.pipelines.ingest.records import Record, Records
from penstock.pipelines.ingest.stopwatch import Stopwatch
from penstock.pipelines.open_indexes import OpenIndexes
from penstock.pipelines.reporting.status import count
from penstock.pipelines.shared import Shared
from penstock.pipelines.upkeep import Upkeep
from penstock.ports import LLM, Analyser, Chunker, Embedder, Fetcher, Loader, Retriever
from penstock.retrievers import NeighbourRetriever, check_reader
from penstock.settings import Legs, Settings

EVERYTHING = Filter()


class Penstock(Upkeep):
    """A collection of documents: ingest, search, ask.

    Nothing is opened, read or loaded before a call needs it. Searching keeps no commit waiting; ingesting and removing
    hold the writer's lock for each commit and not between them, so that several processes may serve one collection.
    Threads may share a workspace; none may close it under another.
    It is the only collection of its own `Library`, or one of several in the given `library`, which its maker then
    closes. Instances of parts may be given as to `Library`.

        with Penstock(home="./library", collection="handbook") as penstock:
            penstock.ingest("./handbook", "https://example.org/guide.html")
            for hit in penstock.search("年假怎么申请").hits:
                print(hit.source.uri, hit.chunk.places, hit.chunk.text)
    """

    def __init__(
        self,
        home: str | Path | None = None,
        collection: str | None = None,
        *,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        llm: LLM | Quoter | None = None,
        chunker: Chunker | None = None,
        loaders: Mapping[str, Loader] | None = None,
        library: Shared | None = None,
    ) -> None:
        if library and any(part is not None for part in (home, settings, embedder, llm, chunker, loaders)):
            raise UsageError("a library has its home, settings and parts already: give those to Library")
        self._library = library or Shared(
            home, settings=settings, embedder=embedder, llm=llm, chunker=chunker, loaders=loaders
        )
        self._owns_library = library is None
        general = self._library.settings
        self.settings = general.for_collection(general.collection if collection is None else collection)
        self._library.holds(self)
        self._indexes = OpenIndexes(self.settings, self._library, lambda: self.collection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all files; the next call opens them again."""
        self._indexes.close()
        for name in ("collection", "_fetching", "_connectors"):
            self.__dict__.pop(name, None)
        if self._owns_library:
            self._library.release()

    @property
    def catalog(self) -> Catalog:
        """The home's catalog, made on first use."""
        return self._library.catalog

    @cached_property
    def collection(self) -> Collection:
        """The collection in the catalog.

        Raises:
            UnknownName: nothing was ever ingested into a collection of this name; lists those that are there.
        """
        return self.catalog.collection(self.settings.collection)

    def ingest(
        self,
        *addresses: str | Path,
        labels: Labels | None = None,
        access: Iterable[str] | None = None,
        watch: Watch = ignore,
    ) -> RunReport:
        """Updates the collection from the addresses (files, folders, URLs), and reports each source's outcome.

        Only what changed is parsed and embedded; a source that is gone from a folder is removed. `labels` and `access`
        are attached to every source of the run; None keeps what a source has, and gives a new one the access that its
        address was last given. An empty `access` is for everybody. `watch` is called with each outcome.

        Raises:
            UsageError: no address was given, or a setting is not allowed.
            CollectionLocked: another process held the writer's lock for longer than `lock_seconds`.
            EngineError, CatalogError, IndexingError: the run cannot go on; what is committed stays.
        """
        if not addresses:
            raise UsageError("nothing to ingest: give at least one file, folder or URL")
        return self._bring("ingest", self.discovery(*addresses, labels=labels, access=access), watch)

    def sync(self, *, watch: Watch = ignore) -> RunReport:
        """Updates the collection to what `penstock.toml` describes (`Stepwise.plan` shows what that would do).

        A known source that no entry lists is removed, wherever it came from, when every entry was listed completely;
        else only sources that a complete listing covers. Labels become those of the entries, and so does access where
        an entry sets it; without, a source keeps its access, and a new one inherits as for `ingest`.

        Raises: as `ingest`; UnknownName where `penstock.toml` does not describe the collection.
        """
        return self._bring("sync", self.discovery(), watch)

    def discovery(
        self, *addresses: str | Path, labels: Labels | None = None, access: Iterable[str] | None = None
    ) -> Discovery:
        """What an ingest of these addresses would list, or without addresses a sync; creates and locks nothing.

        Raises:
            UsageError: `access` names a principal that is blank.
            SourceError: an address is not there and never was, or is of a kind that is not read.
            UnknownName: no address is given, and `penstock.toml` does not describe the collection.
        """
        if addresses:
            marks = Marks(labels=labels, access=access_of(access))
            present = self.present()
            since = present.revision() if present else 0
            listings = assembly.addressed(self.settings, addresses, marks, present, self._connectors)
            return Discovery(listings, since=since)
        described = self.settings.collections
        if self.settings.collection not in described:
            raise UnknownName("collection of penstock.toml", self.settings.collection, described)
        given = described[self.settings.collection]
        present = self.present()
        since = present.revision() if present else 0
        listings = assembly.listings(self.settings, given, self._fetching, present, self._connectors)
        return Discovery(listings, owner=True, ordered=given.overlap == "first", since=since)

    def _bring(self, command: str, discovery: Discovery, watch: Watch) -> RunReport:
        def work(run: Ingestion) -> RunReport:
            with self._new_sandbox() as sandbox:
                return run.ingest(discovery, self._reader(self.collection, sandbox, run.stopwatch))

        return self._write(command, work, watch)

    def _new_sandbox(self) -> Sandbox:
        cut_here = self._library.instances.chunker is not None
        prepared_by = preparation.blueprint() if cut_here else assembly.preparing(self.settings, self._embedder)
        return assembly.sandbox(self.settings, prepared_by, given=self._library.loaders)

    def _reader(self, collection: Collection, sandbox: Parser, stopwatch: Stopwatch) -> Reader:
        chunker, given = self._library.chunker(self.settings), self._library.instances.loaders
        return assembly.reader(self.settings, collection, sandbox, chunker, stopwatch, self._fetching, given)

    def present(self) -> Collection | None:
        """The collection, or None where there is none yet; never creates a catalog."""
        if not assembly.is_there(self.settings):
            return None
        try:
            return self.collection
        except UnknownName:
            return None

    def add(self, records: Iterable[Record], *, watch: Watch = ignore) -> RunReport:
        """Adds texts that a program holds already: each becomes a document and replaces the one of the same URI.

        Raises: as `ingest`.
        """

        def work(run: Ingestion) -> RunReport:
            return run.add(records, Records(self.collection, self._library.chunker(self.settings)))

        return self._write("add", work, watch)

    def remove(
        self, *addresses: str | Path, principals: Iterable[str] | None = None, watch: Watch = ignore
    ) -> RunReport:
        """Removes sources from the collection, by URI or path; a folder means everything below it.

        With `principals`, only what these readers see is removed and counted.

        Raises:
            UnknownName: the collection has no such source, or none that these readers see.
        """
        view = self._view(principals)
        found_at = view.collection.revision()
        uris = [uri for address in addresses for uri in view.below(str(address))]
        since = None if principals is None else found_at
        report = self._write("remove", lambda run: run.remove(uris, since), watch)
        return report if principals is None else replace(report, chunks=count(view, self._followers))

    def search(
        self,
        question: str,
        *,
        k: int | None = None,
        where: Filter = EVERYTHING,
        neighbours: int | None = None,
        at: int | None = None,
    ) -> Retrieved:
        """The best `k` chunks for the question from both legs, each with its source, places and trace.

        With `at`, searches the collection as of that revision; a reader finds what was visible then and still is.

        Raises:
            UsageError: the question is blank, it or the filter is too long, fewer or more hits are wanted than
                `penstock.limits` allows, or the collection was built with another embedding model.
            UnknownName: there is no such collection.
            CollectionLocked: no index can be searched yet, and another process is still building it.
            RevisionGone: the revision of `at` was compacted away; says which are left.
        """
        check_question(question)
        check_counts(k, neighbours)
        check_filter(where)
        given = self.settings.retrieval
        count = given.neighbours if neighbours is None else neighbours
        if at is not None and at != self.collection.revision():
            with self._indexes.past(at) as past:
                return self._retrieve(question, k or given.k, where, count, past)
        try:
            return self._retrieve(question, k or given.k, where, count)
        except (DamagedIndex, RevisionGone):  # damage that only the search found, or others compacted meanwhile
            return self._retrieve(question, k or given.k, where, count)

    def prompt(self, question: str, *, k: int | None = None, where: Filter = EVERYTHING) -> Prompt:
        """The prompt that `ask` would send, with its token count; nothing is sent."""
        hits = self.search(question, k=k, where=where).hits
        return assemble(question, hits, llm=self._llm, **self._prompting)

    def ask(self, question: str, *, k: int | None = None, where: Filter = EVERYTHING) -> Answer:
        """An answer from the sources, with citations that were checked; without a language model: quotes."""
        hits = self.search(question, k=k, where=where).hits
        return answer(question, hits, llm=self._llm, analyser=self._analyser, **self._prompting)

    def ask_streaming(
        self, question: str, *, k: int | None = None, where: Filter = EVERYTHING
    ) -> Iterator[str | Answer]:
        """The answer of `ask` sentence by sentence as it may be shown, then the whole `Answer`."""
        hits = self.search(question, k=k, where=where).hits
        return stream_answer(question, hits, llm=self._llm, analyser=self._analyser, **self._prompting)

    def _view(self, principals: Iterable[str] | None, *, reads: bool = False) -> View:
        """What these readers see; where a reader is required, calls that read documents have to name one."""
        reader, required = principals_of(principals), self.settings.access.required
        check_reader(reader, required=required and reads)
        return View(self.collection, reader, names=reader is not None or not required)

    @property
    def retriever(self) -> Retriever:
        """The collection's retriever; its indexes are updated unless another process is doing so."""
        return self._indexes.retriever()

    def _retrieve(
        self, question: str, k: int, where: Filter, neighbours: int, past: Retriever | None = None
    ) -> Retrieved:
        retriever = past or self.retriever
        if neighbours:
            retriever = NeighbourRetriever(retriever, self.collection, count=neighbours)
        return retriever.retrieve(question, k=k, where=where)

    def retriever_of(self, legs: Legs) -> Retriever:
        """The retriever with the given legs, whatever the settings say: for comparing them."""
        return self._indexes.retriever_of(legs)

    @property
    def _analyser(self) -> Analyser:
        return self._library.analyser(self.settings)

    @cached_property
    def _fetching(self) -> Callable[[str], Fetcher]:
        """Makes fetchers, for listings and sources alike: they share the pauses for a site."""
        return self._connectors.fetchers(assembly.fetching(self.settings))

    @cached_property
    def _connectors(self) -> Connectors:
        return Connectors(self.settings)

    @property
    def _llm(self) -> LLM | Quoter:
        return self._library.llm(self.settings)

    @property
    def _prompting(self) -> Prompting:
        given = self.settings.prompt
        return {
            "budget": given.budget,
            "answer_tokens": given.answer_tokens,
            "policy": given.policy,
            "template": given.template,
        }

    @property
    def _embedder(self) -> Embedder:
        return self._library.embedder(self.settings)

    @property
    def _followers(self) -> Followers:
        return self._indexes.in_force

    @property
    def _followers_as_built(self) -> Followers:
        return self._indexes.as_built

    def _lock(self) -> AbstractContextManager[None]:
        """Holds the writer's lock, also against processes on other machines that share the catalog."""
        return self._lock_of(self.settings.collection)

    @contextmanager
    def _lock_of(self, name: str) -> Iterator[None]:
        wait = self.settings.lock_seconds
        with (
            writing(self.settings.home / "collections", name, timeout=wait),
            self.catalog.writing(name, timeout=wait),
        ):
            yield

    def _write(self, command: str, work: Callable[[Ingestion], RunReport], watch: Watch) -> RunReport:
        self.collection = self.catalog.collection(self.settings.collection, create=True)
        number = self.collection.start_run(command)
        try:
            report = work(self._ingestion(number, watch))
        except BaseException:
            with suppress(CatalogError):  # the error that ended the run is the one to report
                self.collection.finish_run(number, None, "failed")
            raise
        self.collection.finish_run(number, report, status_of(report))
        tidy(self.collection, self.settings.history.revisions)
        return report

    def _ingestion(self, number: int, watch: Watch, followed: float | None = None) -> Ingestion:
        given = self.settings
        return Ingestion(
            self.collection,
            embedder=assembly.cached(self._embedder, self.catalog.vectors),
            followers=self._followers,
            lock=self._lock,
            pace=Pace(
                documents=given.batch,
                workers=given.limits.workers,
                removal_share=given.removal_share,
                failure_share=given.failure_share,
            ),
            run=number,
            watch=watch,
            stopwatch=Stopwatch(),
            followed=followed,
        )
