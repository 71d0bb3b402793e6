"""A whole database as a file, and back: of either kind into either.

The file is gzip around frames, each a length (4 bytes, big-endian) and that much msgpack: first what it is, then
pieces of tables, last how many rows there were. It holds secrets, so only its owner may read it.

Revisions stay as they are. The log's identity does not: what was committed after the backup is no more, and its
revisions will be given again for other changes. Agents that meet an unknown log take their slice anew instead of going
on from a revision that means something else.
"""

import gzip
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from msgspec import DecodeError, Struct, ValidationError
from msgspec.msgpack import Decoder, Encoder
from sqlalchemy import Connection, Engine, Table, delete, insert, inspect, select, update

from netplane.store.clock import Clock, fine_stamp, wall_clock
from netplane.store.migrations import check_fit, level_of, read_level, upgrade
from netplane.store.schema import CHANGE, CONTROLLER, LETTER, LEVEL, LOG, METADATA, RESOURCE, SECRET, SESSION

PIECE = 1_000
"""Rows in a frame."""
LARGEST = 1 << 30
"""Bytes of a frame; more is no backup."""
KEPT = [table for table in METADATA.sorted_tables if table not in (CONTROLLER, SESSION, LETTER)]
"""The tables that a backup has: all but what running controllers say of themselves."""


class Title(Struct, frozen=True, tag="netplane backup"):
    """What a file is: the level of its database, its log, and when it was made (UTC, ISO 8601)."""

    level: int
    log: str
    revision: int
    time: str


class Piece(Struct, frozen=True, tag="rows"):
    """Rows of a table."""

    table: str
    columns: list[str]
    rows: list[list[Any]]


class End(Struct, frozen=True, tag="end"):
    """There is no more."""

    rows: int


class NoBackup(Exception):
    """A file that cannot be restored, or a database that must not be written over; says why in one line."""


_ENCODER = Encoder()
_DECODER: Decoder[Title | Piece | End] = Decoder(Title | Piece | End)


def back_up(engine: Engine, path: Path, clock: Clock = wall_clock) -> Title:
    """Write a database to a file, as it is at one moment, while others work on it.

    A file of this name is replaced when all of it is written. `engine` reads snapshots. OSError, Unfit.
    """
    aside = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packed, engine.begin() as connection:
                title = _write(connection, packed, fine_stamp(clock()))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return title


def restore(engine: Engine, path: Path, *, replace: bool = False) -> Title:
    """Fill a database from a file: one that is empty, or with `replace` whatever is in it; all of it or nothing.

    OSError, NoBackup, Unfit.
    """
    if level_of(engine) == 0:
        upgrade(engine)
    with gzip.open(path, "rb") as packed, engine.begin() as connection:
        check_fit(connection)
        frames = _read(packed, path)
        title = next(frames, None)
        if not isinstance(title, Title):
            raise NoBackup(f"{path} is no backup of netplane's")
        if title.level > LEVEL:
            raise NoBackup(f"{path} is of level {title.level}, and this netplane knows levels up to {LEVEL}")
        _empty(connection, replace=replace)
        _fill(connection, frames, path)
        connection.execute(update(LOG).values(identity=str(uuid4())))
        return title


def _write(connection: Connection, packed: gzip.GzipFile, time: str) -> Title:
    check_fit(connection)
    log, revision = connection.execute(select(LOG.c.identity, LOG.c.revision)).one()
    title = Title(read_level(connection), log, revision, time)
    _put(packed, title)
    rows = 0
    known = set(inspect(connection).get_table_names())
    for table in (table for table in KEPT if table.name in known):
        statement = select(table).order_by(*table.primary_key.columns)
        found = connection.execution_options(yield_per=PIECE).execute(statement)
        for piece in found.partitions():
            rows += len(piece)
            _put(packed, Piece(str(table.name), list(map(str, found.keys())), [list(row) for row in piece]))
    _put(packed, End(rows))
    return title


def _put(packed: gzip.GzipFile, message: Title | Piece | End) -> None:
    body = _ENCODER.encode(message)
    packed.write(len(body).to_bytes(4))
    packed.write(body)


def _read(packed: gzip.GzipFile, path: Path) -> Iterator[Title | Piece | End]:
    """The frames of a file; NoBackup where it is not what it should be."""
    try:
        while head := packed.read(4):
            length = int.from_bytes(head)
            body = packed.read(length) if length <= LARGEST else b""
            yield _DECODER.decode(body)
    except (EOFError, gzip.BadGzipFile, DecodeError, ValidationError) as error:
        raise NoBackup(f"{path} is no backup of netplane's, or damaged: {error}") from error


def _empty(connection: Connection, *, replace: bool) -> None:
    is_used = any(connection.execute(select(table).limit(1)).first() for table in (RESOURCE, CHANGE, SECRET))
    if is_used and not replace:
        raise NoBackup("the database is not empty; --replace writes over what is in it")
    for table in METADATA.sorted_tables:
        connection.execute(delete(table))


def _fill(connection: Connection, frames: Iterator[Title | Piece | End], path: Path) -> None:
    tables = {table.name: table for table in KEPT}
    rows = 0
    for frame in frames:
        match frame:
            case Piece(name, columns, values) if name in tables and set(columns) <= set(tables[name].c.keys()):
                _insert(connection, tables[name], columns, values)
                rows += len(values)
            case End(expected) if expected == rows:
                return
            case _:
                raise NoBackup(f"{path} is damaged, or of another netplane")
    raise NoBackup(f"{path} ends too early")


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    driver: Any = connection.connection.dbapi_connection
    names = ", ".join(f'"{column}"' for column in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def is_in_use(engine: Engine, wait: Callable[[], object]) -> bool:
    """Whether a controller works on a database: one says that it is there while `wait` passes the time."""

    def seen() -> Mapping[str, int]:
        with engine.connect() as connection:
            if CONTROLLER.name not in inspect(connection).get_table_names():
                return {}
            return {str(id): int(seen) for id, seen in connection.execute(select(CONTROLLER.c.id, CONTROLLER.c.seen))}

    before = seen()
    if not before:
        return False
    wait()
    after = seen()
    return any(after.get(id, number) != number for id, number in before.items())
