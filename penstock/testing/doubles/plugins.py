"""Parts as a distribution of somebody else brings them: found by their entry points, in this process and in others."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from penstock import registry
from penstock.registry import Group
from penstock.testing.doubles.embedders import DIMENSION

Parts = Mapping[tuple[Group, str], str]
"""Where each part is, by its group and name, as entry points say it."""
NO_MODULES: Mapping[str, str] = {}
LITTLE: Parts = {("embedders", "little"): "penstock.testing.doubles.embedders:LittleModel"}
"""An embedder that needs no model, by a name that settings can say."""


def write_distribution(
    folder: Path, parts: Parts, *, name: str = "penstock-toys", modules: Mapping[str, str] = NO_MODULES
) -> Path:
    """A distribution that brings these parts, as pip would have left it; gives the folder, for `sys.path`.

    `modules` are the texts of its modules, by name; parts may as well be of modules that are there already.
    """
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    lines = (f"[penstock.{group}]\n{part} = {value}\n" for (group, part), value in parts.items())
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, "utf-8")
    return folder


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Has what `write_distribution` wrote into the folder found, here and in processes that are started from here."""
    monkeypatch.setenv("PYTHONPATH", _python_path(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registry, "_found", cache(registry._found.__wrapped__))


def environment(folder: Path, *, dimension: int = DIMENSION) -> dict[str, str]:
    """What a process has to find in its environment to embed with the little model of a distribution in that folder."""
    write_distribution(folder, LITTLE, name="penstock-little")
    named = {
        "PYTHONPATH": _python_path(folder),
        "PENSTOCK_ALLOW_EXTERNAL": "true",
        "PENSTOCK_EMBEDDER__NAME": "little",
    }
    return named if dimension == DIMENSION else named | {"PENSTOCK_EMBEDDER__OPTIONS__DIMENSION": str(dimension)}


def use_little_model(monkeypatch: pytest.MonkeyPatch, folder: Path, *, dimension: int = DIMENSION) -> None:
    """Has every way in embed with the little model, here and in processes that are started from here."""
    for name, value in environment(folder, dimension=dimension).items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registry, "_found", cache(registry._found.__wrapped__))


def _python_path(folder: Path) -> str:
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
