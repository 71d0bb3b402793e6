"""Where machines ask for names: one socket for datagrams, one for connections, both in the services' namespace.

What is ours is answered at once. What is not waits for a resolver in a task of its own, so that nobody waits for
another's. A machine that asks a resolver of its subnet is passed on to that one; one that asks us, to those of its
subnets, or to the host's own.
"""

import asyncio
import errno
import logging
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

from netplane.agent.names.answers import find
from netplane.agent.names.directory import Directory
from netplane.agent.names.messages import (
    LARGEST,
    Query,
    read_query,
    write_failure,
    write_found,
    write_truncated,
)
from netplane.agent.names.upstream import Upstream, may_be_named
from netplane.agent.slice import Slice
from netplane.base.addresses import MAPPED, pack_address, unpack_address
from netplane.model import Port
from netplane.tables.decisions import Service
from netplane.tables.peers import seen_slot

OURS = unpack_address(MAPPED + int(Service.ADDRESS).to_bytes(4, "big"))
AT_ONCE = 64
"""Datagrams read before others in the loop have their turn."""

CONNECTIONS = 16
"""Of one machine at a time."""

IDLE = 10.0
"""Seconds after which a silent connection ends (RFC 7766, section 6.2.3)."""

PKTINFO = getattr(socket, "IP_PKTINFO", 8)
FRAME = 65_536

log = logging.getLogger(__name__)


class Talk(NamedTuple):
    """A datagram's way back: whom it came from, and the IPv4 address of ours that it was sent to."""

    datagrams: socket.socket
    peer: tuple[Any, ...]
    own: bytes

    @property
    def asked(self) -> str:
        """The address that the machine has asked."""
        return socket.inet_ntoa(self.own) if self.own else OURS

    def answer(self, wire: bytes) -> None:
        """Answer from the address that was asked."""
        told = [(socket.IPPROTO_IP, PKTINFO, bytes(4) + self.own + bytes(4))] if self.own else []
        with suppress(OSError):
            self.datagrams.sendmsg([wire], told, 0, self.peer)


class NameServer:
    """Answers machines; `port_of` tells whose a slot is (`netplane.tables.peers`)."""

    def __init__(
        self, slice: Slice, directory: Directory, upstream: Upstream, port_of: Callable[[int], Port | None]
    ) -> None:
        self._slice = slice
        self._directory = directory
        self._upstream = upstream
        self._port_of = port_of
        self._datagrams: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected: Counter[int] = Counter()

    async def start(self, datagrams: socket.socket, connections: socket.socket) -> None:
        """Answer from the running loop what comes by these sockets too, which are closed with this."""
        if datagrams.family == socket.AF_INET:
            datagrams.setsockopt(socket.IPPROTO_IP, PKTINFO, 1)
        datagrams.setblocking(False)
        self._datagrams.append(datagrams)
        asyncio.get_running_loop().add_reader(datagrams, self._readable, datagrams)
        self._servers.append(await asyncio.start_server(self._converse, sock=connections))

    def close(self) -> None:
        """Stop answering."""
        for datagrams in self._datagrams:
            asyncio.get_running_loop().remove_reader(datagrams)
            datagrams.close()
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()

    def _readable(self, datagrams: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                wire, told, _, peer = datagrams.recvmsg(FRAME, 64)
            except BlockingIOError:
                return
            except OSError:
                continue  # An error about an answer of ours: its machine is gone.
            info = next((value for level, kind, value in told if (level, kind) == (socket.IPPROTO_IP, PKTINFO)), b"")
            self._hear(wire, Talk(datagrams, peer, info[8:12]))

    def _hear(self, wire: bytes, talk: "Talk") -> None:
        """A datagram from a peer."""
        slot = seen_slot(pack_address(talk.peer[0]))
        port, query = self._port_of(slot), read_query(wire)
        if port is None or query is None:
            return
        if isinstance(query, bytes):
            talk.answer(query)
            return
        found = find(self._directory, port, query.name, query.kind)
        if found is not None:
            talk.answer(write_found(query, found, query.size))
            return

        async def pass_on() -> None:
            answer = await self._pass_on(slot, port, query, talk.asked, tcp=False)
            talk.answer(answer if len(answer) <= query.size else write_truncated(query))

        self._spawn(pass_on())

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection, on which queries follow each other."""
        slot = seen_slot(pack_address(writer.get_extra_info("peername")[0]))
        own = writer.get_extra_info("sockname")[0]
        asked = OURS if ":" in own else own
        try:
            if self._connected[slot] < CONNECTIONS:
                self._connected[slot] += 1
                try:
                    await self._take_turns(slot, asked, reader, writer)
                finally:
                    self._connected[slot] -= 1
        except (OSError, EOFError, TimeoutError) as problem:
            if isinstance(problem, OSError) and problem.errno == errno.EMFILE:
                log.warning("no more connections: %s", problem)
        finally:
            writer.close()

    async def _take_turns(
        self, slot: int, asked: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            async with asyncio.timeout(IDLE):
                wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            port, query = self._port_of(slot), read_query(wire)
            if port is None or query is None:
                return
            answer = query if isinstance(query, bytes) else await self._answer(slot, port, query, asked)
            writer.write(len(answer).to_bytes(2, "big") + answer)
            async with asyncio.timeout(IDLE):
                await writer.drain()

    async def _answer(self, slot: int, port: Port, query: Query, asked: str) -> bytes:
        found = find(self._directory, port, query.name, query.kind)
        if found is not None:
            return write_found(query, found, LARGEST)
        return await self._pass_on(slot, port, query, asked, tcp=True)

    async def _pass_on(self, slot: int, port: Port, query: Query, asked: str, *, tcp: bool) -> bytes:
        answer = await self._upstream.ask(slot, query.wire, self._resolvers(port, asked), tcp=tcp)
        return write_failure(query) if answer is None else answer

    def _resolvers(self, port: Port, asked: str) -> tuple[str, ...]:
        """Whom a query goes to that a machine asks of an address."""
        if asked != OURS:
            return (asked,) if may_be_named(asked) else ()
        subnets, _ = self._slice.surroundings(port)
        told = tuple(dict.fromkeys(address for subnet in subnets.values() for address in subnet.dns_nameservers))
        return tuple(filter(may_be_named, told)) if told else self._upstream.own_resolvers()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
