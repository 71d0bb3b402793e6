"""The agent's end of the southbound session: one object that stays connected to some controller.

    async with Uplink("host1", "192.0.2.1", ["unix:///run/netplane/southbound"], papers) as uplink:
        async for event in uplink:
            match event:
                case Connected(): ...                   # a controller has taken us
                case Welcome(number, log): ...          # say all Claims (and Trouble) again, here
                case Snapshot(revision, first, last, records): ...
                case Delta(revision, upserts, deletes): ...
                case Ask(number, topic, body): uplink.send(Answer(number, {...}))
                case Renewed(certificate, authority): ...   # the answer to `Renew`
                case Controllers(addresses): ...            # where they are now; `prefer` them if you like
                case Disconnected(): ...                # nothing to do: it comes back by itself

Events are read from the network only as fast as they are taken, by whoever takes them: what a controller says wakes
nobody in between. What an agent says while no session is open is
dropped (`send` returns False): it says everything that still holds after the next `Welcome`.

    attempts: dial, Hello, first word ──▶ queue: Disconnected, Connected, Welcome, Talk ──▶ events
           ▲                                                                                  ▲
           ╰────────────── how it ended ◀── Talk: each frame, when the next event is taken ───╯
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain, count
from types import TracebackType
from typing import Self

from msgspec import Struct

from netplane.stream.backoff import Backoff
from netplane.stream.connection import Connection, explain
from netplane.stream.faults import Gone, RemoteFault, StreamFault
from netplane.stream.messages import (
    Ack,
    Announce,
    Answer,
    Ask,
    Claim,
    Controllers,
    Decisions,
    Delta,
    Farewell,
    Hello,
    Release,
    Renew,
    Renewed,
    Snapshot,
    Trouble,
    Welcome,
)
from netplane.stream.preference import preferred, remembered
from netplane.stream.session import AgentSession
from netplane.stream.transport import agent_context, dial
from netplane.trust.faults import Distrust
from netplane.trust.papers import Papers


class Connected(Struct, frozen=True):
    """A session is open; `Welcome` follows."""

    controller: str


class Disconnected(Struct, frozen=True):
    """The session is over, or an attempt failed; the next attempt follows after a pause."""

    controller: str
    reason: str


class Position(Struct, frozen=True):
    """How far a slice is complete: a revision in a change log. The empty one asks for a snapshot."""

    log: str = ""
    revision: int = 0


NOWHERE = Position()

Told = Welcome | Snapshot | Delta | Ask | Renewed | Controllers
Event = Connected | Disconnected | Told
Saying = Ack | Claim | Release | Announce | Trouble | Decisions | Renew | Answer

ATTEMPTS = 8
"""Events of attempts that wait to be taken before there is another one."""
LARGEST_DOWN = 256 * 1024 * 1024
"""Bytes of a frame from a controller; a delta of `outbox.LIMIT` large records stays below."""
UNHEARD = 16 * 1024 * 1024
"""Bytes that wait to be sent before the session is given up: the controller does not listen."""

WELCOME = 30.0
"""Seconds that a controller has for its first word; it may have to wait for its database."""
LASTING = 5.0
"""Seconds after which a session has been one: the next attempt after it comes soon."""


class Talk:
    """What follows a controller's first word, until either end has enough."""

    def __init__(self, connection: Connection, session: AgentSession) -> None:
        self._connection = connection
        self._session = session
        self.over: asyncio.Future[str | StreamFault] = asyncio.get_running_loop().create_future()
        """Why it ended."""

    async def hear(self) -> tuple[Told, bytes] | None:
        """What the controller says next, and its frame; None when that is nothing more."""
        try:
            frame = await self._connection.read()
            message = self._session.receive(frame)
        except (Gone, RemoteFault) as end:
            self._end(end)
            return None
        if isinstance(message, Farewell):
            self._end(message.reason)
            return None
        return message, frame

    def _end(self, reason: str | StreamFault) -> None:
        if not self.over.done():
            self.over.set_result(reason)


class Uplink:
    """The session with the first controller that answers, renewed for ever. Iterate it; `send` at any time."""

    def __init__(
        self,
        host: str,
        address: str,
        controllers: Sequence[str],
        papers: Callable[[], Papers],
        *,
        position: Position = NOWHERE,
    ) -> None:
        """`papers` are read whenever somebody is there, so that those of a renewal, or of a new joining, serve next."""
        self._host = host
        self._address = address
        self._controllers = controllers
        self._present: Sequence[str] = ()
        self._met: Sequence[str] = ()
        self._papers = papers
        self._position = position
        self.frame = b""
        """The frame that the event taken last came in; empty for what no controller has said."""
        self._events: asyncio.Queue[tuple[Event | Talk | Exception, bytes]] = asyncio.Queue(ATTEMPTS)
        self._talk: Talk | None = None
        self._session = AgentSession()
        self._connection: Connection | None = None
        self._context: ssl.SSLContext | None = None
        self._shown: object = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"uplink of {self._host}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session and stop trying."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; raises what nobody has foreseen, after which nothing would ever come."""
        while True:
            if self._talk is not None:
                if (heard := await self._talk.hear()) is not None:
                    event, self.frame = heard
                    return event
                self._talk = None
            following, self.frame = await self._events.get()
            match following:
                case Talk():
                    self._talk = following
                case Exception():
                    raise following
                case _:
                    return following

    def send(self, message: Saying) -> bool:
        """Say something to the controller; False if no session is open, and it was dropped."""
        connection = self._connection
        if connection is None or not self._session.is_open:
            return False
        if not connection.is_writable and connection.waiting > UNHEARD:
            connection.abort("the controller takes nothing of what it is told")
            return False
        connection.write(self._session.send(message))
        return True

    def prefer(self, controllers: Sequence[str]) -> None:
        """Try these before all others from the next round on: they are known to be there."""
        self._present, self._met = controllers, remembered(controllers, self._met)

    def round(self) -> list[str]:
        """All controllers that are known, in the order in which they are tried."""
        known = dict.fromkeys((*self._controllers, *self._met))
        others = [controller for controller in known if controller not in self._present]
        return [*preferred(self._host, self._present), *preferred(self._host, others)]

    async def _run(self) -> None:
        try:
            await self._keep_trying()
        except Exception as fault:  # whoever listens must not do so for ever
            await self._events.put((fault, b""))

    async def _keep_trying(self) -> None:
        backoff = Backoff(random.random)
        clock = asyncio.get_running_loop().time
        with suppress(Distrust):  # whoever is there will be told
            self._tls()
        for controller in chain.from_iterable(self.round() for _ in count()):
            began = clock()
            reason = await self._attempt(controller)
            self._session = AgentSession()
            # A session that did not last is a failure too: two agents of one name would chase each other.
            if clock() - began > LASTING:
                backoff.reset()
            await self._events.put((Disconnected(controller, reason), b""))
            await asyncio.sleep(backoff.pause())

    async def _attempt(self, controller: str) -> str:
        """One session, from connecting to its end; answers why it ended."""
        connection = Connection(LARGEST_DOWN)
        try:
            await dial(controller, connection, self._tls)
            return await self._converse(connection, controller)
        except Distrust as problem:
            return f"this host has no certificate to show: {problem}"
        except RemoteFault as fault:
            return f"the controller broke the rules: {fault}"
        except Gone as problem:
            return f"{problem}{'' if self._session.is_open else ', before the first word of a controller'}"
        except (OSError, ValueError) as problem:
            return explain(problem)
        finally:
            self._connection = None
            connection.abort("this end is done")

    def _tls(self) -> ssl.SSLContext:
        """What the papers show; made anew only for others, since that takes longer than a handshake. Or Distrust."""
        try:
            papers = self._papers()
            shown = papers.certificate, papers.authority
            if self._context is None or self._shown != shown:
                self._context, self._shown = agent_context(papers), shown
        except OSError as problem:
            raise Distrust(str(problem)) from problem
        return self._context

    async def _converse(self, connection: Connection, controller: str) -> str:
        """From the hello to the end: what is said after the first word is heard by whoever takes events."""
        session = self._session = AgentSession()
        self._connection = connection
        hello = Hello(self._host, self._address, self._position.log, self._position.revision)
        connection.write(session.send(hello))
        try:
            async with asyncio.timeout(WELCOME):
                frame = await connection.read()
        except TimeoutError:
            raise Gone(f"no welcome within {WELCOME:g} s") from None
        message = session.receive(frame)
        if isinstance(message, Farewell):
            return message.reason
        talk = Talk(connection, session)
        for event, octets in ((Connected(controller), b""), (message, frame), (talk, b"")):
            await self._events.put((event, octets))
        end = await talk.over
        self._position = Position(session.log, session.revision)
        if isinstance(end, StreamFault):
            raise end
        return end
