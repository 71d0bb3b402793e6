"""HTTP/1.1 (RFC 9112) for machines: a strict reader, small limits, and an end to everything.

A machine has few connections, few bytes and little time; who wants more is refused or cut off, and others are not
kept waiting.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import h11

from netplane.base.addresses import pack_address
from netplane.tables.peers import seen_slot

HEAD_LIMIT, BODY_LIMIT = 16_384, 65_536
"""Bytes of a request."""

CONNECTIONS = 16
"""Of one machine at a time."""

PATIENCE = 10.0
"""Seconds for a whole request to come, and for an answer to be taken."""

REQUESTS = 100
"""On one connection."""

CHUNK = 16_384


class Request(NamedTuple):
    """What a machine asks."""

    method: str
    target: str
    """Path and query, as they came."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    body: bytes = b""


class Response(NamedTuple):
    """What it hears."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"


Answer = Callable[[int, Request], Awaitable[Response]]
"""Answers a port, by its slot (`netplane.tables.peers`)."""


class Refused(Exception):
    """A request that is answered with an error, after which the connection ends."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Listener:
    """The server of some sockets."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._servers: list[asyncio.Server] = []
        self._connected: Counter[int] = Counter()

    async def start(self, connections: socket.socket) -> None:
        """Serve from the running loop what comes by this socket too, which is closed with this."""
        self._servers.append(await asyncio.start_server(self._converse, sock=connections, limit=CHUNK))

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        slot = seen_slot(pack_address(writer.get_extra_info("peername")[0]))
        if self._connected[slot] >= CONNECTIONS:
            writer.transport.abort()
            return
        self._connected[slot] += 1
        try:
            await Conversation(reader, writer).hold(lambda request: self._answer(slot, request))
        except (OSError, TimeoutError, h11.LocalProtocolError):
            writer.transport.abort()
        finally:
            self._connected[slot] -= 1
            if not self._connected[slot]:
                del self._connected[slot]
            writer.close()


class Conversation:
    """The requests of one connection, in turn."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)

    async def hold(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        """Until the machine has enough, or has had enough."""
        for _ in range(REQUESTS):
            try:
                async with asyncio.timeout(PATIENCE):
                    request = await self._read_request()
            except h11.RemoteProtocolError as problem:
                await self._write(Response(problem.error_status_hint), close=True)
                return
            except Refused as refused:
                await self._write(Response(refused.status), close=True)
                return
            if request is None:
                return
            await self._write(await answer(request), without_body=request.method == "HEAD")
            if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
                return
            self._protocol.start_next_cycle()

    async def _read_request(self) -> Request | None:
        head: h11.Request | None = None
        body = b""
        while True:
            event = self._protocol.next_event()
            match event:
                case h11.Request():
                    head = event
                    if self._protocol.they_are_waiting_for_100_continue:
                        raise Refused(417)
                case h11.Data():
                    body += event.data
                    if len(body) > BODY_LIMIT:
                        raise Refused(413)
                case h11.EndOfMessage():
                    assert head is not None
                    return _request(head, body)
                case h11.ConnectionClosed():
                    return None
                case h11.PAUSED:
                    return None
                case h11.NEED_DATA:
                    self._protocol.receive_data(await self._reader.read(CHUNK))

    async def _write(self, response: Response, *, close: bool = False, without_body: bool = False) -> None:
        if self._protocol.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [("content-type", response.kind), ("content-length", str(len(response.body)))]
        if close:
            headers.append(("connection", "close"))
        parts = [
            self._protocol.send(h11.Response(status_code=response.status, headers=headers)),
            None if without_body else self._protocol.send(h11.Data(data=response.body)),
            self._protocol.send(h11.EndOfMessage()),
        ]
        self._writer.write(b"".join(part for part in parts if part))
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()
            if close and self._writer.can_write_eof():
                with suppress(OSError):
                    self._writer.write_eof()


def _request(head: h11.Request, body: bytes) -> Request:
    headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers)
    return Request(head.method.decode("ascii"), head.target.decode("latin-1"), headers, body)
