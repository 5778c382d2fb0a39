"""Which characters may reach a screen as they are, and how the others are shown: one definition for all output.

Escaped is what steers a terminal, turns the direction of writing, or cannot be seen: controls (C0, C1), line
separators, format characters (zero width, bidirectional, tags), fillers and other characters that show nothing, halves
of surrogate pairs.
"""

import json
import re
from typing import Any

from penstock.pipelines.cleaning.characters import USELESS_JOINERS, USELESS_SELECTORS

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_IN_THEIR_PLACE = (
    "\u200c\u200d\ufe0e\ufe0f"  # joiners and selectors: in emoji and in scripts that are shaped by them
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # signs of Arabic, Syriac and Kaithi: seen
)
"""Format characters that a person's text may hold."""

_STEERING = re.compile(f"[{_CONTROLS}{_UNSEEN}]")
_ALL = re.compile(f"[{_CONTROLS}{_UNSEEN}{_IN_THEIR_PLACE}]")
_BREAKS = re.compile("(?<![ \t])[ \t]*+(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])[ \t\n\r\x0b\x0c\x85\u2028\u2029]*")


def harmless(text: str) -> str:
    """The text with visible escapes for what steers a terminal or cannot be seen; line feeds and tabs stay.

    Joiners stay inside emoji and between letters that are shaped by them.

    >>> harmless("a\\x1b[31mb\\u200b")
    'a\\\\x1b[31mb\\\\u200b'
    """
    if text.isascii() and text.isprintable():
        return text
    for pattern in (USELESS_JOINERS, USELESS_SELECTORS, _STEERING):
        text = pattern.sub(_escape, text)
    return text


def one_line(text: str) -> str:
    """Harmless text in which each break of lines, of whatever kind, is a blank.

    >>> one_line("Leave\\u2028 2. Salaries")
    'Leave 2. Salaries'
    """
    return harmless(_BREAKS.sub(" ", text))


def json_text(value: Any) -> str:
    r"""The value as JSON over several lines, with what `harmless` escapes, and every joiner, as `\u` escapes.

    A parser gives back the very value; Chinese and all other letters stay readable.

    >>> print(json_text("年假\u202e"))
    "年假\u202e"
    """
    return _ALL.sub(_json_escape, json.dumps(value, ensure_ascii=False, indent=2))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else r"\u007f"
