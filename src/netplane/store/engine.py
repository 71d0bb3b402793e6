"""Connections: how a database is opened so that both kinds behave alike."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
)
"""Readers never wait for the writer; a commit survives the process, and the machine up to the last checkpoint."""


def open_engine(url: str, *, write: bool) -> Engine:
    """Connections to a database, for reading a snapshot or for writing.

    SQLite would take the write lock only at the first write, and then fail if another writer was quicker; a writer
    takes it at once.
    """
    engine = create_engine(url, pool_size=8, max_overflow=8)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, "BEGIN IMMEDIATE" if write else "BEGIN")
    elif not write:
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would begin transactions on its own
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
