import socket
import time

import pytest

from penstock.errors import AddressRefused, FetchError, SourceError, TransientFetchError
from penstock.loaders.resolving import addresses_to_try, is_public, resolved


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "not an address",
    ],
)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        addresses_to_try(
            "x.example", 80, allow_private=False, seconds=1, resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"]
        )


def failing(error: Exception) -> SourceError:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(SourceError) as caught:
        addresses_to_try("x.example", 80, allow_private=False, seconds=1, resolve=resolve)
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
        addresses_to_try("x.example", 80, allow_private=False, seconds=0.05, resolve=slow)


def test_the_system_resolver_gives_numbers() -> None:
    assert resolved("127.1", 80) == ["127.0.0.1"]
