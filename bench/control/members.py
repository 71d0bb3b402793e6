"""The process of a fleet: the agents of its hosts, and what its parent can have them do.

Real tables in the kernel are those of a few hosts; the others have theirs in memory. Some are spared: see `member`.
"""

import asyncio
import os
import time
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any

from bench.control.fleet import Plan, Standing
from bench.control.leftovers import sweep
from bench.control.member import Member
from bench.processes import read_map_memory, read_memory, read_peak
from netplane.datapath import Datapath, KernelDatapath
from netplane.datapath.fake import FakeDatapath
from netplane.datapath.mounting import BPFFS

AT_ONCE = 20
"""Hosts that get their first slice at the same time, so that a fleet's memory stays bounded."""
LOOK = 0.005
"""Seconds between two looks whether all are as far as they should be."""


def obey(connection: "Connection[Any, Any]", plan: Plan) -> None:
    """Do what the parent says, until it has no more to say."""
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
        self._empty = read_map_memory() / max(len(self._kernels), 1)

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
            kernel=read_map_memory() / max(len(self._kernels), 1) / (1 << 20),
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
