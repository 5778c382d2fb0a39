"""How the indexes of a collection are made from the settings: in a folder of the home, or on servers."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from penstock import ids, registry
from penstock.catalog import Collection
from penstock.pipelines.indexing.following import Follower, Followers
from penstock.pipelines.indexing.rebuilding import Rebuilds
from penstock.pipelines.indexing.storage import IndexPlace, InFolder, OnServers, place_of
from penstock.pipelines.indexing.turns import Turns
from penstock.ports import Analyser, Float32Array, KeywordIndex, ServerIndex, VectorIndex
from penstock.settings import Settings
from penstock.settings.options import group_of, plain


def is_on_servers(settings: Settings, name: str) -> bool:
    """Whether the index of that name lies on servers."""
    return getattr(registry.load("indexers", name, allow_external=settings.allow_external), "on_servers", False) is True


def remove_from_servers(settings: Settings, collection: Collection) -> None:
    """Deletes a collection's indexes, of every analyser and model, from the servers that the settings name.

    Raises:
        IndexingError: the servers do not answer, or refuse it.
    """
    for name in {settings.indexes.keyword, settings.indexes.vector}:
        if is_on_servers(settings, name):
            store: ServerIndex = _made(settings, name, _beginning(collection), analyser=None, identity="", dimension=0)
            store.delete()


def followers(
    settings: Settings, collection: Collection, words: Analyser, *, identity: str, dimension: int
) -> Followers:
    """The collection's indexes, with vectors of the model of that identity.

    Every analyser and every model has its own index: a change of either builds a new index beside the old one.

    Raises:
        UnknownName: a setting names an index that is not installed.
        SettingsError: an index takes no such options.
    """
    names = settings.indexes
    on_servers = {name: is_on_servers(settings, name) for name in (names.keyword, names.vector)}
    stores: dict[str, ServerIndex] = {}
    for name in filter(on_servers.__getitem__, on_servers):
        made_for = _content(names.keyword == name, names.vector == name, words, identity, dimension)
        stores[name] = _made(settings, name, _name(collection, **made_for), **made_for)
    folder = place_of(settings.home, collection)
    words_mark, model_mark = ids.digest(words.fingerprint)[:8], ids.digest(identity)[:8]
    keyword_name, vector_name = f"keyword-{names.keyword}-{words_mark}", f"vector-{names.vector}-{model_mark}"

    def keyword(path: Path) -> KeywordIndex:
        made: KeywordIndex = _made(settings, names.keyword, path, analyser=words)
        return made

    def vector(path: Path) -> VectorIndex:
        made: VectorIndex = _made(settings, names.vector, path, identity=identity, dimension=dimension)
        return made

    keyword_kept: IndexPlace[Sequence[str]] = InFolder(folder / keyword_name, keyword)
    vector_kept: IndexPlace[Float32Array] = InFolder(folder / vector_name, vector)
    if of_words := stores.get(names.keyword):
        keyword_kept = OnServers(of_words, of_words.keyword, partial(_keyword_anew, of_words))
    if of_vectors := stores.get(names.vector):
        vector_kept = OnServers(of_vectors, of_vectors.vector, partial(_vector_anew, of_vectors))
    turns = Turns(folder, collection, shared=bool(stores), seconds=settings.lock_seconds)
    return Followers(
        keyword=Follower(collection, keyword_kept, Rebuilds(folder, keyword_name), turns),
        vector=Follower(collection, vector_kept, Rebuilds(folder, vector_name), turns),
        turns=turns,
        joint=of_words if of_words is of_vectors else None,
    )


def _keyword_anew(store: ServerIndex) -> KeywordIndex:
    return store.replacement().keyword


def _vector_anew(store: ServerIndex) -> VectorIndex:
    return store.replacement().vector


def _content(
    has_words: bool, has_vectors: bool, words: Analyser | None, identity: str, dimension: int
) -> dict[str, Any]:
    return {
        "analyser": words if has_words else None,
        "identity": identity if has_vectors else "",
        "dimension": dimension if has_vectors else 0,
    }


def _name(collection: Collection, *, analyser: Analyser | None, identity: str, dimension: int) -> str:
    """The name of an index on servers, which depends on its content."""
    marks = (analyser.fingerprint if analyser else "", identity, str(dimension))
    return f"{_beginning(collection)}-{ids.digest(*marks)[:8]}"


def _beginning(collection: Collection) -> str:
    """The prefix of the names of a collection's indexes on servers: the name that it was created with, and its uid."""
    readable = re.sub(r"[^a-z0-9_]+", "-", collection.origin.lower()).strip("-_")
    return "-".join(filter(None, (readable, collection.uid)))


def _made(settings: Settings, name: str, *place: Any, **offered: Any) -> Any:
    return registry.make(
        "indexers",
        name,
        *place,
        offered=offered | group_of(settings, name),
        options=plain(registry.named("indexers", settings.indexes.options).get(name, {})),
        allow_external=settings.allow_external,
    )
