"""Writing: one API call is one transaction, and all of it is kept or nothing.

Writes are collected and sent in batches: when a question needs the database to know of them, and at the end. A
transaction in which anything failed is over; let the error leave its `with` block.
"""

from collections.abc import Collection, Iterator
from typing import TypeVar, cast

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select, text, update

from netplane.model import STORED, Claim, Record, kind_of
from netplane.model.resource import Resource
from netplane.store.allocation import Cursors, Text, free_numbers
from netplane.store.clock import stamp
from netplane.store.errors import Conflict, Exhausted, InUse
from netplane.store.journal import Entry
from netplane.store.listening import CHANNEL
from netplane.store.prepared import Prepared, together
from netplane.store.reader import Reader, Records
from netplane.store.schema import CHANGE, LOG
from netplane.store.tally import Tally
from netplane.store.writes import Key, Origin, Pending, key_of

T = TypeVar("T", bound=Record)
R = TypeVar("R", bound=Resource)

LOCK = Prepared(select(LOG.c.revision).with_for_update())
ADVANCE = Prepared(update(LOG).values(revision=bindparam("reached")))
TELL = Prepared(text(f"SELECT pg_notify('{CHANNEL}', :reached)"))
"""PostgreSQL's own: others hear of the revision when the transaction is kept."""
KEPT = Prepared(
    select(CHANGE.c.id, CHANGE.c.actor, CHANGE.c.time, CHANGE.c.request).where(
        CHANGE.c.revision == bindparam("revision")
    )
)

_BY_NAME = {kind_of(kind): kind for kind in STORED}


class Transaction:
    """Look-ups that see the transaction's own writes, and the writes."""

    def __init__(self, connection: Connection, origin: Origin, cursors: Cursors) -> None:
        self.origin = origin
        self._connection = connection
        self._reader = Reader(connection)
        self.entries: list[Entry] = []
        """What was sent, as the log will have it."""
        with together(connection):
            self._start = int(LOCK.first(connection, {}))
        self._time = stamp(origin.now)
        self._cursors = cursors
        self._pending = Pending()
        self._tally = Tally(connection)
        self._seen: dict[Key, Record | None] = {}
        self._found: dict[str, dict[tuple[str, str], Records[Record]]] = {}
        self._present: set[str] = set()
        self._written: set[Key] = set()
        self._revised: dict[Key, None] = {}
        self._claims: dict[Claim, str | None] = {}
        self._free: dict[tuple[str, int, int], Iterator[int]] = {}

    @property
    def revision(self) -> int:
        """The revision of the last change that was sent; after the transaction, of the last change."""
        return self._start + len(self.entries)

    @property
    def has_changed(self) -> bool:
        """Whether anything was sent."""
        return bool(self.entries)

    @property
    def reader(self) -> Reader:
        """The database as this transaction will leave it, as far as it has got."""
        self.flush()
        return self._reader

    def get(self, kind: type[T], id: str) -> T | None:
        """The record with this id, or None."""
        key = (kind_of(kind), id)
        if key not in self._seen:
            self._note(key, self._reader.get(kind, id))
        return cast("T | None", self._seen[key])

    def find(self, kind: type[T], field: str, target: str) -> Records[T]:
        """The records of a kind that refer to `target` by `field`, by id."""
        found = self._found.setdefault(kind_of(kind), {})
        if (field, target) not in found:
            records = self.reader.find(kind, field, target)
            for record in records:
                self._note(key_of(record), record)
            found[field, target] = [*records]
        return cast("Records[T]", found[field, target].copy())

    def list(self, kind: type[T], project: str | None = None, ids: Collection[str] | None = None) -> Records[T]:
        """The records of a kind, by id: all, of one project, with these ids, or both."""
        return self.reader.list(kind, project, ids)

    def holder(self, space: str, value: str) -> str | None:
        """The id of the record that claims a value, or None."""
        claim = Claim(space, value)
        if claim not in self._claims:
            self._claims[claim] = self._reader.holder(space, value)
        return self._claims[claim]

    def is_referred(self, target: str) -> bool:
        """Whether any record refers to this one."""
        return self.reader.is_referred(target)

    def used(self, kind: type[Resource], project: str) -> int:
        """How many resources of a kind a project has."""
        self.flush()
        return self._tally.used(project, kind_of(kind))

    def allocate(self, space: str, low: int, high: int, text: Text = str, start: int | None = None) -> int:
        """A number of `low` to `high` that no record claims in `space`, next fit; Exhausted if there is none.

        It is taken once a record that claims it is written; until then this transaction gives it no second time.
        `start` is where the first search begins.
        """
        free = self._free.get((space, low, high))
        if free is None:
            begin = self._cursors.get(space, low, high) if start is None else start
            free = free_numbers(low, high, begin, text, lambda values: self._reader.taken(space, values))
            self._free[space, low, high] = free
        for number in free:
            if self._claims.get(Claim(space, text(number))) is None:
                self._cursors.given(space, low, high, number)
                return number
        raise Exhausted(space)

    def add(self, record: T) -> T:
        """Write a record whose id is new; answers it as stored, with its times. Conflict if the id is taken."""
        if isinstance(record, Resource):
            record = cast(T, replace(record, created_at=self._time, updated_at=self._time, revision_number=0))
        self._write(key_of(record), None, record)
        return record

    def put(self, record: T) -> T:
        """Write a record over what has its id; answers it as stored. Writing what is there changes nothing."""
        before = self.get(type(record), record.id)
        if before is None:
            return self.add(record)
        if before == record:
            return before
        if isinstance(record, Resource) and isinstance(before, Resource):
            record = cast(T, self._counted(replace(record, revision_number=before.revision_number)))
        self._write(key_of(record), before, record)
        return record

    def delete(self, record: Record) -> None:
        """Delete a record and what goes with it; InUse if anything else refers to it."""
        before = self.get(type(record), record.id)
        if before is None:
            return
        if not _is_companion(before):
            self._delete_referrers(before.id)
        self._write(key_of(before), before, None)

    def flush(self) -> None:
        """Send what is collected."""
        if self._pending.writes:
            self._tally.note(self._pending.writes.values())
            self.entries += self._pending.send(self._connection, self._present, self.revision, self.origin)
            self._pending = Pending()

    def finish(self) -> None:
        """Send the rest: the last thing before the commit."""
        self._count_revisions()
        self.flush()
        self._tally.send()

    def commit(self) -> None:
        """Move the log on and keep everything."""
        with together(self._connection):
            if self.has_changed:
                ADVANCE.run(self._connection, {"reached": self.revision})
            if self.has_changed and self._connection.dialect.name == "postgresql":
                TELL.run(self._connection, {"reached": str(self.revision)})
            self._connection.commit()

    def is_kept(self, connection: Connection) -> bool:
        """Whether the database has it, when nobody could tell how the commit ended: seen from another connection."""
        # Whoever holds the lock may still be about to keep it; when we have it, it is kept or gone.
        LOCK.first(connection, {})
        rows = KEPT.rows(connection, {"revision": self.revision})
        last = self.entries[-1]
        return [tuple(row) for row in rows] == [(last.change.id, last.actor, last.time, last.request)]

    def conflict(self, reader: Reader) -> Conflict:
        """Why the database refused; asked after the rollback."""
        return self._pending.conflict(reader)

    def _note(self, key: Key, record: Record | None) -> None:
        self._seen[key] = record
        if record is not None:
            self._present.add(key[1])

    def _write(self, key: Key, before: Record | None, after: Record | None) -> None:
        old = set() if before is None else set(before.claims())
        new = set() if after is None else set(after.claims())
        self._take_claims(key[1], old - new, new - old)
        self._pending.add(key, before, after, old - new, new - old)
        self._note(key, after)
        self._written.add(key)
        for record in (before, after):
            if record is not None and (owner := record.revises()) is not None:
                self._revised[owner] = None
        if after is None and not (before is not None and _is_companion(before)):
            self._present.discard(key[1])
        self._found.pop(key[0], None)

    def _count_revisions(self) -> None:
        """Of what has gained, lost or kept a changed record of its own, unless it was written itself."""
        for key in [key for key in self._revised if key not in self._written]:
            owner = self.get(_BY_NAME[key[0]], key[1])
            if isinstance(owner, Resource):
                self._write(key, owner, self._counted(owner))

    def _counted(self, record: R) -> R:
        number = record.revision_number + 1
        return replace(record, updated_at=self._time, revision_number=number)

    def _take_claims(self, owner: str, gone: set[Claim], new: set[Claim]) -> None:
        for claim in gone:
            self._claims[claim] = None
        for claim in new:
            holder = self._claims.get(claim)
            if holder is not None and holder != owner:
                raise Conflict(claim.space, claim.value, holder)
            self._claims[claim] = owner

    def _delete_referrers(self, id: str) -> None:
        holder = self.reader.held_by(id)
        if holder is not None:
            raise InUse(id, *holder)
        for kind, source in self.reader.followers(id):
            record = self.get(_BY_NAME[kind], source)
            if record is not None:
                self.delete(record)


def _is_companion(record: Record) -> bool:
    """Whether a record shares the id of what it belongs to, as a binding does: nothing refers to it."""
    return any(reference.target == record.id for reference in record.references())
