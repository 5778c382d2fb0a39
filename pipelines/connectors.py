"""Sources of schemes that other distributions connect to: each connector is made once for a workspace."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from threading import RLock

from penstock import __version__, loaders, registry
from penstock.catalog import Collection
from penstock.catalog.commit.addresses import newest_given
from penstock.loaders.sources.failures import MIB
from penstock.model import EVERYBODY, Access
from penstock.pipelines.access.inheriting import named_by, no_neighbours
from penstock.pipelines.ingest.discovery import Listing
from penstock.pipelines.ingest.reading import Marks
from penstock.ports import Connector, Fetcher
from penstock.settings import Settings
from penstock.settings.options import plain
from penstock.urls import scheme_of


class Connectors:
    """The connectors of a workspace."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, Connector] = {}
        self._making = RLock()

    def reads(self, address: str) -> bool:
        """Whether a connector for the scheme of that address is installed."""
        return loaders.is_connected(address) and scheme_of(address) in registry.names("sources")

    def lister(self, address: str, cursor: str = "") -> loaders.ConnectedLister:
        """The listing of an address; its connector is asked when it is listed.

        Raises:
            AddressRefused: the address holds a secret.
            SettingsError: the connector may not be run (`allow_external`), or an option of it is not allowed.
        """
        uri = loaders.address_of(address)
        connector = self._of(scheme_of(uri))
        return loaders.ConnectedLister(uri, partial(connector.lister, uri, cursor))

    def fetchers(self, others: Callable[[str], Fetcher]) -> Callable[[str], Fetcher]:
        """Gives the fetcher for a URI: that of its connector, or a built-in one."""
        return lambda uri: self._fetcher(uri) if self.reads(uri) else others(uri)

    def listing(self, address: str, marks: Marks, present: Collection | None, *, name: str = "") -> Listing:
        """The listing of an address for a run, from where the last listing ended; `present` is the collection.

        Raises: as `lister`.
        """
        uri = loaders.address_of(address)
        within = marks.access if marks.access is not None else said_of(present, uri)
        mark = self._mark(marks, within)
        kept = present.cursor(uri) if present else None
        cursor = kept.text if kept and kept.mark == mark else ""
        silent = present is None or marks.access is not None
        return Listing(
            lister=self.lister(uri, cursor),
            marks=marks,
            address=uri,
            beside=no_neighbours if silent or present is None else named_by(present, uri),
            name=name,
            within=within,
            mark=mark,
            goes_on=bool(cursor),
        )

    def _fetcher(self, uri: str) -> Fetcher:
        most = self._settings.limits.source_mib * MIB
        return loaders.ConnectedFetcher(self._of(scheme_of(uri)).fetcher(), max_bytes=most)

    def _of(self, scheme: str) -> Connector:
        settings = self._settings
        with self._making:
            if scheme not in self._made:
                options = registry.named("sources", settings.connectors.options)
                self._made[scheme] = registry.make(
                    "sources",
                    scheme,
                    offered={
                        "max_bytes": settings.limits.source_mib * MIB,
                        "timeout_seconds": settings.web.timeout_seconds,
                        "attempts": settings.web.attempts,
                        "user_agent": settings.web.user_agent,
                    },
                    options=plain(options.get(scheme, {})),
                    allow_external=settings.allow_external,
                )
            return self._made[scheme]

    def _mark(self, marks: Marks, within: Access | None) -> str:
        """A hash of what the result depends on beside the sources: readers, labels, how they are read and cut."""
        given = self._settings
        groups = [part.model_dump(mode="json") for part in (given.loaders, given.chunker, given.embedder)]
        readers = None if within is None else sorted(within)
        text = json.dumps([__version__, groups, readers, marks.labels], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def said_of(present: Collection | None, address: str) -> Access | None:
    """The access last given to a connector's address, or to an address above it.

    None where one run gave two that share no reader; everybody where none was given.
    """
    if present is None:
        return EVERYBODY
    above = [address[:end] for end in range(len(scheme_of(address)) + 3, len(address)) if address[end - 1 : end] == "/"]
    given = newest_given(present.given([address, *above, *(prefix.removesuffix("/") for prefix in above)]))
    return given.access if given else EVERYBODY
