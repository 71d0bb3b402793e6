"""Rows into a table, by as few statements as may be.

PostgreSQL gets one for any number of rows, with an array for each column: that costs it what a copy does, and other
statements can go with it in one packet. SQLite's driver steps through rows one by one and lets other threads run at
each, which costs as much as the row; so it gets statements of many rows.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter

from sqlalchemy import Connection, Table, text

from netplane.store.distance import is_distant
from netplane.store.prepared import Prepared, Values

SIZES = (100, 10, 4, 3, 2, 1)
"""How many rows a statement to SQLite has: few numbers, since each is another statement to compile."""
ARRAYS: dict[type, str] = {str: "VARCHAR[]", int: "BIGINT[]", bool: "BOOLEAN[]", bytes: "BYTEA[]"}
"""What PostgreSQL calls many values of a column."""


def insert_rows(connection: Connection, insert: Prepared, rows: Sequence[Values]) -> None:
    """Send the rows of an `INSERT`, if there are any."""
    if is_distant(connection):
        if len(rows) == 1:
            insert.run(connection, rows[0])
        elif rows:
            names = (*rows[0],)
            columns = {name: [*map(itemgetter(name), rows)] for name in names}
            _by_column(insert.table, names).run(connection, columns)
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
def _by_column(table: Table, names: tuple[str, ...]) -> Prepared:
    columns = ", ".join(f'"{name}"' for name in names)
    arrays = ", ".join(f"CAST(:{name} AS {ARRAYS[table.c[name].type.python_type]})" for name in names)
    return Prepared(text(f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({arrays})"))


@cache
def _wide(sql: str, size: int) -> str:
    before, values, row = sql.partition(" VALUES ")
    return before + values + ", ".join([row] * size)
