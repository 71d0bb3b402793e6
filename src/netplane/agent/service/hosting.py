"""The services of a host, from its namespace to its answers: wiring only.

ensure_link ── np-serve ──▶ datapath (FROM_SERVICE)          Slice ─▶ Directory ─┬▶ NameServer ◀── 53/udp 53/tcp
            └─ namespace ── sockets ─────────────────────────────────────────────┴▶ MetadataServer ◀── 80/tcp
"""

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from netplane.agent.metadata.http import Listener
from netplane.agent.metadata.nova import Nova
from netplane.agent.metadata.serving import MetadataServer
from netplane.agent.names.directory import Directory, Owner
from netplane.agent.names.serving import NameServer
from netplane.agent.names.upstream import Upstream
from netplane.agent.service.link import ensure_link
from netplane.agent.service.namespace import DIRECTORY, visit
from netplane.agent.slice import Slice
from netplane.model import News, Port
from netplane.tables.decisions import Service
from netplane.tables.peers import INSIDE_V6

BACKLOG = 128

log = logging.getLogger(__name__)


class Hosting(NamedTuple):
    """What the services are told by the operator."""

    device: str
    """The name of their device on the host."""
    namespace: str
    resolv_conf: Path
    """Names the resolvers that are asked where a subnet names none."""
    nova: Nova | None = None
    """Whom metadata is asked of; None if the records tell it."""


class Sockets(NamedTuple):
    """What machines reach, by one version of IP."""

    datagrams: socket.socket
    names: socket.socket
    metadata: socket.socket


class Services:
    """Names and metadata for the machines of a host."""

    def __init__(self, how: Hosting, slice: Slice, owner: Owner) -> None:
        self.ports: Mapping[int, str] = {}
        """The port of each slot (`netplane.tables.peers`)."""
        self.ifindex = 0
        """The services' device on the host; 0 while there is none."""
        self._how = how
        self._slice = slice
        self._directory = Directory(slice, owner)
        self._names = NameServer(slice, self._directory, Upstream(how.resolv_conf), self._port_of)
        self._metadata = Listener(MetadataServer(slice, self._directory, self._port_of, how.nova).answer)

    async def start(self) -> None:
        """Make the device and answer from the running loop; a host where that cannot be goes without."""
        if not self.repair():
            return
        for sockets in await asyncio.to_thread(visit, DIRECTORY / self._how.namespace, open_sockets):
            await self._names.start(sockets.datagrams, sockets.names)
            await self._metadata.start(sockets.metadata)

    def close(self) -> None:
        """Stop answering; device and namespace stay."""
        self._names.close()
        self._metadata.close()

    def take(self, news: Iterable[News]) -> None:
        """Take in what has changed in the slice."""
        self._directory.take(news)

    def repair(self) -> bool:
        """Make the device if it is not there; whether it is there now."""
        try:
            self.ifindex = ensure_link(self._how.device, self._how.namespace)
        except OSError as problem:
            self.ifindex = 0
            log.error("no names and no metadata for machines: %s", problem)
        return bool(self.ifindex)

    def _port_of(self, slot: int) -> Port | None:
        return self._slice.get(Port, self.ports.get(slot, ""))


def open_sockets() -> list[Sockets]:
    """The sockets that machines reach, in the namespace that the thread is in; without IPv6 where the kernel has none.

    Of IPv4 they hear whatever address is asked; of IPv6 there is one.
    """
    opened = [_bound_all("0.0.0.0", socket.AF_INET)]
    with suppress(OSError):
        opened.append(_bound_all(str(INSIDE_V6), socket.AF_INET6))
    return opened


def _bound_all(address: str, family: socket.AddressFamily) -> Sockets:
    return Sockets(
        _bound(family, socket.SOCK_DGRAM, (address, Service.DNS)),
        _bound(family, socket.SOCK_STREAM, (address, Service.DNS)),
        _bound(family, socket.SOCK_STREAM, (address, Service.METADATA)),
    )


def _bound(family: socket.AddressFamily, kind: socket.SocketKind, address: tuple[str, int]) -> socket.socket:
    opened = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(address)
    if kind == socket.SOCK_STREAM:
        opened.listen(BACKLOG)
    return opened
