"""What the collections of a home share: its catalog and its engines, each made once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from penstock.catalog import Catalog
from penstock.errors import SettingsError
from penstock.loaders import portable
from penstock.pipelines import assembly
from penstock.pipelines.answering.answering import Quoter
from penstock.ports import LLM, Analyser, Chunker, Embedder, Loader
from penstock.settings import Settings, read_settings

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, kw_only=True)
class Instances:
    """Parts that a program made itself, in place of those that the settings name."""

    embedder: Embedder | None = None
    llm: LLM | Quoter | None = None
    chunker: Chunker | None = None
    loaders: Mapping[str, Loader] = field(default_factory=dict)
    """By the media type of the files that each reads."""


class Closable(Protocol):
    """Something that has files open: a collection."""

    def close(self) -> None:
        """Closes them."""
        ...


class _Made:
    """Values by the settings that they were made from; each is made once."""

    def __init__(self) -> None:
        self._made: list[tuple[tuple[Any, ...], Any]] = []
        self._lock = RLock()

    def get(self, key: tuple[Any, ...], make: Callable[[], ValueT]) -> ValueT:
        # Settings hold tables and secrets: they can be compared, not hashed. There are few: one entry a model in use.
        with self._lock:
            found: ValueT | None = next((value for known, value in self._made if known == key), None)
            if found is None:
                found = make()
                self._made.append((key, found))
            return found


class Shared:
    """The catalog of a home, its embedding models, analysers and language models; nothing is made before it is used.

    Raises:
        SettingsError: a setting is not allowed, or a loader cannot be taken to another process: says why.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        llm: LLM | Quoter | None = None,
        chunker: Chunker | None = None,
        loaders: Mapping[str, Loader] | None = None,
    ) -> None:
        given: dict[str, Any] = {} if home is None else {"home": Path(home)}
        self.settings = settings.model_copy(update=given) if settings else read_settings(**given)
        self.instances = Instances(embedder=embedder, llm=llm, chunker=chunker, loaders=loaders or {})
        self.loaders = portable(self.instances.loaders)
        """The loaders that were given, as another process makes them for itself."""
        self._catalog: Catalog | None = None
        self._made = _Made()
        self._opening = RLock()
        self._opened: WeakSet[Closable] = WeakSet()

    def holds(self, opened: Closable) -> None:
        """Registers a user of this, to be closed with it."""
        self._opened.add(opened)

    def close(self) -> None:
        """Closes all files, those of its collections too; the next call opens them again. Models stay loaded."""
        for opened in tuple(self._opened):
            opened.close()
        self.release()

    def release(self) -> None:
        """Closes only the catalog."""
        with self._opening:
            catalog, self._catalog = self._catalog, None
        if catalog:
            catalog.close()

    @property
    def catalog(self) -> Catalog:
        """The home's catalog, made on first use."""
        with self._opening:
            if self._catalog is None:
                self._catalog = assembly.catalog(self.settings)
            return self._catalog

    def embedder(self, settings: Settings) -> Embedder:
        """The embedding model of these settings; each is loaded once, with its first text."""
        key = ("embedder", settings.embedder, settings.allow_external)
        return self.instances.embedder or self._made.get(key, lambda: assembly.embedder(settings))

    def analyser(self, settings: Settings) -> Analyser:
        """The analyser of these settings."""
        return self._made.get(("analyser", settings.analyser), lambda: assembly.analyser(settings))

    def llm(self, settings: Settings) -> LLM | Quoter:
        """The language model that answers, or the built-in one that quotes."""
        key = ("llm", settings.llm, settings.analyser, settings.allow_external)
        return self.instances.llm or self._made.get(key, lambda: assembly.llm(settings, self.analyser(settings)))

    def chunker(self, settings: Settings) -> Chunker:
        """The chunker for this process.

        Raises:
            SettingsError: the chunker that was given cuts more than the model sees.
        """
        model, given = self.embedder(settings), self.instances.chunker
        if given is None:
            return assembly.chunker(settings, model)
        if given.size > (seen := assembly.seen(model)):
            raise SettingsError(
                f"the chunker cuts pieces of up to {given.size} tokens, of which {model.identity!r} sees {seen}: "
                "what is behind them would not be found; make it with a smaller size"
            )
        return assembly.timed(settings, given)
