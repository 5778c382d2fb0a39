"""Every error that Penstock raises, as one tree.

    PenstockError
    ├── UsageError                  the caller asked for something that cannot be: fix the call
    │   ├── UnknownName             no such chunker, loader, collection, preset ...: lists the known ones
    │   ├── SettingsError           a setting is missing or has a value that is not allowed
    │   └── MissingExtra            a part that is not installed: names the extra
    ├── SourceError                 one source cannot be read: costs one document, ends in its outcome
    │   ├── FetchError              the bytes could not be had, and trying again will not help
    │   ├── TransientFetchError     the bytes could not be had this time (retryable)
    │   ├── AddressRefused          the address is private, or its scheme is not allowed
    │   ├── ExcludedSource          a setting leaves it out: a link to elsewhere, a page that robots.txt closes
    │   ├── UnsupportedFormat       no loader for this kind of file
    │   ├── EncryptedSource         a password is needed
    │   ├── BrokenSource            the file is damaged or not what it claims to be
    │   ├── LimitExceeded           larger, slower or hungrier than the limits allow
    │   └── ParserCrashed           the parsing process ended without an answer
    ├── CatalogError                the catalog cannot be opened or written
    │   ├── CollectionLocked        another process is writing to the collection (retryable)
    │   ├── CatalogUnavailable      the database's server does not answer (retryable)
    │   ├── RevisionGone            that revision was compacted away: says which are left
    │   ├── UnstorableValue         a text or number that the database does not store: costs its source
    │   └── NewerCatalog            written by a newer version of Penstock
    ├── IndexingError               a keyword or vector index cannot do what was asked
    │   ├── IndexUnavailable        the index's server does not answer or is too busy (retryable)
    │   └── DamagedIndex            its files cannot be read: it is set aside and rebuilt from the catalog
    ├── SchedulerError              the server of the schedules does not start or does not answer
    └── EngineError                 a model cannot be loaded or called
        ├── ModelNotFound           the model's files are not here: says how to get them
        ├── UnsupportedModel        the engine does not take this kind of model: names the one that does
        ├── DamagedModel            the model's files are not the ones that were published
        ├── MissingKey              a language model needs a key: names the variable
        ├── ModelRefused            the server refused the request, and will again
        └── ModelUnavailable        the server did not answer in time or is overloaded (retryable)

Each class says whether trying the same again can help (`retryable`), pickles, and says in its message what happened,
where, what was allowed and what to do next.
"""

from collections.abc import Iterable
from typing import ClassVar


class PenstockError(Exception):
    """Root of all errors that Penstock raises on purpose."""

    retryable: ClassVar[bool] = False


class UsageError(PenstockError):
    """The caller asked for something that cannot be."""


class UnknownName(UsageError):
    """A name that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(kind, name, self.known)

    def __str__(self) -> str:
        listed = ", ".join(repr(name) for name in self.known) or "none"
        return f"no {self.kind} named {self.name!r}; known: {listed}"


class SettingsError(UsageError):
    """A setting that is missing or not allowed."""


class MissingExtra(UsageError):
    """A part of Penstock that is not installed."""

    def __init__(self, part: str, extra: str) -> None:
        self.part, self.extra = part, extra
        super().__init__(part, extra)

    def __str__(self) -> str:
        return f"{self.part} is not installed; install it with: pip install 'penstock[{self.extra}]'"


class SourceError(PenstockError):
    """One source cannot be read."""


class FetchError(SourceError):
    """The bytes could not be had, and trying again will not help."""


class TransientFetchError(SourceError):
    """The bytes could not be had this time."""

    retryable = True


class AddressRefused(SourceError):
    """The address is private, or its scheme is not allowed."""


class ExcludedSource(SourceError):
    """A setting leaves it out: a link that leads elsewhere, a page that the robots.txt of its site closes."""


class UnsupportedFormat(SourceError):
    """No loader takes this kind of file."""


class EncryptedSource(SourceError):
    """A password is needed to read the file."""


class BrokenSource(SourceError):
    """The file is damaged, or is not what it claims to be."""


class LimitExceeded(SourceError):
    """The file is larger, slower to read or hungrier for memory than the limits allow."""


class ParserCrashed(SourceError):
    """The process that parsed the file ended without an answer."""


class CatalogError(PenstockError):
    """The catalog cannot be opened or written."""


class CollectionLocked(CatalogError):
    """Another process is writing to the collection."""

    retryable = True


class CatalogUnavailable(CatalogError):
    """The server of the catalog's database does not answer."""

    retryable = True


class RevisionGone(CatalogError):
    """What the collection held at that revision was removed since, to make room."""


class UnstorableValue(CatalogError):
    """A text or number is none that the database stores; nothing was written."""


class NewerCatalog(CatalogError):
    """The catalog was written by a newer version of Penstock."""


class IndexingError(PenstockError):
    """A keyword or vector index cannot do what was asked."""


class IndexUnavailable(IndexingError):
    """The server of an index does not answer in time, or is too busy."""

    retryable = True


class DamagedIndex(IndexingError):
    """The files of an index cannot be read."""


class SchedulerError(PenstockError):
    """The server of the schedules does not start, or does not answer."""


class EngineError(PenstockError):
    """A model cannot be loaded or called."""


class ModelNotFound(EngineError):
    """The files of a model are not on this machine."""


class UnsupportedModel(EngineError):
    """The engine does not take this kind of model."""


class DamagedModel(EngineError):
    """The files of a model are not the ones that were published."""


class MissingKey(EngineError):
    """A language model needs a key that is not set."""


class ModelRefused(EngineError):
    """The server refused the request, and will refuse it again."""


class ModelUnavailable(EngineError):
    """The server did not answer in time, or is overloaded."""

    retryable = True
