"""The ingest flow: the same pipeline as `penstock ingest`, in batches, with an account on Prefect's page.

    python -m penstock.flows.ingest ./handbook https://example.org/guide.html --collection handbook

Nothing is cached or persisted by Prefect, because the catalog already knows what was done.
"""

from pathlib import Path
from typing import Any, cast

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import flow  # isort: skip
from prefect.exceptions import FailedRun  # isort: skip

from penstock.errors import PenstockError, UsageError
from penstock.flows.running import bring_up_to_date, run_name
from penstock.flows.steps import BATCH, Destination
from penstock.model import OUTCOMES
from penstock.pipelines.reporting.exit_codes import NOTHING_DONE, USAGE, exit_code


@flow(name="penstock-ingest", flow_run_name=run_name, persist_result=False)
def ingest(addresses: list[str], collection: str | None = None, home: str | None = None, batch: int = BATCH) -> Any:
    """Ingests files, folders and web addresses into a collection.

    Args:
        addresses: files, folders, URLs.
        collection: name of the collection; default as for `penstock --collection`.
        home: where Penstock keeps its data; default as for `penstock --home`.
        batch: sources a task.
    """
    if not addresses:
        raise UsageError("nothing to ingest: give at least one file, folder or URL")
    return bring_up_to_date("ingest", addresses, batch, Destination(collection=collection, home=home))


def main() -> None:
    """`python -m penstock.flows.ingest`: runs the flow once, prints its counts, and ends as `penstock ingest` does."""
    import argparse
    import json

    parser = argparse.ArgumentParser(prog="python -m penstock.flows.ingest", description=ingest.__doc__)
    parser.add_argument("addresses", nargs="+", help="files, folders and web addresses")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--collection", "-c")
    parser.add_argument("--batch", type=int, default=BATCH, help="sources a task")
    args = parser.parse_args()
    addresses = [_absolute(address) for address in args.addresses]
    try:
        report = cast(
            dict[str, Any], ingest(addresses, args.collection, str(args.home) if args.home else None, args.batch)
        )
    except PenstockError as error:
        parser.exit(USAGE if isinstance(error, UsageError) else NOTHING_DONE, f"error: {error}\n")
    except FailedRun as failed:
        parser.exit(NOTHING_DONE, f"failed: {failed}\n")
    print(json.dumps({outcome: report[outcome] for outcome in ("discovered", *OUTCOMES)}))  # noqa: T201
    if code := exit_code(report):
        parser.exit(code)


def _absolute(address: str) -> str:
    return address if "://" in address else str(Path(address).resolve())


if __name__ == "__main__":
    main()
