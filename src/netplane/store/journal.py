"""The change log as readers see it."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from netplane.model import Change, Operation
from netplane.store.codec import decode
from netplane.store.schema import CHANGE

READ = (
    select(CHANGE).where(CHANGE.c.revision > bindparam("after")).order_by(CHANGE.c.revision).limit(bindparam("count"))
)


class Entry(NamedTuple):
    """A change, who made it, and when (UTC, ISO 8601, microseconds)."""

    change: Change
    actor: str
    time: str


def read_journal(connection: Connection, after: int, limit: int) -> list[Entry]:
    """Up to `limit` entries that follow a revision, in order."""
    return [
        Entry(Change(revision, Operation(operation), kind, id, None if body is None else decode(body)), actor, time)
        for revision, kind, id, operation, body, actor, time in connection.execute(
            READ, {"after": after, "count": limit}
        )
    ]
