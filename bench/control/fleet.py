"""A process that is the agents of many hosts, each with its own session, and does what it is told by its parent.

Real tables in the kernel are those of a few hosts; the others have theirs in memory. Some are spared: see `member`.
"""

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from bench.control.member import Member, Place
from bench.processes import read_cpu, read_memory, read_peak
from netplane.base.garbage import collect_rarely
from netplane.datapath import Datapath, KernelDatapath
from netplane.datapath.fake import FakeDatapath
from netplane.datapath.mounting import BPFFS

AT_ONCE = 20
"""Hosts that get their first slice at the same time, so that a fleet's memory stays bounded."""
LOOK = 0.005
"""Seconds between two looks whether all are as far as they should be."""


class Plan(NamedTuple):
    """Which hosts a fleet is."""

    places: Sequence[Place]
    real: int
    """How many of them, the first ones, have their tables in the kernel."""
    whole: int
    """How many keep their tables, the real ones among them; the others are spared."""
    pins: str = "fleet"
    """What the names of tables in the kernel begin with; the number of the process follows."""


class Standing(NamedTuple):
    """What a fleet says of itself, summed over its hosts."""

    cpu: float
    """Seconds of processor so far, the kernel's work for it included."""
    freed: float
    """Those of them in which spared hosts let go of what they had."""
    memory: float
    """MiB."""
    peak: float
    """MiB."""
    messages: int
    records: int
    octets: int
    edits: int
    """Entries written and removed."""
    entries: int
    """Entries that came of the first slices."""
    tables: dict[str, int]
    """The same by table."""
    problems: int
    kernel: float
    """MiB that the kernel holds of one host's tables."""
    empty: float
    """The same before anything was in them."""


class Fleet:
    """A fleet as its parent has it."""

    def __init__(self, connection: "Connection[Any, Any]", pid: int) -> None:
        self._connection = connection
        self.pid = pid

    def tell(self, command: str, *arguments: object) -> Any:
        """Have something done, and wait for it; what it answers."""
        self.begin(command, *arguments)
        return self.end()

    def begin(self, command: str, *arguments: object) -> None:
        """Have something done while something else goes on; `end` must follow."""
        self._connection.send((command, arguments))

    def end(self) -> Any:
        """What the command that was begun answers; RuntimeError if it could not be done."""
        is_done, answer = self._connection.recv()
        if not is_done:
            raise RuntimeError(answer)
        return answer

    @property
    def standing(self) -> Standing:
        """What it says of itself."""
        found: Standing = self.tell("stand")
        return found

    @property
    def cpu(self) -> float:
        """Seconds of processor so far."""
        return read_cpu(self.pid)


@contextmanager
def fleet(plan: Plan) -> Iterator[Fleet]:
    """The process of a fleet, with nothing begun yet."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_main, args=(theirs, plan))
    process.start()
    theirs.close()
    assert process.pid is not None, "it was started"
    try:
        running = Fleet(ours, process.pid)
        running.end()
        yield running
    finally:
        ours.close()
        process.join(30)
        if process.is_alive():
            process.kill()
            process.join()


def _main(connection: "Connection[Any, Any]", plan: Plan) -> None:
    collect_rarely()
    asyncio.run(_obey(connection, plan))


async def _obey(connection: "Connection[Any, Any]", plan: Plan) -> None:
    members = Members(plan)
    try:
        connection.send((True, None))
        while True:
            command, arguments = await asyncio.to_thread(connection.recv)
            try:
                answer = await getattr(members, command)(*arguments)
            except Exception as error:
                connection.send((False, f"{type(error).__name__}: {error}"))
            else:
                connection.send((True, answer))
    except (EOFError, OSError):
        pass  # the parent is done with us
    finally:
        await members.close()


class Members:
    """The hosts of a fleet, in their process; its coroutines are the commands."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rest: list[Datapath] = [FakeDatapath() for _ in plan.places[plan.real :]]
        self._tasks: list[asyncio.Task[None]] = []
        self._ended: list[asyncio.Task[None]] = []
        sweep(plan.pins)
        self._open()
        self._empty = map_memory() / max(len(self._kernels), 1)

    def _open(self) -> None:
        places, real, whole, pins = self._plan
        mine = f"{pins}-{os.getpid()}"
        self._kernels = [KernelDatapath.open(BPFFS / f"{mine}-{place.name}") for place in places[:real]]
        datapaths = enumerate(zip(places, [*self._kernels, *self._rest], strict=True))
        self._members = [Member(place, datapath, spared=number >= whole) for number, (place, datapath) in datapaths]

    async def start(self) -> None:
        """Let all hosts look for a controller: some at once, each of the others when one of those is whole."""
        gate = asyncio.Semaphore(AT_ONCE)
        self._tasks = [asyncio.create_task(self._run(member, gate)) for member in self._members]
        for task in self._tasks:
            task.add_done_callback(self._ended.append)

    async def _run(self, member: Member, gate: asyncio.Semaphore) -> None:
        async with asyncio.TaskGroup() as tasks, gate:
            tasks.create_task(member.run())
            await member.whole.wait()

    async def restart(self) -> None:
        """Let all hosts' agents end, and others take their places: they know what journals and tables hold."""
        await self._end()
        for datapath in self._kernels:
            datapath.close()
        self._open()
        await self.start()

    async def until(self, revision: int, timeout: float) -> float:
        """Wait until all are in sync and hold everything up to a revision; answers the time then, since the epoch."""
        async with asyncio.timeout(timeout):
            late = list(self._members)
            while late:
                # One at a time: looking at all of them each time is work that no agent has.
                while not late[-1].in_sync or late[-1].position.revision < revision:
                    self._check()
                    await asyncio.sleep(LOOK)
                late.pop()
                if not late:
                    late = [each for each in self._members if not each.in_sync or each.position.revision < revision]
        return time.time()

    async def lost(self, timeout: float) -> None:
        """Wait until none is in sync with a controller."""
        async with asyncio.timeout(timeout):
            while any(member.in_sync for member in self._members):
                self._check()
                await asyncio.sleep(LOOK)

    def _check(self) -> None:
        """Raise what has ended a member."""
        for task in self._ended:
            task.result()

    async def stand(self) -> Standing:
        """How things are."""
        tables: Counter[str] = Counter()
        for member in self._members:
            tables.update(member.sizes)
        pid = "self"
        messages, records, octets = map(sum, zip(*(member.received for member in self._members), strict=True))
        return Standing(
            cpu=time.process_time(),
            freed=sum(member.freed for member in self._members),
            memory=read_memory(pid),
            peak=read_peak(pid),
            messages=messages,
            records=records,
            octets=octets,
            edits=sum(member.edits for member in self._members),
            entries=sum(tables.values()),
            tables=dict(tables),
            problems=sum(member.problems for member in self._members),
            kernel=map_memory() / max(len(self._kernels), 1) / (1 << 20),
            empty=self._empty / (1 << 20),
        )

    async def close(self) -> None:
        """End all sessions, and take tables out of the kernel."""
        await self._end()
        for datapath in self._kernels:
            datapath.remove()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ended.clear()


def sweep(pins: str) -> None:
    """Take the tables out of the kernel that processes have left there which were killed."""
    for path in BPFFS.glob(f"{pins}-*"):
        number = path.name.removeprefix(f"{pins}-").partition("-")[0]
        if number.isdecimal() and not Path(f"/proc/{number}").exists():
            KernelDatapath.discard(path)


def map_memory() -> int:
    """Bytes that the kernel says it holds for the eBPF maps that this process has open."""
    found = {}
    for path in Path("/proc/self/fdinfo").iterdir():
        try:
            text = path.read_text()
        except OSError:
            continue
        fields = dict(re.findall(r"^(memlock|map_id):\s*(\d+)$", text, re.MULTILINE))
        if len(fields) == 2:
            found[fields["map_id"]] = int(fields["memlock"])
    return sum(found.values())
