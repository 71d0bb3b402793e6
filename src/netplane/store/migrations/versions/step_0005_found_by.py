"""Records are found by their names and the like: what that is of those there are is written beside their references."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from netplane.model import Record, kind_of
from netplane.store.codec import decode

revision = "0005"
down_revision = "0004"

INSERT = sa.text(
    "INSERT INTO reference (source, kind, field, target, cascade)"
    " VALUES (:source, :kind, :field, :target, :cascade) ON CONFLICT DO NOTHING"
)
CHUNK = 10_000
"""Records that are read at a time."""


def upgrade() -> None:
    """Write it."""
    connection = op.get_bind()
    after = ""
    while ids := connection.execute(READ, {"after": after, "count": CHUNK}).all():
        rows = [row for _id, body in ids for row in _rows(decode(body))]
        if rows:
            connection.execute(INSERT, rows)
        after = ids[-1][0]


READ = sa.text(
    "SELECT id, body FROM resource WHERE id IN"
    " (SELECT DISTINCT id FROM resource WHERE id > :after ORDER BY id LIMIT :count) ORDER BY id"
)
"""The next records; those that share an id, as a port and its binding do, together."""


def _rows(record: Record) -> Iterator[dict[str, object]]:
    for field in record.found_by:
        if value := getattr(record, field):
            target = f"={value}"
            yield {"source": record.id, "kind": kind_of(record), "field": field, "target": target, "cascade": True}
