"""Which scripts, and which language, is a text written in? By rule and by small word lists: no model, no download.

The language of a text in Latin letters is the one whose commonest words it uses most; of any other text, the one that
its script suggests. That distinguishes main languages over a sentence or more, and gives `und` rather than a guess.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

SCRIPTS: Mapping[str, str] = {
    "han": "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003fffd",
    "kana": "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d\U0001aff0-\U0001b16f",
    "hangul": "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb",
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a",
    "cyrillic": "\u0400-\u0481\u048a-\u052f",
    "greek": "\u0370-\u0373\u0376-\u037d\u0386-\u03ff\u1f00-\u1fff",
    "arabic": "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\u08a0-\u08c7\ufb50-\ufdfb\ufe70-\ufefc",
    "hebrew": "\u05d0-\u05ea\ufb1d-\ufb4f",
    "devanagari": "\u0904-\u0939\u093d-\u0963\u0971-\u097f",
    "thai": "\u0e01-\u0e30\u0e32-\u0e3a\u0e40-\u0e4e",
}
"""Letters of each script, as the inside of a regular expression's character class.

The two planes behind the first hold nothing but Han, extensions that are yet to come included.
"""
CJK = SCRIPTS["han"] + SCRIPTS["kana"]
"""Letters of the scripts that are written without spaces: Han, hiragana, katakana."""

SAMPLE = 20_000
"""Characters that `language_of` looks at: a longer text is sampled at its start, middle and end."""

_FINDERS = {name: re.compile(f"[{letters}]") for name, letters in SCRIPTS.items()}
_LETTER = re.compile(r"[^\W\d_]")
_LATIN_WORD = re.compile(f"[{SCRIPTS['latin']}]+")
_CJK = re.compile(f"[{CJK}]")

_LETTERS_A_WORD = {"han": 1.6, "kana": 2.5, "hangul": 2.5}
"""Mean letters of a word, so that scripts are compared by how much they say; 5 for all others."""

_BY_SCRIPT = {
    "hangul": "ko",
    "cyrillic": "ru",
    "greek": "el",
    "arabic": "ar",
    "hebrew": "he",
    "devanagari": "hi",
    "thai": "th",
}
_OWN_LETTERS = {"ru": (("uk", "іїєґ"),), "ar": (("ur", "ٹڈڑے"), ("fa", "پچژگ"))}
"""Letters that only another language of the same script writes."""

_COMMON_WORDS = {
    "en": "the of and to in is that for it was on are as with be by this from at not or have an which you were has",
    "de": "der die und das den nicht von zu mit ist ein eine dem des im sich auf für auch es als werden bei sind oder",
    "fr": "le les des et la du une est dans que pour qui sur au pas avec plus par ce il sont cette aux ses ou être",
    "es": "el los las del que la una por con para es se su como más al lo pero sus fue son este entre está",
    "pt": "os do da das dos que uma não com para por mais como ao são foi pelo pela na no em seu sua também",
    "it": "il di che della del gli nel una per non sono con più alla dei delle anche la nella si da come questo",
    "nl": "de het een van en dat niet zijn voor met op te die aan ook is bij door worden wordt naar maar om als",
    "sv": "och att det som en på är av för med den till inte har om ett men var jag från kan eller så vid",
    "da": "og at det som en på er af for med den til ikke har om et men var fra kan eller ved blev også efter",
    "no": "og det som en på er av for med den til ikke har om et men var fra kan eller ved ble også etter",
    "fi": "ja on ei että se oli ovat mutta myös kun niin tai joka hän sen mukaan kuin ole olla vain sekä",
    "pl": "nie na się do że jest to przez jak oraz od ale po dla są za który tym być lub tego",
    "cs": "je se na že do to jako pro by ale jsou není byl který podle také nebo jeho při tak",
    "ro": "și de la în care cu pe nu este din un pentru mai că sunt sau prin fost ale după fi lui",
    "hu": "az és hogy nem is egy van volt meg de csak mint vagy még ez azt ki el már lehet kell",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi ne kadar sonra ise en var değil olduğu her",
    "id": "yang dan di dengan untuk dari pada ini itu tidak dalam akan oleh adalah ke juga atau dapat telah sebagai",
    "vi": "và của là có được cho không trong các một với những này người khi đã để từ đến về cũng",
}
"""Words of two letters or more: single letters are variables, initials and list marks in any language."""
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _COMMON_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_language)


def is_cjk(char: str) -> bool:
    """Whether the character belongs to a script written without spaces: Han, hiragana, katakana. Hangul does not.

    >>> is_cjk("水"), is_cjk("한"), is_cjk("。")
    (True, False, False)
    """
    return _CJK.fullmatch(char) is not None


def script_shares(text: str) -> Mapping[str, float]:
    """Share of each script in the letters of a text, largest first; empty where there are no letters.

    The names are those of `SCRIPTS`, and `other`.

    >>> script_shares("PDF 文件")
    {'latin': 0.6, 'han': 0.4}
    """
    counts = _counts(text)
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count / total for name, count in ordered}


def language_of(text: str) -> str:
    """ISO 639-1 code of the main language, `und` where there is too little text to decide.

    Chinese, Japanese and Korean are recognised by their scripts, as are Arabic, Greek, Hebrew, Hindi, Persian, Russian,
    Thai, Ukrainian and Urdu; eighteen languages in Latin letters by their commonest words.

    >>> language_of("本手册说明 PDF 的用法"), language_of("This is the manual."), language_of("QX-7")
    ('zh', 'en', 'und')
    """
    sample = text if len(text) <= SAMPLE else "\n".join(_samples(text))
    words = {name: count / _LETTERS_A_WORD.get(name, 5) for name, count in _counts(sample).items()}
    cjk = words.pop("han", 0) + words.pop("kana", 0)
    main, most = max(words.items(), key=lambda item: (item[1], item[0]), default=("", 0.0))
    if cjk > 0 and cjk >= most:
        return _chinese_or_japanese(sample)
    if main == "latin":
        return _latin_language(sample)
    if most < 0.5:
        return "und"
    language = _BY_SCRIPT.get(main, "und")
    for alternative, letters in _OWN_LETTERS.get(language, ()):
        if sum(sample.count(letter) for letter in letters) * 100 > len(sample):
            return alternative
    return language


def _counts(text: str) -> dict[str, int]:
    counts = {}
    if text.isascii():  # the common case, at a tenth of the cost
        counts["latin"] = len(_FINDERS["latin"].findall(text))
    else:
        counts = {name: len(finder.findall(text)) for name, finder in _FINDERS.items()}
        counts["other"] = max(0, len(_LETTER.findall(text)) - sum(counts.values()))
    return {name: count for name, count in counts.items() if count}


def _samples(text: str) -> Iterator[str]:
    part = SAMPLE // 3
    for start in (0, (len(text) - part) // 2, len(text) - part):
        yield text[start : start + part]


def _chinese_or_japanese(text: str) -> str:
    han, kana = len(_FINDERS["han"].findall(text)), len(_FINDERS["kana"].findall(text))
    if han + kana < 2:
        return "und"
    return "ja" if kana > (han + kana) / 10 else "zh"  # a Chinese text may quote a の or a ー


def _latin_language(text: str) -> str:
    words = Counter(word.lower() for word in _LATIN_WORD.findall(text))
    found, kinds = dict.fromkeys(_COMMON_WORDS, 0), dict.fromkeys(_COMMON_WORDS, 0)
    for word in words.keys() & _LANGUAGES_OF.keys():
        for language in _LANGUAGES_OF[word]:
            found[language] += words[word]
            kinds[language] += 1
    best = max(found, key=lambda language: found[language])  # of equals the first listed
    enough = kinds[best] >= 2 and found[best] / words.total() >= 0.05
    return best if enough else "und"
