"""The bytes of a source: which fetcher brings those of a URI."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from penstock.errors import AddressRefused
from penstock.loaders.sources.addresses import is_file, is_web, shown
from penstock.loaders.sources.failures import MIB
from penstock.loaders.sources.files import LocalFetcher

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.loaders.sources.web.courtesy import Courtesy
    from penstock.loaders.sources.web.networks import Network
    from penstock.ports import Fetcher


def fetcher_for(
    uri: str,
    *,
    source_mib: int,
    read_seconds: float,
    timeout_seconds: float,
    attempts: int,
    redirects: int,
    allow_private: bool,
    allow_networks: "Iterable[Network]" = (),
    user_agent: str,
    courtesy: "Courtesy | None" = None,
) -> "Fetcher":
    """The fetcher for a URI; building one costs nothing. `courtesy` is for pages that a list or sitemap names.

    Raises:
        AddressRefused: the scheme is neither file, http nor https.
    """
    if is_file(uri):
        return LocalFetcher(max_bytes=source_mib * MIB, stall_seconds=read_seconds)
    if is_web(uri):
        from penstock.loaders.sources.web.pages import WebFetcher

        return WebFetcher(
            max_bytes=source_mib * MIB,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            redirects=redirects,
            allow_private=allow_private,
            allow_networks=allow_networks,
            user_agent=user_agent,
            courtesy=courtesy,
        )
    raise AddressRefused(f"{shown(uri)!r} is neither file://, http:// nor https://")
