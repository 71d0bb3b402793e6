"""Statements that are compiled once and then go straight to the driver, or below it (`libpq`).

Core looks up, binds and wraps anew each time, which costs 30 to 60 µs a statement (measured; the database itself takes
2 to 10). Making a port sends a dozen statements, so this is half of what a port costs. The text and the order of the
parameters still come from Core's compiler, for whichever database it is.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Insert, Select, Table, bindparam
from sqlalchemy.sql.expression import ClauseElement

from netplane.store.distance import Told, dialect_of, is_distant, line_of, told

Values = dict[str, Any]

SIZES = (1, 4, 32, 500)
"""How many values a list in a statement has: few lengths, so that each is compiled once; the last value fills one up.

SQLite takes at most 32766 parameters, and longer lists gain nothing.
"""

FEWER = 32
"""The longest list for PostgreSQL: longer ones it compares with every row that passes all else, one by one."""


def together(connection: Connection) -> AbstractContextManager[object]:
    """Statements of the block go to a distant database in one packet, and are answered in one.

    Their errors are raised at the end of the block at the latest. In it, only `Prepared` may ask.
    """
    return line_of(connection) if is_distant(connection) else nullcontext()


def hear(connection: Connection) -> None:
    """Hear what a distant database says of what was posted to it."""
    if is_distant(connection):
        line_of(connection).hear()


def post(connection: Connection) -> AbstractContextManager[object]:
    """As `together`, for what need not be answered yet: that is heard with what is said next, or by `hear`."""
    return line_of(connection).posting() if is_distant(connection) else nullcontext()


def is_going_on(connection: Connection) -> bool:
    """Whether a transaction that has begun can still be committed: databases give some up at an error."""
    if connection.invalidated:
        return False
    driver: Any = connection.connection.dbapi_connection
    return line_of(connection).is_going_on if is_distant(connection) else bool(driver.in_transaction)


class Text(NamedTuple):
    """A statement as one database takes it."""

    sql: str
    told: Told
    """The same for `libpq`."""
    arrange: Callable[[Values], Any]
    """Puts values in the order of its parameters."""
    fixed: Values
    """Values that belong to the statement, such as a limit."""

    def bind(self, values: Values) -> Any:
        """Values in the order of the parameters."""
        return self.arrange(self.fixed | values if self.fixed else values)


class Prepared:
    """A statement whose values are sent and received as the driver takes and gives them."""

    def __init__(self, statement: ClauseElement, *, is_kept: bool = True) -> None:
        """`is_kept` says whether servers may remember it."""
        self._statement = statement
        self._is_kept = is_kept
        self._texts: dict[str, Text] = {}

    @property
    def table(self) -> Table:
        """What it inserts into."""
        assert isinstance(self._statement, Insert)
        table = self._statement.table
        assert isinstance(table, Table)
        return table

    def run(self, connection: Connection, values: Values) -> Any:
        """Send it; answers a cursor."""
        text = self._text(connection)
        if is_distant(connection):
            return line_of(connection).run(text.told, text.bind(values))
        cursor = connection.connection.cursor()
        cursor.execute(text.sql, text.bind(values))
        return cursor

    def expect(self, connection: Connection, values: Values) -> None:
        """It will be asked for: in a block of `together`, a distant database answers it with the rest."""
        text = self._text(connection)
        line_of(connection).expect(text.told, text.bind(values))

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Send it once for each row."""
        if len(rows) == 1:
            self.run(connection, rows[0]).close()
            return
        text = self._text(connection)
        if not is_distant(connection):
            cursor = connection.connection.cursor()
            cursor.executemany(text.sql, [text.bind(row) for row in rows])
            cursor.close()
        else:
            with line_of(connection) as line:
                for row in rows:
                    line.run(text.told, text.bind(row))

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
        found = self._texts.get(connection.dialect.name)
        if found is None:
            found = self._texts[connection.dialect.name] = self._compile(connection)
        return found

    def _compile(self, connection: Connection) -> Text:
        compiled: Any = self._statement.compile(dialect=dialect_of(connection))
        sql, names = str(compiled), compiled.positiontup or ()
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return Text(sql, told(sql, is_kept=self._is_kept), _arranging(names), fixed)


def _arranging(names: Sequence[str]) -> Callable[[Values], Any]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


class Several:
    """A query about any number of values of a column, sent in as few pieces as may be."""

    def __init__(self, column: ColumnElement[Any], query: Select[Any]) -> None:
        self._column = column
        self._query = query
        self._by_size: dict[int, Prepared] = {}

    def rows(self, connection: Connection, asked: Sequence[Any], values: Values) -> list[tuple[Any, ...]]:
        """Every row of every piece; none if nothing is asked for. `values` are the query's other parameters."""
        largest = FEWER if is_distant(connection) else SIZES[-1]
        with together(connection):
            cursors = [
                self._piece(connection, asked[start : start + largest], values)
                for start in range(0, len(asked), largest)
            ]
        return [row for cursor in cursors for row in cursor.fetchall()]

    def _piece(self, connection: Connection, piece: Sequence[Any], values: Values) -> Any:
        size = next(size for size in SIZES if size >= len(piece))
        named = {f"v{index}": piece[min(index, len(piece) - 1)] for index in range(size)}
        return self._of(size).run(connection, values | named)

    def expect(self, connection: Connection, asked: str, values: Values) -> None:
        """One value will be asked for; as `Prepared.expect`."""
        self._of(1).expect(connection, {"v0": asked} | values)

    def _of(self, size: int) -> Prepared:
        """The statement about so many, made when it is first asked for: long ones take longer than most processes."""
        found = self._by_size.get(size)
        if found is None:
            where = self._column.in_(_places(self._column, size))
            found = self._by_size[size] = Prepared(self._query.where(where))
        return found


def _places(column: ColumnElement[Any], size: int) -> list[Any]:
    return [bindparam(f"v{index}", type_=column.type) for index in range(size)]
