"""`netplane db`: the tables of a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

DATABASE = click.option(
    "--database",
    required=True,
    envvar="NETPLANE_DATABASE",
    show_envvar=True,
    help="An SQLite file, or postgresql://USER:PASSWORD@HOST/NAME.",
)


@click.group()
def db() -> None:
    """Look at a database's tables, and bring them up to date."""


@db.command()
@DATABASE
@click.option("--check", "is_check", is_flag=True, help="Change nothing; end with 1 if there is something to do.")
def upgrade(database: str, is_check: bool) -> None:
    """Bring the tables to this netplane's level.

    Controllers may work on them meanwhile. Those of the release before go on, and may be replaced one by one after it.
    """
    from netplane.store.migrations import level_of, upgrade
    from netplane.store.schema import LEVEL

    with opened(database) as engine:
        if is_check:
            level = level_of(engine)
            click.echo(f"level {level}; this netplane has {LEVEL}")
            raise SystemExit(int(level < LEVEL))
        before, after = upgrade(engine)
        click.echo(f"level {after}, as it was" if before == after else f"from level {before} to {after}")


@db.command()
@DATABASE
def current(database: str) -> None:
    """Tell the level of the tables."""
    from netplane.store.migrations import level_of
    from netplane.store.schema import LEVEL, NEEDED

    with opened(database, write=False) as engine:
        click.echo(f"level {level_of(engine)}; this netplane has {LEVEL} and works from {NEEDED} on")


@contextmanager
def opened(database: str, *, write: bool = True) -> Iterator["Engine"]:
    """A database's engine; what goes wrong ends the command with one line. Only who writes may name one to be made."""
    from netplane.store import Unavailable, Unfit
    from netplane.store.backup import NoBackup
    from netplane.store.engine import database_url, open_engine
    from netplane.store.outage import outages

    try:
        url = database_url(database)
        if not write and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            raise click.ClickException(f"there is no database {url.database}")
        engine = open_engine(url, write=write)
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
    try:
        with outages(engine.dialect.loaded_dbapi):
            yield engine
    except (OSError, NoBackup, Unfit) as problem:
        raise click.ClickException(str(problem)) from problem
    except Unavailable as problem:
        raise click.ClickException(f"the database cannot be opened: {problem}") from problem
    finally:
        engine.dispose()
