"""`netplane get`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.kinds import Kind, KindName
from netplane.cli.output import Format, print_table, print_value, wants_format
from netplane.cli.resources import find_resource, list_resources


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", nargs=-1)
@click.option("--project", default="", help="Only what belongs to this project (its id).")
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="Only what has this value; may be repeated.")
@asks_controller
@wants_format
def get(
    kind: Kind, names: tuple[str, ...], project: str, where: tuple[str, ...], client: Client, output: Format
) -> None:
    """List resources of a kind, such as networks or ports.

    All of a KIND that there are, or those of some NAMES or ids.
    """
    if names:
        views = [find_resource(client, kind, name) for name in names]
    else:
        filters = dict(_pair(text) for text in where) | ({"project_id": project} if project else {})
        views = list_resources(client, kind, **filters)
    if output is not Format.TABLE:
        print_value(views, output)
        return
    # What the caller may not see has no column.
    columns = [column for column in (*kind.columns, "status") if not views or column in views[0]]
    print_table(columns, ([view.get(column) for column in columns] for view in views))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"{text!r} is no FIELD=VALUE", param_hint="--where")
    return name, value
