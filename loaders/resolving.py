"""Which network addresses may be connected to: names are resolved here, once, and each address is looked at."""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from penstock.errors import AddressRefused, FetchError, TransientFetchError

Resolve = Callable[[str, int], list[str]]
"""Gives the numeric addresses of a host name; raises `OSError` as `socket.getaddrinfo` does."""

_NAT64 = IPv6Network("64:ff9b::/96")
_PASSING = frozenset((socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM))


def resolved(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def addresses_to_try(
    host: str, port: int, *, allow_private: bool, seconds: float, resolve: Resolve = resolved
) -> list[str]:
    """The addresses of a host that may be connected to, never empty.

    All of them must be public, or the host is refused: a name that also stands for an inner address is a trick.

    Args:
        host: name or address, in any notation that the system takes (`127.1`, `2130706433`, `0x7f000001`).
        port: where it will be connected to.
        allow_private: whether addresses that are not public may be used.
        seconds: how long resolving may take.
        resolve: who resolves.

    Raises:
        AddressRefused: an address is private, loopback, link-local or otherwise not of the public internet.
        FetchError: there is no such host.
        TransientFetchError: the name could not be resolved this time.
    """
    try:
        addresses = _within(seconds, host, port, resolve)
    except (OSError, UnicodeError) as error:
        if isinstance(error, TimeoutError) or (isinstance(error, socket.gaierror) and error.errno in _PASSING):
            raise TransientFetchError(f"the name {host!r} could not be resolved this time: {error}") from error
        raise FetchError(f"there is no host {host!r}: {error}") from error
    refused = [address for address in addresses if not is_public(address)]
    if refused and not allow_private:
        raise AddressRefused(
            f"{host!r} stands for {refused[0]}, which is not an address of the public internet; "
            "set web.allow_private (PENSTOCK_WEB__ALLOW_PRIVATE=true) to read pages of your own network"
        )
    return addresses


def is_public(address: str) -> bool:
    """Whether an address belongs to a host of the public internet; one that carries another is judged by that.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = _carried(ip)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def _carried(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo[1] if ip.teredo else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or ip


def _within(seconds: float, host: str, port: int, resolve: Resolve) -> list[str]:
    """Resolves in a thread of its own, because the system's resolver has no time limit."""
    answer: list[list[str] | OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answer.append(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True, name=f"resolving {host}")
    thread.start()
    thread.join(seconds)
    if not answer:
        raise TimeoutError(f"no answer in {seconds:g} seconds")
    if isinstance(answer[0], list):
        return answer[0]
    raise answer[0]
