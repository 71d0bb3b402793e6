"""The one thread that compiles and programs, so that the event loop is free to answer machines meanwhile.

Work goes in as a frozen value, what came of it goes out as another; nothing is shared in between. The compiler and
the datapath are touched here only.
"""

import asyncio
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic_ns
from typing import NamedTuple, ParamSpec, TypeVar

from netplane.agent.owners import Owners
from netplane.agent.reconcile import Reconcile
from netplane.agent.sweep import (
    caught_up,
    corrected_budgets,
    corrected_projects,
    ended_connections,
    ended_fragments,
    idle_budgets,
    idle_projects,
    orphaned_counters,
    taken,
    taken_by_projects,
)
from netplane.base.problem import Problem
from netplane.compiler.projects import project_number
from netplane.datapath import Datapath, DatapathError
from netplane.model import News, Port
from netplane.stream.client import Position
from netplane.tables.decisions import EndpointFlag, Limit
from netplane.tables.outcome import Program
from netplane.tables.pipeline import (
    BUDGET,
    CONNECTION,
    COUNTER,
    DEVICE,
    ENDPOINT,
    FRAGMENT,
    LOGGING,
    PACE,
    PAIR,
    PROJECT,
    TABLES,
)
from netplane.tables.schema import Writer

LOOKED_AT = 16
"""Ended connections that are looked at once more, and then deleted, at a time: some dozens of microseconds."""

FILLING = tuple(table for table in TABLES if table.writer is Writer.DATAPATH and table.room < table.capacity)
"""What the datapath fills, and may grow."""

T = TypeVar("T")
P = ParamSpec("P")


class Work(NamedTuple):
    """Everything that has come up since the last time, and what holds now."""

    changes: Sequence[News]
    devices: Mapping[int, Program]
    """Where programs are to be attached."""
    host: int
    tunnel: int
    punt: int
    position: Position
    """How far the records are complete; the empty one before they are."""
    service: int = 0
    """The device to the host's services; 0 while there is none."""
    members: Mapping[bytes, bytes] | None = None
    """What `member` shall hold; None before anybody knows."""


def is_in(work: Work, before: Work) -> bool:
    """Whether a piece of work brings nothing but a later revision to what was brought in before.

    Controllers tell hosts from time to time how far everything is, also those that need nothing of it.
    """
    position = before.position
    if work.changes or not position.revision or work.position.log != position.log:
        return False
    return work._replace(changes=(), position=position) == before._replace(changes=())


class Moved(NamedTuple):
    """An address that others may have too, and where it is now."""

    vni: int
    address: bytes
    """16 bytes."""
    mac: bytes


class Done(NamedTuple):
    """What came of it."""

    position: Position
    """What the kernel holds everything up to, if nothing was refused."""
    refused: list[Problem]
    inconsistent: list[Problem]
    shrunk: bool
    """Whether something has gone that connections or counters may have belonged to."""
    members: Mapping[bytes, bytes] | None = None
    """What `member` held when the datapath was read; None if it was read before."""
    moved: Sequence[Moved] = ()


class Worker:
    """Runs functions over the compiler and the datapath one after another, in a thread of its own."""

    def __init__(self, reconcile: Reconcile) -> None:
        self.reconcile = reconcile
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="netplane-worker")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function when those before it are done."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))

    async def bring_in(self, work: Work) -> Done:
        """Compile and program."""
        return await self.run(bring_in, self.reconcile, work)

    async def sweep(self) -> list[Problem]:
        """Remove what the datapath has written and nobody needs."""
        return await self.run(sweep, self.reconcile)

    def close(self) -> None:
        """Wait for what is being done, and stop."""
        self._thread.shutdown(cancel_futures=True)


def bring_in(reconcile: Reconcile, work: Work) -> Done:
    """One round of reconcile."""
    reconcile.set(host=work.host, tunnel=work.tunnel, punt=work.punt, service=work.service)
    reconcile.plug(work.devices)
    was_compared = reconcile.compared
    delta = reconcile.change(work.changes)
    refused: list[Problem] = []
    held: Mapping[bytes, bytes] | None = None
    if work.position.revision and not reconcile.compared:
        try:
            reconcile.compare()
            held = reconcile.members
        except DatapathError as problem:
            refused.append(Problem("datapath", "", str(problem)))
    if work.members is not None:
        reconcile.listen(work.members)
    refused += reconcile.settle()
    shrunk = ENDPOINT.name in delta.deletes or DEVICE.name in delta.deletes
    moved = list(announced(delta.writes.get(ENDPOINT.name, {}))) if was_compared else []
    return Done(work.position, refused, reconcile.compiler.problems, shrunk, held, moved)


def announced(entries: Mapping[bytes, bytes]) -> Iterator[Moved]:
    """The addresses of `endpoint` entries that are where a machine says they are."""
    for key, value in entries.items():
        if ENDPOINT.unpack_value(value)["flags"] & EndpointFlag.ANNOUNCED:
            fields = ENDPOINT.unpack_key(key)
            yield Moved(fields["vni"], fields["address"], value[:6])


def sweep(reconcile: Reconcile) -> list[Problem]:
    """One round of sweeping; nothing before the records are whole."""
    if not reconcile.compared:
        return []
    datapath, desired = reconcile.datapath, reconcile.compiler.desired
    try:
        owners = Owners(desired[ENDPOINT.name], desired[PAIR.name], reconcile.left)
        reconcile.forget_refusals()
        sweep_fragments(datapath, owners)
        connections = sweep_connections(datapath, owners)
        counts = taken(connections, owners)
        reconcile.left.clear()
        budgets = datapath.read(BUDGET.name)
        rooms = {name: len(entries) for name, entries in desired.items()} | found_in(datapath)
        problems = reconcile.make_room(rooms | {BUDGET.name: len(budgets.keys() | counts.keys())})
        datapath.write(BUDGET.name, corrected_budgets(budgets, counts))
        datapath.delete(BUDGET.name, list(idle_budgets(budgets, counts, desired[DEVICE.name])))
        problems += sweep_projects(reconcile, connections, owners)
        datapath.delete(PACE.name, list(caught_up(datapath.read(PACE.name), monotonic_ns())))
        datapath.delete(LOGGING.name, [key for key in datapath.read(LOGGING.name) if key not in desired[DEVICE.name]])
        datapath.delete(COUNTER.name, list(orphaned_counters(datapath.read(COUNTER.name), desired[DEVICE.name])))
    except DatapathError as problem:
        return [Problem("datapath", "", str(problem))]
    return problems


def found_in(datapath: Datapath) -> dict[str, int]:
    """How many entries there are of what only a sweep counts."""
    return {table.name: len(datapath.read(table.name)) for table in FILLING}


def sweep_fragments(datapath: Datapath, owners: Owners) -> None:
    """Remove what is remembered of packets in fragments that have ended."""
    ended = list(ended_fragments(datapath.read(FRAGMENT.name), owners, monotonic_ns()))
    for start in range(0, len(ended), LOOKED_AT):
        found = datapath.look(FRAGMENT.name, ended[start : start + LOOKED_AT])
        datapath.delete(FRAGMENT.name, list(ended_fragments(found, owners, monotonic_ns())))


def sweep_projects(reconcile: Reconcile, connections: Mapping[bytes, bytes], owners: Owners) -> list[Problem]:
    """Count anew what projects have taken; which of them have as much as may be."""
    datapath, desired = reconcile.datapath, reconcile.compiler.desired
    before, devices = datapath.read(PROJECT.name), desired[DEVICE.name]
    counts = taken_by_projects(connections, owners, devices)
    datapath.write(PROJECT.name, corrected_projects(before, counts))
    datapath.delete(PROJECT.name, list(idle_projects(before, counts, devices)))
    full = {PROJECT.unpack_key(key)["project"] for key, count in counts.items() if count >= Limit.PROJECT_CONNECTIONS}
    if not full:
        return []
    text = (
        f"its machines have as many connections on this host as those of one project may, {Limit.PROJECT_CONNECTIONS}"
    )
    return [Problem("project", id, text) for id in sorted(set(named(reconcile, full)))]


def named(reconcile: Reconcile, numbers: Container[int]) -> Iterator[str]:
    """The ids of those projects with machines here that have one of these numbers."""
    for key in reconcile.compiler.desired[DEVICE.name]:
        for _, id in reconcile.compiler.owners(DEVICE.name, key):
            port = reconcile.compiler.view.get(Port, id)
            if port is not None and project_number(port.project_id) in numbers:
                yield port.project_id


def sweep_connections(datapath: Datapath, owners: Owners) -> Mapping[bytes, bytes]:
    """Remove what has ended; the rest."""
    connections = datapath.read(CONNECTION.name)
    ended = list(ended_connections(connections, owners, monotonic_ns()))
    for start in range(0, len(ended), LOOKED_AT):
        found = datapath.look(CONNECTION.name, ended[start : start + LOOKED_AT])
        datapath.delete(CONNECTION.name, list(ended_connections(found, owners, monotonic_ns())))
    for key in ended:
        del connections[key]
    return connections
