"""The main content of a web page, separated from menus, teasers and footers by trafilatura."""

from lxml import etree

from penstock.loaders.containers.xmltree import all_text, local
from penstock.loaders.html.markup import UNREAD

LEAST_CHARACTERS = 200
"""A shorter result than this is no main content; the whole page says more."""
LEAST_SHARE = 0.2
"""Share of the page's own prose, outside links and menus, that the main content must hold to be taken for the page."""
MOST_DEPTH = 200
"""Levels of elements up to which the extractor is asked; articles have some 30, broken markup has thousands."""

_OUTSIDE = UNREAD | {"a", "nav", "header", "footer", "aside", "button", "label"}
_NAMES = {
    "lb": "br", "item": "li", "row": "tr", "cell": "td", "quote": "blockquote", "hi": "b", "ref": "a", "graphic": "img",
}  # fmt: skip
"""Names in trafilatura's trees, which follow the Text Encoding Initiative, and their names in HTML."""


def main_content(root: etree._Element) -> etree._Element | None:
    """The main content as a tree of HTML elements; None where the page has no clear main content.

    The given tree is not changed.
    """
    if _is_deep(root):
        return None
    body = _extracted(root, thorough=False)
    if body is not None and _is_dump(body):
        body = _extracted(root, thorough=True)
    if body is None or not _represents(body, root):
        return None
    if _is_dump(body):
        _split_lines(body[0])
    _to_html(body)
    return body


def _is_deep(root: etree._Element) -> bool:
    """Whether a page nests deeper than the extractor, which is recursive, can follow."""
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MOST_DEPTH:
            return True
    return False


def _extracted(root: etree._Element, *, thorough: bool) -> etree._Element | None:
    from trafilatura import bare_extraction

    # The fast mode leaves out two other extractors, and was right more often on labelled pages. Comments of readers
    # are not what a page says. Metadata is read by ourselves, because theirs searches for dates at length.
    found = bare_extraction(root, fast=not thorough, favor_recall=thorough, include_comments=False, with_metadata=False)
    return None if found is None or isinstance(found, dict) else found.body


def _is_dump(body: etree._Element) -> bool:
    """Whether the extractor gave up and put the text of the whole page into one paragraph."""
    return len(body) == 1 and local(body[0]) == "p" and "\n" in (body[0].text or "")


def _split_lines(paragraph: etree._Element) -> None:
    lines = str(paragraph.text or "").split("\n")
    paragraph.text = lines[0]
    for position, line in enumerate(lines[1:]):
        mark = etree.Element("lb")
        mark.tail = line
        paragraph.insert(position, mark)


def _represents(body: etree._Element, root: etree._Element) -> bool:
    kept = _weight(all_text(body))
    return kept >= LEAST_CHARACTERS and kept >= LEAST_SHARE * _weight(_prose(root))


def _weight(text: str) -> int:
    return len("".join(text.split()))


def _prose(root: etree._Element) -> str:
    """What a page says outside links, menus and margins."""
    parts: list[str] = []
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, node in walker:
        if event == "end":
            parts.append(str(node.tail or "") if node is not root else "")
        elif local(node) in _OUTSIDE:
            walker.skip_subtree()
        else:
            parts.append(str(node.text or ""))
    return "".join(parts)


def _to_html(body: etree._Element) -> None:
    for node in list(body.iter()):
        name = local(node)
        if name == "head":
            rend = str(node.get("rend") or "")
            node.tag = rend if rend in ("h1", "h2", "h3", "h4", "h5", "h6") else "h2"
        elif name == "list":
            node.tag = {"ol": "ol", "dl": "dl"}.get(str(node.get("rend")), "ul")
        elif name == "item" and str(node.get("rend") or "")[:2] in ("dt", "dd"):
            node.tag = str(node.get("rend"))[:2]
        elif name == "code" and _is_block(node):
            node.tag = "pre"
        else:
            node.tag = _NAMES.get(name, name or "span")


def _is_block(code: etree._Element) -> bool:
    parent = code.getparent()
    return "\n" in all_text(code) or parent is None or local(parent) in ("body", "blockquote")
