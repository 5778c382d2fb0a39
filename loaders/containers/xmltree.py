"""XML parts as lxml trees: nothing external is resolved, no entity expanded, names are compared without namespace."""

from collections.abc import Iterator

from lxml import etree

from penstock.errors import BrokenSource
from penstock.model import Source


def parse_xml(source: Source, content: bytes, name: str) -> etree._Element:
    """The root element of an XML part.

    Entities that the part declares itself stay unresolved, so they can neither grow nor read files.

    Raises:
        BrokenSource: the part is not well-formed.
    """
    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenSource(f"{source.uri!r} is damaged: its part {name!r} is no valid XML ({error})") from error
    if root is None:
        raise BrokenSource(f"{source.uri!r} is damaged: its part {name!r} is empty")
    return root


def parse_plain(content: bytes) -> etree._Element | None:
    """The root element of an XML part, or None where it is not well-formed."""
    try:
        return etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError):
        return None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def local(element: etree._Element) -> str:
    """Name of an element without its namespace; empty for processing instructions and entities.

    Office formats exist with two namespaces each (transitional and strict) that mean the same.
    """
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element | None, name: str) -> str:
    """An attribute by its local name, empty where it is missing."""
    if element is None:
        return ""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first child of that local name, its first child of the next name, and so on."""
    for name in path:
        element = next(children(element, name), None)
    return element


def children(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """Children whose local name is one of these; all elements where none is given."""
    for inner in element if element is not None else ():
        found = local(inner)
        if found and (not names or found in names):
            yield inner


def descendants(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """All elements below, in document order, whose local name is one of these."""
    return (inner for inner in element.iter() if inner is not element and local(inner) in names)


def all_text(element: etree._Element | None) -> str:
    """All character data below an element."""
    return "".join(str(text) for text in element.itertext()) if element is not None else ""
