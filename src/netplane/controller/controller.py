"""The controller: what it knows, kept current from the store, and its conversation with hosts.

    store ── commit ──▶ follow ──▶ Picture ──▶ SouthboundServer ══ agents
      ▲                               ▲               │
      ├── bindings, hosts ────────────│─ admit, hear ◀┘
      ├── reports, sessions ◀─ report ┘
      └── letters ◀──▶ Correspondence ◀──▶ other controllers

Everything here runs in one event loop; the store is called in threads. Between two awaits the picture does not move.
While the database cannot serve, the picture stays, and hosts keep their sessions; what is to be written waits.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from sys import intern
from time import time_ns
from uuid import uuid4

from netplane.controller.admission import Admission
from netplane.controller.announced import Announced
from netplane.controller.arrivals import Arrivals
from netplane.controller.claims import Claims
from netplane.controller.connected import Connected
from netplane.controller.correspondence import Correspondence
from netplane.controller.decisions import DecisionBook
from netplane.controller.heartbeats import report_heartbeats
from netplane.controller.moves import Move
from netplane.controller.picture import BATCH, Picture
from netplane.controller.problems import Problems
from netplane.controller.watching.watchers import Watchers
from netplane.controller.writing import RETRY, write_as
from netplane.interest import NAMED, NAMING, SLICED
from netplane.model import Host
from netplane.model.network import DEFAULT_DOMAIN
from netplane.store import Entry, Store, Unavailable
from netplane.store.enrolments import extend
from netplane.store.past import as_it_was
from netplane.store.reports import PORT_STATUS
from netplane.stream.connection import Work
from netplane.stream.delivery import Slice
from netplane.stream.faults import StreamFault
from netplane.stream.messages import Ack, Announce, Claim, Decisions, Hello, Release, Renewed, Trouble, Up
from netplane.stream.outbox import Parcel
from netplane.stream.server import SouthboundServer
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate

LOGGER = logging.getLogger(__name__)

SOON = 0.002
"""Seconds that what a writer here is about to read is waited for, before it is read a second time."""
HEARTBEAT = 5.0
"""Seconds after which hosts that nothing concerned are told of the revision too, so that they can resume from it, and
all of controllers that have come or gone."""
BEATS = 50
"""Steps in which they are told of the revision, so that not all of them answer at once."""
REPORT_PAUSE = 0.01
"""Seconds that port states are collected for, so that they are written in batches."""
REPORT_SHARE = 0.001
"""Seconds more for each that was just written: where many come at once, a batch of ten times as many costs each of
them half, since they lie all over the database."""
REPORT_LATEST = 1.0
"""Seconds that a port state waits, at most."""
AUDIT = 10.0
"""Seconds between two looks whether hosts have gone to other controllers without a word."""


class Controller:
    """One controller process's heart; `Desk` to the southbound server."""

    def __init__(self, store: Store, own: OwnCertificate, dns_domain: str = DEFAULT_DOMAIN, url: str = "") -> None:
        """`url` is where clients find it, for others to show."""
        self.store = store
        self.dns_domain = dns_domain
        self.log = store.log
        self.picture = read_picture(store)
        self.watchers = Watchers(self.picture.revision)
        self.admission = Admission(store, own)
        self.problems = Problems()
        self.decisions = DecisionBook(time_ns() // 1_000)
        self.southbound = SouthboundServer(self, own)
        self.here = Connected(self.southbound, self.picture, self.problems, self.decisions, self.until)
        self.correspondence = Correspondence(str(uuid4()), url, store.peers, self.here.answer)
        self._arrivals = Arrivals(store, self.picture, self.admission, self.until)
        self._claims = Claims(store, self.picture, self.problems, self.until)
        self._announced = Announced(store, self.picture)
        self._opened: set[str] = set()
        self._closed: set[str] = set()
        self._committed = asyncio.Event()
        self._moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_telling = False
        self._reportable = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Carries the error if something that must never end has ended."""
        self._listeners: list[Callable[[Sequence[Entry]], None]] = []
        self._unsubscribe: Callable[[], None] = lambda: None

    def watch(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """Call `listener` with all changes, whichever controller made them, in the event loop."""
        self._listeners.append(listener)

    async def start(self, address: str, told: Callable[[str], Sequence[str]] = lambda reached: (reached,)) -> str:
        """Follow the store and listen for agents; answers the address that agents reach.

        `told` says, by this address, where hosts are told to find controllers.
        """
        loop = asyncio.get_running_loop()

        def wake(_revision: int) -> None:
            if not self._committed.is_set():
                loop.call_soon_threadsafe(self._committed.set)

        self._unsubscribe = self.store.subscribe(wake)
        self._committed.set()
        for work in (
            self._follow(),
            self._report(),
            self._beat(),
            self._audit(),
            self._announced.settle(),
            report_heartbeats(self.store, lambda: self.southbound.connected),
        ):
            self._spawn(work, is_vital=True)
        reached = await self.southbound.start(address)
        self.correspondence.southbound = told(reached)
        self._spawn(self.correspondence.run(), is_vital=True)
        self.southbound.introduce(self.correspondence.places)
        return reached

    async def stop(self) -> None:
        """End all sessions and watches, and stop following."""
        self.watchers.close()
        self._unsubscribe()
        await self.southbound.stop(self.picture.revision)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.correspondence.leave()

    async def until(self, is_reached: Callable[[], bool], timeout: float) -> bool:
        """Wait until something is so, at most so many seconds; looks whenever the picture has moved."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not is_reached():
                    await asyncio.shield(self._moved)
        return is_reached()

    # What the southbound server asks.

    async def admit(self, hello: Hello, identity: HostIdentity) -> int:
        """Take the host in that has come."""
        host = await self._arrivals.admit(hello, identity)
        await self._arrivals.recall(hello.host)
        # Not before: what the former session still says would be taken for the new one's, in which nothing is claimed.
        self.picture.ports.open(hello.host)
        self.problems.open(hello.host)
        self._opened.add(hello.host)
        self._closed.discard(hello.host)
        self._reportable.set()
        LOGGER.info("host %s is here, at %s", hello.host, hello.address)
        return host.number

    def trusts(self, identity: HostIdentity) -> bool:
        """Whether a host's certificates are valid, as far as is known here."""
        return self.admission.trusts(identity)

    async def renew(self, identity: HostIdentity, request: str) -> tuple[Renewed, datetime]:
        """Another certificate for a host that is in, and when it expires."""
        certificate, expires = self.admission.certify(identity, request)
        await write_as(self.store, identity.host, lambda transaction: extend(transaction, *identity, expires))
        LOGGER.info("host %s has renewed its certificate, until %s", identity.host, expires.date())
        return Renewed(certificate, self.admission.authority.pem.decode()), expires

    def resume(self, host: str, revision: int) -> Parcel | None:
        """What a host has missed since a revision, if that is still known."""
        return self.picture.history.since(host, revision)

    def slice(self, host: str) -> Slice:
        """All that a host needs now."""
        return self.picture.slice(host)

    def hear(self, host: str, message: Up) -> Work | None:
        """An agent has said something; what of it takes longer than this moment."""
        match message:
            case Ack(revision):
                self._acknowledge(host, revision)
                return None
            case Claim(ports):
                self._reportable.set()
                return self._claims.claim(host, ports)
        return partial(self._hear, host, message)

    def _acknowledge(self, host: str, revision: int) -> None:
        # A host that was told more by another controller is no further than this one knows.
        known = min(revision, self.picture.revision)
        self.picture.ports.acknowledge(host, known)
        self.picture.revisions.acknowledge(host, known, self.store.clock())
        self._tell_soon()
        self._reportable.set()

    async def _claim(self, host: str, ports: Sequence[str]) -> None:
        if work := self._claims.claim(host, ports):
            await work()

    async def _hear(self, host: str, message: Up) -> None:
        match message:
            case Release(ports):
                await self._claims.release(host, ports)
            case Announce(port, address, mac):
                await self._announced.hear(Move(host, port, address, mac))
            case Trouble(problems):
                self.problems.say(host, problems)
            case Decisions(decisions, lost):
                self.decisions.hear(host, decisions, partial(self.picture.carried, host))
                if lost:
                    LOGGER.warning("host %s has made %d decisions more than it could keep for us", host, lost)
        self._reportable.set()

    def left(self, host: str) -> None:
        """A host is away; what it carries goes on without us."""
        LOGGER.info("host %s is away", host)
        self.picture.ports.close(host)
        self._opened.discard(host)
        self._closed.add(host)
        self._reportable.set()
        self._tell()

    # What runs as long as the controller does.

    def _spawn(self, work: Coroutine[None, None, None], *, is_vital: bool) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended_vital if is_vital else self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOGGER.error("%s", error, exc_info=None if isinstance(error, StreamFault) else error)

    def _ended_vital(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self.broken.done():
            self.broken.set_exception(error)

    async def _follow(self) -> None:
        """Take in what is committed, at once, and tell the hosts that need it."""
        while True:
            await self._committed.wait()
            self._committed.clear()
            while entries := await self._read_on():
                self.southbound.publish(self.picture.take(entries).items())
                self.watchers.publish(self.picture.revision, entries)
                for host in self.admission.take(entries):
                    self.southbound.review(host)
                for listener in self._listeners:
                    listener(entries)
                self._tell()
                self._reportable.set()
                for host, ports in self.picture.unbound(entries).items():
                    self._spawn(self._claim(host, ports), is_vital=False)
                await asyncio.sleep(0)

    async def _read_on(self) -> list[Entry]:
        """What follows in the change log; nothing, for now, while the database cannot serve.

        Only what others have written has to be read.
        """
        known = self.picture.revision
        if self.store.heard <= known:
            return []
        if fresh := self.store.fresh(known, BATCH):
            return fresh
        if self.store.is_fresh_coming:
            await asyncio.sleep(SOON)
            if fresh := self.store.fresh(known, BATCH):
                return fresh
        try:
            return await asyncio.to_thread(self.store.journal, known, BATCH)
        except Unavailable as outage:
            LOGGER.warning("nothing is heard of changes: %s", outage)
            await asyncio.sleep(RETRY)
            self._committed.set()
            return []

    async def _report(self) -> None:
        """Write port states and sessions to the store, in batches."""
        written = 0
        while True:
            await self._reportable.wait()
            await asyncio.sleep(min(REPORT_PAUSE + REPORT_SHARE * written, REPORT_LATEST))
            self._reportable.clear()
            opened, self._opened = self._opened, set()
            closed, self._closed = self._closed, set()
            news, rank = self.picture.ports.news(), 2 * self.picture.revision
            written = len(news)
            try:
                await self._write_reports(news, rank)
                if self.store.peers.is_shared and (opened or closed):
                    await asyncio.to_thread(self.store.peers.hold, self.correspondence.id, opened, closed)
            except Unavailable as outage:
                LOGGER.warning("port states must wait: %s", outage)
                self.picture.ports.unsay(news)
                connected = self.southbound.connected
                self._opened |= opened & connected
                self._closed |= closed - connected
                await asyncio.sleep(RETRY)
                self._reportable.set()

    async def _write_reports(self, news: Mapping[str, str], rank: int) -> None:
        """Whoever has heard it from the host itself outranks others who only know where its ports are bound."""
        judged = {port: status for port, status in news.items() if self.picture.ports.is_judged(port)}
        others = {port: status for port, status in news.items() if port not in judged}
        for states, more in ((others, 0), (judged, 1)):
            if states:
                await asyncio.to_thread(self.store.report, PORT_STATUS, states, rank + more)

    async def _audit(self) -> None:
        """End sessions of hosts that have gone to others, and say again which are here if that was lost."""
        before: set[str] = set()
        while self.store.peers.is_shared:
            await asyncio.sleep(AUDIT)
            lasting, before = before & self.southbound.connected, self.southbound.connected
            try:
                holders = await asyncio.to_thread(self.store.peers.sessions, lasting)
            except Unavailable:
                continue
            for host in lasting & self.southbound.connected:
                holder = holders.get(host)
                if holder in self.correspondence.others:
                    self.southbound.end(host, "the host has a session with another controller")
                elif holder != self.correspondence.id:
                    self._opened.add(host)
                    self._reportable.set()

    async def _beat(self) -> None:
        while True:
            hosts = sorted(self.southbound.connected)
            for step in range(BEATS):
                await asyncio.sleep(HEARTBEAT / BEATS)
                self.southbound.advance(self.picture.revision, hosts[step::BEATS])
            self.southbound.introduce(self.correspondence.places)

    def _tell_soon(self) -> None:
        """The same, once for all that comes in before the event loop turns to others."""
        if not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        """Wake whoever waits for the picture to move."""
        self._is_telling = False
        self._moved.set_result(None)
        self._moved = asyncio.get_running_loop().create_future()


def read_picture(store: Store) -> Picture:
    """The picture of the store as it is now."""
    with store.read() as reader:
        records = chain.from_iterable(reader.walk(kinds) for kinds in (NAMED, NAMING))
        past = reader.past(SLICED)
        picture = Picture(as_it_was(records, past), past.revision, {})
        picture.catch_up(past.since)
        said, ports = reader.said(PORT_STATUS), picture.ports_known()
        picture.ports.recall({port: intern(str(said[port])) for port in ports if port in said}, picture.ports_known())
        return picture


def hosts_of(store: Store) -> list[Host]:
    """All hosts by name."""
    with store.read() as reader:
        return reader.list(Host)
