"""Rows into a table, by as few statements as may be.

PostgreSQL's driver knows a way of its own. SQLite's steps through rows one by one and lets other threads run at each,
which costs as much as the row; so it gets statements of many rows.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

from sqlalchemy import Connection

from netplane.store.prepared import Prepared, Values

SIZES = (100, 10, 4, 3, 2, 1)
"""How many rows a statement has: few numbers, since each is another statement to compile."""


def insert_rows(connection: Connection, insert: Prepared, rows: Sequence[Values]) -> None:
    """Send the rows of an `INSERT`, if there are any."""
    if connection.dialect.name != "sqlite":
        if rows:
            insert.run_many(connection, rows)
        return
    text = insert.text(connection)
    cursor = connection.connection.cursor()
    for first, size in _pieces(len(rows)):
        values = chain.from_iterable(text.bind(row) for row in rows[first : first + size])
        cursor.execute(_wide(text.sql, size), [*values])
    cursor.close()


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    """Where each statement's rows begin, and how many they are."""
    first = 0
    while first < count:
        size = next(size for size in SIZES if size <= count - first)
        yield first, size
        first += size


@cache
def _wide(sql: str, size: int) -> str:
    before, values, row = sql.partition(" VALUES ")
    return before + values + ", ".join([row] * size)
