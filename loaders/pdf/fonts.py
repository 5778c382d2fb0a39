"""What a font's name says of its letters. Flags say too much: text layers made by OCR call every font fixed."""

BOLD = ("bold", "black", "heavy", "-medi", "cmbx", "sfbx")
MONO = (
    "mono",
    "courier",
    "consol",
    "menlo",
    "typewriter",
    "cmtt",
    "sftt",
    "cmsltt",
    "inconsolata",
    "sourcecode",
    "fixed",
)


def names_bold(name: str) -> bool:
    """Whether letters of this font are bold.

    >>> names_bold("ABCDEF+Arial-BoldMT"), names_bold("NimbusRomNo9L-Regu")
    (True, False)
    """
    return any(word in name.lower() for word in BOLD)


def names_mono(name: str) -> bool:
    """Whether this is a typewriter font, in which programs are printed."""
    return any(word in name.lower().replace(" ", "") for word in MONO)
