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
    """A change, who made it, when (UTC, ISO 8601, microseconds), and the id of the API's request, if it was one."""

    change: Change
    actor: str
    time: str
    request: str = ""


def read_journal(connection: Connection, after: int, limit: int) -> list[Entry]:
    """Up to `limit` entries that follow a revision, in order."""
    return [_entry(*row) for row in connection.execute(READ, {"after": after, "count": limit})]


def _entry(
    revision: int, kind: str, id: str, operation: str, body: bytes | None, actor: str, time: str, request: str
) -> Entry:
    record = None if body is None else decode(body)
    return Entry(Change(revision, Operation(operation), kind, id, record), actor, time, request)
