"""What the two ends of a connection agree on: where it is, and who proves what by TLS.

Both ends show certificates of one authority, over TCP and Unix sockets alike: a socket's file could say which user
connects, but not which host. They speak TLS 1.3 and nothing else, and name what they speak within it (ALPN).
"""

import asyncio
import os
import socket
import ssl
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from netplane.stream.connection import CLOSED, Connection
from netplane.stream.faults import Gone
from netplane.trust.certificates import certificate_pem, host_of, parse_certificate
from netplane.trust.keys import key_pem
from netplane.trust.names import CONTROLLER, HostIdentity
from netplane.trust.own import OwnCertificate
from netplane.trust.papers import Papers
from netplane.trust.showing import show

PROTOCOL = "netplane/1"
"""What is spoken; raised by whatever the other release could not follow."""

CONNECT = 5.0
"""Seconds for a connection to be made: a controller that is cut off answers nothing at all."""
HANDSHAKE = 15.0
"""Seconds for TLS: a thousand hosts that come at once wait for each other."""
SHUTDOWN = 1.0
"""Seconds for the end of TLS."""
STAGGER = 0.25
"""Seconds that each address of a name has before the next is tried beside it (RFC 8305)."""
LAST_PORT = 65_535
BACKLOG = 4_096
"""Connections that wait to be accepted: as many hosts come back at once when a controller does."""


class Peer(NamedTuple):
    """Who is at the other end of a controller's connection."""

    identity: HostIdentity
    expires: datetime
    """Until when its certificate is valid."""


async def listen(address: str) -> list[socket.socket]:
    """Sockets that listen on `unix:///path` or `host:port`, for 0 all on one port; OSError if that cannot be."""
    if path := unix_path(address):
        return [_listen_here(path)]
    host, port = host_and_port(address)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    try:
        for family, place in dict.fromkeys((each[0], each[4][0]) for each in found):
            where, both = (str(place), port), family is socket.AF_INET6 and host == "::"
            opened.append(socket.create_server(where, family=family, backlog=BACKLOG, dualstack_ipv6=both))
            port = opened[-1].getsockname()[1]
    except OSError:
        for each in opened:
            each.close()
        raise
    return opened


def _listen_here(path: str) -> socket.socket:
    """On a Unix socket, in the place of one that somebody has left."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(path)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


async def dial(address: str, connection: Connection, shown: Callable[[], ssl.SSLContext]) -> None:
    """Connect to `unix:///path` or `host:port`. OSError (TimeoutError, ssl.SSLError) or Gone if that fails.

    What is `shown` to whoever is there is asked when somebody is: most attempts are made while nobody listens. What
    that raises is raised here.
    """
    loop = asyncio.get_running_loop()
    plain: asyncio.Transport
    async with asyncio.timeout(CONNECT):
        if path := unix_path(address):
            plain, _ = await loop.create_unix_connection(asyncio.Protocol, path)
        else:
            host, port = host_and_port(address)
            plain, _ = await loop.create_connection(
                asyncio.Protocol, host, port, happy_eyeballs_delay=STAGGER if _is_name(host) else None
            )
    try:
        context = shown()
    except BaseException:
        plain.abort()
        raise
    secure = await loop.start_tls(
        plain,
        connection,
        context,
        server_hostname=CONTROLLER,
        ssl_handshake_timeout=HANDSHAKE,
        ssl_shutdown_timeout=SHUTDOWN,
    )
    if secure is None:
        raise Gone(CLOSED)
    connection.connection_made(secure)
    _spoken(secure)


async def accept(plain: socket.socket, connection: Connection, context: ssl.SSLContext) -> Peer:
    """Speak TLS with whoever has come. OSError or Gone if it cannot, Distrust if that is no host."""
    if plain.family is not socket.AF_UNIX:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    secure, _ = await asyncio.get_running_loop().connect_accepted_socket(
        lambda: connection, plain, ssl=context, ssl_handshake_timeout=HANDSHAKE, ssl_shutdown_timeout=SHUTDOWN
    )
    certificate = parse_certificate(_spoken(secure).getpeercert(binary_form=True) or b"")
    return Peer(host_of(certificate), certificate.not_valid_after_utc)


def _spoken(secure: asyncio.BaseTransport) -> ssl.SSLObject:
    """What TLS has agreed on; Gone if that is not what we speak."""
    spoken: ssl.SSLObject | None = secure.get_extra_info("ssl_object")
    if spoken is None:
        # uvloop takes the end of a connection during the handshake for that of the handshake.
        raise Gone(CLOSED)
    if spoken.selected_alpn_protocol() != PROTOCOL:
        raise Gone(f"whoever is there does not speak {PROTOCOL}")
    return spoken


def agent_context(papers: Papers) -> ssl.SSLContext:
    """What an agent shows, and whom it believes: whatever address it connects to, a controller must answer there."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, certificate_pem(papers.authority))
    show(context, key_pem(papers.key), certificate_pem(papers.certificate))
    return context


class ControllerContext:
    """What a controller shows, and whom it believes."""

    def __init__(self, own: OwnCertificate) -> None:
        self._own = own
        self._context = _context(ssl.PROTOCOL_TLS_SERVER, own.authority.pem)
        self._context.verify_mode = ssl.CERT_REQUIRED
        # Each session proves anew who the host is.
        self._context.num_tickets = 0
        self._shown = own.served()
        show(self._context, *self._shown)

    def current(self) -> ssl.SSLContext:
        """For the next handshake: with the certificate that is valid now."""
        served = self._own.served()
        if served is not self._shown:
            show(self._context, *served)
            self._shown = served
        return self._context


def _context(protocol: int, authority: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([PROTOCOL])
    context.load_verify_locations(cadata=authority.decode())
    return context


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def unix_path(address: str) -> str:
    """The path of a Unix socket; empty for an address of TCP."""
    return address.removeprefix("unix:").removeprefix("//") if address.startswith("unix:") else ""


def host_and_port(address: str) -> tuple[str, int]:
    """What `host:port`, `[host]:port` or `tcp://host:port` name; ValueError if that is none."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= LAST_PORT):
        raise ValueError(f"{address} names no port")
    return host.removeprefix("[").removesuffix("]"), int(port)
