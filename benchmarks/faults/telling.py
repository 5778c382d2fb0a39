"""Prints results for people or for programs."""

import json
from dataclasses import asdict
from typing import Any


def tell(found: Any, summary: str, *, as_json: bool) -> None:
    """Prints a dataclass as a line of JSON; else its summary, and a line for each entry of `wrong`."""
    print(json.dumps(asdict(found)) if as_json else "\n- ".join([summary, *found.wrong]))
