"""Where clients connect, how, and how much of a controller they may have; nothing of what serves them."""

from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""Where a server that listens everywhere is reached."""


class Limits(NamedTuple):
    """Of one server."""

    connections: int = 2_000
    """At once."""
    head_bytes: int = 64 * 1024
    """Of a request's first line and headers, beyond one read from the socket."""
    head_seconds: float = 10.0
    """From the connection, or the first byte of a further request, to the end of its headers."""
    body_seconds: float = 60.0
    """From there to the end of its body."""


class Listening(Struct, frozen=True):
    """How clients reach a server, and how much of it they may have."""

    address: str
    """`host:port`; port 0 for any."""
    certificate: Path | None = None
    """The operator's, PEM; without it the controller's own serves where TLS does."""
    key: Path | None = None
    plain: bool = False
    """Whether HTTP without TLS is meant where others can reach it."""
    limits: Limits = Limits()

    @property
    def host(self) -> str:
        """The address without the port."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def over_tls(self) -> bool:
        """TLS, wherever others than this machine can listen in."""
        return self.certificate is not None or not (self.plain or is_loopback(self.host))

    @property
    def url(self) -> str:
        """Where clients of this machine find it."""
        host, _, port = self.address.rpartition(":")
        return f"{'https' if self.over_tls else 'http'}://{ANYWHERE.get(host, host)}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
