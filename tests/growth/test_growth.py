"""Every function that reads text from outside, on texts that ask too much: its time grows no faster than they do."""

import io
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from protego import Protego

from penstock import retries, urls
from penstock.analysis import list_marks, numerals, phrases, running, scan, scripts, sentences, wide, words
from penstock.analysis.analyser import TextAnalyser
from penstock.analysis.normal import normalise
from penstock.catalog.database import globs
from penstock.chunkers.cutting import lines as chunk_lines
from penstock.chunkers.outline import one_line as outline_line
from penstock.chunkers.sentence import SentenceChunker
from penstock.chunkers.structure import StructureChunker
from penstock.chunkers.window import WindowChunker
from penstock.cli.output import escaping
from penstock.engines.embedders.vocabulary import clean as without_surrogates
from penstock.engines.llms import extractive, thinking, tokens
from penstock.errors import PenstockError
from penstock.ids import content_hash
from penstock.integrations import conditions
from penstock.loaders import tables, titles
from penstock.loaders.containers import drawings
from penstock.loaders.detection import decoding, sniffing, text_types
from penstock.loaders.html.html import HtmlLoader
from penstock.loaders.html.markup import collapse, parse_html, write_blocks
from penstock.loaders.layout import headings, paragraphs
from penstock.loaders.mail.eml import EmlLoader
from penstock.loaders.mail.mail_text import Letter, write_letter
from penstock.loaders.plain.csv import CsvLoader
from penstock.loaders.plain.markdown import MarkdownLoader, split_front_matter
from penstock.loaders.plain.sitemap_xml import read_sitemap
from penstock.loaders.plain.text import TextLoader
from penstock.loaders.plain.xml import XmlLoader
from penstock.loaders.rtf import rtf_text, rtf_tokens
from penstock.loaders.rtf.rtf import RtfLoader
from penstock.loaders.sources import addresses
from penstock.loaders.sources.url_list import UrlListLister
from penstock.loaders.word.doc import _clean as word_text
from penstock.model import (
    Block,
    BlockKind,
    Chunk,
    Document,
    Extraction,
    ExtractionWriter,
    Fetched,
    Filter,
    Hit,
    Place,
    Source,
    Span,
    Trace,
)
from penstock.pipelines.answering import citing, claims, passages, prompting, quoting, special_tokens
from penstock.pipelines.cleaning import characters, cleaning, furniture
from penstock.pipelines.cleaning.line_joining import Words, begins_item, joined, reflowed, reflowed_list, unspaced
from penstock.pipelines.ingest.records import Record
from penstock.settings import times
from penstock.testing.doubles.counting import WordCounter
from penstock.testing.doubles.growth import LIMIT, exponent
from penstock.testing.doubles.pathological import TEXTS

ANALYSER = TextAnalyser()
COUNTER = WordCounter()
SOURCE = Source(uri="file:///a.txt", media_type="text/plain", sha256="0" * 64, size=1, labels={})
TRACE = Trace(ranks={}, scores={}, shares={}, weights={})
ORDINARY = "Ten days of leave carry over. The turbine turns [1]. “So it is.” 年假可以结转十天。" * 4
KINDS: tuple[BlockKind, ...] = ("paragraph", "heading", "list", "table", "code")


def _document(text: str, kind: BlockKind) -> Document:
    writer = ExtractionWriter()
    for part in text.split("\n\n"):
        writer.add(kind, part)
    found = writer.finish(title=text[:50])
    return Document(
        id="d", source=SOURCE, title=found.title, language="en", text=found.text, blocks=found.blocks, loader="x"
    )


def _hit(text: str, number: int = 0) -> Hit:
    chunk = Chunk(
        id=f"c{number}",
        document_id=f"d{number}",
        span=Span(0, len(text)),
        text=text,
        headings=(text[:200],),
        language="en",
    )
    return Hit(chunk=chunk, sources=(SOURCE,), title=text[:200], score=1.0, trace=TRACE)


def _passage(text: str) -> passages.Passage:
    return passages.passage([_hit(text)])


def _chunked(chunker: Any) -> Callable[[str], object]:
    def work(text: str) -> object:
        found = []
        for kind in ("paragraph", "list", "table"):
            document = _document(text[: len(text) // 3], kind)
            found.append(list(chunker.chunk(document, content_hash("", "en", document.text, document.blocks))))
        return found

    return work


def _loaded(loader: Any) -> Callable[[str], object]:
    def work(text: str) -> object:
        return loader.load(SOURCE, io.BytesIO(text.encode("utf-8", "surrogatepass")))

    return _refused(work)


def _cleaned(text: str) -> object:
    """One long block of each kind, many small ones on one page, and many on pages of their own."""
    part = text[: len(text) // 4]
    writer = ExtractionWriter()
    for kind in KINDS:
        writer.add(kind, part)
    for number, line in enumerate(part.split("\n")):
        writer.add("paragraph", line, places=(Place(page=1),))
        writer.add("paragraph", line, places=(Place(page=number + 2),))
    found = cleaning.clean(writer.finish(title=text[:100]))
    return cleaning.clean(_in_lines(part)), found


def _in_lines(text: str) -> Extraction:
    """The text as lines of its page, whatever it is: every twelve characters one."""
    blocks = [Block(kind="paragraph", span=Span(at, min(at + 12, len(text)))) for at in range(0, len(text), 12)]
    return Extraction(title="", text=text, blocks=tuple(blocks))


def _furniture(text: str) -> object:
    parts = [text[at : at + 12] for at in range(0, len(text), 12)]
    blocks = [
        Block(kind="paragraph", span=Span(0, 1), places=(Place(page=1 + at % 3),)) for at in range(len(parts) // 3 * 3)
    ]
    return furniture.furniture(blocks, [parts[at // 3] or "a" for at in range(len(blocks))])


def _running(text: str) -> object:
    lines = [
        running.Line(number=at, page=1 + at % 7, text=text[at * 12 : at * 12 + 12], zone="top", at=at % 3 / 100)
        for at in range(len(text) // 12)
    ]
    return running.running(lines, pages=range(1, 8))


def _claimed(piece: int) -> Callable[[str], object]:
    def work(text: str) -> object:
        return list(claims.claims(text[at : at + piece] for at in range(0, len(text), piece)))

    return work


def _checked(text: str) -> object:
    half = len(text) // 2
    ordinary = _passage(ORDINARY)
    return (
        citing.check_claim(text[:half], [ordinary, ordinary], ANALYSER),
        citing.check_claim("So it is “a” … [1].", [_passage(text[:half])], ANALYSER),
        citing.check_claim(text[: half // 4], [_passage(text[: half // 4])] * 2, ANALYSER),
    )


class _Target:
    context_tokens = 10**9

    def count_tokens(self, text: str) -> int:
        return len(text)


def _prompted(text: str) -> object:
    passages.harmless.cache_clear()
    part = len(text) // 2
    return prompting.assemble("Why? " + text[:part], [_hit(text[part:])], llm=_Target(), budget=10**9)


def _quoted(text: str) -> object:
    return extractive.ExtractiveLLM(analyser=ANALYSER).quotes("How many days?", [[_hit(text)], [_hit(ORDINARY, 1)]])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _file(read: Callable[[Path], object]) -> Callable[[str], object]:
    def work(text: str) -> object:
        with tempfile.NamedTemporaryFile() as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            return read(Path(file.name))

    return _refused(work)


class _Fetcher:
    """Gives the file that it was made with, whatever is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self, *_: object) -> "_Fetcher":
        return self

    def __enter__(self) -> Fetched:
        return Fetched(path=self._path, sha256="0", size=self._path.stat().st_size)

    def __exit__(self, *_: object) -> None:
        pass


def _letter(text: str) -> object:
    writer = ExtractionWriter()
    headers = dict.fromkeys(("subject", "sender", "to", "copied", "date"), text[:100])
    write_letter(Letter(**headers, plain=text, html="", attached=()), writer)
    return writer.finish()


def _html(text: str) -> object:
    root, writer = parse_html(text), ExtractionWriter()
    if root is not None:
        write_blocks(root, writer)
    return writer.finish()


def _titled(text: str) -> object:
    return titles.choose_title(text), outline_line(text), headings._key(text), headings.NUMBERED.match(text)


def _begun(text: str) -> object:
    """What looks at how a line begins, at every line."""
    lines = [text, *text.split("\n")]
    return [(begins_item(line), running.key_of(line), paragraphs.CAPTION.match(line)) for line in lines]


def _refused(work: Callable[[str], object]) -> Callable[[str], object]:
    """The function, whose refusal of a text is an answer like any other."""

    def quietly(text: str) -> object:
        try:
            return work(text)
        except (PenstockError, ValueError) as error:
            return error

    return quietly


def _set_solid(text: str) -> object:
    return wide.one_line(text), wide.text_width(text), wide.stand_solid(text, text)


def _worded(text: str) -> object:
    return [words.word_tokens(run) for _, run in scan.runs(text)], list(words.camel_parts(text))


def _condition(text: str) -> object:
    return conditions.filter_by(conditions.Condition(field="source", operator="==", value=text))


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A function and the length at which it is measured first: less for what costs much a character."""

    work: Callable[[str], object]
    length: int = 4000


def _all(work: Callable[[str], Iterable[object]]) -> Callable[[str], object]:
    return lambda text: list(work(text))


READERS: Mapping[str, Reader] = {
    "analysis.normal": Reader(work=normalise),
    "analysis.scan": Reader(work=_all(scan.runs)),
    "analysis.numerals": Reader(work=_all(numerals.numbers)),
    "analysis.phrases": Reader(work=phrases.PhraseFinder(["word word", "水", "a"]).find),
    "analysis.list_marks": Reader(work=_all(lambda line: (list_marks.list_mark(line), list_marks.has_sign(line)))),
    "analysis.running": Reader(work=_running, length=2000),
    "analysis.wide": Reader(work=_set_solid),
    "penstock.retries": Reader(work=retries.asked_pause),
    "analysis.words": Reader(work=_worded),
    "analysis.sentences": Reader(work=sentences.sentence_spans),
    "analysis.scripts": Reader(work=lambda text: (scripts.language_of(text), scripts.script_shares(text))),
    "analysis.analyser": Reader(work=ANALYSER.tokens, length=2000),
    "analysis.analyser, questions": Reader(work=ANALYSER.query_tokens, length=2000),
    "database.globs": Reader(
        work=lambda text: (globs.python_expression(text), globs.postgresql_expression(text)), length=2000
    ),
    "chunkers.cutting, chunkers.outline": Reader(work=lambda text: chunk_lines(text, Span(0, len(text)))),
    "chunkers.structure": Reader(work=_chunked(StructureChunker(COUNTER, size=256, tokenizer="words")), length=1500),
    "chunkers.window": Reader(
        work=_chunked(WindowChunker(COUNTER, size=64, overlap=8, tokenizer="words")), length=2000
    ),
    "chunkers.sentence": Reader(work=_chunked(SentenceChunker(COUNTER, size=64, tokenizer="words")), length=2000),
    "output.escaping": Reader(work=lambda text: (escaping.harmless(text), escaping.json_text(text))),
    "llms.extractive": Reader(work=_quoted, length=2000),
    "llms.thinking": Reader(
        work=lambda text: list(thinking.without_thoughts(iter([text[at : at + 7] for at in range(0, len(text), 7)])))
    ),
    "llms.tokens": Reader(work=tokens.estimated_tokens),
    "embedders.vocabulary": Reader(work=without_surrogates),
    "integrations.conditions": Reader(work=_refused(_condition)),
    "sources.addresses": Reader(
        work=_refused(lambda text: (addresses.shown(text), addresses.shown("file:///" + text), addresses.web_uri(text)))
    ),
    "plain.csv": Reader(work=_loaded(CsvLoader())),
    "detection.decoding": Reader(
        work=lambda text: [
            decoding.decode_text(text.encode(name, "replace")) for name in ("utf-8", "gb18030", "utf-16-le")
        ]
    ),
    "word.doc": Reader(work=word_text),
    "containers.drawings": Reader(work=drawings.alternative_text),
    "mail.eml": Reader(work=_loaded(EmlLoader())),
    "layout.headings, layout.paragraphs, loaders.titles": Reader(work=_titled),
    "html.html": Reader(work=_loaded(HtmlLoader()), length=2000),
    "mail.mail_text": Reader(work=_letter),
    "plain.markdown": Reader(work=_loaded(MarkdownLoader()), length=2000),
    "plain.markdown, front matter": Reader(work=split_front_matter),
    "html.markup": Reader(work=_html),
    "html.markup, spaces": Reader(work=collapse),
    "rtf.rtf": Reader(work=_loaded(RtfLoader())),
    "rtf.rtf_text": Reader(
        work=lambda text: list(rtf_text.text_of(rtf_text.read_lines(text.encode("utf-8", "surrogatepass"))))
    ),
    "rtf.rtf_tokens": Reader(work=lambda text: list(rtf_tokens.tokens(text.encode("utf-8", "surrogatepass")))),
    "plain.sitemap_xml": Reader(
        work=_refused(lambda text: list(read_sitemap("https://example.org/", io.BytesIO(_bytes(text)))))
    ),
    "detection.sniffing": Reader(work=_file(lambda path: sniffing.sniff(path, "a.txt"))),
    "detection.sniffing, charsets": Reader(work=sniffing.charset_of),
    "web.courtesy": Reader(
        work=_refused(lambda text: Protego.parse(text).can_fetch("https://example.org/" + text, "Penstock"))
    ),
    "loaders.tables": Reader(work=lambda text: tables.table_text([[text, "a"], text.split(" ")])),
    "plain.text": Reader(work=_loaded(TextLoader())),
    "detection.text_types": Reader(
        work=lambda text: [text_types.kind_of_text(text, name, "", whole=True) for name in ("a", "a.html", "a.csv")]
    ),
    "sources.url_list": Reader(
        work=_file(lambda path: list(UrlListLister("https://example.org/", lambda _: _Fetcher(path)).list()))
    ),
    "plain.xml": Reader(work=_loaded(XmlLoader())),
    "cleaning.characters": Reader(work=characters.ordinary),
    "answering.citing": Reader(work=_checked, length=2000),
    "answering.claims": Reader(work=_claimed(10**9)),
    "answering.claims, piece by piece": Reader(work=_claimed(3), length=2000),
    "cleaning.cleaning": Reader(work=_cleaned),
    "cleaning.furniture": Reader(work=_furniture, length=2000),
    "cleaning.line_joining": Reader(
        work=lambda text: (
            reflowed(text.split("\n"), Words([text])),
            reflowed_list(text.split("\n"), Words([text])),
            joined(text, text, Words([text])),
            unspaced(text),
        )
    ),
    "cleaning.line_joining, how a line begins": Reader(work=_begun),
    "answering.passages": Reader(work=passages.harmless.__wrapped__),
    "answering.passages, marks": Reader(work=passages.unmarked),
    "answering.prompting": Reader(work=_prompted),
    "answering.quoting, quotations": Reader(work=quoting.quotes_in),
    "answering.quoting, the quote": Reader(work=lambda text: quoting.find_quote(text, ORDINARY)),
    "answering.quoting, both": Reader(work=lambda text: quoting.find_quote(text[: len(text) // 2], text)),
    "ingest.records": Reader(work=lambda text: Record(uri="a", text=text).extraction()),
    "answering.special_tokens": Reader(work=special_tokens.broken),
    "penstock.urls": Reader(work=lambda text: (urls.without_secrets("https://" + text), urls.secret_parameters(text))),
    "settings.times": Reader(work=_refused(times.duration)),
    "settings.times, cron": Reader(work=_refused(times.checked_cron)),
    "model.filters": Reader(work=lambda text: Filter(sources=(text,)).is_empty),
}
"""By the module that they are in."""


@pytest.mark.parametrize("reader", [pytest.param(reader, id=name) for name, reader in READERS.items()])
def test_time_grows_with_the_length_of_a_text(reader: Reader) -> None:
    grown = {name: exponent(reader.work, make, reader.length) for name, make in TEXTS.items()}
    assert {name: round(power, 2) for name, power in grown.items() if power >= LIMIT} == {}


EXCUSED: Mapping[str, str] = {
    "catalog.catalog": "a name of at most 50 characters",
    "database.dialect": "one character of a mark",
    "chunkers.units": "by the chunker structure",
    "models.model_folder": "names of models, given by their owner",
    "models.models": "names of models, given by their owner",
    "detection.container_types": "the first bytes of an archive, of limited size",
    "sandbox.answers": "names of errors, of at most 100 characters",
    "history.importing": "a hash, matched whole",
    "penstock.files": "names of files, of at most 255 characters",
    "settings.harmless": "names of settings",
    "excel.spreadsheet": "cells one by one",
    "web.pages": "headers that the client limits",
    "word.numbering": "the numbering of a list, within the sandbox's limits",
    "word.styles": "names of styles, within the sandbox's limits",
    "indexing.indexes": "a name of at most 50 characters",
    "indexing.rebuilding": "an error of our own, of limited length",
    "settings.groups": "settings of the machine's owner",
    "cli.options": "arguments of the machine's user",
    "output.toml": "settings of the machine's owner",
    "indexers.tantivy": "an error of the library",
    "artifacts.artifacts": "a name of at most 50 characters",
    "artifacts.summary": "names of sources, cut to their length",
    "elasticsearch.versions": "a name of our own",
}
"""Modules with regular expressions that the table need not name, and why."""


def test_every_module_with_regular_expressions_is_measured_or_excused() -> None:
    root = Path(__file__).parents[2]
    rooms = ("penstock", "chunkers", "flows", "indexers", "loaders", "pipelines", "retrievers")
    found = {
        f"{path.parent.name}.{path.stem}"
        for room in rooms
        for path in (root / room).rglob("*.py")
        if not any(parent.is_symlink() for parent in path.parents)
        and "testing" not in path.parts
        and re.search(r"^import re$", path.read_text("utf-8"), re.MULTILINE)
    }
    named = {word for name in READERS for word in re.findall(r"\w+\.\w+", name)}
    assert found - named - EXCUSED.keys() == set(), "measure them in READERS, or say in EXCUSED why not"
