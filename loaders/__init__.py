"""What does this source say, and where?

A source is listed (`lister_for`), its bytes are fetched (`fetcher_for`), its kind is found (`sniff`), and a
`Sandbox` lets the loader for that kind read it in a process of its own.
"""

if __name__ != "penstock.loaders":
    raise ImportError("this folder is a part of the package penstock: import penstock.loaders instead")

from penstock.loaders.detection.kinds import PDF
from penstock.loaders.detection.sniffing import sniff
from penstock.loaders.formats import LoaderOptions, claims, fingerprint, loader_for
from penstock.loaders.sandbox.answers import Parsed
from penstock.loaders.sandbox.given import portable
from penstock.loaders.sandbox.sandbox import Sandbox
from penstock.loaders.sandbox.worker import is_out_of_memory
from penstock.loaders.sources.addresses import address_of, as_shown, is_connected, path_of, shown, uri_of, web_uri
from penstock.loaders.sources.connected import ConnectedFetcher, ConnectedLister, fetched_bytes
from penstock.loaders.sources.fetching import fetcher_for
from penstock.loaders.sources.listing import UnlistedPath, UrlLister, lister_for
from penstock.loaders.sources.sitemap import SitemapLister
from penstock.loaders.sources.url_list import UrlListLister
from penstock.loaders.sources.web.courtesy import Courtesy

__all__ = [
    "PDF",
    "ConnectedFetcher",
    "ConnectedLister",
    "Courtesy",
    "LoaderOptions",
    "Parsed",
    "Sandbox",
    "SitemapLister",
    "UnlistedPath",
    "UrlListLister",
    "UrlLister",
    "address_of",
    "as_shown",
    "claims",
    "fetched_bytes",
    "fetcher_for",
    "fingerprint",
    "is_connected",
    "is_out_of_memory",
    "lister_for",
    "loader_for",
    "path_of",
    "portable",
    "shown",
    "sniff",
    "uri_of",
    "web_uri",
]
