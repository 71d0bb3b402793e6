"""Desired versus actual: what must be written and deleted so that tables become what they should be.

Tables are plain: a name, and under it packed keys with packed values. Whoever programs something compares, merges
and applies deltas with these functions and keeps no bookkeeping of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Tables = Mapping[str, Mapping[bytes, bytes]]
"""Entries by table name and key."""


@dataclass(frozen=True, slots=True)
class Delta:
    """Edits to tables. No key is both written and deleted, and no table is named without a key."""

    writes: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    deletes: dict[str, list[bytes]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.writes or self.deletes)

    def __len__(self) -> int:
        """How many entries it edits."""
        return sum(map(len, self.writes.values())) + sum(map(len, self.deletes.values()))

    def apply_to(self, tables: dict[str, dict[bytes, bytes]]) -> None:
        """Edit tables in memory; tables that are not there yet are made."""
        for table, entries in self.writes.items():
            tables.setdefault(table, {}).update(entries)
        for table, keys in self.deletes.items():
            for key in keys:
                tables.get(table, {}).pop(key, None)


def diff(desired: Tables, actual: Tables) -> Delta:
    """What turns `actual` into `desired`; tables that `desired` does not name are left alone."""
    writes, deletes = {}, {}
    for table, wanted in desired.items():
        found = actual.get(table, {})
        if write := {key: value for key, value in wanted.items() if found.get(key) != value} if found else dict(wanted):
            writes[table] = write
        if delete := [key for key in found if key not in wanted]:
            deletes[table] = delete
    return Delta(writes, deletes)


def merge(first: Delta, second: Delta) -> Delta:
    """One delta with the effect of `first` and then `second`."""
    writes = {table: dict(entries) for table, entries in first.writes.items()}
    gone = {table: dict.fromkeys(keys) for table, keys in first.deletes.items()}
    for table, entries in second.writes.items():
        writes.setdefault(table, {}).update(entries)
        gone[table] = {key: None for key in gone.get(table, ()) if key not in entries}
    for table, keys in second.deletes.items():
        gone.setdefault(table, {}).update(dict.fromkeys(keys))
        writes[table] = {key: value for key, value in writes.get(table, {}).items() if key not in gone[table]}
    return Delta(
        {table: entries for table, entries in writes.items() if entries},
        {table: list(keys) for table, keys in gone.items() if keys},
    )
