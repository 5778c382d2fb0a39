"""The sync flow: brings a collection of penstock.toml to what its sources say now."""

from typing import Any

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import flow  # isort: skip

from penstock.flows.running import bring_up_to_date, run_name
from penstock.flows.steps import BATCH, Destination


@flow(name="penstock-sync", flow_run_name=run_name, persist_result=False)
def sync(collection: str, home: str | None = None, batch: int = BATCH) -> Any:
    """Brings a collection to what its sources in penstock.toml say now.

    Args:
        collection: name of the collection in penstock.toml.
        home: where Penstock keeps its data; default as for `penstock --home`.
        batch: sources a task.
    """
    return bring_up_to_date("sync", [], batch, Destination(collection=collection, home=home))
