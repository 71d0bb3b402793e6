"""`netplane backup` and `netplane restore`."""

import time
from pathlib import Path

import click

from netplane.cli.db import DATABASE, opened

NOTICE = 2.5
"""Seconds within which a running controller says that it is there."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@DATABASE
def backup(file: Path, database: str) -> None:
    """Write the whole database to a file.

    As it is at this moment, while controllers work on it. FILE holds the database's secrets. It can be restored into a
    database of either kind.
    """
    from netplane.store.backup import back_up

    with opened(database, write=False) as engine:
        title = back_up(engine, file)
        click.echo(f"{file}: revision {title.revision}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@DATABASE
@click.option("--replace", is_flag=True, help="Write over what is in the database.")
def restore(file: Path, database: str, *, replace: bool) -> None:
    """Fill an empty database from a file.

    From a FILE that `netplane backup` has written, while no controller runs. Agents take all that they need anew when
    they meet it.
    """
    from netplane.store.backup import is_in_use, restore

    with opened(database) as engine:
        if is_in_use(engine, lambda: time.sleep(NOTICE)):
            raise click.ClickException("controllers run on this database; stop them first")
        title = restore(engine, file, replace=replace)
        click.echo(f"restored revision {title.revision}, as it was at {title.time}")
