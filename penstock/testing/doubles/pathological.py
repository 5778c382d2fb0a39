"""Texts that ask too much of a program that reads them: made for regular expressions and loops that go back.

Each is made at any length, so that it can be shown that time grows with the length and not with its square.
"""

import base64
import random
from collections.abc import Callable, Mapping
from itertools import cycle, islice

Make = Callable[[int], str]
"""A text of about so many characters."""


def _filled(unit: str, before: str = "", after: str = "") -> Make:
    """The unit as often as it fits, between a beginning and an end."""

    def make(n: int) -> str:
        return before + unit * max(1, n // len(unit)) + after

    return make


def _nested(opener: str, closer: str, inside: str = "x") -> Make:
    def make(n: int) -> str:
        depth = max(1, n // (len(opener) + len(closer)))
        return opener * depth + inside + closer * depth

    return make


def _shuffled(letters: str) -> Make:
    """The same characters in an order without a pattern: the same one each time."""

    def make(n: int) -> str:
        chosen = random.Random(n)  # noqa: S311 - no secret
        return "".join(chosen.choices(letters, k=n))

    return make


def _base64(n: int) -> str:
    return base64.b64encode(random.Random(n).randbytes(n * 3 // 4)).decode()  # noqa: S311 - no secret


def _cycled(*units: str) -> Make:
    def make(n: int) -> str:
        mean = sum(map(len, units)) / len(units)
        return "".join(islice(cycle(units), max(1, int(n / mean))))

    return make


_RUNS = {
    f"run of {name}": _filled(character)
    for name, character in {
        "spaces": " ",
        "tabs": "\t",
        "line feeds": "\n",
        "form feeds": "\f",
        "full stops": ".",
        "ideographic full stops": "。",
        "commas": ",",
        "ideographic commas": "，",
        "colons": ":",
        "exclamation marks": "!",
        "ellipses": "…",
        "hyphens": "-",
        "underscores": "_",
        "equals signs": "=",
        "asterisks": "*",
        "number signs": "#",
        "bars": "|",
        "slashes": "/",
        "backslashes": "\\",
        "quotation marks": '"',
        "apostrophes": "'",
        "backticks": "`",
        "percent signs": "%",
        "ampersands": "&",
        "letters": "a",
        "capital letters": "A",
        "digits": "1",
        "zeros": "0",
        "Chinese letters": "水",
        "Chinese numerals": "亿",
        "kana": "の",
        "hangul": "한",
        "Thai letters": "ก",
        "ideographic spaces": "\u3000",
        "no-break spaces": "\xa0",
        "zero-width spaces": "\u200b",
        "joiners": "\u200d",
        "accents": "\u0301",
        "right-to-left marks": "\u202e",
        "lone surrogates": "\ud800",
        "controls": "\x01",
        "flags": "\U0001f1e8",
        "private characters": "\ue000",
    }.items()
}

_PATTERNS: Mapping[str, Make] = {
    "bracket, then spaces": _filled(" ", "["),
    "bracket, a word, then spaces": _filled(" ", "[source"),
    "bracket, a number, then spaces": _filled(" ", "[1"),
    "brackets with spaces": _filled("[  "),
    "brackets that open": _filled("["),
    "brackets that close": _filled("]"),
    "brackets within brackets": _nested("[", "]"),
    "parentheses within parentheses": _nested("(", ")"),
    "braces within braces": _nested("{", "}"),
    "angle brackets that open": _filled("<"),
    "numbers in a bracket that stays open": _filled("1, ", "["),
    "citation marks": _filled("[1]", "So it is. "),
    "citation marks after words": _filled("a [1] "),
    "Chinese citation marks": _filled("【来源 1】"),
    "quotations": _filled("“a” "),
    "a quotation that stays open": _filled("a. ", "“"),
    "sentences in straight quotation marks": _filled('a." '),
    "ellipses between words": _filled("a … "),
    "spaces before an ellipsis": _filled(" ", "a", "…"),
    "spaces in a bracketed ellipsis": _filled(" ", "[", "…]"),
    "dots apart": _filled(". "),
    "ideographic full stops apart": _filled("。 "),
    "ideographic full stops on lines": _filled("。\n"),
    "one letter a line": _filled("a\n"),
    "one Chinese letter a line": _filled("水\n"),
    "two line feeds and a letter": _filled("\n\na"),
    "line feeds with spaces": _filled("\n \t"),
    "words": _filled("word "),
    "words without end": _filled("supercalifragilistic"),
    "Chinese letters apart": _filled("水 "),
    "Chinese and Latin by turns": _filled("水a"),
    "Chinese before kana": _filled("水", "", "の"),
    "letters and hyphens": _filled("a-"),
    "hyphens at line ends": _filled("infor-\nmation "),
    "letters, then a hyphen": _filled("a", "", "-\nb"),
    "thousands": _filled(",000", "1", "x"),
    "decimals": _filled("1.5"),
    "section numbers": _filled("1."),
    "an identifier": _filled("a_1/"),
    "initials": _filled("A."),
    "camel case": _filled("aB"),
    "Chinese numerals with units": _filled("一十"),
    "letters with accents": _filled("e\u0301"),
    "accents out of order": _filled("\u0301\u0323", "e"),
    "emoji of families": _filled("👩\u200d👩\u200d👧"),
    "emoji joined without end": _filled("👩\u200d"),
    "Indic conjuncts": _filled("क\u094d"),
    "flags of countries": _filled("🇨🇳"),
    "Arabic and Latin by turns": _filled("ابa "),
    "base64": _base64,
    "base64 on lines": lambda n: "\n".join(_base64(76) for _ in range(max(1, n // 77))),
    "random marks": _shuffled(".,;:!?()[]{}<>\"'`*_#|~-+= \n"),
    "random Chinese marks": _shuffled("。，、；：！？“”‘’「」『』（）【】〔〕…— \n"),
    "random letters and marks": _shuffled("ab1 .-_/\n"),
    "patterns of stars": _filled("a*"),
    "sets that stay open": _filled("[a"),
    "negated sets": _filled("[!a]"),
    "ranges in a set": _filled("a-b", "[", "]"),
    "links of Markdown": _filled("[a](b) "),
    "links that stay open": _filled("[a]("),
    "emphasis by turns": _filled("**a_"),
    "quotes of Markdown": _filled("> "),
    "list items": _filled("- a\n"),
    "nested list items": lambda n: "".join(f"{'  ' * (at % 50)}- a\n" for at in range(max(1, n // 54))),
    "numbered lines": _filled("1) a\n"),
    "rows of a table": _filled("|a|b|\n", "|x|y|\n|-|-|\n"),
    "rows of dashes": _filled("|-|-|\n"),
    "one row of many cells": _filled("a,"),
    "quoted cells": _filled('"a",'),
    "tags that open": _filled("<b>"),
    "tags that stay open": _filled("<a "),
    "paragraphs that stay open": _filled("<p>a"),
    "attributes without end": _filled("a=b ", "<p "),
    "comments that stay open": _filled("<!--"),
    "comments, one after the other": _filled("<!-- -->"),
    "declarations of XML": _filled("<?xml "),
    "elements of XML": _filled("<b>a</b>", "<a>", "</a>"),
    "groups of RTF": _filled("{\\b a}", "{\\rtf1 ", "}"),
    "groups of RTF that open": _filled("{", "{\\rtf1 "),
    "control words of RTF": _filled("\\par", "{\\rtf1 ", "}"),
    "characters of RTF": _filled("\\'e4", "{\\rtf1 ", "}"),
    "headers of mail": _filled("A: b\n"),
    "header that goes on": _filled(" a\n", "Subject: x\n"),
    "encoded words of mail": _filled("=?utf-8?q?a?= ", "Subject: "),
    "parts of a multipart mail": _filled(
        "--x\n\na\n", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
    ),
    "front matter that stays open": _filled("a: b\n", "---\n"),
    "web addresses": _filled("https://example.org/a "),
    "one web address": _filled("a/", "https://example.org/"),
    "percent codes": _filled("%41", "https://example.org/"),
    "signs of steering": _filled("\x1b[31m"),
    "special tokens": _filled("<|im_start|>"),
    "turns of speakers": _filled("system: a\n"),
    "spaces before a turn": _filled(" ", "", "system:"),
    "role, then spaces": _filled(" ", "system"),
    "field codes of Word": _filled("\x13a\x14b\x15"),
    "thoughts": _filled("<think>a</think>"),
    "thoughts that stay open": _filled("a", "<think>"),
    "durations": _filled("1h"),
    "cron fields": _filled("1-5,", "", "1 * * * *"),
    "array of JSON": _filled("[],", "[", "[]]"),
}

TEXTS: Mapping[str, Make] = {**_RUNS, **_PATTERNS}
"""By name."""
