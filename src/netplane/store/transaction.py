"""Writing: one API call is one transaction, and all of it is kept or nothing.

Writes are collected and sent in batches: when a question needs the database to know of them, and at the end. A
transaction in which anything failed is over; let the error leave its `with` block.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar, cast

from msgspec.structs import replace
from sqlalchemy import Connection

from netplane.model import STORED, Claim, Record, kind_of
from netplane.model.resource import Resource
from netplane.store.allocation import Cursors, Text, free_windows
from netplane.store.clock import stamp
from netplane.store.distance import is_distant
from netplane.store.errors import Conflict, Exhausted, InUse
from netplane.store.journal import Entry, Key
from netplane.store.known import Known, Window
from netplane.store.prepared import hear, post
from netplane.store.reader import Reader, Records
from netplane.store.tally import Tally
from netplane.store.writes import Origin, Pending, key_of

T = TypeVar("T", bound=Record)
R = TypeVar("R", bound=Resource)

SOME = 100
"""Records that are sent ahead of the rest: few enough that they fit into a socket's buffer."""

_BY_NAME = {kind_of(kind): kind for kind in STORED}


class Transaction:
    """Look-ups that see the transaction's own writes, and the writes."""

    def __init__(
        self,
        connection: Connection,
        origin: Origin,
        cursors: Cursors,
        known: Known,
        save: Callable[[], None],
        start: int,
    ) -> None:
        """`start` is the revision before it; `save` is called before the first statement that writes."""
        self.origin = origin
        self._connection = connection
        self._lone: set[str] = set()
        self._reader = Reader(connection, self._lone)
        self.entries: list[Entry] = []
        """What was sent, as the log will have it."""
        self.claims: set[Claim] = set()
        """What has come or gone with it."""
        self.has_sent = False
        """Whether the database was told to write anything, be it in vain."""
        self._start = start
        self._save = save
        self._time = stamp(origin.now)
        self._cursors = cursors
        self._known = known
        self._pending = Pending()
        self._sent: list[Pending] = []
        self._is_counted = False
        self._tally = Tally(connection)
        self._seen: dict[Key, Record | None] = {}
        self._found: dict[str, dict[tuple[str, str], Records[Record]]] = {}
        self._present: set[Key] = set()
        self._written: set[Key] = set()
        self._touched: set[str] = set()
        self._revised: dict[Key, None] = {}
        self._claims: dict[Claim, str | None] = {}
        self._given: set[Claim] = set()
        self._free: dict[tuple[str, int, int], Iterator[Window]] = {}

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
            if key not in self._known.records:
                self._known.note(key, self._reader.get(kind, id))
            self._note(key, self._known.records[key])
        return cast("T | None", self._seen[key])

    def find(self, kind: type[T], field: str, target: str) -> Records[T]:
        """The records of a kind that refer to `target` by `field`, by id."""
        name = kind_of(kind)
        found = self._found.setdefault(name, {})
        if (field, target) not in found:
            known = None if name in self._touched else self._known.found(name, field, target)
            records: Sequence[Record] = self.reader.find(kind, field, target) if known is None else known
            if known is None:
                self._known.note_found(name, field, target, records)
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
            if claim not in self._known.holders:
                self._known.note_holder(claim, self._reader.holder(space, value))
            self._claims[claim] = self._known.holders[claim]
        return self._claims[claim]

    def is_referred(self, kind: type[Record], field: str, target: str) -> bool:
        """Whether any record of a kind refers to `target` by `field`."""
        return self.reader.is_referred(kind, field, target)

    def used(self, kind: type[Resource], project: str) -> int:
        """How many resources of a kind a project has."""
        self.flush()
        return self._tally.used(project, kind_of(kind))

    def allocate(self, space: str, low: int, high: int, text: Text = str, start: int | None = None) -> int:
        """A number of `low` to `high` that no record claims in `space`, next fit; Exhausted if there is none.

        It is taken once a record that claims it is written; until then this transaction gives it no second time.
        `start` is where the first search begins.
        """
        while True:
            free = self._known.free(space, low, high)
            while free:
                value = next(iter(free))
                number, claim = free.pop(value), Claim(space, value)
                if claim not in self._given and self._claims.get(claim) is None:
                    self._given.add(claim)
                    self._cursors.given(space, low, high, number)
                    return number
            self._search(space, low, high, text, start)

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
            self._delete_referrers(key_of(before))
        self._write(key_of(before), before, None)

    def flush(self) -> None:
        """Send what is collected. What the database says of it is heard when it is asked next, or at the end."""
        if self._pending.writes or self._is_counted:
            with post(self._connection):
                self._send()
                self._tally.send()
                self._is_counted = False

    def send_some(self) -> None:
        """Whoever makes many records may have a distant database take some in, while he makes the rest.

        None of these may claim what a record has that he only lets go of it later.
        """
        if len(self._pending.writes) >= SOME and is_distant(self._connection):
            with post(self._connection):
                self._send()
                self._is_counted = True

    def finish(self) -> None:
        """Send the rest: the last thing before the commit."""
        self._count_revisions()
        self.flush()
        hear(self._connection)

    def conflict(self, reader: Reader) -> Conflict:
        """Why the database refused what was sent; asked when that has been undone."""
        known = (pending.conflict(reader) for pending in self._sent)
        return next((conflict for conflict in known if conflict), Conflict("id", "", ""))

    def _send(self) -> None:
        if not self.has_sent:
            self.has_sent = True
            self._save()
        pending, self._pending = self._pending, Pending()
        self._sent.append(pending)
        self.entries += pending.send(self._connection, self._present, self.revision, self.origin)
        self._tally.count(pending.writes.values())
        self._lone |= pending.new
        self._lone -= pending.targets

    def _search(self, space: str, low: int, high: int, text: Text, start: int | None) -> None:
        """See what is free further on; Exhausted when it has come round."""
        windows = self._free.get((space, low, high))
        if windows is None:
            begin = self._cursors.get(space, low, high, start)
            windows = free_windows(low, high, begin, text, lambda values: self._reader.taken(space, values))
            self._free[space, low, high] = windows
        for window in windows:
            if window:
                self._known.note_free(space, low, high, window)
                return
        raise Exhausted(space)

    def _note(self, key: Key, record: Record | None) -> None:
        self._seen[key] = record
        if record is not None:
            self._present.add(key)

    def _write(self, key: Key, before: Record | None, after: Record | None) -> None:
        old = set() if before is None else set(before.claims())
        new = set() if after is None else set(after.claims())
        self._take_claims(key[1], old - new, new - old)
        self._pending.add(key, before, after, old - new, new - old)
        self._note(key, after)
        self._written.add(key)
        self._touched.add(key[0])
        for record in (before, after):
            if record is not None and (owner := record.revises()) is not None:
                self._revised[owner] = None
        if after is None:
            self._present.discard(key)
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
        self.claims |= gone
        self.claims |= new
        for claim in gone:
            self._claims[claim] = None
        for claim in new:
            holder = self._claims.get(claim)
            if holder is not None and holder != owner:
                raise Conflict(claim.space, claim.value, holder)
            self._claims[claim] = owner

    def _delete_referrers(self, key: Key) -> None:
        # The database knows ids only; the records that refer to one say which kind they mean.
        reader, id = self.reader, key[1]
        holder = reader.held_by(id)
        while holder is not None:
            kind, source, field = holder
            if self._refers(kind, source, key):
                raise InUse(id, kind, source, field)
            holder = reader.held_by(id, kind, field)
        for kind, source in reader.followers(id):
            if record := self._refers(kind, source, key):
                self.delete(record)

    def _refers(self, kind: str, source: str, key: Key) -> Record | None:
        """The record of that kind and id, if it refers to another."""
        record = self.get(_BY_NAME[kind], source)
        if record is None:
            return None
        return record if any((link.kind, link.target) == key for link in record.references()) else None


def _is_companion(record: Record) -> bool:
    """Whether a record shares the id of what it belongs to, as a binding does: nothing refers to it."""
    return any(reference.target == record.id for reference in record.references())
