"""How each part but the indexes is made from the settings."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from penstock import loaders, registry, retrievers
from penstock.analysis.analyser import TextAnalyser
from penstock.catalog import Catalog, Collection, open_catalog
from penstock.engines.embedders.cached import CachedEmbedder, VectorStore
from penstock.engines.llms.presets import key_of
from penstock.errors import FetchError, UsageError
from penstock.model import Blueprint
from penstock.pipelines.access.inheriting import Neighbours, named_by, neighbours_of, no_neighbours
from penstock.pipelines.answering.answering import Quoter
from penstock.pipelines.connectors import Connectors
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.ingest import preparation
from penstock.pipelines.ingest.discovery import Listing
from penstock.pipelines.ingest.documents import Formats
from penstock.pipelines.ingest.reading import Marks, Parser, Reader, TimedChunker
from penstock.pipelines.ingest.stopwatch import Stopwatch
from penstock.ports import (
    LLM,
    SPECIAL_TOKENS,
    Analyser,
    Chunker,
    Embedder,
    Fetcher,
    Lister,
    Loader,
    PortableCounter,
    Retriever,
)
from penstock.settings import CollectionSettings, Legs, Settings, SourceSettings
from penstock.settings.options import plain

NO_LOADERS: Mapping[str, Loader] = {}
CATALOG = "catalog.db"
"""Name of the catalog's file in the home, where it is kept in a file."""


def is_there(settings: Settings) -> bool:
    """Whether there is a catalog to look into; one on a server counts as there."""
    return bool(settings.catalog.url) or (settings.home / CATALOG).exists()


def catalog(settings: Settings) -> Catalog:
    """The catalog on the server that the settings name, else in a file of the home.

    Raises:
        CatalogError: it cannot be opened: says why and what to do.
    """
    given = settings.catalog
    password = given.password.get_secret_value() if given.password else None
    return open_catalog(given.url or f"sqlite:///{settings.home / CATALOG}", password=password)


def analyser(settings: Settings) -> Analyser:
    """The analyser of all keyword indexes."""
    given = settings.analyser
    return TextAnalyser(user_dictionary=given.user_dictionary, synonyms=given.synonyms)


def embedder(settings: Settings) -> Embedder:
    """The embedding engine; its model is loaded with the first text."""
    given = settings.embedder
    made: Embedder = registry.make(
        "embedders",
        given.name,
        offered={
            "model": given.model,
            "home": settings.home,
            "precision": given.precision,
            "batch": given.batch,
            "threads": given.threads,
        },
        options=plain(given.options),
        allow_external=settings.allow_external,
    )
    return made


def seen(model: Embedder) -> int:
    """Tokens of a text that the model sees: the largest size of a chunk."""
    return model.max_tokens - SPECIAL_TOKENS


def chunker(settings: Settings, model: Embedder) -> Chunker:
    """The chunker; its sizes are tokens of the embedding model, and at most what that model sees.

    A text that takes it longer than a file may take to be parsed is refused.
    """
    given = settings.chunker
    made: Chunker = registry.make(
        "chunkers",
        given.name,
        model,
        offered=_chunking(settings, model),
        options=plain(given.options),
        allow_external=settings.allow_external,
    )
    return timed(settings, made)


def timed(settings: Settings, cutter: Chunker) -> Chunker:
    """The chunker in this process, with a time limit, because the limits of the parsing processes do not apply."""
    return TimedChunker(cutter, seconds=settings.limits.parse_seconds)


def preparing(settings: Settings, model: Embedder) -> Blueprint:
    """What the sandbox does with a file's text: cleans it, and cuts it where the token counter can be made there."""
    if not isinstance(model, PortableCounter):
        return preparation.blueprint()
    return preparation.blueprint(
        {
            "name": settings.chunker.name,
            "offered": _chunking(settings, model),
            "options": plain(settings.chunker.options),
            "counter": asdict(model.counter),
            "allow_external": settings.allow_external,
        }
    )


def _chunking(settings: Settings, model: Embedder) -> dict[str, Any]:
    given, most = settings.chunker, seen(model)
    return {"tokenizer": model.identity, "size": min(given.size or most, most), "overlap": given.overlap}


def check_model(name: str, built_with: str, model: Embedder) -> None:
    """Vectors of different models cannot be compared; `built_with` is the identity of the collection's model.

    Raises:
        UsageError: the collection's vectors are of another model than the settings name.
    """
    if built_with not in ("", model.identity):
        raise UsageError(
            f"collection {name!r} was built with the embedding model {built_with!r}, the settings name "
            f"{model.identity!r}; set that model again, or ingest again to recompute the vectors"
        )


def retriever(
    settings: Settings, collection: Collection, indexes: Followers, words: Analyser, model: Embedder
) -> Retriever:
    """The hybrid retriever over the collection's indexes."""
    given = settings.retrieval
    fuse = partial(retrievers.reciprocal_rank, k=given.rrf_k) if given.fusion == "rrf" else retrievers.weighted
    hybrid = retrievers.HybridRetriever(
        collection,
        searcher(given.legs, indexes, words, model),
        analyser=words,
        fuse=fuse,
        weigh=partial(retrievers.weigh, embedder=model, vector_weight=given.vector_weight),
        candidates=given.candidates,
    )
    return retrievers.ReaderRetriever(hybrid, required=settings.access.required)


def searcher(legs: Legs, indexes: Followers, words: Analyser, model: Embedder) -> retrievers.Searcher:
    """The legs that are asked for; both with one request where one store holds both."""
    if legs == "both" and indexes.joint:
        return retrievers.JointLegs(indexes.joint, words, model)
    asked: list[retrievers.SearchLeg] = []
    if legs != "vector":
        asked.append(retrievers.KeywordLeg(indexes.keyword, words))
    if legs != "keyword":
        asked.append(retrievers.VectorLeg(indexes.vector, model))
    return retrievers.SeparateLegs(*asked)


def lister(settings: Settings, address: str | Path, present: Collection | None = None) -> Lister:
    """The listing of an address. A path that is gone gives an empty listing if sources were read from it or below it.

    `present` is the collection, if there is one yet.

    Raises:
        FetchError: there is no such path, and nothing was ever read from it.
        AddressRefused: the address is of a scheme that is not read.
    """
    folders = settings.folders
    try:
        return loaders.lister_for(
            str(address),
            include=folders.include,
            exclude=folders.exclude,
            links=folders.links,
            seconds=settings.limits.read_seconds,
        )
    except FetchError:
        gone = loaders.lister_for(str(address), missing_ok=True)
        if present and next(present.uris([loaders.address_of(str(address))]), None):
            return gone
        raise


def addressed(
    settings: Settings,
    addresses: Iterable[str | Path],
    marks: Marks,
    present: Collection | None,
    connectors: Connectors,
) -> list[Listing]:
    """The listings of addresses that a person named; `present` is the collection, if there is one yet.

    Raises: as `lister`.
    """
    made = []
    for address in addresses:
        if connectors.reads(str(address)):
            made.append(connectors.listing(str(address), marks, present))
        else:
            listed, uri = lister(settings, address, present), loaders.address_of(str(address))
            made.append(Listing(lister=listed, marks=marks, address=uri, beside=_beside(present, marks, uri, listed)))
    return made


def listings(
    settings: Settings,
    collection: CollectionSettings,
    fetcher_for: Callable[[str], Fetcher],
    present: Collection | None,
    connectors: Connectors,
) -> list[Listing]:
    """The listings of a collection in penstock.toml: each entry with its labels and readers."""
    made = []
    for number, entry in enumerate(collection.sources, start=1):
        marks = Marks(labels=entry.labels, access=None if entry.access is None else frozenset(entry.access))
        name = f"entry {number} ({entry.named!r})"
        if entry.address:
            made.append(connectors.listing(entry.address, marks, present, name=name))
            continue
        listed = described_lister(settings, entry, fetcher_for)
        address = entry.path or entry.url_list or entry.sitemap
        uri = loaders.address_of(str(address)) if address else ""
        beside = _beside(present, marks, uri, listed, is_path=entry.path is not None)
        made.append(Listing(lister=listed, marks=marks, address=uri, beside=beside, name=name))
    return made


def _beside(
    present: Collection | None, marks: Marks, address: str, listed: Lister, *, is_path: bool = True
) -> Neighbours:
    """What new sources of a listing inherit from their neighbours, where the run does not say who may see them."""
    if present is None or marks.access is not None or not address:
        return no_neighbours
    return neighbours_of(present, address, listed) if is_path else named_by(present, address)


def described_lister(settings: Settings, entry: SourceSettings, fetcher_for: Callable[[str], Fetcher]) -> Lister:
    """The listing of an entry. A missing path gives an incomplete listing: nothing is removed because of it."""
    if entry.urls:
        return loaders.UrlLister(entry.urls)
    if entry.url_list:
        return loaders.UrlListLister(entry.url_list, fetcher_for)
    if entry.sitemap:
        return loaders.SitemapLister(entry.sitemap, fetcher_for, partial(sandbox, settings, workers=1))
    folders, path = settings.folders, entry.path or Path()
    include = folders.include if entry.include is None else entry.include
    exclude = folders.exclude if entry.exclude is None else entry.exclude
    try:
        return loaders.lister_for(
            loaders.uri_of(path),
            include=include,
            exclude=exclude,
            links=folders.links,
            seconds=settings.limits.read_seconds,
        )
    except FetchError as error:
        return loaders.UnlistedPath(path, error)


def sandbox(
    settings: Settings,
    prepared_by: Blueprint | None = None,
    *,
    given: Mapping[str, str] | None = None,
    workers: int | None = None,
) -> loaders.Sandbox:
    """The processes that parse and prepare; none is started before a file needs it."""
    limits = settings.limits
    return loaders.Sandbox(
        options=loader_options(settings),
        seconds=limits.parse_seconds,
        memory_mib=limits.parse_mib,
        text_mib=limits.text_mib,
        workers=workers or limits.workers,
        preparation=prepared_by,
        given=given,
        readable=settings.loaders.readable,
    )


def loader_options(settings: Settings) -> loaders.LoaderOptions:
    """The options of all loaders."""
    given = settings.loaders
    return loaders.LoaderOptions(
        engines={loaders.PDF: f"pdf-{given.pdf}", **given.engines},
        ocr=given.ocr,
        ocr_dpi=given.ocr_dpi,
        encoding=given.encoding,
        allow_external=settings.allow_external,
        options={name: plain(own) for name, own in registry.named("loaders", given.options).items()},
    )


def formats(settings: Settings, given: Mapping[str, Loader] = NO_LOADERS) -> Formats:
    """What is known of file formats; loaders of other distributions are imported when the first file is looked at.

    `given` are loaders that a program made, by media type.
    """
    options = loader_options(settings)

    def fingerprint(media_type: str) -> str:
        loader = given.get(media_type)
        return loader.fingerprint if loader else loaders.fingerprint(options, media_type)

    return Formats(
        sniff=lambda path, name, declared: loaders.sniff(path, name, declared, loaders.claims(options)),
        fingerprint=fingerprint,
        mark=lambda uri: loaders.claims(options).mark(uri),
    )


def fetching(settings: Settings) -> Callable[[str], Fetcher]:
    """A function that gives the fetcher for a URI; a run uses one, so that its fetchers share the pauses for a site."""
    web = settings.web
    agent = f"{web.user_agent} (+{web.contact})" if web.contact else web.user_agent
    return partial(
        loaders.fetcher_for,
        source_mib=settings.limits.source_mib,
        read_seconds=settings.limits.read_seconds,
        timeout_seconds=web.timeout_seconds,
        attempts=web.attempts,
        redirects=web.redirects,
        allow_private=web.allow_private,
        allow_networks=tuple(map(ip_network, web.allow_networks)),
        user_agent=agent,
        courtesy=loaders.Courtesy(robots=web.robots, pause_seconds=web.pause_seconds, user_agent=agent),
    )


def reader(
    settings: Settings,
    collection: Collection,
    parser: Parser,
    cutter: Chunker,
    stopwatch: Stopwatch,
    fetcher_for: Callable[[str], Fetcher],
    given: Mapping[str, Loader],
) -> Reader:
    """What reads sources for a run; `given` are loaders that a program made, by media type."""
    limits = settings.limits
    return Reader(
        collection,
        fetcher_for=fetcher_for,
        formats=formats(settings, given),
        parser=parser,
        chunker=cutter,
        stopwatch=stopwatch,
        limits=f"{limits.parse_seconds:g} s, {limits.parse_mib} MiB, {limits.text_mib} MiB of text",
    )


def llm(settings: Settings, words: Analyser) -> LLM | Quoter:
    """The language model that answers, or the built-in one that quotes."""
    given = settings.llm
    key = given.api_key.get_secret_value() if given.api_key else None
    made: LLM | Quoter = registry.make(
        "llms",
        given.name,
        offered={
            "analyser": words,
            "model": given.model,
            "base_url": given.base_url,
            "api_key": key_of(given.preset, key, os.environ, base_url=given.base_url),
            "context_tokens": given.context_tokens,
            "timeout_seconds": given.timeout_seconds,
            "attempts": given.attempts,
            "temperature": given.temperature,
            "preset": given.preset,
            "tokenizer": given.tokenizer,
        },
        options=plain(given.options),
        allow_external=settings.allow_external,
    )
    return made


def cached(model: Embedder, cache: VectorStore) -> CachedEmbedder:
    """The embedder, asked only for what the catalog does not hold already."""
    return CachedEmbedder(model, cache)
