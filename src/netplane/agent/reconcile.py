"""Desired versus actual: what this host's records call for, what its datapath holds, and the way from one to the other.

    changes ─▶ Compiler ─▶ pending ──▶ settle: 1. attach programs where devices have come
    settings ────────────▶ pending                2. let tables grow that will be short of room
    devices ─────────────▶ wanted                 3. bring in the pending patch
                                                  4. detach where devices have gone

The datapath is read once, when the records are whole; from then on only deltas are kept. Before that nothing is
written or removed, so an agent that knows too little destroys nothing. Programs are attached all the same: what a
machine sends by a device without one would go to the host itself. What fails stays pending; calling `settle` again
tries again. All of this is synchronous and belongs to one thread.
"""

from collections.abc import Callable, Iterable, Mapping

from netplane.agent.room import lacking
from netplane.base.delta import Delta, diff, merge
from netplane.base.problem import Problem
from netplane.compiler import Compiler
from netplane.datapath import Datapath, DatapathError, TableFull
from netplane.model import News
from netplane.tables.outcome import Program
from netplane.tables.pipeline import AGENT_TABLES, ENDPOINT, MEMBER, POLICY, PREFIX, SETTINGS, TABLES
from netplane.tables.schema import Writer

VOUCHED_FOR = (POLICY.name, PREFIX.name)
"""What a profile's stamp vouches for: it must not be written while some of these are missing."""

NAMED = 10
"""Problems of single entries that are told for one table; more say the same."""

PLAIN = tuple(table.name for table in TABLES if table.writer is not Writer.DATAPATH and not table.seal)
SEALS = tuple(table.name for table in AGENT_TABLES if table.seal)


class Reconcile:
    """The tables and attachments of one host."""

    def __init__(self, datapath: Datapath, compiler: Compiler) -> None:
        self.compiler = compiler
        self.datapath = datapath
        self.compared = False
        """Whether the datapath has been read, and so may be written."""
        self.members: Mapping[bytes, bytes] = {}
        """What `member` holds once all that is pending is in: what was found there, until somebody knows better."""
        self.left: set[bytes] = set()
        """Addresses that have ceased to be anybody's since the last sweep, as keys of `endpoint`."""
        self._pending = Delta()
        self._settings: dict[bytes, bytes] = {}
        self._wanted: dict[int, Program] = {}
        self._attached = datapath.attached()
        self._stuck: set[str] = set()
        """Tables that the datapath has refused more room since the last sweep."""
        self._is_unsure = False
        """Whether what the datapath holds is to be read again: it may have got halfway to more room."""

    def change(self, news: Iterable[News]) -> Delta:
        """Compile changed records; what must change in the tables by it."""
        delta = self.compiler.apply(news)
        self.left.update(delta.deletes.get(ENDPOINT.name, ()))
        if self.compared:
            self._pending = merge(self._pending, delta)
        return delta

    def set(self, *, host: int, tunnel: int, punt: int, service: int) -> None:
        """What the programs must know of their host: its number and the ifindexes of its own devices."""
        entry = SETTINGS.entry((0,), (host, tunnel, punt, service))
        if self._settings != {entry.key: entry.value}:
            self._settings = {entry.key: entry.value}
            if self.compared:
                self._pending = merge(self._pending, Delta({SETTINGS.name: self._settings}))

    def listen(self, members: Mapping[bytes, bytes]) -> None:
        """What `member` shall hold."""
        if self.compared and members != self.members:
            self._pending = merge(self._pending, diff({MEMBER.name: members}, {MEMBER.name: self.members}))
            self.members = members

    def plug(self, wanted: Mapping[int, Program]) -> None:
        """The devices that programs are to be attached to, all of them."""
        self._wanted = dict(wanted)

    def compare(self) -> None:
        """Read the datapath, and find what keeps it from what is desired; the records are whole now."""
        pending = Delta()
        for table in AGENT_TABLES:
            desired = self._settings if table is SETTINGS else self.compiler.desired.get(table.name, {})
            found = diff({table.name: desired}, {table.name: self.datapath.read(table.name)})
            pending.writes.update(found.writes)
            pending.deletes.update(found.deletes)
        members = self.datapath.read(MEMBER.name)
        if self.compared:
            pending = merge(pending, diff({MEMBER.name: self.members}, {MEMBER.name: members}))
        else:
            self.members = members
        self._pending = pending
        self.compared = True

    def settle(self) -> list[Problem]:
        """Make the datapath what it should be; what stands in the way, if anything does."""
        problems = [*self._attach()]
        if self.compared:
            problems += self.make_room(self._entries())
            problems += self._patch()
            problems += self._detach()
        return problems

    def _attach(self) -> Iterable[Problem]:
        for ifindex, program in self._wanted.items():
            if self._attached.get(ifindex) is not program:
                try:
                    self.datapath.attach(ifindex, program)
                    self._attached[ifindex] = program
                except DatapathError as problem:
                    yield Problem("device", str(ifindex), str(problem))

    def _detach(self) -> Iterable[Problem]:
        for ifindex in self._attached.keys() - self._wanted.keys():
            try:
                self.datapath.detach(ifindex)
                del self._attached[ifindex]
            except DatapathError as problem:
                yield Problem("device", str(ifindex), str(problem))

    def _entries(self) -> dict[str, int]:
        """How many entries tables will have while what is pending goes in: deletes come after writes."""
        entries, deletes = {}, self._pending.deletes
        for table in self._pending.writes:
            desired = self.members if table == MEMBER.name else self.compiler.desired.get(table, ())
            entries[table] = len(desired) + len(deletes.get(table, ()))
        return entries

    def make_room(self, entries: Mapping[str, int]) -> list[Problem]:
        """See that tables have room for so many entries; what stands in the way."""
        rooms = lacking(self.datapath, entries)
        # All programs are loaded for it: what was refused is not asked for again with each change.
        if rooms.keys() <= self._stuck:
            return []
        try:
            self.datapath.grow(rooms)
            if self._is_unsure:
                self.compare()
        except DatapathError as problem:
            self._stuck |= rooms.keys()
            self._is_unsure = True
            return [Problem("table", name, f"cannot get more room: {problem}") for name in rooms]
        self._is_unsure = False
        return []

    def forget_refusals(self) -> None:
        """Try again to make room, where it is wanted still."""
        self._stuck.clear()

    def _patch(self) -> Iterable[Problem]:
        if not self._pending:
            return []
        try:
            self.datapath.apply(self._pending)
        except DatapathError:
            self._pending, problems = patch_what_goes(self.datapath, self._pending)
            return [self._name(problem) for problem in problems]
        self._pending = Delta()
        return []

    def _name(self, problem: "Refused") -> Problem:
        owners = () if problem.key is None else self.compiler.owners(problem.table, problem.key)
        kind, id = next(iter(owners), ("table", problem.table))
        return Problem(kind, id, problem.text)


class Refused:
    """A table, or one entry of it, that the datapath has not taken."""

    def __init__(self, table: str, key: bytes | None, text: str) -> None:
        self.table = table
        self.key = key
        self.text = text


def patch_what_goes(datapath: Datapath, delta: Delta) -> tuple[Delta, list[Refused]]:
    """Bring in as much of a patch as the datapath takes, in its order; the rest, and why."""
    refused: list[Refused] = []
    writes: dict[str, dict[bytes, bytes]] = {}
    deletes: dict[str, list[bytes]] = {}

    def write(table: str) -> None:
        if rest := _write(datapath, table, delta.writes.get(table, {}), refused):
            writes[table] = rest

    def delete(table: str) -> None:
        if keys := delta.deletes.get(table):
            try:
                datapath.delete(table, keys)
            except DatapathError as problem:
                deletes[table] = keys
                refused.append(Refused(table, None, str(problem)))

    _in_order(PLAIN, write)
    _in_order(reversed(PLAIN), delete)
    if any(table in writes or table in deletes for table in VOUCHED_FOR):
        writes.update({table: delta.writes[table] for table in SEALS if table in delta.writes})
        deletes.update({table: delta.deletes[table] for table in SEALS if table in delta.deletes})
    else:
        _in_order(SEALS, write)
        _in_order(SEALS, delete)
    return Delta(writes, deletes), refused


def _in_order(tables: Iterable[str], edit: Callable[[str], None]) -> None:
    for table in tables:
        edit(table)


def _write(datapath: Datapath, table: str, entries: dict[bytes, bytes], refused: list[Refused]) -> dict[bytes, bytes]:
    """Write entries, halving what is refused until only the culprits are left; what could not be written."""
    if not entries:
        return {}
    try:
        datapath.write(table, entries)
    except TableFull as problem:
        refused.append(Refused(table, None, str(problem)))
        return entries
    except DatapathError as problem:
        if len(entries) == 1:
            if sum(one.table == table for one in refused) < NAMED:
                refused.append(Refused(table, next(iter(entries)), str(problem)))
            return entries
        pairs, half = list(entries.items()), len(entries) // 2
        return _write(datapath, table, dict(pairs[:half]), refused) | _write(
            datapath, table, dict(pairs[half:]), refused
        )
    return {}
