"""RTF interpreted: the lines that a reader sees, and what each of them is.

Source: Rich Text Format Specification 1.9.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from penstock.loaders.rtf.fonts import Fonts, decode_run
from penstock.loaders.rtf.rtf_tokens import Token, tokens

_APART = {
    "header": "furniture", "headerl": "furniture", "headerr": "furniture", "headerf": "furniture",
    "footer": "furniture", "footerl": "furniture", "footerr": "furniture", "footerf": "furniture",
    "footnote": "note", "listtext": "label", "pntext": "label", "title": "title",
    "fonttbl": "fonts", "stylesheet": "styles", "info": "info", "shpinst": "body", "shptxt": "body",
}  # fmt: skip
"""Where the text of a destination goes; a destination that is named nowhere goes nowhere."""
_SILENT = frozenset({
    "colortbl", "pict", "objdata", "objclass", "objname", "annotation", "atnid", "atnauthor", "atntime", "atnicn",
    "atndate", "atnref", "atrfstart", "atrfend", "xe", "tc", "fldinst", "datafield", "themedata",
    "colorschememapping", "latentstyles", "listtable", "listoverridetable", "rsidtbl", "generator", "filetbl",
    "revtbl", "nonesttables", "sp", "nonshppict", "ud", "bkmkstart", "bkmkend", "pn", "pnseclvl", "author",
    "operator", "company", "subject", "keywords", "comment", "doccomm", "manager", "category", "hlinkbase", "creatim",
    "revtim", "printim", "buptim", "userprops", "xmlnstbl", "mmathPr", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc",
    "template", "panose", "falt", "fontemb", "background", "datastore", "wgrffmtfilter", "do",
})  # fmt: skip
_CHARACTERS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "emspace": "\u2003", "enspace": "\u2002",
    "qmspace": "\u2005", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
}  # fmt: skip
_SYMBOLS = {"~": "\u00a0", "_": "\u2011", "-": "\u00ad", "{": "{", "}": "}", "\\": "\\"}
_ENDS = frozenset(["par", "sect", "page", "column", "\n", "\r"])
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd]|^[o§]$")
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtfLine:
    """One paragraph, or one row of a table where `cells` are given."""

    where: str
    """`body`, `furniture`, `note` or `title`."""
    text: str = ""
    cells: tuple[str, ...] = ()
    label: str = ""
    """The number or bullet that the file shows before it."""
    level: int = 0
    """Heading level; 0 for body text."""
    depth: int = 0
    """Nesting of a list item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _RtfGroup:
    """What holds inside a pair of braces."""

    where: str = "body"
    font: int = -1
    skip: int = 1
    """Substitutes that follow each Unicode character for readers who do not know it."""
    hidden: bool = False
    style: int = 0
    level: int = 0
    depth: int = 0
    in_table: bool = False


def read_lines(content: bytes) -> list[RtfLine]:
    """All lines of an RTF file; a note follows the paragraph that refers to it."""
    return _RtfReader().read(content)


class _RtfReader:
    def __init__(self) -> None:
        self._group = _RtfGroup()
        self._outer: list[_RtfGroup] = []
        self._fonts = Fonts()
        self._styles: dict[int, int] = {}
        self._lines: list[RtfLine] = []
        self._text: dict[str, list[str]] = {}
        self._cells: list[str] = []
        self._run = bytearray()
        self._skip = 0
        self._starred = False
        self._fresh = False
        self._closed = False
        self._notes: list[RtfLine] = []

    def read(self, content: bytes) -> list[RtfLine]:
        for token in tokens(content):
            if self._closed:
                break  # what follows the last brace is padding or damage
            if token.kind in ("text", "byte"):
                self._fresh = False
                self._bytes(token)
                continue
            if self._skips(token):
                continue
            self._end_run()
            self._control(token)
        self._end_run()
        self._end_line()
        self._end_row()
        return self._lines + self._notes

    def _skips(self, token: Token) -> bool:
        """Whether a token is the substitute for a Unicode character."""
        if self._skip and token.kind == "symbol":
            self._skip -= 1
            return True
        if token.kind in ("open", "close"):
            self._skip = 0
        return False

    def _bytes(self, token: Token) -> None:
        content = token.content[self._skip :]
        self._skip = max(self._skip - len(token.content), 0)
        self._run += content

    def _end_run(self) -> None:
        if self._run:
            self._say(decode_run(bytes(self._run), self._fonts.encoding(self._group.font)))
            self._run.clear()

    def _say(self, text: str) -> None:
        where = self._group.where
        if where == "fonts":
            return
        if where == "styles":
            found = _HEADING.search(text)
            if found:
                self._styles[self._group.style] = int(found.group(1))
        elif where and where != "info" and not self._group.hidden:
            self._text.setdefault(where, []).append(text)

    def _control(self, token: Token) -> None:
        fresh, self._fresh = self._fresh, token.kind == "open"
        if token.kind == "open":
            self._outer.append(self._group)
        elif token.kind == "close":
            self._close()
        elif token.kind == "symbol":
            # Elsewhere than at the start of a group the mark means nothing.
            self._starred = fresh and token.name == "*"
            self._symbol(token.name)
        else:
            self._word(token.name, token.number)
            self._starred = False

    def _close(self) -> None:
        left = self._group.where
        if not self._outer:
            return
        self._group = self._outer.pop()
        self._closed = not self._outer
        if left != self._group.where and left in ("furniture", "note", "title"):
            self._end_line(left)

    def _symbol(self, name: str) -> None:
        if name in _ENDS:
            self._end_line()
        elif name in _SYMBOLS:
            self._say(_SYMBOLS[name])

    def _word(self, name: str, number: int | None) -> None:
        if self._group.where == "" and name != "fonttbl":
            return
        if name in _APART or name in _SILENT or self._starred:
            self._enter(name)
        elif name in _CHARACTERS:
            self._say(_CHARACTERS[name])
        elif name in _ENDS:
            self._end_line()
        elif name == "u" and number is not None:
            self._say(chr(number % 0x10000))
            self._skip = self._group.skip
        elif name in ("cell", "nestcell"):
            self._end_cell(nested=name == "nestcell")
        elif name == "row":
            self._end_row()
        else:
            self._set(name, number)

    def _enter(self, name: str) -> None:
        where = _APART.get(name, "")
        if self._group.where in ("info", "label") and where != "title":
            where = ""
        if where == "body" and self._group.where not in ("body", ""):
            where = self._group.where  # a text box within a header is part of the header
        self._group = replace(self._group, where=where, in_table=self._group.in_table and where == "body")

    def _set(self, name: str, number: int | None) -> None:
        """Properties of documents, paragraphs and characters."""
        on = number != 0
        if name == "pard":
            self._group = replace(self._group, style=0, level=0, depth=0, in_table=False)
        elif name == "s" and number is not None:
            self._group = replace(self._group, style=number, level=self._styles.get(number, 0))
        elif name == "outlinelevel" and number is not None:
            self._outline(number + 1 if 0 <= number < 9 else 0)
        elif name == "ilvl":
            self._group = replace(self._group, depth=min(max(number or 0, 0), 9))
        elif name == "intbl":
            self._group = replace(self._group, in_table=on)
        elif name in ("v", "deleted"):
            self._group = replace(self._group, hidden=on)
        elif name == "plain":
            self._group = replace(self._group, hidden=False, font=-1)
        elif name == "uc":
            self._group = replace(self._group, skip=min(max(number or 0, 0), 100))
        elif name == "f" and number is not None:
            self._group = replace(self._group, font=number)
        else:
            self._fonts.set(name, number, self._group.font)

    def _outline(self, level: int) -> None:
        self._group = replace(self._group, level=level)
        if self._group.where == "styles":
            self._styles[self._group.style] = level

    def _taken(self, where: str) -> str:
        text = "".join(self._text.pop(where, ()))
        # Characters beyond the first plane come as two halves; a half alone is damage.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _end_line(self, where: str = "") -> None:
        where = where or self._group.where
        if where == "body" and self._group.in_table:
            self._say("\n")
            return
        if where not in ("body", "furniture", "note", "title"):
            return
        label = _shown(self._taken("label")) if where == "body" else ""
        text = self._taken(where).strip()
        if text:
            self._end_row()
            self._add(RtfLine(where=where, text=text, label=label, level=self._group.level, depth=self._group.depth))

    def _add(self, line: RtfLine) -> None:
        if line.where == "note":
            self._notes.append(line)  # it is read within the paragraph that refers to it, and follows that one
            return
        self._lines.append(line)
        self._lines += self._notes
        self._notes.clear()

    def _end_cell(self, *, nested: bool) -> None:
        if nested:
            self._say(" ")
            return
        label, text = _shown(self._taken("label")), self._taken("body").strip()
        self._cells.append(f"{label} {text}".strip())

    def _end_row(self) -> None:
        if self._cells:
            self._add(RtfLine(where="body", cells=tuple(self._cells)))
            self._cells.clear()


def _shown(label: str) -> str:
    """A label; bullets, most of them signs of a symbol font that has no meaning elsewhere, become one and the same."""
    label = label.strip()
    return label if not label or (re.search(r"[^\W_]", label) and not _PRIVATE.search(label)) else "-"


def text_of(lines: list[RtfLine]) -> Iterator[str]:
    """The lines as plain text."""
    for line in lines:
        if line.where != "title":
            yield " | ".join(line.cells) or f"{line.label} {line.text}".strip()
