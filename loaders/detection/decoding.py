"""Bytes to text when nobody is sure of the encoding: byte order mark, what was declared, then what the bytes show."""

import codecs
import re
from collections.abc import Callable, Iterator

SAMPLE_BYTES = 256 * 1024
"""How much of a long text is looked at to find its encoding."""
TOLERATED_DAMAGE = 0.02
"""Share of undecodable places among the non-ASCII characters up to which an encoding is still believed."""
SHORT_CHARACTERS = 30
"""Fewer characters than this may hold no frequent one: then the everyday ones decide between the Chinese encodings."""
LEAST_PLAUSIBLE = 0.1
"""Score that a guessed encoding must reach; below it the detection library is asked."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']""")
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
"""The encoding that a label means in practice. Source: WHATWG Encoding Standard, section 4.2."""
_COMMON_HAN = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都"
    "同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很"
    "最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处"
    "這個們來為國說時會對學過發後裡著樣從現當沒動還進長與機關點業將兩間問很應戰頭體見門東聲員實無軍產給話，。、：；「」（）《》"
)
"""Some 250 of the most frequent characters of running Chinese, simplified and traditional: about half of any text."""
_COMMON_HANGUL = frozenset("이다는의가을를에고하은로서한지도기니사인어자리그시아있해대수나일전요부정스라과보들주")
"""Frequent syllables of running Korean: about half of any text."""
_EVERYDAY_ROWS = {"gb18030": range(0xB0, 0xD8), "big5hkscs": range(0xA4, 0xC7)}
"""First bytes of the characters in daily use, which the Chinese standards number first; rarer ones follow."""


def decode_text(data: bytes, declared_charset: str = "") -> str:
    """The text that the bytes hold; never fails: bytes that fit no encoding become U+FFFD.

    In this order: a byte order mark; the declared charset, unless the bytes contradict it; the charset that an HTML or
    XML head names; UTF-8; UTF-16 without a mark; then GB18030, Big5, Japanese, Korean or Western, whichever reads best.

    >>> decode_text("年假可以结转十天。".encode("gb18030"))
    '年假可以结转十天。'
    """
    return data.decode(detect_encoding(data, declared_charset), errors="replace")


def detect_encoding(data: bytes, declared_charset: str = "") -> str:
    """Python's name of the encoding in which `decode_text` reads the bytes."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    sample = data[:SAMPLE_BYTES]
    if _fits(sample, "utf-8") and b"\0" not in sample:
        # Bytes above 127 that are valid UTF-8 by chance are very rare, wrong declarations are not.
        return "utf-8" if not _is_seven_bit_code(declared_charset) else canonical(declared_charset)
    for label in (declared_charset, _named_inside(sample)):
        encoding = canonical(label)
        if encoding and _damage(sample, encoding) <= TOLERATED_DAMAGE:
            return encoding
    return _utf16_without_mark(sample) or _guess(sample)


def canonical(label: str) -> str:
    """Python's name for a charset label as web pages and mails use it; empty for an unknown one.

    >>> canonical("GB2312"), canonical("latin-1"), canonical("no-such")
    ('gb18030', 'cp1252', '')
    """
    try:
        info = codecs.lookup(label.strip().strip("\"'"))
    except (LookupError, ValueError):
        return ""
    if not getattr(info, "_is_text_encoding", True):
        return ""  # base64, zip and other codecs that give no text
    return _SUPERSETS.get(info.name, info.name)


def _is_seven_bit_code(label: str) -> bool:
    return canonical(label).startswith(("iso2022", "hz", "utf-7"))


def _named_inside(sample: bytes) -> str:
    head = sample[:4096]
    found = _XML.search(head) or _META.search(head)
    label = found.group(1).decode("ascii", "replace") if found else ""
    # A head that can be read byte by byte is not UTF-16, whatever it says.
    return "" if canonical(label).startswith(("utf-16", "utf-32")) else label


def _decoded(sample: bytes, encoding: str, errors: str) -> str:
    # The sample may end within a character, which is no fault of the encoding.
    return codecs.getincrementaldecoder(encoding)(errors).decode(sample, final=False)


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        _decoded(sample, encoding, "strict")
    except (UnicodeError, ValueError):
        return False
    return True


def _damage(sample: bytes, encoding: str) -> float:
    try:
        text = _decoded(sample, encoding, "replace")
    except (UnicodeError, ValueError, LookupError):
        return 1.0
    foreign = sum(character > "\x7f" for character in text)
    return text.count("\ufffd") / foreign if foreign else 0.0


def _utf16_without_mark(sample: bytes) -> str:
    """UTF-16 without a byte order mark shows by its white space, digits and Latin letters, whose high bytes are 0."""
    pairs = len(sample) // 2
    if not pairs or not sample.count(0):
        return ""
    even, odd = sample[0 : 2 * pairs : 2].count(0) / pairs, sample[1 : 2 * pairs : 2].count(0) / pairs
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high > 0.02 and low <= high / 10 and _fits(sample[: 2 * pairs], encoding):
            return encoding
    return ""


def _guess(sample: bytes) -> str:
    if _damage(sample, "utf-8") <= TOLERATED_DAMAGE:
        return "utf-8"
    scored = [(score, encoding) for encoding, score in _scores(sample)]
    best, encoding = max(scored, key=lambda pair: pair[0], default=(0.0, "cp1252"))
    return encoding if best >= LEAST_PLAUSIBLE else _asked_of_the_library(sample)


def _scores(sample: bytes) -> Iterator[tuple[str, float]]:
    for encoding, score in _READINGS:
        damage = _damage(sample, encoding)
        if damage <= TOLERATED_DAMAGE:
            text = _decoded(sample, encoding, "replace")
            foreign = [character for character in text if character > "\x7f"]
            if foreign:
                yield encoding, score(text, foreign) - damage


def _simplified(_: str, foreign: list[str]) -> float:
    return _chinese(foreign, "gb18030")


def _traditional(_: str, foreign: list[str]) -> float:
    return _chinese(foreign, "big5hkscs")


def _chinese(foreign: list[str], encoding: str) -> float:
    common = sum(character in _COMMON_HAN for character in foreign) / len(foreign)
    if len(foreign) > SHORT_CHARACTERS:
        return common
    rows = _EVERYDAY_ROWS[encoding]
    return common + 0.2 * sum(character.encode(encoding, "replace")[0] in rows for character in foreign) / len(foreign)


def _japanese(_: str, foreign: list[str]) -> float:
    # Half-width katakana are what other East Asian bytes look like in Shift JIS; they are no evidence.
    return sum("\u3041" <= character <= "\u30fe" for character in foreign) / len(foreign)


def _korean(_: str, foreign: list[str]) -> float:
    # Bytes of Chinese read as Korean give Hangul too, but seldom the frequent syllables.
    return sum(character in _COMMON_HANGUL for character in foreign) / len(foreign)


def _western(text: str, foreign: list[str]) -> float:
    """Western text shows single accented letters within Latin words, and typographic marks between them."""
    words = len(re.findall(r"[A-Za-z][à-öø-ÿÀ-ÖØ-Þœ][A-Za-z]|[A-Za-z][à-öø-ÿœ]\b|\b[À-ÖØ-Þà-öø-ÿŒ][a-z]", text))
    marks = len(re.findall(r"(?<![\x80-\uffff])[‘’“”–—…€£§°·«»®©™•\xa0±²³µ½¼¡¿ß](?![à-öø-ÿÀ-ÖØ-Þ])", text))
    return (words + marks) / len(foreign) * 0.6


_READINGS: tuple[tuple[str, Callable[[str, list[str]], float]], ...] = (
    ("gb18030", _simplified),
    ("big5hkscs", _traditional),
    ("cp932", _japanese),
    ("euc_jp", _japanese),
    ("cp949", _korean),
    ("cp1252", _western),
)


def _asked_of_the_library(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    match = from_bytes(sample[:32768]).best()
    encoding = canonical(match.encoding) if match else "cp1252"
    # UTF-16 was ruled out before; the library takes short texts of other encodings for it.
    return "cp1252" if encoding.startswith(("utf-16", "utf-32")) else encoding
