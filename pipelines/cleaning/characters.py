"""Characters that a reader does not see, or sees as others, made the ordinary ones.

NFC, not NFKC: what a document distinguishes (full-width letters, superscripts, `㎡`) stays; search folds it later.
Only what PDF fonts make of ordinary text is folded here: ligatures, Kangxi radicals in place of the characters that
they look like, Arabic presentation forms.
"""

import re
import unicodedata

from penstock.analysis.normal import without_piles

_RADICALS = (
    "⺁厂 ⺄乙 ⺇几 ⺋㔾 ⺌小 ⺎兀 ⺏尣 ⺐尢 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 "
    "⺠民 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪疋 ⺫目 ⺬示 ⺮竹 ⺯糹 ⺰纟 ⺶羊 ⺷羊 ⺹耂 ⺺肀 ⺻聿 "
    "⺼肉 ⺽臼 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 ⻊足 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏阝 "
    "⻐钅 ⻑長 ⻒镸 ⻓长 ⻔门 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞食 ⻟飠 ⻠饣 ⻢马 "
    "⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜 ⻲亀"
)
"""CJK Radicals Supplement, each before the ordinary character of the same shape: Unicode itself maps only two of them.

Source: Unicode Character Database, EquivalentUnifiedIdeograph.
"""

_FOLDED = re.compile("[\u2f00-\u2fd5\u2e9f\u2ef3\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufbb1\ufbd3-\ufbff\ufe70-\ufefc]")
_BULLETS = dict.fromkeys(map(chr, (0xF0B7, 0xF0A7, 0xF0D8, 0xF0FC, 0xF076, 0xF06C, 0xF06E, 0xF0A8, 0xF0B2)), "•")
"""Marks of the Symbol and Wingdings fonts, which have no code points of their own."""

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but for tab and line ends
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc\ufff0-\ufff8\ufffe\uffff"  # zero width, direction
    "\ufe00-\ufe0d\U000e0000-\U000e0fff"  # variation selectors but those of emoji, tags
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"  # lone surrogates, private use
)
_SHAPING = (
    "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18aa"  # Arabic to Mongolian
)
_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
USELESS_JOINERS = re.compile(
    f"(?<![{_SHAPING}])\u200c|\u200c(?![{_SHAPING}])|(?<![{_SHAPING}{_EMOJI}\ufe0f])\u200d|\u200d(?![{_SHAPING}{_EMOJI}])"
)
USELESS_SELECTORS = re.compile(f"(?<![{_EMOJI}0-9#*\xa9\xae\u203c\u2049\u2122\u2139])[\ufe0e\ufe0f]")


def ordinary(text: str) -> str:
    """The text in NFC with line feeds, ordinary spaces and no invisible characters.

    Zero-width joiners and non-joiners stay between letters of the scripts that are shaped by them (Arabic, Indic,
    Khmer, Mongolian ...) and inside emoji. Private-use characters go, but for those that are known to be bullets, and
    so do combining marks piled higher than any language piles them.

    >>> ordinary("\\u2f64\\ufb01\\u200b x\\u00a0y")
    '用fi x y'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text)
    text = text.translate(_TABLE)
    text = _UNSEEN.sub("", _SPACES.sub(" ", text))
    text = _FOLDED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = USELESS_JOINERS.sub("", USELESS_SELECTORS.sub("", text))
    return unicodedata.normalize("NFC", without_piles(text))


_TABLE = str.maketrans({**{pair[0]: pair[1] for pair in _RADICALS.split()}, **_BULLETS})
