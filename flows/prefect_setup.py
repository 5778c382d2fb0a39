"""Prefect as Penstock uses it: its telemetry off, and a clear error where it is not installed.

Import this module before `prefect`: Prefect reads its settings while it is imported.
"""

import os
from importlib.util import find_spec

from penstock.errors import MissingExtra

os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"

if find_spec("prefect") is None:
    raise MissingExtra("Prefect", "flows")
