"""`netplane server`."""

from pathlib import Path

import click

from netplane.cli.places import LISTEN


@click.command()
@click.option("--listen", default=LISTEN, show_default=True, envvar="NETPLANE_LISTEN", help="Where clients connect.")
@click.option(
    "--southbound",
    default="127.0.0.1:9697",
    show_default=True,
    envvar="NETPLANE_SOUTHBOUND",
    help="Where agents connect: host:port or unix:///path.",
)
@click.option(
    "--database",
    required=True,
    envvar="NETPLANE_DATABASE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The SQLite file; made if it is not there.",
)
@click.option(
    "--tokens",
    required=True,
    envvar="NETPLANE_TOKENS",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The TOML file of tokens.",
)
def server(listen: str, southbound: str, database: Path, tokens: Path) -> None:
    """Run a controller until SIGTERM."""
    from netplane.controller.server import CannotStart, main

    try:
        main(listen=listen, southbound=southbound, database=str(database), tokens=tokens)
    except CannotStart as problem:
        raise click.ClickException(str(problem)) from problem
