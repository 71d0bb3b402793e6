"""Databases behind a wire, and what they alone take: the driver, Core's dialect for it, and `libpq`.

That is a fifth of all that a controller loads, so it is loaded with the first connection to such a database, here and
nowhere else: who works on SQLite never meets it.
"""

from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Dialect

if TYPE_CHECKING:
    from netplane.store.libpq import Line


class Told(NamedTuple):
    """A statement for a distant server."""

    name: bytes
    """What it is prepared under; empty if it is not."""
    sql: bytes


def told(sql: str, *, is_kept: bool) -> Told:
    """A statement, which the server may remember: by a name that says all, for behind a pooler others use it too."""
    return Told(b"np" + sha256(sql.encode()).hexdigest()[:32].encode() if is_kept else b"", sql.encode())


def is_distant(connection: Connection) -> bool:
    """Whether statements go by a wire."""
    return connection.dialect.name == "postgresql"


def line_of(connection: Connection) -> "Line":
    """The line below one of Core's connections to a distant database."""
    pooled = connection.connection
    known: Line | None = pooled.info.get("line")
    if known is None:
        known = pooled.info["line"] = _libpq().Line(pooled.dbapi_connection)
    return known


def dialect_of(connection: Connection) -> Dialect:
    """What a statement is compiled for, so that it can be sent as it is."""
    return _dollars() if is_distant(connection) else connection.dialect


@cache
def _libpq() -> Any:
    return import_module("netplane.store.libpq")


@cache
def _dollars() -> Dialect:
    """The names of parameters as libpq has them."""
    driver = import_module("sqlalchemy.dialects.postgresql.psycopg")
    made: Dialect = driver.dialect(paramstyle="numeric_dollar")
    return made
