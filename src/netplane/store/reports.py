"""What the network says of itself: port status, host liveness, realised revisions. The latest report counts."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from msgspec import msgpack
from sqlalchemy import Connection, bindparam, delete, select, text

from netplane.store.prepared import Prepared, Several
from netplane.store.schema import REPORT

PORT_STATUS = "port_status"
"""The kind of the reports that give a port's status: their body is `ACTIVE` or `DOWN`."""

HEARTBEAT = "heartbeat"
"""The kind of the reports that an agent has a session: about its record; their body is since when (UTC, ISO 8601)."""


class Report(NamedTuple):
    """One report; `body` is what msgpack can hold, `time` is UTC, ISO 8601."""

    body: Any
    time: str


# Only about what exists: a late report must not outlive the record it is about.
WRITE = Prepared(
    text(
        "INSERT INTO report (id, kind, body, time, rank)"
        " SELECT CAST(:id AS VARCHAR), CAST(:kind AS VARCHAR), :body, CAST(:time AS VARCHAR), CAST(:rank AS BIGINT)"
        " WHERE EXISTS (SELECT 1 FROM resource WHERE resource.id = :id)"
        " ON CONFLICT (id, kind) DO UPDATE SET body = excluded.body, time = excluded.time, rank = excluded.rank"
        " WHERE excluded.rank >= report.rank"
    ).bindparams(bindparam("body", type_=REPORT.c.body.type))
)

READ = select(REPORT.c.id, REPORT.c.body, REPORT.c.time).where(REPORT.c.kind == bindparam("kind"))
READ_BODIES = Prepared(select(REPORT.c.id, REPORT.c.body).where(REPORT.c.kind == bindparam("kind")))
READ_SOME = Several(REPORT.c.id, READ)
FORGET = Prepared(delete(REPORT).where(REPORT.c.id == bindparam("gone")))


def write_reports(connection: Connection, kind: str, bodies: Mapping[str, Any], time: str, rank: int) -> None:
    """Replace the reports of a kind about some records, in one batch: in the order in which the table lies."""
    if bodies:
        row = {"kind": kind, "time": time, "rank": rank}
        WRITE.run_many(connection, [row | {"id": id, "body": msgpack.encode(bodies[id])} for id in sorted(bodies)])


def read_reports(connection: Connection, kind: str, ids: Collection[str] | None) -> dict[str, Report]:
    """The reports of a kind by id: all, or about these."""
    if ids is None:
        return _read(connection.execute(READ, {"kind": kind}))
    return _read(READ_SOME.rows(connection, list(ids), {"kind": kind}))


def read_bodies(connection: Connection, kind: str) -> dict[str, Any]:
    """What the reports of a kind say, by id, and not when they did: a third of the cost if there are many."""
    return {id: msgpack.decode(body) for id, body in READ_BODIES.rows(connection, {"kind": kind})}


def _read(rows: Any) -> dict[str, Report]:
    return {id: Report(msgpack.decode(body), time) for id, body, time in rows}
