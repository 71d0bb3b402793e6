"""The recent past: what has changed lately, and how that was before.

A controller that starts begins there, and takes in what has changed since as if it had been there all the time. So
hosts that come back to it are told what they have missed, and not all that they need.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from netplane.model import Record, kind_of
from netplane.model.resource import Resource
from netplane.store.journal import COLUMNS, Entry, Key, entry_of, read_journal
from netplane.store.prepared import Prepared, Several
from netplane.store.schema import CHANGE

COUNT = 1_000
"""Changes that are gone back at most: each is taken in by itself, for up to half a millisecond of the start."""
SECONDS = 30.0
"""How much older than the latest the oldest of them may be. Hosts are told of the revision each few seconds."""
EARLIER = 20_000
"""Changes before these that are looked through for how things were."""

KEYS = Prepared(
    select(CHANGE.c.id, CHANGE.c.kind, CHANGE.c.revision)
    .where(CHANGE.c.revision > bindparam("after"), CHANGE.c.revision < bindparam("before"))
    .order_by(CHANGE.c.revision)
)
AT = Several(CHANGE.c.revision, select(*(CHANGE.c[name] for name in COLUMNS)))


class Past(NamedTuple):
    """How the store was."""

    revision: int
    """As of this revision."""
    before: Mapping[Key, Record | None]
    """What has changed since, as it was; None for what there was not."""
    since: Sequence[Entry]
    """What has changed since, in order."""


def read_past(connection: Connection, revision: int, kinds: Collection[str]) -> Past:
    """How the records of some kinds were some changes before this, the last revision: as many as may be."""
    entries = read_journal(connection, revision - COUNT, COUNT)
    entries = entries[_after_last([_age(entry, entries[-1]) > SECONDS for entry in entries]) :]
    if not entries:
        return Past(revision, {}, ())
    first, ids = entries[0].change.revision, {entry.change.id for entry in entries}
    rows = KEYS.rows(connection, {"after": first - EARLIER, "before": first})
    latest = {(kind, id): revision for id, kind, revision in rows if id in ids and kind in kinds}
    return rewind(entries, [entry_of(*row) for row in AT.rows(connection, [*latest.values()], {})], kinds)


def as_it_was(records: Iterable[Record], past: Past) -> Iterator[Record]:
    """The records of then, of all those of now. What has changed since comes last."""
    before, ids = past.before, {id for _, id in past.before}
    for record in records:
        if record.id not in ids or (kind_of(record), record.id) not in before:
            yield record
    yield from (record for record in before.values() if record is not None)


def rewind(entries: Sequence[Entry], earlier: Sequence[Entry], kinds: Collection[str]) -> Past:
    """As far back through these entries, at least one, as it is known how the records of some kinds were.

    `earlier` are entries from before them, of each record the last one.
    """
    known = {_key(entry): entry.change.record for entry in earlier}
    new = {key[1] for key, record in known.items() if _is_new(record)}
    befores: list[Record | type[_Unknown] | None] = []
    for entry in entries:
        key, change = _key(entry), entry.change
        if key in known:
            befores.append(known[key])
        elif change.record is None:
            befores.append(entry.gone or _Unknown)
        else:
            # What belongs to a record that has come, as a binding does to its port, cannot be older than that.
            befores.append(None if _is_new(change.record) or key[1] in new else _Unknown)
        known[key] = change.record
        if _is_new(change.record):
            new.add(key[1])
    lost = [was is _Unknown and entry.change.kind in kinds for entry, was in zip(entries, befores, strict=True)]
    start = _after_last(lost)
    before: dict[Key, Record | None] = {}
    for entry, was in zip(entries[start:], befores[start:], strict=True):
        before.setdefault(_key(entry), was if isinstance(was, Record) else None)
    at = entries[start].change.revision - 1 if start < len(entries) else entries[-1].change.revision
    return Past(at, before, entries[start:])


class _Unknown:
    """In place of how something was that the log does not tell."""


def _key(entry: Entry) -> Key:
    return entry.change.kind, entry.change.id


def _after_last(truths: Sequence[bool]) -> int:
    """The place after the last of these that is so; 0 if none is."""
    return max((place for place, is_so in enumerate(truths, 1) if is_so), default=0)


def _is_new(record: Record | None) -> bool:
    return isinstance(record, Resource) and record.revision_number == 0


def _age(entry: Entry, latest: Entry) -> float:
    """Seconds."""
    return (datetime.fromisoformat(latest.time) - datetime.fromisoformat(entry.time)).total_seconds()
