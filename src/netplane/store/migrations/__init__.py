"""Bringing a database to the level of this netplane, step by step, while others work on it.

Each step is a file in `versions`, run by Alembic; its number stands in the table `alembic_version`. An empty database
gets today's tables at once, which spares it the steps; a test holds that both ways lead to the same.
"""

from pathlib import Path
from uuid import uuid4

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, select, text

from netplane.store.schema import LEVEL, LOG, METADATA, NEEDED

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
TURN = 0x6E657470
"""The advisory lock of PostgreSQL that whoever changes tables holds."""
HERE = Path(__file__).parent
PATIENCE = "5s"
"""How long a step waits for whoever uses a table; meanwhile all others wait for it."""

WAIT = f"LOCK TABLE {LOG.name} IN EXCLUSIVE MODE"
"""Lets writers end, who lock the log before all else, and no other begin: steps then meet none that has a table already
and waits for another, nor miss what is written between a look and what they write."""


class Unfit(Exception):
    """The database and this netplane do not fit together; says so in one line."""


def read_level(connection: Connection) -> int:
    """The level of a database: 0 if it is empty, 1 to 3 if it was made before levels were written down."""
    tables = set(inspect(connection).get_table_names())
    if VERSION.name in tables:
        found = connection.execute(select(VERSION.c.version_num)).scalar()
        return int(found) if found else 0
    if LOG.name not in tables:
        return 0
    columns = {column["name"] for column in inspect(connection).get_columns("change")}
    return 1 + ("request" in columns) + ("project" in columns)


def level_of(engine: Engine) -> int:
    """The level of a database, for those who only look."""
    with engine.connect() as connection:
        return read_level(connection)


def check_fit(connection: Connection) -> None:
    """Unfit if the database is older than this netplane needs, or newer than it can work with."""
    level = read_level(connection)
    if level < NEEDED:
        raise Unfit(f"the database is at level {level}, and this netplane needs {NEEDED}: run `netplane db upgrade`")
    oldest = connection.execute(select(LOG.c.oldest)).scalar() or 1
    if oldest > LEVEL:
        raise Unfit(f"the database is at level {level}, which needs a netplane of level {oldest}; this one has {LEVEL}")


def upgrade(engine: Engine) -> tuple[int, int]:
    """Bring a database to this netplane's level, or leave it if it is further; answers its level before and after.

    Whoever else does the same waits.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
            connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
        before = read_level(connection)
        if before == 0:
            METADATA.create_all(connection)
            connection.execute(insert(LOG), {"identity": str(uuid4()), "revision": 0})
            stamp(connection, LEVEL)
        elif before < LEVEL:
            if connection.dialect.name == "postgresql":
                connection.execute(text(WAIT))
            climb(connection, before, LEVEL)
        return before, max(before, LEVEL)


def stamp(connection: Connection, level: int) -> None:
    """Write down the level of a database."""
    VERSION.create(connection, checkfirst=True)
    connection.execute(VERSION.delete())
    connection.execute(insert(VERSION), {"version_num": f"{level:04}"})


def climb(connection: Connection, before: int, after: int) -> None:
    """Go from a level to a higher one, by every step in between; 0 is an empty database."""
    # Most servers never need it, and it takes a fifth of a second to import.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    if before:
        stamp(connection, before)
    script = ScriptDirectory(str(HERE))
    target = f"{after:04}"
    with EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs(target, revision), destination_rev=target
    ) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
