"""Telling when a database cannot serve, whichever driver says so: it is gone, full, stuck or read-only.

What it refuses because of what was asked, and what is wrong with a statement, is none of that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from netplane.store.errors import Unavailable

SQLITE = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
READ_ONLY = "25006"
"""PostgreSQL: a server that only follows another was asked to write (read_only_sql_transaction)."""


def is_outage(error: BaseException, driver: Any) -> bool:
    """Whether an error of a driver (a DB-API module), bare or wrapped, says that the database cannot serve."""
    cause: object = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in SQLITE
    return isinstance(cause, NoConnection | driver.OperationalError | driver.InterfaceError) or (
        isinstance(cause, driver.Error) and getattr(cause, "sqlstate", None) == READ_ONLY
    )


@contextmanager
def outages(driver: Any) -> Iterator[None]:
    """What is raised in the block becomes Unavailable if it is an outage."""
    try:
        yield
    except (DBAPIError, NoConnection, driver.Error) as error:
        if is_outage(error, driver):
            raise Unavailable(_line(error)) from error
        raise


def _line(error: BaseException) -> str:
    text = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return text.splitlines()[0] if text else type(error).__name__
