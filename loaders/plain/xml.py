"""XML of no particular vocabulary: the text of its elements, one paragraph a record."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from penstock.loaders.detection.kinds import XML, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.model import Extraction, ExtractionWriter, Source

if TYPE_CHECKING:
    from lxml.etree import _Element


class XmlLoader:
    """Reads any XML file: an element that holds only elements of plain text is one record, a `name: text` line each.

    Mixed content (text around elements) becomes one paragraph. An element without text speaks by its attributes.
    """

    takes = kinds_of(XML)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("xml", 1, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            BrokenSource: the file is not well-formed.
        """
        from penstock.loaders.containers.xmltree import parse_xml

        writer = ExtractionWriter()
        for text in _paragraphs(parse_xml(source, data.read(), "document")):
            writer.add("paragraph", text)
        return writer.finish()


def _paragraphs(element: "_Element") -> Iterator[str]:
    if not len(element) or _is_mixed(element):
        yield _flat(element) or _spoken_by_attributes(element)
    elif not any(len(child) for child in element):
        yield "\n".join(line for line in map(_line, element) if line)
    else:
        for child in element:
            yield from _paragraphs(child)


def _line(element: "_Element") -> str:
    from penstock.loaders.containers.xmltree import local

    text = _flat(element) or _spoken_by_attributes(element)
    return f"{local(element)}: {text}" if text else ""


def _is_mixed(element: "_Element") -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _flat(element: "_Element") -> str:
    # Entities and processing instructions have no string for a tag, and their text is not the document's.
    return " ".join("".join(map(str, element.itertext(tag="{*}*"))).split())


def _spoken_by_attributes(element: "_Element") -> str:
    return ", ".join(f"{str(name).rpartition('}')[2]}: {value!s}" for name, value in element.attrib.items())
