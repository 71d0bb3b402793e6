"""The change log as auditors ask it: the youngest changes that pass, each without what was written."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from netplane.store.schema import CHANGE

COLUMNS = ("revision", "kind", "id", "operation", "project", "actor", "request", "time")


class Line(NamedTuple):
    """Who wrote what, and when (UTC, ISO 8601, microseconds); `request` is empty for what no client has asked for."""

    revision: int
    kind: str
    id: str
    operation: str
    project: str
    actor: str
    request: str
    time: str


class Sought(NamedTuple):
    """Which changes are asked for; what is None may be anything."""

    kind: str | None = None
    id: str | None = None
    operation: str | None = None
    project: str | None = None
    actor: str | None = None
    request: str | None = None
    since: str | None = None
    """Not before this time."""
    until: str | None = None
    """Before this time."""
    before: int | None = None
    """Only revisions before this one."""


def read_audit(connection: Connection, sought: Sought, limit: int) -> list[Line]:
    """Up to `limit` changes, the youngest first."""
    columns = [CHANGE.c[name] for name in COLUMNS]
    asked = select(*columns).order_by(CHANGE.c.revision.desc()).limit(limit)
    for name in ("kind", "id", "operation", "project", "actor", "request"):
        if (value := getattr(sought, name)) is not None:
            asked = asked.where(CHANGE.c[name] == value)
    if sought.since is not None:
        asked = asked.where(CHANGE.c.time >= sought.since)
    if sought.until is not None:
        asked = asked.where(CHANGE.c.time < sought.until)
    if sought.before is not None:
        asked = asked.where(CHANGE.c.revision < sought.before)
    return [Line(*row) for row in connection.execute(asked)]
