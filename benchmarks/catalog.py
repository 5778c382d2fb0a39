"""How long the catalog takes on SQLite and on PostgreSQL: `python -m benchmarks.catalog`."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from penstock.catalog import Batch, Catalog, Collection, Upsert, open_catalog
from penstock.model import Filter
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
from tests.servers.postgresql import fresh_database, own_postgresql

DOCUMENTS_A_COMMIT = 32
CHUNKS_A_DOCUMENT = 20


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """An address of each database; both write a commit to the disk before they confirm it."""
    with TemporaryDirectory() as folder, own_postgresql(durable=True) as server, fresh_database(server.url) as url:
        yield {"SQLite": f"sqlite:///{Path(folder) / 'c.db'}", "PostgreSQL": url}


def puts_of(chunks: int) -> list[Upsert]:
    """Documents with so many chunks together."""
    return [
        make_put(
            "b",
            make_source(f"file:///{n % 7}/{n}.md", labels={"team": "red" if n % 2 else "blue"}, access=["ann"]),
            [f"{n} {p} " + "turbine 年假 carries over " * 12 for p in range(CHUNKS_A_DOCUMENT)],
        )
        for n in range(chunks // CHUNKS_A_DOCUMENT)
    ]


def seconds(work: Callable[[], object], *, times: int = 1) -> float:
    """The median of `times` runs."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return float(np.median(found))


def measure(url: str, upserts: list[Upsert]) -> dict[str, float]:
    """Seconds of each step, by its name."""
    with open_catalog(url) as catalog:
        collection = catalog.collection("b", create=True)
        batches = [upserts[n : n + DOCUMENTS_A_COMMIT] for n in range(0, len(upserts), DOCUMENTS_A_COMMIT)]
        timings = {"keep vectors": seconds(lambda: keep(catalog, batches))}
        timings["commit"] = seconds(lambda: commit(collection, batches))
        timings["finish a run"] = seconds(lambda: finish(collection, upserts[0]))
        rows = collection.live_rows()
        sample = np.random.default_rng(1).choice(rows, 200, replace=False)
        scope = collection.scope(Filter())
        timings["hydrate 200"] = seconds(lambda: collection.hydrate(sample, scope=scope), times=30)
        timings["revision"] = seconds(collection.revision, times=200)
        for name, where in filters().items():
            timings[f"rows by {name}"] = seconds(lambda where=where: collection.scope(where).rows(), times=10)  # type: ignore[misc] # a lambda's default
        timings["change, vectors"] = seconds(lambda: list(collection.change(0, vectors=True).added))
        timings["live rows"] = seconds(collection.live_rows, times=10)
    return timings


def keep(catalog: Catalog, batches: list[list[Upsert]]) -> None:
    """Vectors into the cache, a call a batch."""
    for batch in batches:
        cache_vectors(catalog, "m", batch)


def commit(collection: Collection, batches: list[list[Upsert]]) -> None:
    """Commits one batch after the other."""
    for batch in batches:
        collection.commit(Batch(puts=tuple(batch)), run=None, embedder="m")


def finish(collection: Collection, again: Upsert) -> None:
    """A run that changes one source."""
    run = collection.start_run("b")
    collection.commit(Batch(removed=(again.source.uri,)), run=run, embedder="m")
    collection.finish_run(run, None, "finished")


def filters() -> dict[str, Filter]:
    """The filters that are timed."""
    return {
        "glob": Filter(sources=("file:///3/*",)),
        "label": Filter(labels={"team": "red"}),
        "reader": Filter(principals=frozenset({"ann", "bob"})),
        "language": Filter(languages=("en",)),
    }


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20_000)
    upserts = puts_of(parser.parse_args().chunks)
    with addresses() as urls:
        timings = {name: measure(url, upserts) for name, url in urls.items()}
    first, second = timings.values()
    print(f"{'':20}" + "".join(f"{name:>14}" for name in timings) + f"{'ratio':>8}")
    for step, took in first.items():
        print(f"{step:20}{took * 1000:11.2f} ms{second[step] * 1000:11.2f} ms{second[step] / took:8.1f}")


if __name__ == "__main__":
    main()
