"""Connections that go only to addresses that were looked at, and end when their time is up."""

import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from httpcore import ConnectError, ConnectTimeout, NetworkBackend, NetworkStream, SyncBackend

from penstock.errors import LimitExceeded
from penstock.loaders.sources.web.resolving import AllowedAddresses, Resolve, addresses_to_try


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When one fetch must be over."""

    uri: str
    seconds: float
    """The whole time that it was given."""
    at: float
    """By `time.monotonic`."""

    def cut(self, timeout: float | None) -> float:
        """The time-out of one step, shortened to what is left.

        Raises:
            LimitExceeded: nothing is left.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise LimitExceeded(
                f"{self.uri!r} was not complete after {self.seconds:g} seconds; raise web.timeout_seconds "
                "(PENSTOCK_WEB__TIMEOUT_SECONDS), a tenth of that limit"
            )
        return left if timeout is None else min(timeout, left)


class CheckedBackend(NetworkBackend):
    """Connects to the very addresses that were checked: what a name means is asked once a connection.

    The transport above it goes on to use the name, for TLS and the `Host` header.
    """

    def __init__(self, deadline: Deadline, *, allowed: AllowedAddresses, near: bool, resolve: Resolve) -> None:
        """`near` is whether this machine, its link and its cloud may be connected to, where `allowed` has them."""
        self._deadline = deadline
        self._allowed = allowed
        self._near = near
        self._resolve = resolve
        self._inner = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 the protocol has it
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 the protocol has it
    ) -> NetworkStream:
        """A connection to the first address of the host that takes one.

        Raises:
            AddressRefused: the host is not of the public internet.
            FetchError: there is no such host.
        """
        seconds = self._deadline.cut(timeout)
        addresses = addresses_to_try(
            host, port, allowed=self._allowed, near=self._near, seconds=seconds, resolve=self._resolve
        )
        for address in addresses[:-1]:
            try:
                return self._connected(address, port, timeout)
            except (ConnectError, ConnectTimeout):
                continue
        return self._connected(addresses[-1], port, timeout)

    def _connected(self, address: str, port: int, timeout: float | None) -> NetworkStream:
        return _TimedStream(self._inner.connect_tcp(address, port, self._deadline.cut(timeout)), self._deadline)


class _TimedStream(NetworkStream):
    """A connection on which no step outlasts the deadline, however slowly the bytes drip."""

    def __init__(self, inner: NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _TimedStream(
            self._inner.start_tls(ssl_context, server_hostname, self._deadline.cut(timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
