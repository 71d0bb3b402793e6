"""`netplane delete`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.kinds import Kind, KindName
from netplane.cli.resources import find_resource


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", nargs=-1, required=True)
@asks_controller
def delete(kind: Kind, names: tuple[str, ...], client: Client) -> None:
    """Delete resources by their names or ids.

    Those of a KIND by their NAMES or ids. All must be there, or none is deleted.
    """
    views = [find_resource(client, kind, name) for name in dict.fromkeys(names)]
    for view in views:
        client.delete(f"{kind.path}/{view['id']}")
        click.echo(f"- {kind.label} {view['name'] or view['id']}")
