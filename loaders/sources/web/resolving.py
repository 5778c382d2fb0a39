"""Which network addresses may be connected to: names are resolved here, once, and each address is looked at."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from penstock.errors import AddressRefused, FetchError, TransientFetchError
from penstock.loaders.sources.waiting import Stalled, within
from penstock.loaders.sources.web.networks import Network, is_allowed, is_near

Resolve = Callable[[str, int], list[str]]
"""Gives the numeric addresses of a host name; raises `OSError` as `socket.getaddrinfo` does."""

_PASSING = frozenset((socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM))


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedAddresses:
    """Which addresses may be connected to."""

    allow_private: bool = False
    """Whether all of them may."""
    networks: tuple[Network, ...] = ()
    """Networks that may be connected to besides the public internet."""

    def refused(self, address: str) -> bool:
        """Whether an address may never be connected to."""
        return not self.allow_private and not is_allowed(address, self.networks)


PUBLIC = AllowedAddresses()
"""The public internet and nothing else."""


def resolved(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def addresses_to_try(
    host: str, port: int, *, allowed: AllowedAddresses, near: bool = True, seconds: float, resolve: Resolve = resolved
) -> list[str]:
    """The addresses of a host that may be connected to, never empty.

    All of them must be allowed, or the host is refused: a name that also resolves to an inner address is a trick.

    Args:
        host: name or address, in any notation that the system takes (`127.1`, `2130706433`, `0x7f000001`).
        port: where it will be connected to.
        allowed: which addresses may be used.
        near: whether this machine, its link and its cloud may be among them: not where a stranger's page leads there.
        seconds: how long resolving may take.
        resolve: gives the addresses of a name.

    Raises:
        AddressRefused: an address is private, loopback, link-local or otherwise not of the public internet.
        FetchError: there is no such host.
        TransientFetchError: the name could not be resolved this time.
    """
    try:
        addresses = within(seconds, lambda: resolve(host, port), name=f"resolving {host}")
    except Stalled as error:
        raise TransientFetchError(f"the name {host!r} could not be resolved this time: {error}") from error
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno in _PASSING:
            raise TransientFetchError(f"the name {host!r} could not be resolved this time: {error}") from error
        raise FetchError(f"there is no host {host!r}: {error}") from error
    for address in addresses:
        if allowed.refused(address):
            raise AddressRefused(
                f"{host!r} resolves to {address}, which is not an address of the public internet; to read pages of "
                "your own network, name it in web.allow_networks (PENSTOCK_WEB__ALLOW_NETWORKS='[\"10.1.0.0/16\"]')"
            )
        if not near and is_near(address):
            raise AddressRefused(
                f"{host!r} resolves to {address}, an address of this machine, its link or its cloud: such pages are "
                "read where they are named themselves, and never because another page leads there"
            )
    return addresses
