"""Entries, who wants them, and what has changed since the last look.

Several owners may want the same key. If they want the same value, it stays until the last of them lets go. If they
disagree, the value that goes first by its rank wins, and among those of one rank the owner with the smallest
(kind, id), whatever the order in which they came. Values of rank 0 suffer no other: every owner that lost with one is
a `Problem`; values of other ranks are meant to give way.

An owner stands in here as its record: at a million owners, any other handle would have to be made and kept for
each of them. Only keys with more than one owner, which are few, pay for more.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from netplane.base.delta import Delta
from netplane.base.problem import Problem

OwnerName = tuple[str, str]
"""An owner as (kind, id)."""
Rank = Callable[[str, bytes], int]
"""The rank of a table's value; the lowest goes first."""
Describe = Callable[[str, bytes], str]
"""How a key of a table is shown to people."""


class Entries(NamedTuple):
    """What an owner wants of one table, where that is much; nothing else that it wants is of this table."""

    table: str
    values: dict[bytes, bytes]
    """By key; it stays as it is."""


class Desired:
    """The wanted entries of some tables. `tables` may be read, never written."""

    def __init__(self, tables: Iterable[str], name: Callable[[Any], OwnerName], describe: Describe, rank: Rank) -> None:
        self.tables: dict[str, dict[bytes, bytes]] = {table: {} for table in tables}
        self._name = name
        self._describe = describe
        self._rank = rank
        self._owner: dict[str, dict[bytes, Any]] = {table: {} for table in self.tables}
        self._contested: dict[tuple[str, bytes], dict[OwnerName, tuple[Any, bytes]]] = {}
        self._writes: dict[str, dict[bytes, bytes] | None] = {}
        self._before: dict[str, dict[bytes, bytes]] = {}
        self._begin()

    def _begin(self) -> None:
        """Start a new delta: what is written from now on, and what stood there before if anything did.

        For a table that is empty nothing is noted until the end, when all that it has come to hold is the delta:
        a first load of a million entries is held up by nothing else.
        """
        self._writes = {table: {} if entries else None for table, entries in self.tables.items()}
        self._before = {table: {} for table in self.tables}

    def add(self, items: Iterable[tuple[str, bytes, bytes] | Entries | Problem], owner: Any) -> bool:
        """An owner wants entries. It may say so twice, with the same values. Whether it says nothing else."""
        is_sound = True
        last = ""
        for item in items:
            if isinstance(item, Entries):
                self._add_all(item, owner)
                continue
            if isinstance(item, Problem):
                is_sound = False
                continue
            table, key, value = item
            if table != last:  # An owner's entries of one table stand mostly side by side.
                last, owners, entries, writes = table, self._owner[table], self.tables[table], self._writes[table]
            if owners.setdefault(key, owner) is not owner:
                self._contest(table, key, value, owner)
            else:
                entries[key] = value
                if writes is not None:
                    writes[key] = value
        return is_sound

    def _add_all(self, item: Entries, owner: Any) -> None:
        table, values = item
        owners = self._owner[table]
        if not owners.keys().isdisjoint(values):
            self.add([(table, key, value) for key, value in values.items()], owner)
            return
        owners.update(dict.fromkeys(values, owner))
        self.tables[table].update(values)
        if (writes := self._writes[table]) is not None:
            writes.update(values)

    def add_many(self, table: str, entries: dict[bytes, bytes], owners: dict[bytes, Any]) -> bool:
        """Many owners want an entry each, by key; False, and nothing is done, if one is wanted by others already.

        Both dictionaries are given away.
        """
        known = self._owner[table]
        if not known:
            self._owner[table], self.tables[table] = owners, entries
        elif known.keys().isdisjoint(owners):
            known.update(owners)
            self.tables[table].update(entries)
        else:
            return False
        writes = self._writes[table]
        if writes is not None:
            writes.update(entries)
        return True

    def remove(self, table: str, key: bytes, owner: Any) -> None:
        """An owner, the very record that added it, wants an entry no more."""
        if (claims := self._contested.get((table, key))) is not None:
            claims.pop(self._name(owner), None)
            # Many may want one key: who follows is only sought when the one whose value stands has gone.
            if self._owner[table][key] is owner:
                self._give(table, key, *claims[self._first(table, claims)])
            if len(claims) == 1:
                del self._contested[table, key]
        elif self._owner[table].get(key) is owner:
            del self._owner[table][key]
            self._note(table, key, self.tables[table].pop(key), None)

    def _contest(self, table: str, key: bytes, value: bytes, owner: Any) -> None:
        name, holder = self._name(owner), self._owner[table][key]
        claims = self._contested.get((table, key))
        if claims is None:
            claims = self._contested[table, key] = {self._name(holder): (holder, self.tables[table][key])}
        claims.setdefault(name, (owner, value))
        if self._order(table, value, name) < self._order(table, self.tables[table][key], self._name(holder)):
            self._give(table, key, owner, value)

    def _order(self, table: str, value: bytes, name: OwnerName) -> tuple[int, OwnerName]:
        return self._rank(table, value), name

    def _first(self, table: str, claims: dict[OwnerName, tuple[Any, bytes]]) -> OwnerName:
        return min(claims, key=lambda name: self._order(table, claims[name][1], name))

    def _give(self, table: str, key: bytes, owner: Any, value: bytes) -> None:
        """The value may be the one that stands. That is noted too: its new owner may say it again."""
        stood = self.tables[table][key]
        self._owner[table][key], self.tables[table][key] = owner, value
        self._note(table, key, stood, value)

    def _note(self, table: str, key: bytes, stood: bytes, value: bytes | None) -> None:
        """A key has another value now, or none; keep what stood under it when this delta began."""
        writes = self._writes[table]
        if writes is None:
            return
        if key not in writes:
            self._before[table].setdefault(key, stood)
        if value is not None:
            writes[key] = value
        else:
            writes.pop(key, None)

    def take(self) -> Delta:
        """What has changed since the last call, net."""
        writes: dict[str, dict[bytes, bytes]] = {}
        deletes: dict[str, list[bytes]] = {}
        for table, now in self.tables.items():
            written, before = self._writes[table], self._before[table]
            if written is None:
                written = now.copy()
            for key in [key for key, value in before.items() if now.get(key) == value]:
                written.pop(key, None)
            if written:
                writes[table] = written
            if gone := [key for key in before if key not in now]:
                deletes[table] = gone
        self._begin()
        return Delta(writes, deletes)

    def owners(self, table: str, key: bytes) -> list[OwnerName]:
        """Who wants an entry, the one whose value stands first."""
        if (claims := self._contested.get((table, key))) is not None:
            return sorted(claims, key=lambda name: self._order(table, claims[name][1], name))
        owner = self._owner.get(table, {}).get(key)
        return [] if owner is None else [self._name(owner)]

    def problems(self) -> Iterator[Problem]:
        """Every owner whose entry another one's stands in place of."""
        for (table, key), claims in self._contested.items():
            winner = self._first(table, claims)
            text = f"{self._describe(table, key)} also belongs to {' '.join(winner)}, whose value stands"
            for kind, id in claims:
                value = claims[kind, id][1]
                if value != claims[winner][1] and not self._rank(table, value):
                    yield Problem(kind, id, text)

    @property
    def contested(self) -> int:
        """How many keys have more than one owner."""
        return len(self._contested)
