"""Telemetry: Penstock has none, and libraries that report to their makers are switched off before they are imported.

Importing this module changes nothing. Whoever imports one of these libraries calls `switch_off` first, and processes
that Penstock starts get `everything()` in their environment.
"""

import os
from collections.abc import Mapping
from typing import Any

SWITCHES: Mapping[str, Mapping[str, str]] = {
    # Some ten seconds after its import, 1.31 sends events to mobile.events.data.microsoft.com; a number of the machine
    # goes to ~/.cache, and a file `.ses` to the folder for temporary files.
    "onnxruntime": {"ORT_DISABLE_TELEMETRY": "1"},
    # The client reports to Amplitude, the server to sens-o-matic.prefect.io, its page to Amplitude from the browser.
    "prefect": {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    },
    # It reports runs of pipelines to PostHog.
    "haystack": {"HAYSTACK_TELEMETRY_ENABLED": "false"},
    # It reports which program fetches, from which versions of which libraries, and who started it.
    "huggingface_hub": {
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    },
    # It reports its import and each file that it read to packages.unstructured.io, and advertises on stdout or in the
    # log. The first two also keep packages silent that report by way of Scarf, as a loader of others may.
    "unstructured": {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "1", "UNSTRUCTURED_DISABLE_NOTICE": "1"},
}
"""By library: variables of the environment that keep it from reporting, read while it is imported."""


def everything() -> dict[str, str]:
    """All variables, for the environment of a process of our own."""
    return {name: value for variables in SWITCHES.values() for name, value in variables.items()}


def switch_off(library: str) -> None:
    """Switches off a library's reports, whatever the environment said; child processes inherit it."""
    for name, value in SWITCHES[library].items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def onnxruntime() -> Any:
    """The module `onnxruntime`, its reports switched off before it is imported.

    Where somebody imported it before, what it recorded at that moment is still sent; only the variable, set before the
    program starts, keeps that in.
    """
    switch_off("onnxruntime")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
