"""The controllers' end of the southbound: whoever connects, and a line to each agent that has proven to be a host.

                      Desk (the controller)
            admit, resume, slice │ ▲ hear, left
                                 ▼ │
    publish, ask ──▶ Line: Outbox ─ ControllerSession ══ Connection ══ agent

One event loop runs it all. What lines' outboxes hold is written together, in one turn of the loop, each line's at most
once a tick; while the network takes nothing, the outbox merges, so an agent that does not read costs no more than its
slice. What agents say is taken as it comes. A line's tasks wake only for what takes longer than that.
"""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, Protocol, cast

from netplane.stream.complaints import Complaints
from netplane.stream.connection import CLOSED, Connection, Work, explain
from netplane.stream.delivery import Slice, begin, frames
from netplane.stream.faults import Gone, Refused, RemoteFault, StreamFault, Unanswered
from netplane.stream.messages import Answer, Ask, Controllers, Farewell, Hello, Renew, Renewed, Up, Welcome
from netplane.stream.outbox import LIMIT, Outbox, Parcel
from netplane.stream.session import ControllerSession
from netplane.stream.strangers import Strangers
from netplane.stream.transport import ControllerContext, Peer, accept, listen, unix_path
from netplane.trust.faults import Distrust
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate

LOGGER = logging.getLogger(__name__)

TICK = 0.003
"""Seconds between two writes on a line, at least: what is said meanwhile goes together."""
SHARE = 0.00025
"""Seconds by which each line that has just written makes others wait.

A message costs this process about 0.1 ms with its acknowledgement: so there is time left for other work, however many
hosts must hear of everything.
"""
WRITING = 0.005
"""Seconds that lines are written for before everybody else has a turn."""
HELLO_TIMEOUT = 20.0
"""Seconds that whoever connects has for TLS and its first word."""
STRANGERS = 1_000
"""Connections without a first word, at most."""
FULL_PAUSE = 1.0
"""Seconds until the next look when no connection can be taken: too many files are open."""
GRACE = 0.5
"""Seconds that agents have to take the last word, and to go."""
RENEWAL_PAUSE = 1.0
"""Seconds between two renewals of a host, at least: each takes a signature and a write."""
LARGEST_HELLO = 4 * 1024
"""Bytes of an agent's first frame."""
LARGEST_UP = 4 * 1024 * 1024
"""Bytes of a frame from an agent that has said who it is."""


class Desk(Protocol):
    """What lines need from the controller that they belong to."""

    log: str
    dns_domain: str

    async def admit(self, hello: Hello, identity: HostIdentity) -> int:
        """Take an agent in; the number of its host. Refused or Distrust if it may not come."""

    def trusts(self, identity: HostIdentity) -> bool:
        """Whether certificates of this enrolment are valid now."""

    async def renew(self, identity: HostIdentity, request: str) -> tuple[Renewed, datetime]:
        """Another certificate for a host, and when it expires. Distrust if it cannot have it."""

    def resume(self, host: str, revision: int) -> Parcel | None:
        """What has changed for a host since a revision, up to now; None if that is not known any more."""

    def slice(self, host: str) -> Slice:
        """All that a host needs now."""

    def hear(self, host: str, message: Up) -> Work | None:
        """An agent has said something other than an answer; what of it takes longer is done before more is heard."""

    def left(self, host: str) -> None:
        """The session of a host has ended, and no other has taken its place."""


class Ended(StreamFault):
    """We end a session; the text says why."""


class Line:
    """One agent that is connected."""

    def __init__(self, peer: Peer, limit: int, session: ControllerSession, connection: Connection) -> None:
        self.session = session
        self.connection = connection
        self.host = peer.identity.host
        self.identity = peer.identity
        self.expires = peer.expires
        """When the youngest certificate expires that the host has, and with it the session."""
        self.renewed_at = 0.0
        self.outbox = Outbox(limit)
        self.is_open = True
        """Whether it may still be written on."""
        self.is_idle = True
        """Whether it is neither about to write, nor writing, nor resting."""
        self.rest: asyncio.Future[Iterator[bytes]] = asyncio.get_running_loop().create_future()
        """What the network has not taken at once."""
        self.cut: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it ends, if this end ends it."""
        self.answers: dict[int, asyncio.Future[Answer]] = {}

    def end(self, reason: str) -> None:
        """Cut the agent off."""
        if not self.cut.done():
            self.cut.set_result(reason)


class SouthboundServer:
    """Accepts agents that prove to be hosts, and keeps a line to each."""

    def __init__(self, desk: Desk, own: OwnCertificate, tick: float = TICK, limit: int = LIMIT) -> None:
        """`limit` is the most records that wait for an agent before it gets its slice anew instead."""
        self._desk = desk
        self._limit = limit
        self._context = ControllerContext(own)
        self._tick = tick
        self._lines: dict[str, Line] = {}
        self._questions = 0
        self._controllers = Controllers(())
        self._due: deque[Line] = deque()
        """Lines that are about to write."""
        self._is_writing = False
        self._resting = 0
        self._listeners: list[tuple[socket.socket, asyncio.Task[None]]] = []
        self._strangers = Strangers()
        self._complaints = Complaints(LOGGER, monotonic)
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> set[str]:
        """The hosts that have a session."""
        return set(self._lines)

    def is_connected(self, host: str) -> bool:
        """Whether a host has a session."""
        return host in self._lines

    async def start(self, address: str) -> str:
        """Listen on `unix:///path` or `host:port`; answers the address, with the port that was given for port 0.

        OSError if it cannot be listened on.
        """
        try:
            opened = await listen(address)
        except OSError as error:
            raise OSError(f"agents cannot connect to {address}: {explain(error)}") from error
        for listener in opened:
            listener.setblocking(False)
            self._listeners.append((listener, asyncio.create_task(self._take_from(listener))))
        if unix_path(address):
            return address
        port = opened[0].getsockname()[1]
        return f"{address.rpartition(':')[0]}:{port}"

    async def stop(self, revision: int = 0) -> None:
        """End every session and stop listening. First all hosts are told of the revision: they resume from it."""
        for listener, taking in self._listeners:
            taking.cancel()
            await asyncio.wait([taking])
            listener.close()
        self.advance(revision)
        clock = asyncio.get_running_loop().time
        deadline = clock() + GRACE
        while any(line.outbox for line in self._lines.values()) and clock() < deadline:
            await asyncio.sleep(self._tick)
        for line in list(self._lines.values()):
            line.end("the controller stops")
        self._strangers.cancel()
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=2 * GRACE)
            for call in late:
                call.cancel()

    def publish(self, parcels: Iterable[tuple[str, Parcel]]) -> None:
        """Hand out what has changed, by host; hosts without a session get their slice when they come."""
        for host, parcel in parcels:
            if line := self._lines.get(host):
                line.outbox.put(parcel)
                self._wake(line)

    def advance(self, revision: int, hosts: Iterable[str] | None = None) -> None:
        """Tell hosts, or all, that did not need what came up to a revision that they are as of it."""
        lines = self._lines.values() if hosts is None else [self._lines[host] for host in hosts if host in self._lines]
        for line in lines:
            if line.outbox.revision < revision:
                line.outbox.put(Parcel(revision, {}))
                self._wake(line)

    def introduce(self, controllers: Sequence[str]) -> None:
        """Tell all hosts, and those that come, where controllers are, if that is news."""
        message = Controllers(tuple(controllers))
        if message != self._controllers:
            self._controllers = message
            for line in self._lines.values():
                line.outbox.say(message)
                self._wake(line)

    def review(self, host: str) -> None:
        """Cut a host off if it is not trusted any more."""
        line = self._lines.get(host)
        if line is not None and not self._desk.trusts(line.identity):
            LOGGER.warning("host %s is revoked: its session ends", host)
            line.end("the host is revoked")

    def end(self, host: str, reason: str) -> None:
        """End the session of a host, if it has one."""
        if line := self._lines.get(host):
            line.end(reason)

    async def ask(self, host: str, topic: str, body: dict[str, str], timeout: float) -> dict[str, object]:
        """Ask an agent. Unanswered if it is not there or does not answer in time; Refused if it says why it cannot."""
        line = self._lines.get(host)
        if line is None:
            raise Unanswered(f"host {host} is not connected")
        self._questions += 1
        number = self._questions
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        line.answers[number] = future
        question = Ask(number, topic, body)
        line.outbox.say(question)
        self._wake(line)
        try:
            answer = await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Unanswered(f"host {host} has not answered within {timeout:g} s") from None
        finally:
            line.answers.pop(number, None)
            line.outbox.withdraw(question)
        if answer.error:
            raise Refused(answer.error)
        return answer.body

    async def _take_from(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, place = await loop.sock_accept(listener)
            except OSError as problem:
                LOGGER.warning("agents that connect must wait: %s", problem)
                await asyncio.sleep(FULL_PAUSE)
            else:
                self._arrive(plain, str(place[0]) if place else "a Unix socket")
                # Those who have come before begin first, however many wait.
                await asyncio.sleep(0)

    def _arrive(self, plain: socket.socket, came_from: str) -> None:
        """Somebody has connected. Neither the next one nor who is here waits for that."""
        call = asyncio.create_task(self._serve(plain, came_from))
        self._strangers.add(call, came_from, STRANGERS)
        self._calls.add(call)
        call.add_done_callback(self._leave)

    def _leave(self, call: asyncio.Task[None]) -> None:
        self._strangers.remove(call)
        self._calls.discard(call)
        if not call.cancelled() and (error := call.exception()):
            LOGGER.error("a session has failed: %s", error, exc_info=error)

    async def _serve(self, plain: socket.socket, came_from: str) -> None:
        """One connection, from TLS to its end; the agent is told why, if we end it."""
        connection, session = Connection(LARGEST_HELLO), ControllerSession()
        reason = ""
        try:
            await self._converse(plain, connection, session)
        except (Gone, OSError) as end:
            LOGGER.debug("%s is gone: %s", came_from, explain(end))
            if not session.hello.host and not _is_no_news(end):
                self._complaints.say(came_from, explain(end))
        except Distrust as doubt:
            LOGGER.warning("turned away %s: %s", came_from, doubt)
            reason = str(doubt)
        except RemoteFault as fault:
            LOGGER.warning("cut off host %r at %s: %s", session.hello.host, came_from, fault)
            reason = f"this agent broke the rules: {fault}"
        except Refused as refusal:
            LOGGER.warning("refused host %r at %s: %s", session.hello.host, came_from, refusal)
            reason = str(refusal)
        except Ended as end:
            reason = str(end)
            if not session.hello.host:
                self._complaints.say(came_from, reason)
        except BaseException:
            connection.abort("there is no time for it")
            raise
        if reason:
            connection.write(session.send(Farewell(reason)))
        await connection.finish(GRACE)

    async def _converse(self, plain: socket.socket, connection: Connection, session: ControllerSession) -> None:
        """Until one of those is raised that end a session."""
        peer, hello = await self._meet(plain, connection, session)
        number = await self._desk.admit(hello, peer.identity)
        connection.write(session.send(Welcome(number, self._desk.log, self._desk.dns_domain)))
        line = self._open(Line(peer, self._limit, session, connection))
        try:
            self.review(line.host)
            await self._run(line)
        finally:
            self._close(line)

    async def _meet(
        self, plain: socket.socket, connection: Connection, session: ControllerSession
    ) -> tuple[Peer, Hello]:
        """Who has connected, by its certificate and its first word."""
        try:
            async with asyncio.timeout(HELLO_TIMEOUT):
                peer = await accept(plain, connection, self._context.current())
                hello = session.receive(await connection.read())
        except TimeoutError:
            raise Ended(f"nothing said within {HELLO_TIMEOUT:g} s") from None
        finally:
            self._strangers.remove(cast("asyncio.Task[None]", asyncio.current_task()))
        if not isinstance(hello, Hello):
            raise RemoteFault("an agent opens with Hello")
        if hello.host != peer.identity.host:
            raise Distrust(f"host {peer.identity.host} says that it is {hello.host}")
        connection.largest = LARGEST_UP
        return peer, hello

    def _open(self, line: Line) -> Line:
        """From here on the outbox gets all that changes; so what came before is asked for in the same moment."""
        begin(line.session, line.outbox, partial(self._desk.resume, line.host))
        if self._controllers.addresses:
            line.outbox.say(self._controllers)
        self._wake(line)
        if before := self._lines.get(line.host):
            before.end("the host has opened another session")
        self._lines[line.host] = line
        return line

    def _close(self, line: Line) -> None:
        for future in line.answers.values():
            if not future.done():
                future.set_exception(Unanswered(f"host {line.host} went away before it answered"))
        if self._lines.get(line.host) is line:
            del self._lines[line.host]
            self._desk.left(line.host)

    async def _run(self, line: Line) -> None:
        """Read and write until either cannot go on, or the line is cut; raises why."""
        reading = asyncio.create_task(line.connection.each(partial(self._hear, line)))
        writing = asyncio.create_task(self._write_on(line))
        ends: list[asyncio.Future[Any]] = [line.cut, reading, writing, line.connection.closed]
        try:
            while not any(end.done() for end in ends):
                left = (line.expires - datetime.now(UTC)).total_seconds()
                if left <= 0:
                    line.end("the host's certificate has expired")
                await asyncio.wait(ends, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if line.connection.closed.done():
                # What it has said before is heard, unless that takes longer than anybody should count as being here.
                await asyncio.wait(ends[:2], timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            line.is_open = False
            reading.cancel()
            writing.cancel()
            ended = await asyncio.gather(reading, writing, return_exceptions=True)
        if line.cut.done():
            raise Ended(line.cut.result())
        for error in ended:
            if isinstance(error, Exception):
                raise error
        await line.connection.drained()

    def _hear(self, line: Line, frame: bytes) -> Work | None:
        message = line.session.receive(frame)
        match message:
            case Answer(number):
                future = line.answers.get(number)
                if future and not future.done():
                    future.set_result(message)
            case Renew(request):
                return partial(self._renew, line, request)
            case _:
                return self._desk.hear(line.host, message)
        return None

    async def _renew(self, line: Line, request: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - line.renewed_at < RENEWAL_PAUSE:
            raise RemoteFault(f"a host renews its certificate once in {RENEWAL_PAUSE:g} s")
        line.renewed_at = now
        renewed, line.expires = await self._desk.renew(line.identity, request)
        line.outbox.say(renewed)
        self._wake(line)

    def _wake(self, line: Line) -> None:
        """There is something in its outbox."""
        if line.is_idle:
            line.is_idle = False
            self._due.append(line)
            self._write_soon()

    def _write_soon(self) -> None:
        if not self._is_writing:
            self._is_writing = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        """Write what all lines hold that are due; after some time, others have a turn first."""
        self._is_writing = False
        until = monotonic() + WRITING
        written: list[Line] = []
        while self._due and monotonic() < until:
            line = self._due.popleft()
            if line.is_open and self._say(line):
                written.append(line)
        if self._due:
            self._write_soon()
        if written:
            self._rest(written)

    def _say(self, line: Line) -> bool:
        """Write what a line holds; False if its own task has to go on with it, or there is no going on."""
        try:
            waiting = frames(line.session, line.outbox, partial(self._desk.slice, line.host))
            for frame in waiting:
                line.connection.write(frame)
                if not line.connection.is_writable:
                    line.rest.set_result(waiting)
                    return False
        except Exception as error:
            if not line.cut.done():
                line.cut.set_exception(error)
            return False
        return True

    async def _write_on(self, line: Line) -> None:
        """Write what the network does not take at once."""
        while True:
            waiting = await line.rest
            line.rest = asyncio.get_running_loop().create_future()
            await line.connection.drained()
            for frame in waiting:
                line.connection.write(frame)
                await line.connection.drained()
            self._rest([line])

    def _rest(self, lines: list[Line]) -> None:
        """Between two writes on a line. What is to be written meanwhile goes together."""
        self._resting += len(lines)
        asyncio.get_running_loop().call_later(pause(self._tick, self._resting), self._rested, lines)

    def _rested(self, lines: list[Line]) -> None:
        self._resting -= len(lines)
        for line in lines:
            line.is_idle = not line.outbox
            if line.outbox:
                self._due.append(line)
        if self._due:
            self._write_soon()


def pause(tick: float, resting: int) -> float:
    """Seconds between two writes on a line while so many lines have just written, itself among them."""
    return max(tick, SHARE * resting)


def _is_no_news(end: Exception) -> bool:
    """Whether a connection has just been closed, as by whoever looks whether somebody listens."""
    return isinstance(end, ConnectionResetError | BrokenPipeError) or str(end) == CLOSED
