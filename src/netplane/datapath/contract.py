"""What every datapath offers: the kernel's, and the fake that runs the specification.

Keys and values are bytes as `netplane.tables` packs them. All calls are synchronous and raise

    DatapathError
    ├── TableFull       a table holds as many entries as it can
    └── NotLoaded       the object could not be built into the kernel; the text ends with the kernel's own words

and `KeyError` or `ValueError` for a table that does not exist or a key of the wrong size, which is the caller's bug.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from netplane.base.delta import Delta
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import BY_NAME, TABLES
from netplane.tables.schema import Kind, Table

SEALS: tuple[Table, ...] = tuple(table for table in TABLES if table.seal)
"""Tables that vouch for others: all their edits come after everything else of a patch."""

ARRAYS = (Kind.ARRAY, Kind.PERCPU_ARRAY)
"""Kinds whose entries always exist; those that are zero are not shown."""

PLAIN: tuple[Table, ...] = tuple(table for table in TABLES if not table.seal)


class DatapathError(Exception):
    """The kernel refused something; the text says what was tried and why it failed."""


class TableFull(DatapathError):
    """A table holds as many entries as it can."""


class NotLoaded(DatapathError):
    """The object could not be loaded; nothing that ran before has changed."""


class Datapath(Protocol):
    """Tables to read and write, devices to attach to, and packets to try."""

    def read(self, table: str) -> dict[bytes, bytes]:
        """All entries of a table; per-CPU values are summed field by field; an array's zeros are no entries."""

    def look(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of some entries that are there, of a table that is not per CPU: quicker than `read` for a few."""

    def write(self, table: str, entries: Mapping[bytes, bytes]) -> None:
        """Make entries, or replace their values. If it raises, some of them may have been written."""

    def delete(self, table: str, keys: Iterable[bytes]) -> None:
        """Remove entries; one that is not there is no error."""

    def apply(self, delta: Delta) -> None:
        """Bring in a patch so that no packet sees an entry whose referents are missing.

        Upserts go in the order of `TABLES`, deletes in reverse, and then everything of the tables that are seals.
        """

    def room(self, table: str) -> int:
        """How many entries a table holds at most, as it is now."""

    def grow(self, rooms: Mapping[str, int]) -> None:
        """Make room in tables for at least so many entries, up to their capacities; no table ever shrinks.

        Entries stay, and no packet is lost. Dear, whatever the number of tables: all programs are loaded anew.
        """

    def attach(self, ifindex: int, program: Program) -> None:
        """Run a program on what comes in by a device; replaces what this datapath had there."""

    def detach(self, ifindex: int) -> None:
        """Stop that; not attached, or the device gone, is no error."""

    def attached(self) -> dict[int, Program]:
        """The devices that programs are attached to; those that are gone are left out."""

    def run(self, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        """Run a program on a made packet, as if it had come from there."""

    def take_decisions(self, most: int) -> list[bytes]:
        """Take out what stands first in the ring `decision`, at most so many events. From any one thread."""

    def decisions_fd(self) -> int:
        """A file descriptor that is readable while something stands there; -1 if there is none to wait for."""

    def replace(self, object_path: Path | None = None) -> None:
        """Put new programs in the place of those that run, between two packets. `None` is the shipped object."""

    def close(self) -> None:
        """Let go of it; what is attached goes on running."""

    def remove(self) -> None:
        """Take everything away: attachments, programs and tables."""


def apply_in_order(datapath: Datapath, delta: Delta) -> None:
    """`Datapath.apply` by its `write` and `delete`."""
    for table in PLAIN:
        if entries := delta.writes.get(table.name):
            datapath.write(table.name, entries)
    for table in reversed(PLAIN):
        if keys := delta.deletes.get(table.name):
            datapath.delete(table.name, keys)
    for table in SEALS:
        if entries := delta.writes.get(table.name):
            datapath.write(table.name, entries)
        if keys := delta.deletes.get(table.name):
            datapath.delete(table.name, keys)


def larger_rooms(datapath: Datapath, asked: Mapping[str, int]) -> dict[str, int]:
    """What of `asked` is more than tables have room for now, as powers of two, and at most their capacities."""
    rooms = {name: min(power_of_two(room), BY_NAME[name].capacity) for name, room in asked.items()}
    return {name: room for name, room in rooms.items() if room > datapath.room(name)}


def power_of_two(number: int) -> int:
    """The smallest that is no less; the kernel has so many buckets in any case."""
    return 1 << max(0, number - 1).bit_length()


def check_sizes(table: Table, entries: Mapping[bytes, bytes]) -> None:
    """ValueError if a key or value is not as large as the table's."""
    check_keys(table, entries)
    if set(map(len, entries.values())) - {table.value.size}:
        raise ValueError(f"a value of {table.name} has {table.value.size} bytes")


def check_keys(table: Table, keys: Iterable[bytes]) -> None:
    """ValueError if a key is not as large as the table's."""
    if set(map(len, keys)) - {table.key.size}:
        raise ValueError(f"a key of {table.name} has {table.key.size} bytes")
