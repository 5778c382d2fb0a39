"""Prints what pyproject.toml asks for, one requirement a line: the core's, and those of the extras that are named.

    python .ci/dependencies.py dev flows > dependencies.txt
    pip install --require-hashes -c constraints.txt -r dependencies.txt

pip has no hash of a folder: the dependencies are installed by themselves, and Penstock after them with `--no-deps`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OWN = re.compile(r"penstock\[([^\]]*)\]")
"""An extra that stands for others: `penstock[flows,postgresql]`."""


def dependencies(project: dict[str, Any], extras: Sequence[str]) -> Iterator[str]:
    """Requirements of the core and of the extras; ends with an error where an extra is not known."""
    yield from project["dependencies"]
    for extra in extras:
        if extra not in project["optional-dependencies"]:
            sys.exit(f"no extra named {extra!r}; known: {', '.join(project['optional-dependencies'])}")
        for requirement in project["optional-dependencies"][extra]:
            if own := OWN.fullmatch(requirement):
                yield from dependencies({**project, "dependencies": ()}, own[1].split(","))
            else:
                yield requirement


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    print(*dict.fromkeys(dependencies(project, sys.argv[1:])), sep="\n")
