"""Text of strangers in Markdown: names of files and reasons show as they are, never as images, links or HTML."""

MARKS = r"\`*_[]<>#|~"


def code(text: str) -> str:
    """Text as it is, whatever it contains: a fence longer than any run of backticks inside."""
    fence = "`"
    while fence in text:
        fence += "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return _one_line(f"{fence}{space}{text}{space}{fence}")


def plain(text: str) -> str:
    r"""Text of which Markdown takes nothing for its own marks.

    >>> plain("![x](https://example.org/x.png)")
    '!\\[x\\](https://example.org/x.png)'
    """
    return _one_line("".join(f"\\{sign}" if sign in MARKS else sign for sign in text))


def cell(text: str) -> str:
    r"""Text for a table, of which one of Prefect's two pages takes the cells for Markdown and the other does not.

    An image or a link needs a bracket, HTML needs an angle: only text that has one is escaped, so that most
    names of files read the same on both.

    >>> cell("/docs/a_b.txt"), cell("![a_b](https://example.org)")
    ('/docs/a_b.txt', '!\\[a\\_b\\](https://example.org)')
    """
    return plain(text) if "[" in text or "<" in text else _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
