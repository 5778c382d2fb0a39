"""Which addresses belong to the public internet: by a table of our own, because Python's changes with its version.

Sources, as of November 2026: https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry (of both, what is not globally reachable; a block with a few
reachable addresses in it counts as a whole), https://www.iana.org/assignments/multicast-addresses,
https://www.iana.org/assignments/ipv6-address-space (only 2000::/3 is given to hosts), and the manuals of the clouds for
the addresses at which they answer from inside.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

_CLOSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # loopback
        "161.26.0.0/16",  # services inside of IBM Cloud
        "166.8.0.0/14",  # the same
        "168.63.129.16/32",  # services inside of Azure
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # measuring devices
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
        "2001::/23",  # protocol assignments, among them Teredo, measuring devices and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_OF_HOSTS = IPv6Network("2000::/3")
"""Outside of it lie loopback, mapped and translated addresses, 100::/64 (which is discarded), 5f00::/16 (segment
routing), fc00::/7 (private), fe80::/10 (link-local), fec0::/10 (site-local, given up) and multicast."""
_NEAR = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "::/127",
        "fe80::/10",
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # services inside of Azure
        "192.0.0.192/32",  # metadata of Oracle Cloud
        "fd00:ec2::/32",  # metadata of Amazon
    )
)
_CARRYING_LAST = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, given up
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
    )
)
_LOCAL_NAT64, _6TO4, _TEREDO = IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"), IPv6Network("2001::/32")
_ISATAP = (0x00005EFE, 0x02005EFE)
"""The bits before the carried address in the second half of an address of ISATAP, on whatever network."""


def is_public(address: str) -> bool:
    """Whether an address belongs to a host of the public internet; an address that carries another is judged by that.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("168.63.129.16")
    (True, False, False)
    """
    return is_allowed(address, ())


def is_allowed(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is public or lies in one of the networks; an address that carries another is judged by that.

    >>> is_allowed("10.1.2.3", [IPv4Network("10.1.0.0/16")]), is_allowed("10.2.2.3", [IPv4Network("10.1.0.0/16")])
    (True, False)
    """
    judged = _judged_by(address)
    return bool(judged) and all(_is_open(ip) or _lies_in(ip, networks) for ip in judged)


def is_near(address: str) -> bool:
    """Whether an address is of this machine, its link, or the services of the cloud that the machine runs in.

    >>> is_near("127.0.0.1"), is_near("::ffff:169.254.169.254"), is_near("10.1.2.3")
    (True, True, False)
    """
    judged = _judged_by(address)
    return not judged or any(_lies_in(ip, _NEAR) for ip in judged)


def _judged_by(address: str) -> tuple[_Address, ...]:
    """The address, or those that it carries; nothing where it is no address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return ()
    if isinstance(ip, IPv4Address):
        return (ip,)
    number = int(ip)
    last = IPv4Address(number & 0xFFFFFFFF)
    if any(ip in network for network in _CARRYING_LAST):
        return (last,)
    if ip in _6TO4:
        return (IPv4Address(number >> 80 & 0xFFFFFFFF),)
    if ip in _TEREDO:  # the server that it is reached through, and the host
        return (IPv4Address(number >> 64 & 0xFFFFFFFF), IPv4Address(int(last) ^ 0xFFFFFFFF))
    if ip in _LOCAL_NAT64:  # RFC 6052, section 2.2: the place of the address depends on the length of the prefix
        early = IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF)
        return tuple(carried for carried in (early, last) if int(carried)) or (ip,)
    return (ip, last) if number >> 32 & 0xFFFFFFFF in _ISATAP else (ip,)


def _is_open(ip: _Address) -> bool:
    return (isinstance(ip, IPv4Address) or ip in _OF_HOSTS) and not _lies_in(ip, _CLOSED)


def _lies_in(ip: _Address, networks: Iterable[Network]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)
