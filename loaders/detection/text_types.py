"""Which kind of text is this: mail, web page, XML, table, Markdown or plain?"""

import csv
import re
from io import StringIO

from penstock.loaders.detection.kinds import BUILT_IN, CSV, EML, HTML, JSON, MARKDOWN, PLAIN, TEXTS, TSV, XML, ending_of

_CLAIMS = {suffix: kind.media_type for kind in BUILT_IN if kind.media_type in TEXTS for suffix in kind.suffixes}
_BY_ENDING = {**_CLAIMS, **dict.fromkeys(("", *(ending for ending, kind in _CLAIMS.items() if kind == PLAIN)), "")}
"""What an ending claims; an empty claim says nothing, and an ending that is not here (code, logs) claims plain text."""
_BY_ENDING[".ipynb"] = JSON  # no ending of JSON's own: a loader of notebooks may take it
_BY_DECLARATION = {
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "text/markdown": MARKDOWN,
    "text/x-markdown": MARKDOWN,
    "text/csv": CSV,
    "text/tab-separated-values": TSV,
    "application/json": JSON,
    "message/rfc822": EML,
}
_HTML_START = re.compile(
    r"(?:<\?xml[^>]*+>|(?><!--.*?-->)|\s++)*+<(?:!doctype\s++html|html|head|body|title|meta|script|style)(?![\w:.-])",
    re.I | re.DOTALL,
)
_HTML_TAG = re.compile(
    r"</?(?:p|div|span|a|table|tr|td|ul|ol|li|h[1-6]|br|img|b|i|em|strong|article|section)(?![\w:.-])[^<>]*>", re.I
)
_XML_START = re.compile(r"\s*+(?:<\?xml\b|<!DOCTYPE\s|<[A-Za-z_][\w.:-]*+(?:\s++[\w.:-]++\s*+=\s*+[\"']|\s*+/?>))")
_HEADER = re.compile(r"([!-9;-~]+):(?:[ \t]|$)")
_CERTAIN_MAIL_HEADERS = frozenset(("from", "received", "return-path", "message-id", "mime-version"))
_MAIL_HEADERS = _CERTAIN_MAIL_HEADERS | frozenset(
    ("to", "cc", "subject", "date", "delivered-to", "reply-to", "sender", "content-type", "dkim-signature")
)
_MARKDOWN_SIGNS = tuple(
    re.compile(sign, re.MULTILINE)
    for sign in (
        r"^#{1,6} ++\S",
        r"^(?:```|~~~)",
        r"\[[^\]\n]{1,500}\]\((?:[^()\s]|\([^()\s]{0,500}\)){1,500}\)",
        r"^ *+[-*+] ++\S.*+\n *+[-*+] ++\S",
        r"^\|?(?: *+:?-{3,}+:? *+\|)++ *+:?-*+:? *+$",
        r"\*\*[^*\n]+\*\*",
        r"^> +\S",
    )
)


def kind_of_text(text: str, name_hint: str, declared: str, *, whole: bool) -> str:
    """The media type of a text: content first, then what its name or its origin claims, if the content allows it.

    Args:
        text: the text or its beginning.
        name_hint: name or URI of the source.
        declared: media type that the origin declared.
        whole: whether `text` is everything.
    """
    claimed = _claim(name_hint, declared)
    if _is_html(text, claimed):
        return HTML
    if _is_mail(text):
        return EML
    if _XML_START.match(text) and (claimed == XML or text.lstrip().startswith("<?xml")):
        return XML
    if claimed == JSON and text.lstrip()[:1] in ("{", "["):
        return JSON
    if claimed in (MARKDOWN, CSV, TSV):
        return claimed
    return PLAIN if claimed == PLAIN else _by_looking(text, whole)


def _claim(name_hint: str, declared: str) -> str:
    by_name = _BY_ENDING.get(ending_of(name_hint), PLAIN)
    kind = declared.partition(";")[0].strip().lower()
    by_declaration = _BY_DECLARATION.get(kind, XML if kind.endswith(("/xml", "+xml")) else "")
    # Servers declare what they know better than a name such as /page.php; only text/plain says little.
    return by_declaration or ("" if declared and by_name == PLAIN else by_name)


def _is_html(text: str, claimed: str) -> bool:
    if _HTML_START.match(text[:8192]):
        return True
    tags = _HTML_TAG.findall(text[:16384])
    if claimed == HTML:
        return bool(tags)
    return claimed not in (MARKDOWN, XML, CSV, TSV, JSON) and text.lstrip()[:1] == "<" and len(tags) >= 3


def _is_mail(text: str) -> bool:
    """Whether the text begins with the header of an Internet message (RFC 5322)."""
    seen: set[str] = set()
    for line in text[:65536].lstrip("\r\n").splitlines():
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        found = _HEADER.match(line)
        if not found:
            return False
        seen.add(found.group(1).lower())
    return len(seen & _MAIL_HEADERS) >= 3 and bool(seen & _CERTAIN_MAIL_HEADERS)


def _by_looking(text: str, whole: bool) -> str:
    if sum(bool(sign.search(text[:32768])) for sign in _MARKDOWN_SIGNS) >= 3:
        return MARKDOWN
    return _table_kind(text, whole) or PLAIN


def _table_kind(text: str, whole: bool) -> str:
    """CSV or TSV where every row has the same columns: three or more, or two that tabs part; empty otherwise."""
    lines = text[:16384].splitlines()
    if not whole or len(text) > 16384:
        lines = lines[:-1]  # the last line may be cut
    for delimiter, media_type, columns in (("\t", TSV, 2), (",", CSV, 3), (";", CSV, 3)):
        try:
            rows = [row for row in csv.reader(StringIO("\n".join(lines)), delimiter=delimiter) if row]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        if len(rows) >= 3 and len(widths) == 1 and widths.pop() >= columns and _are_cells(rows):
            return media_type
    return ""


def _are_cells(rows: list[list[str]]) -> bool:
    """Cells are short; parts of sentences that happen to hold as many commas are not, and start with a space."""
    cells = [cell for row in rows for cell in row]
    prose = sum(cell.startswith(" ") and len(cell) > 1 for cell in cells) / len(cells)
    return sum(map(len, cells)) / len(cells) < 60 and prose < 0.5
