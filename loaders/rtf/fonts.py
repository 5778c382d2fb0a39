"""Which encoding the bytes of an RTF file are in: it changes with the font."""

import codecs

_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_SYMBOL = 2
_PAGES = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_WIDE = ("cp932", "cp936", "gb18030", "cp949", "cp950")


class Fonts:
    """The font table, and the code page that the file declares."""

    def __init__(self) -> None:
        self._page = "cp1252"
        self._charsets: dict[int, int] = {}
        self._default = -1

    def set(self, name: str, number: int | None, font: int) -> None:
        """Takes note of a control word that concerns encodings; others change nothing."""
        if name == "fcharset" and number is not None:
            self._charsets.setdefault(font, number)
        elif name == "deff" and number is not None:
            self._default = number
        elif name in _PAGES:
            self._page = _PAGES[name]
        elif name == "ansicpg" and number:
            self._page = _known(f"cp{number}") or self._page

    def encoding(self, font: int) -> str:
        """Python's name of the encoding of text in a font; `symbol` for fonts of signs."""
        charset = self._charsets.get(font if font in self._charsets else self._default, 1)
        if charset == _SYMBOL:
            return "symbol"
        if charset in _CHARSETS:
            return _CHARSETS[charset]
        # "Western" is what writers in Chinese or Japanese systems put on fonts whose text is nothing of the kind.
        return self._page if charset == 1 or self._page in _WIDE else "cp1252" if charset == 0 else self._page


def decode_run(content: bytes, encoding: str) -> str:
    """The text of bytes in one font; bytes that are none become U+FFFD, signs of symbol fonts are left out."""
    if encoding == "symbol":
        return "".join("•" if byte == 0xB7 else chr(byte) if byte < 0x80 else "" for byte in content)
    return content.decode(encoding, "replace")


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return "utf-8" if encoding == "cp65001" else ""
    return "gb18030" if name == "gbk" else name
