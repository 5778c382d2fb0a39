import socket
import time
from ipaddress import IPv4Network, IPv6Network

import pytest

from penstock.errors import AddressRefused, FetchError, SourceError, TransientFetchError
from penstock.loaders.sources.web.resolving import PUBLIC, AllowedAddresses, addresses_to_try, resolved


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        addresses_to_try("x.example", 80, allowed=PUBLIC, seconds=1, resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])


def failing(error: Exception) -> SourceError:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(SourceError) as caught:
        addresses_to_try("x.example", 80, allowed=PUBLIC, seconds=1, resolve=resolve)
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(socket.gaierror(socket.EAI_NONAME, "unknown"), FetchError, id="no such host"),
        pytest.param(socket.gaierror(socket.EAI_AGAIN, "later"), TransientFetchError, id="name server down"),
        pytest.param(UnicodeError("label too long"), FetchError, id="no host name"),
    ],
)
def test_a_name_that_cannot_be_resolved(error: Exception, kind: type) -> None:
    assert type(failing(error)) is kind


def test_resolving_has_a_time_limit() -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(0.5)
        return []

    with pytest.raises(TransientFetchError, match=r"0\.05 seconds"):
        addresses_to_try("x.example", 80, allowed=PUBLIC, seconds=0.05, resolve=slow)


def test_the_system_resolver_gives_numbers() -> None:
    assert resolved("127.1", 80) == ["127.0.0.1"]


def addresses(address: str, allowed: AllowedAddresses, *, near: bool = True) -> list[str]:
    return addresses_to_try(
        "x.example", 80, allowed=allowed, near=near, seconds=1, resolve=lambda host, port: [address]
    )


def test_a_network_that_is_allowed_opens_nothing_else() -> None:
    allowed = AllowedAddresses(networks=(IPv4Network("10.1.0.0/16"),))
    assert addresses("10.1.2.3", allowed) == ["10.1.2.3"]
    assert addresses("8.8.8.8", allowed) == ["8.8.8.8"]
    with pytest.raises(AddressRefused, match="PENSTOCK_WEB__ALLOW_NETWORKS"):
        addresses("10.2.0.1", allowed)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_this_machine_and_its_link_are_read_only_where_they_are_named(address: str) -> None:
    for allowed in (
        AllowedAddresses(allow_private=True),
        AllowedAddresses(networks=(IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))),
    ):
        assert addresses(address, allowed) == [address]
        with pytest.raises(AddressRefused, match="another page"):
            addresses(address, allowed, near=False)
    assert addresses("10.1.2.3", AllowedAddresses(allow_private=True), near=False) == ["10.1.2.3"]
