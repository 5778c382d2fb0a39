"""URIs of sources: readable `file://` URIs for paths, tidy ones for the web, and what a person is shown."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from penstock.errors import AddressRefused, FetchError
from penstock.urls import scheme_of, without_secrets

FILE = "file://"
# What would end or change a URI, or a terminal line: %, ?, #, control characters, line separators, lone surrogates.
_UNSAFE = re.compile("[%?#\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def uri_of(path: str | os.PathLike[str]) -> str:
    """The `file://` URI of the absolute path: Chinese and spaces stay readable, links are not resolved.

    >>> uri_of("/docs/年假 100%.pdf")
    'file:///docs/年假 100%25.pdf'
    """
    return FILE + _UNSAFE.sub(lambda found: quote(os.fsencode(found.group()), safe=""), os.path.abspath(path))  # noqa: PTH100 - strings, for speed


def address_of(address: str) -> str:
    """The URI of what a person typed: a path, where `~` is the home folder, or an address of any scheme.

    >>> address_of("file://localhost/hr/a%20b"), address_of("HTTP://Example.org")
    ('file:///hr/a b', 'http://example.org/')

    Raises:
        FetchError, AddressRefused: it is none of these.
    """
    if is_web(address):
        return web_uri(address)
    if is_connected(address):
        return connected_uri(address)
    return uri_of(path_of(address) if is_file(address) else Path(address).expanduser())


def path_of(uri: str) -> Path:
    """The path that a `file://` URI names; also takes URIs of others, in which more is percent-encoded.

    Raises:
        FetchError: the URI is none of a file on this machine.
    """
    host, slash, rest = uri.removeprefix(FILE).partition("/")
    if not uri.startswith(FILE) or not slash or host not in ("", "localhost"):
        raise FetchError(f"{uri!r} names no file on this machine; write file:///folder/name")
    return Path("/" + os.fsdecode(unquote_to_bytes(os.fsencode(rest))))


def shown(uri: str) -> str:
    """What a person sees: the path of a file, the address of a page without secrets; control characters as escapes.

    >>> shown("file:///docs/年假 100%25.pdf"), shown("https://example.org/a?token=x")
    ('/docs/年假 100%.pdf', 'https://example.org/a?token=***')
    """
    try:
        text = str(path_of(uri)) if is_file(uri) else without_secrets(uri)
    except FetchError:
        text = uri
    return _UNSHOWN.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def as_shown(uris: Iterable[str], text: str) -> list[str]:
    """The one URI that a person is shown as that text; none where several look alike, as their secrets are hidden.

    >>> as_shown(["https://a.example/?key=1", "https://b.example/?key=2"], "https://a.example/?key=***")
    ['https://a.example/?key=1']
    """
    found = sorted({uri for uri in uris if shown(uri) == text})
    return found if len(found) == 1 else []


def is_file(uri: str) -> bool:
    """Whether the URI is one of a file."""
    return uri.startswith(FILE)


def is_web(address: str) -> bool:
    """Whether the address begins as one of the web.

    >>> is_web("HTTPS://example.org"), is_web("https/readme.txt")
    (True, False)
    """
    return address[:8].lower().startswith(("http://", "https://"))


def is_connected(address: str) -> bool:
    """Whether the address is of a scheme that a connector reads.

    >>> is_connected("wiki://space/page"), is_connected("file:///a"), is_connected("wiki/page")
    (True, False, False)
    """
    return scheme_of(address) not in ("", "file", "http", "https")


def connected_uri(address: str) -> str:
    """A connector's address in one form: its scheme in lower case.

    Raises:
        AddressRefused: it holds a user, a password or another secret, which would be stored with it.
    """
    if without_secrets(address) != address:
        raise AddressRefused(f"{shown(address)!r} holds a secret, which has its place in connectors.options")
    scheme, mark, rest = address.strip().partition("://")
    return f"{scheme.lower()}{mark}{rest}"


def web_uri(address: str) -> str:
    """One form for one page: scheme and host in lower case, no default port, no fragment, `/` for an empty path.

    >>> web_uri("HTTPS://Example.org:443#top")
    'https://example.org/'

    Raises:
        AddressRefused: the scheme is another one, there is no host, the port is no number, or the address carries a
            user name or password.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused(f"{shown(address)!r} is no web address: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused(f"{shown(address)!r} is neither http:// nor https://")
    if not host:
        raise AddressRefused(f"{shown(address)!r} names no host; write https://host/path")
    if "@" in parts.netloc:
        raise AddressRefused(
            f"the address of a page on {host!r} carries a user name or password, which would be stored with it; "
            "leave it out"
        )
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
