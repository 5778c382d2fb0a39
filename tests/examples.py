"""How many examples a test of a property looks at: in the gate all of them, day by day a share."""

import math
import os

from hypothesis import settings

VARIABLE = "HYPOTHESIS_PROFILE"
SHARES = {"daily": 0.2, "gate": 1.0}
"""Of the examples that a test names, or that hypothesis has by itself."""
_WHOLE = settings().max_examples


def load_profile() -> None:
    """Loads the profile that the environment names; pytest's own `--hypothesis-profile` may load the other one later.

    Raises:
        KeyError: there is no profile of that name.
    """
    for name, share in SHARES.items():
        settings.register_profile(name, parent=settings(), max_examples=math.ceil(_WHOLE * share))
    name = os.environ.get(VARIABLE, "daily")
    if name not in SHARES:
        raise KeyError(f"{VARIABLE}={name}: choose one of {', '.join(SHARES)}")
    settings.load_profile(name)


def examples(count: int) -> int:
    """What the loaded profile leaves of that many examples, at least one."""
    return math.ceil(count * settings().max_examples / _WHOLE)
