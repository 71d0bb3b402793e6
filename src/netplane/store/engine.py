"""Connections: how a database is named and opened, so that both kinds behave alike."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from netplane.store.distance import is_distant, line_of

JOURNAL = "PRAGMA journal_mode=WAL"
"""Kept in the file from then on."""
PRAGMAS = (
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
    "temp_store=MEMORY",
)
"""Readers never wait for the writer; a commit survives the process, and the machine up to the last checkpoint.

A store has the log copied beside its writers (`checkpoints.py`); the number of pages here is for who has no store.
What a savepoint may have to bring back is kept in memory: in a file it would be made and removed for every few calls.
"""

POSTGRESQL = {
    "application_name": "netplane",
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "options": " ".join(
        f"-c {setting}"
        for setting in (
            # A controller that was stopped in the middle of a transaction must not keep others from writing for ever.
            "idle_in_transaction_session_timeout=30000",
            # Nor may whoever else holds the log, with a transaction that is left open, keep calls waiting for ever.
            "lock_timeout=10000",
            # How it goes about a statement it decides once, maybe while a table is small enough to be read whole.
            "enable_seqscan=off",
            # Compiling takes longer than any of these statements.
            "jit=off",
        )
    ),
}
"""How the driver connects, unless the URL says otherwise: a server that is gone is noticed within 15 s.

Options of the URL stand behind these and so outdo them one by one: whoever names a schema loses nothing else.
"""


PATIENCE = 5.0
"""Seconds that others may take to give a new SQLite file its log."""
GRACE = 2.0
"""Seconds that whoever uses a connection has to give it back when all are closed."""


def database_url(text: str) -> URL:
    """A database as operators name it: the path of an SQLite file, `sqlite:///PATH` or `postgresql://...`.

    ValueError if it is none of these.
    """
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("a database is a path, or postgresql://USER:PASSWORD@HOST/NAME") from None
    match url.get_backend_name():
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite":
            return url
    raise ValueError(f"netplane knows SQLite and PostgreSQL, not {url.get_backend_name()}")


def shown(url: URL) -> str:
    """A database as logs name it: without the password."""
    return url.render_as_string(hide_password=True).replace("postgresql+psycopg", "postgresql")


def open_engine(url: URL, *, write: bool) -> Engine:
    """Connections to a database, for reading a snapshot or for writing.

    SQLite would take the write lock only at the first write, and then fail if another writer was quicker; a writer
    takes it at once.
    """
    if url.get_backend_name() == "sqlite":
        if write:
            _begin_file(url.database or "")
        engine = create_engine(url, pool_size=8, max_overflow=8)
        _prepare_sqlite(engine, "BEGIN IMMEDIATE" if write else "BEGIN")
        return engine
    settings: dict[str, Any] = {name: value for name, value in POSTGRESQL.items() if name not in url.query}
    settings["options"] = " ".join((POSTGRESQL["options"], *url.normalized_query.get("options", ())))
    # Were the driver to prepare statements too, it would have the server forget all of them at each rollback.
    settings["prepare_threshold"] = None
    level = {} if write else {"isolation_level": "REPEATABLE READ"}
    return create_engine(url, pool_size=8, max_overflow=8, connect_args=settings, **level)


def _begin_file(path: str) -> None:
    """Make a new SQLite file, which holds secrets, its owner's alone, and with it those that SQLite puts beside it."""
    if path and not path.startswith((":", "file:")):
        with suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextmanager
def view_of(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is at the first statement, until the block ends."""
    with engine.connect() as connection:
        if is_distant(connection):  # the first statement takes the beginning along
            try:
                yield connection
            finally:
                if not connection.invalidated:  # Core has met its end
                    line_of(connection).end()
        else:
            connection.begin()
            yield connection


class Generations:
    """Tells connections that were made before a moment, so that they are not used again: if one broke, most did."""

    def __init__(self, *engines: Engine) -> None:
        self._engines = engines
        self._current = 0
        self._is_closed = False
        for engine in engines:
            event.listen(engine, "connect", self._made)
            event.listen(engine, "checkout", self._check)
            event.listen(engine, "checkin", self._back)

    def renew(self) -> None:
        """Use none that there is now again."""
        self._current += 1

    def close(self) -> None:
        """Close all, and wait a moment for those who still use one."""
        self._is_closed = True
        deadline = monotonic() + GRACE
        for engine in self._engines:
            pool: Any = engine.pool
            while pool.checkedout() and monotonic() < deadline:
                sleep(0.005)
            engine.dispose()

    def _made(self, _connection: Any, record: Any) -> None:
        record.info["generation"] = self._current

    def _check(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["generation"] != self._current:
            raise DisconnectionError

    def _back(self, connection: Any, record: Any) -> None:
        """Who comes late, a thread that nobody waits for, leaves no connection open."""
        if self._is_closed and connection is not None:
            record.invalidate()


def _begin_journal(connection: sqlite3.Connection) -> None:
    """Have a write-ahead log. Of several that give a new file one at once, all but one are refused without waiting."""
    deadline = monotonic() + PATIENCE
    while True:
        try:
            connection.execute(JOURNAL).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would begin transactions on its own
        _begin_journal(connection)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.connection.execute(begin).close()  # Core's own way takes ten times as long
