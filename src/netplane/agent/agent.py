"""The agent of one host: wiring only.

    Uplink ── messages ──▶ Journal, Slice ── changes ──╮            ╭───────── worker thread ─────────╮
    LinkWatch ── links ──▶ plugged ── Device records ──┴──▶ Work ──▶│ Compiler ▶ Reconcile ▶ Datapath │
    Uplink ◀── Ack Claim Release Trouble ── Said ◀─────────── Done ◀╰─────────────────────────────────╯
    sockets ◀─▶ Services(Slice): names and metadata
    PuntDevice ── Punted ──▶ Serving: dhcp.answer(Slice) ──▶ PuntDevice
                   Serving: Advertising(Slice, clock) ──▶ PuntDevice
                   Serving: Listening(Slice, clock) ──▶ PuntDevice, Work
    DecisionWatch ── Kept ──▶ Decisions ──▶ Uplink
    Uplink ── Ask ──▶ questions.answer(Slice, Worker) ── Answer ──▶ Uplink

Everything but the worker's thread happens in one event loop. Work that comes up while the worker is busy waits and is
taken as one batch. A refused patch is tried again after a pause that doubles; news cut the pause short.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from netplane.agent.answers.punt import Place
from netplane.agent.answers.serving import Serving
from netplane.agent.contact import Contact
from netplane.agent.decisions.watch import DecisionWatch
from netplane.agent.devices.links import LinkWatch
from netplane.agent.devices.plugged import by_port, plugged, rivals, trunked
from netplane.agent.devices.silence import silence_ipv6
from netplane.agent.devices.tunnel import Tunnel, TunnelRefused, ensure_tunnel
from netplane.agent.introductions import note_introduced
from netplane.agent.journal import Journal
from netplane.agent.reconcile import Reconcile
from netplane.agent.renewal import Renewal
from netplane.agent.saying import Said
from netplane.agent.service.hosting import Hosting, Services
from netplane.agent.slice import Slice, Told
from netplane.agent.tracing import questions
from netplane.agent.worker import Done, Work, Worker, is_in
from netplane.base.problem import Problem
from netplane.compiler import Compiler
from netplane.datapath import Datapath, DatapathError
from netplane.model import Change, Device, Filled, Network, News, Operation, Port, kind_of
from netplane.stream.client import Connected, Disconnected, Position, Uplink
from netplane.stream.messages import Announce, Ask, Controllers, Delta, Renewed, Snapshot, Welcome
from netplane.tables.outcome import Program
from netplane.tables.peers import slot_of
from netplane.tables.pipeline import ENDPOINT
from netplane.trust.faults import Distrust
from netplane.trust.papers import read_papers

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds between attempts at what was refused."""

SWEEP_EVERY, SWEEP_SOON = 30.0, 1.0
"""Seconds between sweeps; and after something has gone."""

SWEEP_SHARE = 20
"""A sweep that took long is followed by a rest of at least so many times as long."""

CHANGES_AT_ONCE = 1_000
"""Changes taken from one message before machines are answered in between."""

TOLD_PROBLEMS = 200
"""Problems told to the controller; more would only repeat them."""

LOGGED_PROBLEMS = 20
"""New problems logged at once."""

log = logging.getLogger("netplane.agent")


class Startup(NamedTuple):
    """What an agent is started with: who it is and whom it talks to."""

    name: str
    address: str
    """The host's address in the underlay."""
    controllers: tuple[str, ...]
    meets_others: bool
    """Whether it goes to other controllers too that it is told of."""
    papers: Path
    """The folder of its key and certificate."""
    tunnel: str
    """The name of the VXLAN device."""
    punt: str
    """The name of the punt device."""
    hosting: Hosting
    """How names and metadata are served."""


class Agent:
    """The loop of one host. It closes nothing that it was given."""

    def __init__(self, who: Startup, datapath: Datapath, journal_path: Path, decisions_path: Path) -> None:
        self._who = who
        self._worker = Worker(Reconcile(datapath, Compiler()))
        self._slice = Slice()
        self._journal = Journal(journal_path)
        self._watch = LinkWatch()
        self._news = asyncio.Event()
        self._serving = Serving(who.punt, self._slice, self._news.set, self._announce)
        self._announcements: list[Announce] = []
        self._decisions = DecisionWatch(datapath, self._slice, decisions_path)
        self._services = Services(who.hosting, self._slice, self._owner)
        self._said = Said()
        self._session = ""
        self._contact = Contact()
        self._renewal = Renewal(who.papers)
        self._tunnel: Tunnel | None = None
        self._troubles: dict[str, list[Problem]] = {}
        self._devices: dict[str, Device] = {}
        self._plugged: frozenset[str] = frozenset()
        """The ports of these devices."""
        self._idle: frozenset[str] = frozenset()
        """Machines' ports that are bound here for the sake of a device that is not here."""
        self._changes: list[News] = []
        self._brought_in: Work | None = None
        """What the datapath was last seen to hold all of, without its changes; None if something may be missing."""
        self._realised = Position()
        self._pause = FIRST_PAUSE
        self._sweep_at = monotonic() + SWEEP_EVERY
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Do all of it until `stop` is set."""
        for message in self._journal.load():
            self._changes += self._slice.take(message)
        self._services.take(self._changes)
        self._watch.start(self._look_at_links)
        self._serving.start()
        self._decisions.start(self._news.set)
        await self._services.start()
        self._look_at_links()
        position = Position(self._slice.log, self._slice.revision)
        who = self._who
        log.info("host %s, at %s, looks for a controller: %s", who.name, who.address, ", ".join(who.controllers))
        try:
            papers = partial(read_papers, who.papers)
            async with Uplink(who.name, who.address, who.controllers, papers, position=position) as uplink:
                await _until_first(stop.wait(), self._listen(uplink), self._work(uplink), self._renewal.run(uplink))
        finally:
            self._watch.close()
            self._serving.close()
            self._decisions.close()
            self._services.close()
            self._worker.close()
            self._journal.close()

    async def replace(self) -> None:
        """Put freshly loaded programs in the place of those that run."""
        try:
            await self._worker.run(self._worker.reconcile.datapath.replace)
            log.info("replaced the programs")
        except DatapathError as problem:
            log.error("cannot replace the programs: %s", problem)

    async def _listen(self, uplink: Uplink) -> None:
        async for event in uplink:
            match event:
                case Connected() | Disconnected():
                    self._contact.note(event)
                case Ask():
                    task = asyncio.create_task(self._answer(uplink, event))
                    self._answers.add(task)
                    task.add_done_callback(self._answers.discard)
                case Renewed():
                    self._renew(event)
                case Controllers(addresses) if self._who.meets_others:
                    self._meet(uplink, addresses)
                case Welcome() | Snapshot() | Delta():
                    await self._take(event, uplink.frame)

    def _renew(self, answer: Renewed) -> None:
        try:
            self._renewal.take(answer)
        except (OSError, Distrust) as problem:
            log.warning("cannot keep the renewed certificate: %s", problem)

    def _meet(self, uplink: Uplink, controllers: Sequence[str]) -> None:
        uplink.prefer(controllers)
        try:
            note_introduced(self._who.papers, controllers)
        except OSError as problem:
            log.warning("cannot write down where controllers are: %s", problem)

    async def _take(self, message: Told, frame: bytes) -> None:
        self._write_down(lambda: self._journal.note(message, frame))
        changes: list[News] = []
        for news in self._slice.take(message):
            changes.append(news)
            if isinstance(news, Filled) or len(changes) % CHANGES_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._changes += changes
        self._services.take(changes)
        if isinstance(message, Welcome):
            self._said, self._session = Said(), message.log
            # What a machine has said while nobody heard us another may have said since, elsewhere.
            self._announcements = []
            self._decisions.kept.renew()
            self._renewal.welcome()
        kinds = {change.kind for change in changes}
        if kind_of(Port) in kinds:
            self._look_at_links()
        self._serving.note(kinds)
        if kind_of(Network) in kinds and self._tunnel is not None:
            self._trouble("underlay", list(misfits(self._who, self._tunnel, self._slice)))
        self._write_down(lambda: self._journal.compact(self._slice))
        self._news.set()

    def _write_down(self, write: Callable[[], None]) -> None:
        """Write to the journal, if the disk lets us: machines are served without it too."""
        try:
            write()
        except OSError as problem:
            self._journal.abandon()
            text = f"cannot keep the slice on disk: {problem}"
            self._trouble("journal", [Problem("host", self._who.name, text)])

    def _look_at_links(self) -> None:
        """Compare the devices that are there with those that were."""
        links = self._watch.links
        there = by_port(links.values(), (port.id for port in self._slice.machine_ports()))
        if self._trouble("devices", rivals(there)):
            self._news.set()
        found = trunked(plugged(there), self._slice.machine_ports())
        for id in self._devices.keys() | found.keys():
            device = found.get(id)
            if device != self._devices.get(id):
                if device is not None:
                    # The host itself has nothing to say to a machine.
                    silence_ipv6(links[device.ifindex].name)
                operation = Operation.DELETE if device is None else Operation.UPSERT
                self._changes.append(Change(0, operation, kind_of(Device), id, device))
                self._news.set()
        self._devices, self._plugged = found, frozenset(found)
        name, ports = self._who.name, self._slice.machine_ports()
        self._idle = frozenset(port.id for port in ports if port.host_id != name and port.id not in found)
        self._serving.plug({Place(device.ifindex, device.vlan): id for id, device in found.items()})
        tunnel = self._tunnel and links.get(self._tunnel.ifindex)
        if tunnel is None or not tunnel.up:
            self._tunnel = None
            self._news.set()
        self._services.ports = {slot_of(device.ifindex, device.vlan): id for id, device in found.items()}
        if self._serving.ifindex not in links and self._serving.repair():
            self._news.set()
        if self._services.ifindex and self._services.ifindex not in links:
            self._services.repair()
            self._news.set()

    async def _work(self, uplink: Uplink) -> None:
        while True:
            await self._wait()
            self._news.clear()
            if self._tunnel is None:
                await self._raise_tunnel()
            await self._bring_in(self._take_work())
            if monotonic() >= self._sweep_at:
                self._brought_in = None
                await self._sweep()
            self._speak(uplink)

    async def _bring_in(self, work: Work) -> None:
        """Have the worker do it, if there is anything to be done."""
        if self._brought_in is not None and is_in(work, self._brought_in):
            self._realised = work.position
            return
        done = await self._worker.bring_in(work)
        self._brought_in = None if done.refused else work._replace(changes=())
        self._settled(done)

    async def _wait(self) -> None:
        """Until there are news, or it is time to try again or to sweep."""
        pause = max(0.0, self._sweep_at - monotonic())
        if any(self._troubles.get(source) for source in ("refused", "tunnel")):
            pause = min(pause, self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        else:
            self._pause = FIRST_PAUSE
        try:
            async with asyncio.timeout(pause):
                await self._news.wait()
        except TimeoutError:
            return

    def _take_work(self) -> Work:
        changes, self._changes = self._changes, []
        devices = {device.ifindex: Program.FROM_MACHINE for device in self._devices.values()}
        tunnel = 0 if self._tunnel is None else self._tunnel.ifindex
        if tunnel:
            devices[tunnel] = Program.FROM_TUNNEL
        service = self._services.ifindex
        if service:
            devices[service] = Program.FROM_SERVICE
        position = Position(self._slice.log, self._slice.revision)
        members, punt = self._serving.listening.entries, self._serving.ifindex
        return Work(changes, devices, self._slice.number, tunnel, punt, position, service, members)

    def _announce(self, announcement: Announce) -> None:
        if self._session:
            self._announcements.append(announcement)
            self._news.set()

    def _settled(self, done: Done) -> None:
        if done.members is not None:
            self._serving.listening.recall(done.members)
        self._serving.tell(done.moved)
        self._trouble("refused", done.refused)
        self._trouble("inconsistent", done.inconsistent)
        if not done.refused:
            if done.position.log != self._realised.log:
                log.info("the datapath holds everything up to revision %d", done.position.revision)
            self._realised = done.position
        if done.shrunk:
            self._sweep_at = min(self._sweep_at, monotonic() + SWEEP_SOON)

    def _trouble(self, source: str, problems: list[Problem]) -> bool:
        """What is wrong by one source, from now on; what is new of it is logged. Whether it differs from before."""
        before = self._troubles.get(source, [])
        known = set(before)
        for problem in [new for new in problems if new not in known][:LOGGED_PROBLEMS]:
            log.warning("%s %s: %s", *problem)
        self._troubles[source] = problems
        return problems != before

    async def _raise_tunnel(self) -> None:
        try:
            self._tunnel = await self._worker.run(ensure_tunnel, self._who.tunnel, self._who.address)
            self._trouble("tunnel", [])
            self._trouble("underlay", list(misfits(self._who, self._tunnel, self._slice)))
        except TunnelRefused as problem:
            self._trouble("tunnel", [Problem("host", self._who.name, str(problem))])

    async def _sweep(self) -> None:
        began = monotonic()
        # Addresses and sizes of the underlay change without a word to us.
        await self._raise_tunnel()
        self._trouble("sweep", await self._worker.sweep())
        if self._troubles.pop("journal", None) and self._slice.revision:
            self._write_down(lambda: self._journal.renew(self._slice))
        self._sweep_at = monotonic() + max(SWEEP_EVERY, SWEEP_SHARE * (monotonic() - began))
        # A claim of a port that did not exist yet came to nothing; its device may have been quicker than its port.
        self._said.unheard({id for id in self._devices if self._slice.get(Port, id) is None})

    def _speak(self, uplink: Uplink) -> None:
        """Say what the controller has not heard yet in this session."""
        if not self._session:
            return
        problems = sorted(problem for found in self._troubles.values() for problem in found)[:TOLD_PROBLEMS]
        realised = self._realised.revision if self._realised.log == self._session else 0
        announcements, self._announcements = self._announcements, []
        for saying in (
            *announcements,
            *self._said.plugged(self._plugged, self._idle),
            *self._said.troubled(problems),
            *(self._said.realised(realised) if realised else ()),
            *self._decisions.kept.say(),
        ):
            uplink.send(saying)

    def _owner(self, vni: int, address: bytes) -> str | None:
        """Whose an address is on a network. The compiler works in another thread: it is looked at, and at one entry."""
        owners = self._worker.reconcile.compiler.owners(ENDPOINT.name, ENDPOINT.pack_key(vni, address))
        return owners[0][1] if owners else None

    async def _answer(self, uplink: Uplink, ask: Ask) -> None:
        host = questions.Host(self._who.name, self._slice, self._devices, self._worker)
        uplink.send(await questions.answer(host, ask))


def misfits(who: Startup, tunnel: Tunnel, slice: Slice) -> Iterator[Problem]:
    """Where the underlay is not what the networks need."""
    if not tunnel.rooted:
        yield Problem("host", who.name, f"no device carries its underlay address {who.address}")
    for network in slice.all(Network).values():
        if network.mtu > tunnel.mtu:
            text = f"packets of its MTU, {network.mtu}, do not cross the underlay, which leaves {tunnel.mtu}"
            yield Problem("network", network.id, text)


async def _until_first(*ways: Coroutine[Any, Any, Any]) -> None:
    """Run coroutines until one of them ends; what it raised is raised here."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
