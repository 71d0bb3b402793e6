"""Statements that are compiled once and then go straight to the driver.

Core looks up, binds and wraps anew each time, which costs 30 to 60 µs a statement (measured; the database itself takes
2 to 10). Making a port sends a dozen statements, so this is half of what a port costs. The text and the order of the
parameters still come from Core's compiler, for whichever database it is.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam
from sqlalchemy.sql.expression import ClauseElement

Values = dict[str, Any]

SIZES = (1, 4, 32, 500)
"""How many values a list in a statement has: few lengths, so that each is compiled once; the last value fills one up.

SQLite takes at most 32766 parameters, and longer lists gain nothing.
"""


def together(connection: Connection) -> AbstractContextManager[object]:
    """Statements of the block go to a distant database in one packet, and are answered in one.

    Their errors are raised at the end of the block at the latest. In it, only `Prepared` may ask.
    """
    driver: Any = connection.connection.dbapi_connection
    pipeline: AbstractContextManager[object] = driver.pipeline() if hasattr(driver, "pipeline") else nullcontext()
    return pipeline


class Text(NamedTuple):
    """A statement as one database takes it."""

    sql: str
    arrange: Callable[[Values], Any] | None
    """Puts values in the order of its parameters, where they have places instead of names."""
    fixed: Values
    """Values that belong to the statement, such as a limit."""

    def bind(self, values: Values) -> Any:
        """Values as the driver takes them."""
        bound = self.fixed | values if self.fixed else values
        return bound if self.arrange is None else self.arrange(bound)


class Prepared:
    """A statement whose values are sent and received as the driver takes and gives them."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, Text] = {}

    def run(self, connection: Connection, values: Values) -> Any:
        """Send it; answers the driver's cursor."""
        text = self._text(connection)
        cursor = connection.connection.cursor()
        cursor.execute(text.sql, text.bind(values))
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Send it once for each row."""
        text = self._text(connection)
        cursor = connection.connection.cursor()
        if len(rows) == 1:
            cursor.execute(text.sql, text.bind(rows[0]))
        else:
            cursor.executemany(text.sql, [text.bind(row) for row in rows])
        cursor.close()

    def first(self, connection: Connection, values: Values) -> Any:
        """The first column of the first row, or None."""
        cursor = self.run(connection, values)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else row[0]

    def column(self, connection: Connection, values: Values) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.run(connection, values).fetchall()]

    def text(self, connection: Connection) -> Text:
        """How a connection's database takes it."""
        return self._text(connection)

    def rows(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Every row."""
        found: list[tuple[Any, ...]] = self.run(connection, values).fetchall()
        return found

    def _text(self, connection: Connection) -> Text:
        dialect = connection.dialect
        found = self._texts.get(dialect.name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=dialect)
            arrange = _arranging(compiled.positiontup) if dialect.positional else None
            fixed = {name: value for name, value in compiled.params.items() if value is not None}
            found = self._texts[dialect.name] = Text(str(compiled), arrange, fixed)
        return found


def _arranging(names: Sequence[str]) -> Callable[[Values], Any]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


class Several:
    """A query about any number of values of a column, sent in as few pieces as may be."""

    def __init__(self, column: ColumnElement[Any], query: Select[Any]) -> None:
        self._by_size = {size: Prepared(query.where(column.in_(_places(column, size)))) for size in SIZES}

    def rows(self, connection: Connection, asked: Sequence[str], values: Values) -> list[tuple[Any, ...]]:
        """Every row of every piece; none if nothing is asked for. `values` are the query's other parameters."""
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(asked), SIZES[-1]):
            piece = asked[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(piece))
            named = {f"v{index}": piece[min(index, len(piece) - 1)] for index in range(size)}
            found += self._by_size[size].rows(connection, values | named)
        return found


def _places(column: ColumnElement[Any], size: int) -> list[Any]:
    return [bindparam(f"v{index}", type_=column.type) for index in range(size)]
