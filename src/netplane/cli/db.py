"""`netplane db`: the tables of a database."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    """Bring the tables to this netplane's level, while controllers work on them.

    Controllers of the release before go on; they may be replaced one by one afterwards.
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

    with opened(database) as engine:
        click.echo(f"level {level_of(engine)}; this netplane has {LEVEL} and works from {NEEDED} on")


@contextmanager
def opened(database: str, *, write: bool = True) -> Iterator["Engine"]:
    """A database's engine; what goes wrong ends the command with one line."""
    from netplane.store import Unavailable, Unfit
    from netplane.store.backup import NoBackup
    from netplane.store.engine import database_url, open_engine
    from netplane.store.outage import outages

    try:
        engine = open_engine(database_url(database), write=write)
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
