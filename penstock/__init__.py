"""Penstock: from documents in Chinese and English to hybrid search and cited answers.

    from penstock import Penstock

    with Penstock() as penstock:
        penstock.ingest("./handbook")
        print(penstock.ask("How many days of leave carry over?").text)

Importing this package loads nothing, reads nothing and connects to nothing.
"""

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.pipelines.workspace import Penstock as Penstock

__all__ = ["Penstock", "__version__"]
__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent, unless a program shows what it logs


def __getattr__(name: str) -> Any:
    if name == "Penstock":
        from importlib import import_module

        return import_module("penstock.pipelines.workspace").Penstock
    raise AttributeError(f"module 'penstock' has no attribute {name!r}")
