"""A datapath in memory: the specification in `netplane.tables.machine` over dictionaries.

It passes the same contract suite as the one in the kernel, and serves wherever a test needs a datapath and no packets
of other programs.
"""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from netplane.base.delta import Delta
from netplane.datapath.contract import ARRAYS, TableFull, apply_in_order, check_keys, check_sizes, larger_rooms
from netplane.tables.machine import Machine, empty_tables
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import BY_NAME, TABLES

SECOND = 10**9


class FakeDatapath:
    """Tables as dictionaries; attachments as notes."""

    def __init__(self) -> None:
        self.tables = empty_tables()
        self._rooms = {table.name: table.room for table in TABLES}
        self._attached: dict[int, Program] = {}
        self._decisions: list[bytes] = []

    def read(self, table: str) -> dict[bytes, bytes]:
        """All entries of a table."""
        return dict(self.tables[table])

    def look(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of some entries that are there."""
        there = self.tables[table]
        return {key: there[key] for key in keys if key in there}

    def write(self, table: str, entries: Mapping[bytes, bytes]) -> None:
        """Make entries, or replace their values."""
        declared, there = BY_NAME[table], self.tables[table]
        check_sizes(declared, entries)
        if declared.kind not in ARRAYS and len(there) + len(entries) <= self._rooms[table]:
            there.update(entries)
            return
        for key, value in entries.items():
            if key not in there and len(there) >= self._rooms[table]:
                raise TableFull(f"{table} holds at most {self._rooms[table]} entries")
            there[key] = value
            if declared.kind in ARRAYS and not any(value):
                del there[key]

    def delete(self, table: str, keys: Iterable[bytes]) -> None:
        """Remove entries; one that is not there is no error."""
        rest = list(keys)
        check_keys(BY_NAME[table], rest)
        for key in rest:
            self.tables[table].pop(key, None)

    def apply(self, delta: Delta) -> None:
        """Bring in a patch in the order that `Datapath.apply` promises."""
        apply_in_order(self, delta)

    def room(self, table: str) -> int:
        """How many entries a table holds at most."""
        return self._rooms[table]

    def grow(self, rooms: Mapping[str, int]) -> None:
        """Let tables hold more."""
        self._rooms |= larger_rooms(self, rooms)

    def attach(self, ifindex: int, program: Program) -> None:
        """Note a device."""
        self._attached[ifindex] = program

    def detach(self, ifindex: int) -> None:
        """Forget a device."""
        self._attached.pop(ifindex, None)

    def attached(self) -> dict[int, Program]:
        """The devices noted."""
        return dict(self._attached)

    def run(self, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        """Run the specification on a made packet."""
        machine, now = Machine(self.tables, self._rooms), time.monotonic_ns() + origin.offset * SECOND
        machine.decisions = self._decisions
        if program is Program.FROM_MACHINE:
            return machine.run_from_machine(origin.ifindex, frame, now_ns=now, dry=origin.dry)
        if program is Program.FROM_SERVICE:
            return machine.run_from_service(frame, now_ns=now, dry=origin.dry)
        return machine.run_from_tunnel(origin.vni, origin.outer_source, frame, now_ns=now, dry=origin.dry)

    def take_decisions(self, most: int) -> list[bytes]:
        """Take out what stands first in the ring `decision`."""
        taken = self._decisions[:most]
        del self._decisions[:most]
        return taken

    def decisions_fd(self) -> int:
        """Nobody waits for a fake."""
        return -1

    def replace(self, object_path: Path | None = None) -> None:
        """Nothing: the specification has no other version."""

    def close(self) -> None:
        """Nothing: there is no process to outlive."""

    def remove(self) -> None:
        """Forget everything."""
        self.tables = empty_tables()
        self._attached = {}
