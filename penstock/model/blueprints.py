"""How a part is made again in another process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A part as another process makes it for itself: what JSON can hold, never a pickle."""

    factory: str
    """`module:name` of a class or function."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its keyword arguments."""
