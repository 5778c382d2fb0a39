"""Where a reader has to look, in words: `page 3-4`, `slide 2`, `sheet Prices`."""

from collections.abc import Mapping, Sequence
from typing import Literal

from penstock.model import Place

Style = Literal["en", "zh", "short"]
"""The language of a prompt, or the form that references use: `p. 3`, `pp. 3-4`."""

_FORMS: Mapping[Style, Mapping[str, str]] = {
    "en": {"page": "page {}", "slide": "slide {}", "sheet": "sheet {}"},
    "zh": {"page": "第 {} 页", "slide": "幻灯片 {}", "sheet": "工作表 {}"},
    "short": {"page": "p. {}", "pages": "pp. {}", "slide": "slide {}", "sheet": "sheet {}"},
}


def place_name(places: Sequence[Place], media_type: str, style: Style) -> str:
    """What a reader has to turn to; empty where the source has no pages, and for a picture, which is its one page.

    >>> place_name([Place(page=3), Place(page=4)], "application/pdf", "short")
    'pp. 3-4'
    """
    if not places or media_type.startswith("image/"):
        return ""
    kind = "page"
    if "presentation" in media_type or "powerpoint" in media_type:
        kind = "slide"
    if "spreadsheet" in media_type or "excel" in media_type:
        kind = "sheet"
    pages = sorted({place.page: place.label or str(place.page) for place in places}.items())
    names = [name for _, name in pages]
    forms = _FORMS[style]
    if len(names) == 1:
        return forms[kind].format(names[0])
    return forms.get(f"{kind}s", forms[kind]).format(f"{names[0]}-{names[-1]}")
