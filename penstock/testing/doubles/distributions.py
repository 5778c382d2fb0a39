"""Distributions of others, made up for tests: modules and entry points in a folder, as pip would have left them."""

from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, name: str, *, modules: Mapping[str, str], entry_points: str) -> Path:
    """Writes a distribution of that name into a folder, to be put on the path; the folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(entry_points, "utf-8")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, "utf-8")
    return folder
