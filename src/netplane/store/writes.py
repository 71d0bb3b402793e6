"""What a transaction has still to write: collected record by record, sent in batches.

Rows are keyed, so that a record written twice is sent once. Everything that goes is sent before anything that comes:
a claim may move from one record to another within a transaction.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, update

from netplane.model import Change, Claim, OnDelete, Operation, Record, Reference, kind_of
from netplane.model.resource import project_of
from netplane.store.clock import fine_stamp
from netplane.store.codec import encode, encode_readable
from netplane.store.errors import Conflict, Missing
from netplane.store.inserting import insert_rows
from netplane.store.journal import Entry, Key
from netplane.store.prepared import Prepared, Values
from netplane.store.reader import VALUE, Reader
from netplane.store.reports import FORGET
from netplane.store.schema import CHANGE, CLAIM, REFERENCE, RESOURCE

_AT = (RESOURCE.c.id == bindparam("at_id")) & (RESOURCE.c.kind == bindparam("at_kind"))
INSERT_RESOURCE = Prepared(insert(RESOURCE))
UPDATE_RESOURCE = Prepared(
    update(RESOURCE)
    .where(_AT)
    .values(project=bindparam("project"), revision=bindparam("revision"), body=bindparam("body"))
)
DELETE_RESOURCE = Prepared(delete(RESOURCE).where(_AT))
INSERT_REFERENCE = Prepared(insert(REFERENCE))
DELETE_REFERENCE = Prepared(
    delete(REFERENCE).where(
        REFERENCE.c.source == bindparam("at_source"),
        REFERENCE.c.kind == bindparam("at_kind"),
        REFERENCE.c.field == bindparam("at_field"),
        REFERENCE.c.target == bindparam("at_target"),
    )
)
INSERT_CLAIM = Prepared(insert(CLAIM))
DELETE_CLAIM = Prepared(
    delete(CLAIM).where(CLAIM.c.space == bindparam("at_space"), CLAIM.c.value == bindparam("at_value"))
)
INSERT_CHANGE = Prepared(insert(CHANGE))
UPSERT, DELETE = Operation.UPSERT.value, Operation.DELETE.value


class Origin(NamedTuple):
    """Where a transaction comes from, as the change log tells it."""

    actor: str
    now: datetime
    request: str = ""
    """The id of the API's request; empty if it is not one's."""

    @property
    def row(self) -> Values:
        """What every change of the transaction carries."""
        return {"actor": self.actor, "time": fine_stamp(self.now), "request": self.request}


class Write(NamedTuple):
    """A record as it is stored and as it shall be; None where there is none."""

    before: Record | None
    after: Record | None


class Pending:
    """Writes that wait to be sent."""

    def __init__(self) -> None:
        self.writes: dict[Key, Write] = {}
        self._claims_new: dict[Claim, str] = {}
        self._claims_gone: set[Claim] = set()
        self._links_new: dict[tuple[Key, Reference], None] = {}
        self._links_gone: set[tuple[Key, Reference]] = set()

    def add(self, key: Key, before: Record | None, after: Record | None, gone: set[Claim], new: set[Claim]) -> None:
        """What was `before` (as far as this transaction has got) becomes `after`, with the claims that go and come."""
        earlier = self.writes.pop(key, None) if after is None else self.writes.get(key)
        stored = before if earlier is None else earlier.before
        if stored is not None or after is not None:
            self.writes[key] = Write(stored, after)
        self._relink(key, before, after)
        self._reclaim(key[1], gone, new)

    @property
    def new(self) -> set[str]:
        """The ids of records that there were not."""
        return {key[1] for key, write in self.writes.items() if write.before is None}

    @property
    def targets(self) -> set[str]:
        """The ids that what is new refers to."""
        return {reference.target for _key, reference in self._links_new}

    def send(self, connection: Connection, present: set[Key], revision: int, origin: Origin) -> list[Entry]:
        """Send everything that follows a revision; answers the changes, in order. Afterwards these writes are spent.

        `present` are known to be there. What a distant database refuses may be raised as late as by `hear`.
        """
        self._send_gone(connection)
        self._check_targets(connection, present)
        rows = self._send_records(connection, revision, origin.row)
        insert_rows(connection, INSERT_REFERENCE, [_link_row(key, reference) for key, reference in self._links_new])
        insert_rows(connection, INSERT_CLAIM, [_claim_row(claim, owner) for claim, owner in self._claims_new.items()])
        insert_rows(connection, INSERT_CHANGE, rows)
        return [_entry(row, write) for row, write in zip(rows, self.writes.values(), strict=True)]

    def conflict(self, reader: Reader) -> Conflict | None:
        """Why the database refused it, told from outside of the transaction that failed; None if it did not."""
        for claim, owner in self._claims_new.items():
            holder = reader.holder(claim.space, claim.value)
            if holder is not None and holder != owner:
                return Conflict(claim.space, claim.value, holder)
        taken = [key[1] for key in self.writes if key in reader.present([key[1]])]
        return Conflict("id", taken[0], "") if taken else None

    def _relink(self, key: Key, before: Record | None, after: Record | None) -> None:
        if before is None and after is not None:
            self._links_new.update(dict.fromkeys((key, reference) for reference in _links(after)))
            return
        old = set() if before is None else set(_links(before))
        new = {} if after is None else dict.fromkeys(_links(after))
        for reference in old - new.keys():
            if (key, reference) in self._links_new:
                del self._links_new[key, reference]
            else:
                self._links_gone.add((key, reference))
        for reference in new:
            if reference not in old:
                self._links_new[key, reference] = None

    def _reclaim(self, owner: str, gone: set[Claim], new: set[Claim]) -> None:
        for claim in gone:
            if self._claims_new.pop(claim, None) is None:
                self._claims_gone.add(claim)
        for claim in new:
            self._claims_new[claim] = owner

    def _send_gone(self, connection: Connection) -> None:
        gone = [key for key, write in self.writes.items() if write.after is None]
        _send(connection, DELETE_REFERENCE, [_link_place(key, reference) for key, reference in self._links_gone])
        _send(connection, DELETE_CLAIM, [{"at_space": c.space, "at_value": c.value} for c in self._claims_gone])
        _send(connection, DELETE_RESOURCE, [{"at_kind": kind, "at_id": id} for kind, id in gone])
        _send(connection, FORGET, [{"gone": id} for _kind, id in gone])

    def _check_targets(self, connection: Connection, present: set[Key]) -> None:
        new = (((link[1].kind, link[1].target), link) for link in self._links_new if link[1].kind)
        unknown = {target: link for target, link in new if target not in present}
        if unknown:
            missing = unknown.keys() - Reader(connection).present({id for _kind, id in unknown})
            for (_kind, source), reference in (unknown[target] for target in missing):
                raise Missing(source, reference.field, reference.target)

    def _send_records(self, connection: Connection, revision: int, origin: Values) -> list[Values]:
        new, replaced, changes = [], [], []
        for position, ((kind, id), write) in enumerate(self.writes.items(), revision + 1):
            before, after = write
            told = after or before
            assert told is not None, "what never was is not written"
            body = encode(told) if after is None else encode_readable(told)
            project = project_of(told)
            if after is None:
                operation = DELETE
            elif before is None:
                operation = UPSERT
                new.append({"id": id, "kind": kind, "project": project, "revision": position, "body": body})
            else:
                operation = UPSERT
                replaced.append({"at_id": id, "at_kind": kind, "project": project, "revision": position, "body": body})
            change = {"revision": position, "kind": kind, "id": id, "operation": operation, "body": body}
            changes.append({**change, **origin, "project": project})
        insert_rows(connection, INSERT_RESOURCE, new)
        _send(connection, UPDATE_RESOURCE, replaced)
        return changes


def _links(record: Record) -> Iterator[Reference]:
    """What it refers to, and what it is looked up by, which lies in the same index and points at no kind."""
    yield from record.references()
    for field in record.found_by:
        if value := getattr(record, field):
            yield Reference(field, "", VALUE + value, OnDelete.CASCADE)


def _entry(row: Values, write: Write) -> Entry:
    before, after = write
    operation, gone = (Operation.DELETE, before) if after is None else (Operation.UPSERT, None)
    change = Change(row["revision"], operation, row["kind"], row["id"], after)
    return Entry(change, row["actor"], row["time"], row["request"], gone)


def key_of(record: Record) -> Key:
    """The kind and id of a record."""
    return kind_of(record), record.id


def _send(connection: Connection, statement: Prepared, rows: Sequence[Values]) -> None:
    if rows:
        statement.run_many(connection, rows)


def _claim_row(claim: Claim, owner: str) -> Values:
    return {"space": claim.space, "value": claim.value, "owner": owner}


def _link_row(key: Key, reference: Reference) -> Values:
    kind, source = key
    cascade = reference.on_delete is OnDelete.CASCADE
    return {"target": reference.target, "kind": kind, "field": reference.field, "source": source, "cascade": cascade}


def _link_place(key: Key, reference: Reference) -> Values:
    return {"at_kind": key[0], "at_source": key[1], "at_field": reference.field, "at_target": reference.target}
