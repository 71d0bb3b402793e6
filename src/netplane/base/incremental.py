"""The incremental engine: functions from records to entries, run again only where what they read has changed.

A feature is a pure function `feature(record, view)` that returns the entries of one owner, a record of its kind.
It sees other records only through the view, which notes every read: `get` a record, `find` a bucket of the index of
references. When a record changes, the engine runs again

- the record's own feature,
- every owner that read it by id, whether or not it was there,
- every owner that read a bucket which the record entered, left, or stands in.

Features never read what other features made, so one round settles everything: there is no order and no recursion
(compare Salsa and Adapton, which need both). Entries of a batch are first all taken back and then all made anew, so
that a key may move from one owner to another; only what differs in the end appears in the delta.

**An owner that read nothing but itself leaves no trace here.** What it said can be had again from its old record,
because a feature is a function. Most records of a large slice are of that sort, and a million of them cost this
module neither memory nor time to look after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from netplane.base.delta import Delta
from netplane.base.desired import Desired, Entries, OwnerName, Rank
from netplane.base.problem import Problem
from netplane.base.world import Bucket, R, View, World, buckets

Entry = tuple[str, bytes, bytes]
"""A table, a key and a value."""
Item = Entry | Entries | Problem
"""What a feature returns."""
Feature = Callable[[Any, View], Sequence[Item]]
"""An owner gives a key one value."""
Step = tuple[type[Any], str, Any]
"""One change: the kind, the id, and the record or None for a delete."""


class Fill(NamedTuple):
    """All records of a kind by id, of which there are none yet."""

    kind: type[Any]
    records: Mapping[str, Any]


Read = tuple[type[Any], str] | Bucket
"""What a feature read: a record or a bucket."""
Owner = tuple[type[Any], str]
Dirty = dict[type[Any], dict[str, Any]]
"""Owners to run again, by kind and id, with the record each had before the batch, or None."""


class Plain(NamedTuple):
    """What many records of a kind come to, if most are of the plainest sort: one entry each, and nothing else read."""

    entries: dict[bytes, bytes]
    owners: dict[bytes, Any]
    """The records by the keys of their entries."""
    rest: list[Any]
    """Those that are not so plain, or want a key that another one wants."""


class Shortcut(NamedTuple):
    """A feature of many records at once: it says of each the same as their feature does, and is quicker about it."""

    table: str
    """Where the entries of plain records are."""
    compile: Callable[[Sequence[Any]], Plain]


class Memory(NamedTuple):
    """The last run of an owner that read others or had problems."""

    items: Sequence[Item]
    reads: set[Read]


MANY = 50
"""Records that it pays to take a shortcut for."""
NO_SHORTCUTS: Mapping[type[Any], Shortcut] = {}


class Notebook:
    """A view that notes what is read through it."""

    def __init__(self, world: World) -> None:
        self._all = world.records
        self._find = world.find
        self.reads: set[Read] = set()

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if there is one."""
        self.reads.add((kind, id))
        found: R | None = self._all[kind].get(id)
        return found

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """All records of that kind whose references hold `target` in `field`, sorted by id."""
        self.reads.add((kind, field, target))
        return self._find(kind, field, target)


class Incremental:
    """Records in, entries out, always as if all had been computed from scratch."""

    def __init__(
        self,
        kinds: Mapping[str, type[Any]],
        features: Mapping[type[Any], Feature],
        tables: Iterable[str],
        describe: Callable[[str, bytes], str],
        rank: Rank,
        shortcuts: Mapping[type[Any], Shortcut] = NO_SHORTCUTS,
    ) -> None:
        self.world = World(kinds.values())
        self._features = features
        self._shortcuts = shortcuts
        self._names = {kind: name for name, kind in kinds.items()}
        self._desired = Desired(tables, partial(_name, self._names), describe, rank)
        self._notebook = Notebook(self.world)
        self._memory: dict[Owner, Memory] = {}
        self._readers: dict[Read, Owner | set[Owner]] = {}
        """A set where they are several, which they mostly are not."""
        self._troubled: set[Owner] = set()

    @property
    def tables(self) -> dict[str, dict[bytes, bytes]]:
        """All entries, to be read only."""
        return self._desired.tables

    def apply(self, steps: Iterable[Step | Fill]) -> Delta:
        """Take in a batch of changes and return what it changes in the tables."""
        dirty = self._take_in(steps)
        gained: list[tuple[Any, list[Item]]] = []
        for kind, owners in dirty.items():
            if not any(owners.values()):
                continue  # None of them was there before.
            records = self.world.all(kind)
            for id, old in owners.items():
                if old is not None and records.get(id) is old:
                    gained.append((old, self._revise(kind, old)))
                elif old is not None:
                    self._retract(kind, old)
        for owner, items in gained:
            self._desired.add(items, owner)
        for kind, owners in dirty.items():
            self._run(kind, owners)
        return self._desired.take()

    def load(self, records: Iterable[Any]) -> Delta:
        """Make these all the records there are."""
        return self.apply(self._replacement(records) if self.world else self._beginning(records))

    def _replacement(self, records: Iterable[Any]) -> Iterator[Step]:
        gone = {kind: dict.fromkeys(self.world.all(kind)) for kind in self._names}
        for record in records:
            kind = record.__class__
            gone[kind].pop(record.id, None)
            yield kind, record.id, record
        for kind, ids in gone.items():
            yield from ((kind, id, None) for id in ids)

    def _beginning(self, records: Iterable[Any]) -> Iterator[Fill]:
        found: dict[type[Any], dict[str, Any]] = {kind: {} for kind in self._names}
        for record in records:
            found[record.__class__][record.id] = record
        return (Fill(kind, by_id) for kind, by_id in found.items())

    def _take_in(self, steps: Iterable[Step | Fill]) -> Dirty:
        """Change the world; returns every owner to run again."""
        dirty: Dirty = {kind: {} for kind in self._features}
        replace, is_read = self.world.replace, bool(self._readers)
        for kind, id, record in self._singly(steps, dirty):
            old = replace(kind, id, record)
            owners = dirty.get(kind)
            if owners is not None and id not in owners:
                owners[id] = old
            if is_read:
                self._mark_readers(dirty, kind, id, old, record)
        return dirty

    def _singly(self, steps: Iterable[Step | Fill], dirty: Dirty) -> Iterator[Step]:
        """Steps of one record each; what fills the world, where nobody has looked yet, is taken in on the way."""
        for step in steps:
            if not isinstance(step, Fill):
                yield step
            elif self._readers or not self.world.fill(step.kind, step.records):
                yield from ((step.kind, id, record) for id, record in step.records.items())
            elif (owners := dirty.get(step.kind)) is not None:
                before = owners.copy()
                owners.update(dict.fromkeys(step.records))
                owners.update(before)

    def _mark_readers(self, dirty: Dirty, kind: type[Any], id: str, old: Any, new: Any) -> None:
        touched: list[Read] = [(kind, id)]
        touched += [bucket for record in (old, new) if record is not None for bucket in buckets(kind, record)]
        for read in touched:
            known = self._readers.get(read, ())
            for reader_kind, reader in known if isinstance(known, set) else (known,) if known else ():
                dirty[reader_kind].setdefault(reader, self.world.get(reader_kind, reader))

    def _revise(self, kind: type[Any], record: Any) -> list[Item]:
        """Run again an owner whose record stands but not all that it read: take back what is gone, return what is new.

        This may touch a few entries of thousands, so it compares and leaves the rest alone.
        """
        memory = self._memory.pop((kind, record.id), None)
        if memory is None:
            return []
        self._forget((kind, record.id), memory.reads)
        items = self._features[kind](record, self._notebook)
        is_troubled = any(isinstance(item, Problem) for item in items)
        self._remember((kind, record.id), items, is_troubled=is_troubled)
        for table, key, _ in single(without(memory.items, items)):
            self._desired.remove(table, key, record)
        return without(items, memory.items)

    def _retract(self, kind: type[Any], old: Any) -> None:
        """Take back what an owner said when its record was `old`."""
        memory = self._memory.pop((kind, old.id), None)
        if memory is None:
            items = self._features[kind](old, self._notebook)
        else:
            items = memory.items
            self._forget((kind, old.id), memory.reads)
        for table, key, _ in single(items):
            self._desired.remove(table, key, old)

    def _run(self, kind: type[Any], owners: Mapping[str, Any]) -> None:
        """Ask owners with new records what they want, and remember each that its record alone does not speak for."""
        feature, records, notebook, add = self._features[kind], self.world.all(kind), self._notebook, self._desired.add
        if not any(owners.values()):
            fresh = [*filter(None, map(records.get, owners))]
        else:
            found = ((records.get(id), old) for id, old in owners.items())
            fresh = [record for record, old in found if record is not None and record is not old]
        shortcut = self._shortcuts.get(kind)
        for record in self._cut_short(shortcut, fresh) if shortcut and len(fresh) >= MANY else fresh:
            items = feature(record, notebook)
            is_sound = add(items, record)
            if notebook.reads or not is_sound:
                self._remember((kind, record.id), items, is_troubled=not is_sound)

    def _cut_short(self, shortcut: Shortcut, records: Sequence[Any]) -> Iterable[Any]:
        """Bring in what is plain of many records; answers the others."""
        plain = shortcut.compile(records)
        is_in = self._desired.add_many(shortcut.table, plain.entries, plain.owners)
        return plain.rest if is_in else records

    def _remember(self, owner: Owner, items: Sequence[Item], *, is_troubled: bool) -> None:
        reads = self._notebook.reads
        self._notebook.reads = set()
        self._memory[owner] = Memory(items, reads)
        readers = self._readers
        for read in reads:
            known = readers.setdefault(read, owner)
            if isinstance(known, set):
                known.add(owner)
            elif known is not owner:
                readers[read] = {known, owner}
        if is_troubled:
            self._troubled.add(owner)

    def _forget(self, owner: Owner, reads: set[Read]) -> None:
        for read in reads:
            known = self._readers[read]
            if isinstance(known, set) and len(known) > 1:
                known.remove(owner)
            else:
                del self._readers[read]
        self._troubled.discard(owner)

    def owners(self, table: str, key: bytes) -> list[OwnerName]:
        """The owners of an entry, the one whose value stands first."""
        return self._desired.owners(table, key)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the world now, sorted; costs as much as there are problems."""
        said = (item for owner in self._troubled for item in self._memory[owner].items if isinstance(item, Problem))
        return sorted({*said, *self._desired.problems()})

    def footprint(self) -> dict[str, int]:
        """How much is kept of each sort; everything is 0 once every record is gone."""
        return {
            "records": len(self.world),
            "buckets": self.world.indexed,
            "entries": sum(map(len, self.tables.values())),
            "contested": self._desired.contested,
            "memories": len(self._memory),
            "reads": len(self._readers),
            "troubled": len(self._troubled),
        }


def single(items: Iterable[Item]) -> Iterator[Entry]:
    """All entries of items, one by one."""
    for item in items:
        if isinstance(item, Entries):
            yield from ((item.table, key, value) for key, value in item.values.items())
        elif not isinstance(item, Problem):
            yield item


def without(items: Iterable[Item], others: Iterable[Item]) -> list[Item]:
    """What of some items others do not say."""
    left: list[Item] = []
    tables = {other.table: other.values for other in others if isinstance(other, Entries)}
    alone = {other for other in others if not isinstance(other, Entries)}
    for item in items:
        if not isinstance(item, Entries):
            if item not in alone:
                left.append(item)
        elif said := tables.get(item.table):
            left.append(
                Entries(item.table, {key: value for key, value in item.values.items() if said.get(key) != value})
            )
        else:
            left.append(item)
    return left


def _name(names: Mapping[type[Any], str], record: Any) -> OwnerName:
    return names[type(record)], record.id


def evaluate(
    records: Iterable[Any],
    kinds: Mapping[str, type[Any]],
    features: Mapping[type[Any], Feature],
    tables: Iterable[str],
    rank: Rank,
) -> dict[str, dict[bytes, bytes]]:
    """All entries from scratch, naively: what the engine must agree with.

    A value of the lowest rank wins a key, of the first owner by (kind, id).
    """
    world = World(kinds.values())
    for record in records:
        world.replace(type(record), record.id, record)
    entries: dict[str, dict[bytes, bytes]] = {table: {} for table in tables}
    for _, kind in sorted(kinds.items()):
        for _, record in sorted(world.all(kind).items()):
            for table, key, value in single(features[kind](record, world) if kind in features else ()):
                stands = entries[table].setdefault(key, value)
                if rank(table, value) < rank(table, stands):
                    entries[table][key] = value
    return entries
