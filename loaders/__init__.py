"""What does this source say, and where?

A source is listed (`lister_for`), its bytes are brought (`fetcher_for`), its kind is told by looking (`sniff`), and a
`Sandbox` lets the loader for that kind read it in a process of its own.
"""

if __name__ != "penstock.loaders":
    raise ImportError("this folder is a part of the package penstock: import penstock.loaders instead")

from penstock.loaders.addresses import address_of, as_shown, path_of, shown, uri_of, web_uri
from penstock.loaders.answers import Parsed
from penstock.loaders.courtesy import Courtesy
from penstock.loaders.fetching import fetcher_for
from penstock.loaders.formats import LoaderOptions, fingerprint, loader_for
from penstock.loaders.given import portable
from penstock.loaders.listing import UnlistedPath, UrlLister, lister_for
from penstock.loaders.sandbox import Sandbox
from penstock.loaders.sitemap import SitemapLister
from penstock.loaders.sniffing import sniff
from penstock.loaders.url_list import UrlListLister
from penstock.loaders.worker import is_out_of_memory

__all__ = [
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
    "fetcher_for",
    "fingerprint",
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
