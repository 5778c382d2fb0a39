"""Prefect as Penstock uses it: its telemetry off, and a clear error where it is not installed.

Import this module before `prefect`: Prefect reads its settings while it is imported.
"""

from importlib.util import find_spec

from penstock import telemetry
from penstock.errors import MissingExtra

telemetry.switch_off("prefect")

if find_spec("prefect") is None:
    raise MissingExtra("Prefect", "flows")
