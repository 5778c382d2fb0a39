"""Prompt templates: Jinja2 in its sandbox, and errors that name the file and the line."""

import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from penstock.errors import SettingsError

BUILT_IN = Path(__file__).with_name("templates")

Render = Callable[[Mapping[str, object]], str]


def renderer(path: Path | None, language: str) -> Render:
    """A function that fills in the user's template, or the built-in one of the language.

    A user's template may extend or include the built-in `en.j2` and `zh.j2`, and files beside itself.

    Raises:
        SettingsError: the file cannot be read, or is no template; says why and in which line.
    """
    return _built_in(language) if path is None else _read(path.absolute())


@cache
def _built_in(language: str) -> Render:
    return _read(BUILT_IN / f"{language}.j2")


def _read(path: Path) -> Render:
    from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([path.parent, BUILT_IN]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # a prompt is plain text, nothing shows it as HTML
    )
    try:
        template = environment.get_template(path.name)
    except TemplateSyntaxError as error:
        raise SettingsError(f"template {str(path)!r}, line {error.lineno}: {error.message}") from error
    except (TemplateError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"template {str(path)!r} cannot be read: {error or type(error).__name__}") from error

    def render(variables: Mapping[str, object]) -> str:
        try:
            return template.render(variables)
        except Exception as error:  # a template is the user's own program: whatever it raises is a wrong setting
            raise SettingsError(f"template {str(path)!r}, line {_line(error, path)}: {error}") from error

    return render


def _line(error: Exception, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return str(lines[-1]) if lines else "unknown"
