"""The change log as readers see it."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from netplane.model import STORED, Change, Operation, Record, kind_of
from netplane.model.resource import project_of
from netplane.store.codec import decode
from netplane.store.prepared import Prepared
from netplane.store.schema import CHANGE

Key = tuple[str, str]
"""Kind and id."""

COLUMNS = ("revision", "kind", "id", "operation", "body", "actor", "time", "request")
READ = Prepared(
    select(*(CHANGE.c[name] for name in COLUMNS))
    .where(CHANGE.c.revision > bindparam("after"))
    .order_by(CHANGE.c.revision)
    .limit(bindparam("count"))
)
"""Whatever follows a revision, as many as are asked for."""

KINDS = frozenset(map(kind_of, STORED))
"""What this netplane can read. A later one on the same database may write others."""


class Entry(NamedTuple):
    """A change, who made it, when (UTC, ISO 8601, microseconds), and the id of the API's request, if it was one.

    A delete also has what is `gone`, as it was before; None in an older log. Of a kind that only a later netplane
    knows there is no record.
    """

    change: Change
    actor: str
    time: str
    request: str = ""
    gone: Record | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether only a later netplane knows what this is about."""
        return self.change.kind not in KINDS

    @property
    def record(self) -> Record | None:
        """The record that was written, or what was there until it was deleted."""
        return self.change.record or self.gone

    @property
    def project(self) -> str:
        """The project that the record belongs to; empty for what is the operator's."""
        return "" if self.record is None else project_of(self.record)


Mark = tuple[str, str, str, str]


def mark_of(entry: Entry) -> Mark:
    """What tells an entry from another that has the same revision: that of a server that did not know of the first."""
    return entry.change.id, entry.actor, entry.time, entry.request


def read_journal(connection: Connection, after: int, limit: int) -> list[Entry]:
    """Up to `limit` entries that follow a revision, in order."""
    return [entry_of(*row) for row in READ.rows(connection, {"after": after, "count": limit})]


def entry_of(
    revision: int, kind: str, id: str, operation: str, body: bytes | None, actor: str, time: str, request: str
) -> Entry:
    """A row of what `READ` answers."""
    record, done = None if body is None or kind not in KINDS else decode(body), Operation(operation)
    if done is Operation.DELETE:
        return Entry(Change(revision, done, kind, id, None), actor, time, request, record)
    return Entry(Change(revision, done, kind, id, record), actor, time, request)
