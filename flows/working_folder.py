"""Files of the working folder that speak to Prefect and to Python: the folder may have been cloned from a stranger.

Import nothing of Prefect before `check`: it reads them while it is imported, and they may name a server, whose runs are
commands to this machine.
"""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.errors import SettingsError
from penstock.settings import trust

_VARIABLE = "PENSTOCK_WORKING_FOLDER"


def check(folder: Path) -> None:
    """Refuses a folder in which Prefect would find settings that nobody trusts.

    Raises:
        SettingsError: there is such a file; names it, and what to do.
    """
    for path in (folder / "prefect.toml", folder / "pyproject.toml", folder / ".env"):
        if not path.is_file():
            continue
        file = trust.read(path)
        if _configures_prefect(file) and trust.state(file) != "trusted":
            raise SettingsError(
                f"Prefect would take its settings from {file.path}, which is not trusted as it is now; if it is yours, "
                f"or you have read it: `penstock trust {path.name}`; if not, run Penstock in another folder"
            )


@contextmanager
def left() -> Iterator[None]:
    """Changes to another, empty working folder, for the processes that Prefect starts: they import from theirs first.

    A flow goes back with `return_to_it` when its own code is loaded.
    """
    before = Path.cwd()
    with TemporaryDirectory(prefix="penstock-runs-") as empty:
        os.environ[_VARIABLE] = str(before)
        os.chdir(empty)
        try:
            yield
        finally:
            os.chdir(before)
            del os.environ[_VARIABLE]


def return_to_it() -> None:
    """Makes the folder in which `penstock schedule` was typed the working folder of a run that it started."""
    if folder := os.environ.get(_VARIABLE):
        os.chdir(folder)


def _configures_prefect(file: trust.File) -> bool:
    if file.path.name == "pyproject.toml":
        try:
            tools = tomllib.loads(file.content.decode("utf-8")).get("tool", {})
        except ValueError:  # no TOML, no UTF-8: its readers get no settings from it either
            return True
        return not isinstance(tools, dict) or "prefect" in tools
    return file.path.name == "prefect.toml" or b"prefect" in file.content.lower()
