"""Which loader reads which kind of file, and how loaders are built from options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from penstock import registry
from penstock.errors import EncryptedSource, PenstockError, SettingsError, UnsupportedFormat
from penstock.loaders.detection.claims import NONE, Claims
from penstock.loaders.detection.container_types import (
    DOC,
    DOCX,
    ENCRYPTED_OFFICE,
    EPUB,
    MSG,
    ODS,
    ODT,
    PPT,
    PPTX,
    XLS,
    XLSB,
    XLSX,
)
from penstock.loaders.detection.kinds import (
    BMP,
    BUILT_IN,
    CSV,
    EML,
    GIF,
    HTML,
    JPEG,
    JSON,
    MARKDOWN,
    ODP,
    PDF,
    PLAIN,
    PNG,
    RTF,
    SITEMAP,
    TIFF,
    TSV,
    WEBP,
    XML,
)
from penstock.model import FileKind

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Loader

LOADERS: Mapping[str, str] = {
    PDF: "pdf-pymupdf",
    **dict.fromkeys((PNG, JPEG, GIF, TIFF, WEBP, BMP), "image"),
    PPTX: "pptx",
    DOCX: "docx",
    **dict.fromkeys((XLSX, XLSB, XLS, ODS), "spreadsheet"),
    **dict.fromkeys((CSV, TSV), "csv"),
    HTML: "html",
    XML: "xml",
    MARKDOWN: "markdown",
    **dict.fromkeys((PLAIN, JSON), "text"),
    EML: "eml",
    MSG: "msg",
    EPUB: "epub",
    RTF: "rtf",
    **dict.fromkeys((ODT, ODP), "odt"),
    DOC: "doc",
    PPT: "ppt",
    SITEMAP: "sitemap",
}
"""Media type to the name of the built-in loader that reads it, where no setting names another."""

_NAMES = {
    "application/zip": "a zip archive; unpack it and ingest the folder",
    "application/octet-stream": "a binary file of unknown kind",
}
_SHARED = frozenset(("ocr", "ocr_dpi", "encoding"))
"""Options of all loaders whose constructor names them."""
SUPPORTED = " and ".join(", ".join(kind.name for kind in BUILT_IN if kind.name).rsplit(", ", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderOptions:
    """How files are read: the plain form of the settings `loaders.*`."""

    engines: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Names of loaders by the media types that they shall read, instead of those that would."""
    ocr: Literal["auto", "always", "never"] = "auto"
    ocr_dpi: int = 200
    encoding: str = ""
    """Encoding of text files that do not say; empty: detected."""
    allow_external: bool = False
    """Whether a loader of another distribution may be used."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False, repr=False)
    """A loader's own options, by its name."""


def loader_for(media_type: str, options: LoaderOptions, *, charset: str = "") -> "Loader":
    """A loader for a kind of file; its module is imported now, the library behind it when it reads.

    `charset` is what the origin of one source declared; it goes before `options.encoding`, which is for sources that
    do not say.

    Raises:
        UnsupportedFormat: no loader reads this kind of file; names it and what is supported.
        EncryptedSource: the kind of file is known to be under a password.
        UnknownName: there is no such loader as a setting names.
        SettingsError: two distributions bring a loader for this kind of file, or the loader does not take its options.
    """
    name = options.engines.get(media_type) or LOADERS.get(media_type) or _loader_of_others(media_type, options)
    if not name and media_type == ENCRYPTED_OFFICE:
        raise EncryptedSource("the Office file is under a password; save a copy without one")
    if not name:
        raise UnsupportedFormat(f"no loader reads {_named(media_type)}; supported are {SUPPORTED}")
    offered: dict[str, Any] = {option: getattr(options, option) for option in _SHARED}
    if charset:
        offered |= {"encoding": charset, "charset": charset}
    loader: Loader = registry.make(
        "loaders", name, offered=offered, options=options.options.get(name, {}), allow_external=options.allow_external
    )
    return loader


def fingerprint(options: LoaderOptions, media_type: str) -> str:
    """What a document of this kind is read with: while it stays, an unchanged file need not be read again.

    Imports no parsing library, and is asked once a source: the answer is kept.

    Raises:
        UnsupportedFormat, UnknownName, SettingsError: as `loader_for`.
    """
    return _fingerprint(options, media_type)


@cache
def _fingerprint(options: LoaderOptions, media_type: str) -> str:
    try:
        return loader_for(media_type, options).fingerprint
    except EncryptedSource:
        return "encrypted-1"


def claims(options: LoaderOptions) -> Claims:
    """The kinds that loaders of other distributions add: those modules are imported now, where the options allow it.

    Raises:
        UnknownName: a setting names a loader that there is not.
        SettingsError: a loader states nothing that can be understood, or a setting gives it what it does not take.
    """
    return _claims(options)


@cache
def _claims(options: LoaderOptions) -> Claims:
    for media_type, name in options.engines.items():
        _check_engine(media_type, name, options)
    if not options.allow_external:
        return NONE
    added = {name: _stated(name, options) for name in registry.of_others("loaders")}
    chosen = {(media_type, name) for media_type, name in options.engines.items() if name in added}
    kinds = {kind: None for name, stated in added.items() for kind in stated if _may_claim(kind, name, options)}
    return Claims(kinds=tuple(kinds), preferred=frozenset(media_type for media_type, _ in chosen))


def _may_claim(kind: FileKind, name: str, options: LoaderOptions) -> bool:
    """Whether a loader that takes the kind would be asked for it."""
    return options.engines.get(kind.media_type, name) == name and (
        kind.media_type in options.engines or kind.media_type not in LOADERS
    )


def _check_engine(media_type: str, name: str, options: LoaderOptions) -> None:
    if LOADERS.get(media_type) == name:
        return
    taken = [kind.media_type for kind in _stated(name, options)]
    if taken and media_type not in taken:
        raise SettingsError(
            f"loaders.engines gives {media_type!r} to the loader {name!r}, which takes {', '.join(taken)}"
        )


def _loader_of_others(media_type: str, options: LoaderOptions) -> str:
    if not options.allow_external:
        return ""
    found = {
        name: brought_by
        for name, brought_by in registry.of_others("loaders").items()
        if any(kind.media_type == media_type for kind in _stated(name, options))
    }
    if len(found) > 1:
        which = " and ".join(f"{name!r} (of {brought_by})" for name, brought_by in found.items())
        raise SettingsError(
            f"{media_type!r} is taken by the loaders {which}; name one of them in penstock.toml, under "
            f'[loaders.engines]: "{media_type}" = "{next(iter(found))}"'
        )
    return next(iter(found), "")


def _stated(name: str, options: LoaderOptions) -> tuple[FileKind, ...]:
    """The kinds that a loader states; none where it states nothing, as one that only settings give files to."""
    try:
        make = registry.load("loaders", name, allow_external=options.allow_external)
    except PenstockError:
        raise
    except Exception as error:
        raise SettingsError(f"the loader {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    stated = getattr(make, "takes", ())
    if not isinstance(stated, tuple) or not all(isinstance(kind, FileKind) for kind in stated):
        raise SettingsError(f"the loader {name!r} does not state what it takes: `takes` is no tuple of FileKind")
    return stated


def _named(media_type: str) -> str:
    name = _NAMES.get(media_type)
    return f"{media_type} ({name})" if name else media_type
