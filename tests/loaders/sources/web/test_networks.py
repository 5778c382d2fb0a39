"""Public by our own table: what the registries say, without asking Python; Python is asked where it is known right."""

import inspect
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.loaders.sources.web import networks
from penstock.loaders.sources.web.networks import Network, is_allowed, is_near, is_public

SPECIAL = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
    *("::/128", "::1/128", "64:ff9b:1::/64", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:2::/48", "2001:10::/28"),
    *("2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
]
CLOUDS = [
    *("168.63.129.16", "192.0.0.192", "100.100.100.200", "169.254.169.254", "169.254.170.2", "169.254.169.123"),
    *("fd00:ec2::254", "fd00:42::42", "fd20:ce::254", "fec0::1", "161.26.0.10", "166.9.14.5"),
]
OPEN = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("168.63.129.15", "168.63.129.17", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.31.196.1", "223.255.255.255"),
    *("2606:2800:220:1:248:1893:25c8:1946", "2001:200::1", "2400:cb00::1", "2a00:1450:4001:830::200e"),
]
INNER_4 = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16", "192.168.1.1")


@pytest.mark.parametrize("network", SPECIAL)
def test_special_networks_are_not_public_from_their_first_address_to_their_last(network: str) -> None:
    special = ip_network(network)
    assert not is_public(str(special[0]))
    assert not is_public(str(special[-1]))


@pytest.mark.parametrize("address", CLOUDS)
def test_addresses_inside_of_clouds_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN)
def test_the_public_internet_with_the_neighbours_of_special_networks(address: str) -> None:
    assert is_public(address)


def carriers(address: str) -> dict[str, str]:
    """The address as each kind of IPv6 address carries it."""
    four = int(IPv4Address(address))
    teredo = 0x20010000 << 96 | int(IPv4Address("8.8.4.4")) << 64
    return {
        "mapped": str(IPv6Address(0xFFFF << 32 | four)),
        "compatible": str(IPv6Address(four)),
        "translated": str(IPv6Address(0xFFFF << 48 | four)),
        "NAT64": str(IPv6Address(int(IPv6Address("64:ff9b::")) | four)),
        "local NAT64, last": str(IPv6Address(int(IPv6Address("64:ff9b:1::")) | four)),
        "local NAT64, early": str(
            IPv6Address(int(IPv6Address("64:ff9b:1::")) | (four >> 16) << 64 | (four & 0xFFFF) << 40)
        ),
        "6to4": str(IPv6Address(0x2002 << 112 | four << 80 | 1)),
        "Teredo host": str(IPv6Address(teredo | four ^ 0xFFFFFFFF)),
        "Teredo server": str(IPv6Address(0x20010000 << 96 | four << 64 | int(IPv4Address("8.8.4.4")) ^ 0xFFFFFFFF)),
        "ISATAP": str(IPv6Address(0x2A001450 << 96 | 0x00005EFE << 32 | four)),
        "ISATAP, global": str(IPv6Address(0x2A001450 << 96 | 0x02005EFE << 32 | four)),
    }


@pytest.mark.parametrize("kind", carriers("8.8.8.8"))
def test_an_address_that_carries_another_is_judged_by_that(kind: str) -> None:
    assert is_public(carriers("8.8.8.8")[kind])
    for inner in INNER_4:
        assert not is_public(carriers(inner)[kind]), inner
    assert is_near(carriers("127.0.0.1")[kind])


def test_both_readings_of_a_local_nat64_address_must_be_public() -> None:
    both = int(IPv6Address("64:ff9b:1:a00:0:100::")) | int(IPv4Address("8.8.8.8"))
    assert not is_public(str(IPv6Address(both)))


@pytest.mark.parametrize("address", ["", "localhost", "1.2.3", "127.0.0.1.nip.io", "fe80::1%eth0", "%", "::g"])
def test_what_is_no_address_is_not_public(address: str) -> None:
    assert not is_public(address)
    assert is_near(address)


def test_networks_open_just_themselves() -> None:
    networks: list[Network] = [IPv4Network("10.1.0.0/16"), IPv6Network("fd12::/16")]
    assert is_allowed("10.1.2.3", networks)
    assert is_allowed("::ffff:10.1.2.3", networks)
    assert is_allowed("fd12::1", networks)
    assert is_allowed("8.8.8.8", networks)
    assert not is_allowed("10.2.0.1", networks)
    assert not is_allowed("fd13::1", networks)
    assert not is_allowed("127.0.0.1", networks)


def test_the_interpreter_is_not_asked() -> None:
    source = inspect.getsource(networks)
    assert not [
        word for word in ("is_global", "is_private", "is_reserved", "ipv4_mapped", "sixtofour") if word in source
    ]


@given(st.ip_addresses())
def test_nothing_is_public_that_the_interpreter_calls_private(ip: IPv4Address | IPv6Address) -> None:
    if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        carrying = isinstance(ip, IPv6Address) and (int(ip) >> 96 == 0 or int(ip) >> 96 == 0x64FF9B)
        assert carrying or not is_public(str(ip))


@given(st.ip_addresses(v=4))
def test_of_four_bytes_all_that_the_interpreter_calls_global_is_public_or_of_a_cloud(ip: IPv4Address) -> None:
    inner = ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "161.26.0.0/16", "166.8.0.0/14")
    expected = ip.is_global and not ip.is_multicast and not any(ip in IPv4Network(network) for network in inner)
    assert is_public(str(ip)) == expected
