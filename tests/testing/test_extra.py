"""The suites say what they need where it is missing."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import penstock.testing.contracts
from penstock.testing.contracts.texts import at_once

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_a_missing_library_names_the_extra(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import penstock.testing.contracts.listers"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        f"penstock.errors.MissingExtra: {missing}, with which the contract suites run, is not installed; "
        "install it with: pip install 'penstock[testing]'"
    )


def test_the_extra_has_what_the_suites_import() -> None:
    named = {requirement.partition(">")[0] for requirement in PROJECT["optional-dependencies"]["testing"]}
    folder = Path(penstock.testing.contracts.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    assert named == {"hypothesis", "pytest"}
    assert all(f"import {name}" in text or f"from {name} import" in text for name in named)


def test_an_error_of_a_thread_comes_through() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        at_once(fails)
