"""The controller: what it knows, kept current from the store, and its conversation with hosts.

    store ── commit ──▶ follow ──▶ Picture ──▶ SouthboundServer ══ agents
      ▲                               ▲               │
      ├── bindings, hosts ────────────│─ admit, hear ◀┘
      └── reports ◀── report ◀────────┘

Everything here runs in one event loop; the store is called in threads. Between two awaits the picture does not move.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic, time_ns
from typing import TypeVar

from msgspec import Raw

from netplane.base.problem import Problem
from netplane.controller.admission import Admission
from netplane.controller.decisions import DecisionBook
from netplane.controller.heartbeats import report_heartbeats
from netplane.controller.moves import Move, Moves
from netplane.controller.picture import Picture
from netplane.controller.problems import Problems
from netplane.controller.watching.watchers import Watchers
from netplane.model import WORLD, Host, Port, Record, announcement_id
from netplane.model.network import DEFAULT_DOMAIN
from netplane.store import Entry, Store, StoreError, Transaction
from netplane.store.announcements import note_announcement
from netplane.store.bindings import claim_port, register_host, release_port
from netplane.store.enrolments import NotAdmitted, check_enrolled, extend
from netplane.store.reports import PORT_STATUS
from netplane.stream.faults import Refused, RemoteFault, StreamFault
from netplane.stream.messages import Ack, Announce, Claim, Decisions, Hello, Release, Renewed, Trouble, Up
from netplane.stream.outbox import Parcel
from netplane.stream.server import SouthboundServer
from netplane.trust.faults import Distrust
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate

LOGGER = logging.getLogger(__name__)

BATCH = 2_000
"""Changes that are taken in at a time."""
HEARTBEAT = 5.0
"""Seconds after which hosts that nothing concerned are told of the revision too, so that they can resume from it."""
REPORT_PAUSE = 0.01
"""Seconds that port states are collected for, so that they are written in batches."""
MOVES_PAUSE = 0.25
"""Seconds between looks at addresses that wait to be moved."""
CLAIMS = 65_536
"""Ports that a host may claim: as many as its port table holds."""

T = TypeVar("T")


class Controller:
    """One controller process's heart; `Desk` to the southbound server."""

    def __init__(self, store: Store, own: OwnCertificate, dns_domain: str = DEFAULT_DOMAIN) -> None:
        self.store = store
        self.dns_domain = dns_domain
        self.log = store.log
        self.picture = read_picture(store)
        self.watchers = Watchers(self.picture.revision)
        self.admission = Admission(store, own)
        self.problems = Problems()
        self.decisions = DecisionBook(time_ns() // 1_000)
        self.southbound = SouthboundServer(self, own)
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

    async def start(self, address: str) -> str:
        """Follow the store and listen for agents; answers the address that agents reach."""
        loop = asyncio.get_running_loop()

        def wake(_revision: int) -> None:
            loop.call_soon_threadsafe(self._committed.set)

        self._unsubscribe = self.store.subscribe(wake)
        self._committed.set()
        hearts = report_heartbeats(self.store, lambda: self.southbound.connected)
        for work in (self._follow(), self._report(), self._beat(), self._settle_moves(), hearts):
            self._spawn(work, is_vital=True)
        return await self.southbound.start(address)

    async def stop(self) -> None:
        """End all sessions and watches, and stop following."""
        self.watchers.close()
        self._unsubscribe()
        await self.southbound.stop(self.picture.revision)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, is_reached: Callable[[], bool], timeout: float) -> bool:
        """Wait until something is so, at most so many seconds; looks whenever the picture has moved."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not is_reached():
                    await asyncio.shield(self._moved)
        return is_reached()

    # What the southbound server asks.

    async def admit(self, hello: Hello, identity: HostIdentity) -> int:
        """Register the host that has come, and wait until its own record is in its slice."""

        def register(transaction: Transaction) -> Host:
            check_enrolled(transaction, *identity)
            return register_host(transaction, hello.host, hello.address)

        host, revision = await self._write(hello.host, register)
        self.picture.ports.open(hello.host)
        self.problems.open(hello.host)
        await self.until(lambda: self.picture.revision >= revision, HEARTBEAT)
        LOGGER.info("host %s is here, at %s", hello.host, hello.address)
        return host.number

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

    def slice(self, host: str) -> tuple[int, Sequence[Raw]]:
        """All that a host needs now."""
        return self.picture.slice(host)

    async def hear(self, host: str, message: Up) -> None:
        """An agent has said something."""
        match message:
            case Ack(revision):
                # A host that was told more by another controller is no further than this one knows.
                known = min(revision, self.picture.revision)
                self.picture.ports.acknowledge(host, known)
                self.picture.revisions.acknowledge(host, known, now())
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
                self.decisions.hear(host, decisions, lambda port: self.picture.carrier(port) == host)
                if lost:
                    LOGGER.warning("host %s has made %d decisions more than it could keep for us", host, lost)
        self._reportable.set()

    def left(self, host: str) -> None:
        """A host is away; what it carries goes on without us."""
        LOGGER.info("host %s is away", host)
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
        if wanted:
            problems, _ = await self._write(host, lambda t: [claim_port(t, port, host) for port in wanted])
            self._judge(host, wanted, problems)

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

        try:
            return await asyncio.to_thread(write)
        except NotAdmitted as refusal:
            raise Distrust(str(refusal)) from refusal
        except StoreError as error:
            raise Refused(f"host {host}: {error}") from error

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
            while entries := await asyncio.to_thread(self.store.journal, self.picture.revision, BATCH):
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

    async def _report(self) -> None:
        """Write port states to the store, in batches."""
        while True:
            await self._reportable.wait()
            await asyncio.sleep(REPORT_PAUSE)
            self._reportable.clear()
            if news := self.picture.ports.news():
                await asyncio.to_thread(self.store.report, PORT_STATUS, news)

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
            await asyncio.sleep(HEARTBEAT)
            self.southbound.advance(self.picture.revision)

    def _tell(self) -> None:
        """Wake whoever waits for the picture to move."""
        self._moved.set_result(None)
        self._moved = asyncio.get_running_loop().create_future()


def read_picture(store: Store) -> Picture:
    """The picture of the store as it is now."""
    with store.read() as reader:
        records: list[Record] = [record for kind in WORLD for record in reader.list(kind)]
        said = {port: str(report.body) for port, report in reader.reports(PORT_STATUS).items()}
        return Picture(records, reader.revision, said)


def now() -> str:
    """The time, UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def hosts_of(store: Store) -> list[Host]:
    """All hosts by name."""
    with store.read() as reader:
        return reader.list(Host)
