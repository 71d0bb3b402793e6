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
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice
from sys import intern
from time import monotonic, time_ns
from typing import TypeVar
from uuid import uuid4

from netplane.base.problem import Problem
from netplane.controller.admission import Admission
from netplane.controller.connected import Connected
from netplane.controller.correspondence import Correspondence
from netplane.controller.decisions import DecisionBook
from netplane.controller.heartbeats import report_heartbeats
from netplane.controller.moves import Move, Moves
from netplane.controller.picture import Picture
from netplane.controller.problems import Problems
from netplane.controller.watching.watchers import Watchers
from netplane.model import WORLD, Binding, Host, Port, announcement_id
from netplane.model.network import DEFAULT_DOMAIN
from netplane.store import Entry, Store, StoreError, Transaction, Unavailable
from netplane.store.announcements import note_announcement
from netplane.store.bindings import claim_port, no_port, register_host, release_port
from netplane.store.clock import fine_stamp
from netplane.store.enrolments import NotAdmitted, check_enrolled, extend, find_enrolled
from netplane.store.reports import PORT_STATUS
from netplane.stream.delivery import Slice
from netplane.stream.faults import Refused, RemoteFault, StreamFault
from netplane.stream.messages import Ack, Announce, Claim, Decisions, Hello, Release, Renewed, Trouble, Up
from netplane.stream.outbox import Parcel
from netplane.stream.server import SouthboundServer
from netplane.trust.faults import Distrust
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate

LOGGER = logging.getLogger(__name__)

BATCH = 100
"""Changes that are taken in at a time: each may concern many hosts, and nobody is answered meanwhile."""
HEARTBEAT = 5.0
"""Seconds after which hosts that nothing concerned are told of the revision too, so that they can resume from it, and
all of controllers that have come or gone."""
BEATS = 50
"""Steps in which they are told of the revision, so that not all of them answer at once."""
REPORT_PAUSE = 0.01
"""Seconds that port states are collected for, so that they are written in batches."""
MOVES_PAUSE = 0.25
"""Seconds between looks at addresses that wait to be moved."""
RETRY = 0.5
"""Seconds before a database that could not serve is tried again."""
AUDIT = 10.0
"""Seconds between two looks whether hosts have gone to other controllers without a word."""
CLAIMS = 65_536
"""Ports that a host may claim: as many as its port table holds."""

SAID = 500
"""Ports whose states are read at a time."""

T = TypeVar("T")


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
        self._opened: set[str] = set()
        self._closed: set[str] = set()
        self._committed = asyncio.Event()
        self._moves = Moves()
        self._moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
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
            self._settle_moves(),
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
        """Register the host that has come, and wait until its own record, and all it knows, is in the picture.

        One that is known needs no write, so that all may come at once, and while the database is away.
        """
        known = await self._known(hello, identity)
        if known is not None:
            host = known
        else:

            def register(transaction: Transaction) -> Host:
                check_enrolled(transaction, *identity)
                return register_host(transaction, hello.host, hello.address)

            host, revision = await self._write(hello.host, register)
            await self.until(lambda: self.picture.revision >= revision, HEARTBEAT)
        if hello.log == self.log:
            await self._catch_up(hello)
        self.picture.ports.open(hello.host)
        self.problems.open(hello.host)
        await self._recall(hello.host)
        self._opened.add(hello.host)
        self._closed.discard(hello.host)
        self._reportable.set()
        LOGGER.info("host %s is here, at %s", hello.host, hello.address)
        return host.number

    async def _known(self, hello: Hello, identity: HostIdentity) -> Host | None:
        """The record of a host that is in and has not changed; by what was known last while the database is away."""
        known = self.picture.interest.get(("host", hello.host))
        if not isinstance(known, Host) or known.address != hello.address:
            return None
        try:
            is_in = await asyncio.to_thread(_is_enrolled, self.store, identity)
            if is_in:
                await self.until(lambda: self.admission.trusts(identity), HEARTBEAT)
        except Unavailable:
            is_in = self.admission.trusts(identity)
        return known if is_in else None

    async def _catch_up(self, hello: Hello) -> None:
        """Another controller may have told a host more than we know yet: it must not be led back."""
        if await self.until(lambda: self.picture.revision >= hello.revision, HEARTBEAT):
            return
        try:
            latest = await asyncio.to_thread(lambda: self.store.revision)
        except Unavailable as outage:
            raise Refused(f"host {hello.host} knows more than we do, and {outage}") from outage
        if latest >= hello.revision:
            raise Refused(f"host {hello.host} is at revision {hello.revision}, and we are behind it")
        LOGGER.error("the database has lost what host %s knows: revisions up to %d", hello.host, hello.revision)

    async def _recall(self, host: str) -> None:
        """Learn what other controllers have said of a host's ports."""
        if self.store.peers.is_shared:
            ports = self.picture.ports.bound(host)
            with suppress(Unavailable):
                said = await asyncio.to_thread(_read_said, self.store, ports)
                self.picture.ports.recall(said, ports)

    def trusts(self, identity: HostIdentity) -> bool:
        """Whether a host's certificates are valid, as far as is known here."""
        return self.admission.trusts(identity)

    async def renew(self, identity: HostIdentity, request: str) -> tuple[Renewed, datetime]:
        """Another certificate for a host that is in, and when it expires."""
        certificate, expires = self.admission.certify(identity, request)
        await self._write(identity.host, lambda transaction: extend(transaction, *identity, expires))
        LOGGER.info("host %s has renewed its certificate, until %s", identity.host, expires.date())
        return Renewed(certificate, self.admission.authority.pem.decode()), expires

    def resume(self, host: str, revision: int) -> Parcel | None:
        """What a host has missed since a revision, if that is still known."""
        return self.picture.history.since(host, revision)

    def slice(self, host: str) -> Slice:
        """All that a host needs now."""
        return self.picture.slice(host)

    async def hear(self, host: str, message: Up) -> None:
        """An agent has said something."""
        match message:
            case Ack(revision):
                # A host that was told more by another controller is no further than this one knows.
                known = min(revision, self.picture.revision)
                self.picture.ports.acknowledge(host, known)
                self.picture.revisions.acknowledge(host, known, fine_stamp(self.store.clock()))
                self._tell()
            case Claim(ports):
                await self._claim(host, ports)
            case Release(ports):
                await self._release(host, ports)
            case Announce(port, address, mac):
                await self._announced(Move(host, port, address, mac))
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

    async def _announced(self, move: Move) -> None:
        port = self.picture.interest.get(("port", move.port))
        if not isinstance(port, Port) or self.picture.carrier(port.id) != move.host:
            return
        try:
            place = announcement_id(port.network_id, move.address)
        except ValueError:
            return
        if self._moves.hear(place, move, monotonic()):
            await self._move(move)

    async def _move(self, move: Move) -> None:
        host, port, address, mac = move
        await self._write(host, lambda t: note_announcement(t, host, port, address, mac))

    async def _claim(self, host: str, ports: Iterable[str]) -> None:
        self.picture.ports.claim(host, ports)
        if self.picture.ports.claimed(host) > CLAIMS:
            raise RemoteFault(f"more than {CLAIMS} ports claimed")
        wanted = [port for port in ports if self.picture.carrier(port) != host]
        unknown = await self._unknown(wanted) if wanted else []
        self._judge(host, unknown, [no_port(port, host) for port in unknown])
        wanted = [port for port in wanted if self.picture.has_port(port)] if unknown else wanted
        if wanted:
            problems, _ = await self._write(host, lambda t: [claim_port(t, port, host) for port in wanted])
            self._judge(host, wanted, problems)

    async def _unknown(self, ports: Sequence[str]) -> Sequence[str]:
        """Those that are no ports. A host may name as many as it likes, so the database is not asked about each."""
        if any(not self.picture.has_port(port) for port in ports):
            with suppress(Unavailable):
                reached = await asyncio.to_thread(lambda: self.store.revision)
                await self.until(lambda: self.picture.revision >= reached, HEARTBEAT)
        return [port for port in ports if not self.picture.has_port(port)]

    async def _release(self, host: str, ports: Iterable[str]) -> None:
        self.picture.ports.release(host, ports)
        self._judge(host, list(ports), ())
        bound = [port for port in ports if self.picture.carrier(port) == host]
        if bound:

            def release(transaction: Transaction) -> None:
                for port in bound:
                    release_port(transaction, port, host)

            await self._write(host, release)

    def _judge(self, host: str, ports: Sequence[str], problems: Iterable[Problem | None]) -> None:
        self.problems.judge(host, ports, {problem.id: problem for problem in problems if problem})

    async def _write(self, host: str, work: Callable[[Transaction], T]) -> tuple[T, int]:
        """What `work` gives in a transaction in the name of a host, and the revision after it."""

        def write() -> tuple[T, int]:
            with self.store.write(f"host:{host}") as transaction:
                result = work(transaction)
            return result, transaction.revision

        while True:
            try:
                return await asyncio.to_thread(write)
            except NotAdmitted as refusal:
                raise Distrust(str(refusal)) from refusal
            except StoreError as error:
                raise Refused(f"host {host}: {error}") from error
            except Unavailable as outage:
                # What hosts say changes nothing the second time.
                LOGGER.warning("what host %s says must wait: %s", host, outage)
                await asyncio.sleep(RETRY)

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
        try:
            return await asyncio.to_thread(self.store.journal, known, BATCH)
        except Unavailable as outage:
            LOGGER.warning("nothing is heard of changes: %s", outage)
            await asyncio.sleep(RETRY)
            self._committed.set()
            return []

    async def _report(self) -> None:
        """Write port states and sessions to the store, in batches."""
        while True:
            await self._reportable.wait()
            await asyncio.sleep(REPORT_PAUSE)
            self._reportable.clear()
            opened, self._opened = self._opened, set()
            closed, self._closed = self._closed, set()
            news, rank = self.picture.ports.news(), 2 * self.picture.revision
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

    async def _settle_moves(self) -> None:
        """Do what has been said of addresses that had just moved."""
        while True:
            await asyncio.sleep(MOVES_PAUSE)
            for move in self._moves.due(monotonic()):
                try:
                    await self._move(move)
                except Refused as error:
                    LOGGER.warning("%s", error)

    async def _beat(self) -> None:
        while True:
            hosts = sorted(self.southbound.connected)
            for step in range(BEATS):
                await asyncio.sleep(HEARTBEAT / BEATS)
                self.southbound.advance(self.picture.revision, hosts[step::BEATS])
            self.southbound.introduce(self.correspondence.places)

    def _tell(self) -> None:
        """Wake whoever waits for the picture to move."""
        self._moved.set_result(None)
        self._moved = asyncio.get_running_loop().create_future()


def read_picture(store: Store) -> Picture:
    """The picture of the store as it is now."""
    with store.read() as reader:
        # What ports name comes before them, so that they need not keep these names themselves.
        walks = (reader.walk(kinds) for kinds in (set(WORLD) - {Port, Binding}, (Port, Binding)))
        picture = Picture(chain.from_iterable(walks), reader.revision, {})
        known = picture.ports_known()
        while ports := list(islice(known, SAID)):
            reports = reader.reports(PORT_STATUS, ports)
            picture.ports.recall({port: intern(str(reports[port].body)) for port in ports if port in reports}, ports)
        return picture


def _is_enrolled(store: Store, identity: HostIdentity) -> bool:
    with store.read() as reader:
        return find_enrolled(reader, *identity) is not None


def _read_said(store: Store, ports: Sequence[str]) -> dict[str, str]:
    return {port: str(report.body) for port, report in store.reports(PORT_STATUS, ports).items()}


def hosts_of(store: Store) -> list[Host]:
    """All hosts by name."""
    with store.read() as reader:
        return reader.list(Host)
