"""What the processes of a schedule get of the environment: what Penstock and Prefect need, and no other keys.

Whoever is let onto the Prefect server can have a run read its own environment. A run brings collections up to date; it
asks no language model, so that the keys of vendors, clouds and agents stay where `penstock schedule` was started.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from penstock.loaders.sandbox.child import PASSED_ON, PASSED_ON_PREFIXES

WANTED = frozenset(
    (
        *("LOGNAME", "TMPDIR", "TEMP", "TMP", "DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE"),
        *("HF_HOME", "HF_HUB_CACHE"),
    )
)
"""Folders, certificates, proxies, the catalog's database, models that were fetched."""
WANTED_PREFIXES = ("PENSTOCK_", "PREFECT_", "XDG_", "PGSSL", "MKL_", "OPENBLAS_", "CUDA_", "NVIDIA_")
UNWANTED_PREFIXES = ("PENSTOCK_LLM",)
"""A flow asks no language model."""


def needed(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a flow run, or a Prefect server of our own, needs of an environment.

    >>> needed({"HOME": "/home/li", "PENSTOCK_HOME": "/data", "https_proxy": "proxy:80", "OPENAI_API_KEY": "secret"})
    {'HOME': '/home/li', 'PENSTOCK_HOME': '/data', 'https_proxy': 'proxy:80'}
    """
    return {name: value for name, value in environment.items() if _is_needed(name.upper())}


def _is_needed(name: str) -> bool:
    if name.startswith(UNWANTED_PREFIXES) or (name.startswith("PENSTOCK_") and name.endswith("LLM__API_KEY")):
        return False
    return name in (PASSED_ON | WANTED) or name.startswith((*PASSED_ON_PREFIXES, *WANTED_PREFIXES))


@contextmanager
def narrowed() -> Iterator[None]:
    """Takes everything else out of this process's own environment, which Prefect hands on to each run whole."""
    before = dict(os.environ)
    for name in before.keys() - needed(before).keys():
        del os.environ[name]
    try:
        yield
    finally:
        for name in before.keys() - os.environ.keys():
            os.environ[name] = before[name]
