"""Prefect as Penstock uses it: its telemetry off, and a clear error where it is not installed.

Import this module before `prefect`: Prefect reads its settings while it is imported.
"""

import os
from importlib.util import find_spec

from penstock.errors import MissingExtra

SILENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}
"""Variables of the environment that keep Prefect from telling anybody anything; child processes inherit them."""

os.environ.update(SILENT)

if find_spec("prefect") is None:
    raise MissingExtra("Prefect", "flows")
