"""One host of a fleet: the agent's own session, journal, slice, compiler and reconciling, without machines' devices.

    Uplink ── messages ──▶ Journal, Slice ── changes ──▶ bring_in(Reconcile: Compiler, Datapath) ──▶ Said ──▶ Uplink

What stands in for a machine is a `Device` record for each port that the host carries, which in an agent comes from the
kernel's links. As in an agent, what comes while it works is taken as one batch afterwards. A member that is *spared*
keeps its session, but lets go of its records and tables once it has had all of them: it then only acknowledges.
"""

import asyncio
from contextlib import closing
from functools import partial
from itertools import count
from time import thread_time
from typing import Any, NamedTuple, cast

from bench.control.fleet import Place
from netplane.agent.journal import Journal
from netplane.agent.reconcile import Reconcile
from netplane.agent.saying import Said
from netplane.agent.slice import Slice, Told
from netplane.agent.worker import Work, bring_in, is_in
from netplane.base.delta import Delta as Patch
from netplane.compiler import Compiler
from netplane.datapath import Datapath
from netplane.datapath.fake import FakeDatapath
from netplane.model import Change, Device, News, Operation, Port, kind_of, one_by_one
from netplane.stream.client import Connected, Disconnected, Position, Uplink
from netplane.stream.messages import Delta, Snapshot, Welcome
from netplane.trust.papers import read_papers

PORT, DEVICE = kind_of(Port), kind_of(Device)
IDLE = frozenset[str]()
"""Ports without devices that are bound here: none."""
FIRST_DEVICE = 1_000
"""The ifindex of the first machine's device."""


TURN = asyncio.Lock()
"""Which member of a process works."""


class Received(NamedTuple):
    """What a member has got so far."""

    messages: int = 0
    records: int = 0
    octets: int = 0
    """Of its messages."""


class Edits:
    """A datapath that counts what it is told to write and to remove."""

    def __init__(self, datapath: Datapath) -> None:
        self.count = 0
        self._datapath = datapath

    def apply(self, delta: Patch) -> None:
        """As the datapath does."""
        self.count += len(delta)
        self._datapath.apply(delta)

    def remove(self) -> None:
        """As the datapath does."""
        self._datapath.remove()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._datapath, name)


def reconcile_by(edits: Edits) -> Reconcile:
    """What keeps a datapath's tables equal to records."""
    return Reconcile(cast(Datapath, edits), Compiler())


class Member:
    """A host that has its slice in its tables, or is about to."""

    def __init__(self, place: Place, datapath: Datapath, *, spared: bool = False) -> None:
        self.place = place
        self.position = Position()
        """What its tables hold everything up to."""
        self.in_sync = False
        """Whether a controller has told it in this session all that it needs, and its tables hold it."""
        self.whole = asyncio.Event()
        """Its first slice is in."""
        self.received = Received()
        self.sizes: dict[str, int] = {}
        """Entries by table, when its first slice was in."""
        self.problems = 0
        self.freed = 0.0
        """Seconds of processor that it took to let go of records and tables, which no agent does."""
        self._spared = spared
        self._is_light = False
        self._edits = Edits(datapath)
        self._reconcile = reconcile_by(self._edits)
        self._slice = Slice()
        self._journal = Journal(place.folder / "slice")
        self._said = Said()
        self._devices: dict[str, Device] = {}
        self._plugged: frozenset[str] = frozenset()
        """The ports that have devices."""
        self._numbers = count(FIRST_DEVICE)
        self._changes: list[News] = []
        self._brought_in: Work | None = None
        self._news = asyncio.Event()
        self._is_open = False
        self._is_told = False

    async def run(self) -> None:
        """Have a session, with whichever controller there is, until it is cancelled."""
        name, address, controllers, folder = self.place
        papers = partial(read_papers, folder)
        for message in self._journal.load():
            self._absorb(message)
        if self._changes:
            self._news.set()
        position = Position(self._slice.log, self._slice.revision)
        with closing(self._journal):
            uplink = Uplink(name, address, controllers, papers, position=position)
            async with uplink, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(uplink))
                tasks.create_task(self._work(uplink))

    @property
    def edits(self) -> int:
        """Entries written and removed so far."""
        return self._edits.count

    def entries(self) -> dict[str, int]:
        """How many entries each table has that is not empty."""
        return {table: len(entries) for table, entries in self._reconcile.compiler.desired.items() if entries}

    async def _listen(self, uplink: Uplink) -> None:
        async for event in uplink:
            match event:
                case Connected() | Disconnected():
                    self._is_open = self.in_sync = self._is_told = False
                case Welcome() | Snapshot() | Delta():
                    self._take(event, uplink.frame)
                    self._news.set()

    def _take(self, message: Told, frame: bytes) -> None:
        if isinstance(message, Welcome):
            self._said, self._is_open = Said(), True
        else:
            self._is_told |= isinstance(message, Delta) or message.last
        self._count(message, frame)
        if self._is_light:
            self._skim(message)
            return
        self._journal.note(message, frame)
        self._absorb(message)
        self._journal.compact(self._slice)

    def _absorb(self, message: Told) -> None:
        for news in self._slice.take(message):
            self._changes.append(news)
            if news.kind == PORT:
                for change in one_by_one((news,)):
                    self._plug(change)
                if self._plugged != self._devices.keys():
                    self._plugged = frozenset(self._devices)

    def _skim(self, message: Told) -> None:
        if not isinstance(message, Welcome) and (isinstance(message, Delta) or message.last):
            self.position = Position(self._slice.log, message.revision)

    def _count(self, message: Told, frame: bytes) -> None:
        messages, records, octets = self.received
        more = 0
        if isinstance(message, Snapshot):
            more = len(message.records) + len(message.endpoints)
        elif isinstance(message, Delta):
            more = len(message.upserts) + len(message.endpoints) + len(message.deletes)
        octets += len(frame)
        self.received = Received(messages + 1, records + more, octets)

    def _plug(self, change: Change) -> None:
        """A machine's device comes and goes with its port."""
        before = self._devices.pop(change.id, None)
        if isinstance(change.record, Port) and not change.record.is_router_interface:
            device = before or Device(id=change.id, ifindex=next(self._numbers))
            self._devices[change.id] = device
            if before is None:
                self._changes.append(Change(0, Operation.UPSERT, DEVICE, change.id, device))
        elif before is not None:
            self._changes.append(Change(0, Operation.DELETE, DEVICE, change.id, None))

    async def _work(self, uplink: Uplink) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if not self._is_light:
                async with TURN:
                    self._bring_in()
                    if self._spared and self.whole.is_set():
                        self._lighten()
                    # An agent does this beside its session; so must those of the others here go on.
                    await asyncio.sleep(0)
            self.in_sync = self._is_told
            if self._is_open:
                self._speak(uplink)

    def _bring_in(self) -> None:
        changes, self._changes = self._changes, []
        position = Position(self._slice.log, self._slice.revision)
        work = Work(changes, {}, self._slice.number, 0, 0, position)
        if self._brought_in is not None and is_in(work, self._brought_in):
            self.position = position
            return
        done = bring_in(self._reconcile, work)
        self._brought_in = None if done.refused else work._replace(changes=())
        self.problems = len(done.refused) + len(done.inconsistent)
        if not done.refused:
            self.position = done.position
        if position.revision and not self.sizes:
            self.sizes = self.entries()
            self.whole.set()

    def _lighten(self) -> None:
        """Let go of everything but the session."""
        began = thread_time()
        self._is_light = True
        log = self._slice.log
        self._edits.remove()
        self._edits = Edits(FakeDatapath())
        self._slice, self._reconcile = Slice(), reconcile_by(self._edits)
        self._slice.log = log
        self.freed += thread_time() - began

    def _speak(self, uplink: Uplink) -> None:
        for saying in (
            *self._said.plugged(self._plugged, IDLE),
            *(self._said.realised(self.position.revision) if self.position.revision else ()),
        ):
            uplink.send(saying)
