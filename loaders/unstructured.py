"""The library `unstructured` as an engine, for those whose other programs read with it: its elements as blocks.

It reads in the closed process of all loaders. Types for which it starts pandoc or LibreOffice, and pictures, for which
it needs models of its own, are not among those that it takes here.
"""

import io
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, BinaryIO, Final, Literal

from pydantic import BaseModel

from penstock import telemetry
from penstock.errors import BrokenSource, MissingExtra, ModelNotFound, UnsupportedFormat
from penstock.loaders.detection.container_types import DOCX, MSG, PPTX, XLS, XLSX
from penstock.loaders.detection.kinds import CSV, EML, HTML, MARKDOWN, PDF, PLAIN, TSV, XML, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.html.markup import parse_html, write_blocks
from penstock.loaders.sources.addresses import shown
from penstock.loaders.titles import titled
from penstock.model import BlockKind, Box, Extraction, ExtractionWriter, Place, Source

SPACY_MODEL: Final = "en_core_web_sm"
SPACY_VERSION = "3.8.0"
WHEEL = (
    f"https://github.com/explosion/spacy-models/releases/download/{SPACY_MODEL}-{SPACY_VERSION}/"
    f"{SPACY_MODEL}-{SPACY_VERSION}-py3-none-any.whl"
)
"""What the library fetches and installs while it reads, where nothing keeps it from that."""
_INFERENCE = "unstructured_inference"
"""Without its models the library cannot even import what reads the text of a PDF."""

_PARTITIONERS = {
    DOCX: "docx",
    PPTX: "pptx",
    XLSX: "xlsx",
    XLS: "xlsx",
    CSV: "csv",
    TSV: "tsv",
    HTML: "html",
    XML: "xml",
    MARKDOWN: "md",
    PLAIN: "text",
    EML: "email",
    MSG: "msg",
    PDF: "pdf",
}
_DECODED = frozenset((CSV, TSV, HTML, XML, PLAIN))
"""Kinds whose partitioner takes an encoding."""
_KINDS: Mapping[str, BlockKind] = {
    "Title": "heading",
    "Table": "table",
    "ListItem": "list",
    "CodeSnippet": "code",
    "Formula": "formula",
    "FigureCaption": "caption",
    "Header": "furniture",
    "Footer": "furniture",
    "PageNumber": "furniture",
}
"""Kinds of blocks by the names of elements; all others are paragraphs."""


class UnstructuredOptions(BaseModel):
    """The options of this loader."""

    model: Literal["en_core_web_sm", "blank"] = SPACY_MODEL


class UnstructuredLoader:
    """Reads with `unstructured`, where a setting names it for a media type.

    `model` is the spaCy model that distinguishes sentences from titles: the one that it would fetch, or `blank`, which
    ends sentences at their punctuation and knows no verbs. `encoding` is the setting, or what the origin declared.
    """

    takes = kinds_of(*_PARTITIONERS)
    Options = UnstructuredOptions

    def __init__(self, *, model: Literal["en_core_web_sm", "blank"] = SPACY_MODEL, encoding: str = "") -> None:
        if find_spec("unstructured") is None:
            raise MissingExtra("the loader 'unstructured'", "unstructured")
        if model == SPACY_MODEL and find_spec(SPACY_MODEL) is None:
            raise ModelNotFound(
                f"the loader 'unstructured' needs the spaCy model {SPACY_MODEL}, which is fetched for no file: install "
                f'its wheel once, with pip install {WHEEL}, or do without it: model = "blank" under '
                "[loaders.options.unstructured] of penstock.toml"
            )
        self._model, self._encoding = model, encoding

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        models = [name for name in (_INFERENCE,) if find_spec(name)]
        model = self._model if self._model == "blank" else f"{self._model}-{version(self._model)}"
        return fingerprint("unstructured", 1, "unstructured", *models, model=model, encoding=self._encoding)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            BrokenSource: the library cannot read it, or found nothing in a PDF without saying why.
            UnsupportedFormat: it is a PDF, and what the library needs for PDFs is not installed.
        """
        name = _PARTITIONERS[source.media_type]
        if name == "pdf" and find_spec(_INFERENCE) is None:
            raise UnsupportedFormat(
                f"{shown(source.uri)!r}: unstructured reads no PDFs without models: pip install 'unstructured[pdf]', "
                "or give application/pdf to another loader"
            )
        options: dict[str, Any] = {"strategy": "fast"} if name == "pdf" else {"languages": [""]}
        if self._encoding and source.media_type in _DECODED:
            options["encoding"] = self._encoding
        if source.media_type in (EML, MSG):
            options["process_attachments"] = False  # files of their own, as for the loaders of Penstock
        try:
            elements = _partition(name, blank=self._model == "blank")(file=io.BytesIO(data.read()), **options)
        except Exception as error:
            raise BrokenSource(f"{shown(source.uri)!r} cannot be read by unstructured: {error}") from error
        if name == "pdf" and not any(element.text for element in elements):
            raise BrokenSource(
                f"{shown(source.uri)!r}: unstructured found no text and no reason; a scan needs a loader with OCR"
            )
        writer = ExtractionWriter()
        for element in elements:
            _write(element, writer)
        return titled(writer.finish())


def _partition(name: str, *, blank: bool) -> Callable[..., list[Any]]:
    """The library's function for a kind of file; it reports nothing, and fetches nothing."""
    telemetry.switch_off("unstructured")
    tokenize = import_module("unstructured.nlp.tokenize")
    if blank:
        tokenize._load_spacy_model = _blank_pipeline  # type: ignore[attr-defined]
    partition: Callable[..., list[Any]] = getattr(import_module(f"unstructured.partition.{name}"), f"partition_{name}")
    return partition


def _blank_pipeline() -> Any:
    pipeline = import_module("spacy").blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


def _write(element: Any, writer: ExtractionWriter) -> None:
    kind, about = _KINDS.get(element.category, "paragraph"), element.metadata
    places = _places(about)
    table = parse_html(about.text_as_html) if kind == "table" and about.text_as_html else None
    if table is not None:
        write_blocks(table, writer, places=places)
    else:
        writer.add(kind, element.text, places=places, level=_level(kind, about.category_depth or 0))


def _level(kind: BlockKind, depth: int) -> int:
    """Headings are counted from 0; lists are in slides too, but in web pages and mails from 1."""
    return depth + 1 if kind == "heading" else max(depth, 1) if kind == "list" else 0


def _places(about: Any) -> tuple[Place, ...]:
    if not about.page_number:
        return ()
    return (Place(page=about.page_number, box=_box(about.coordinates), label=about.page_name or ""),)


def _box(coordinates: Any) -> Box | None:
    """The smallest rectangle around the points, as fractions of the page; None where there are none."""
    if not coordinates or not coordinates.points or not coordinates.system:
        return None
    # Relative coordinates of the library have their origin at the bottom.
    points = [coordinates.system.convert_to_relative(*point) for point in coordinates.points]
    across, down = [x for x, _ in points], [1 - y for _, y in points]
    return Box(*(min(max(float(edge), 0.0), 1.0) for edge in (min(across), min(down), max(across), max(down))))
