"""`netplane describe`."""

from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.kinds import Kind, KindName, kinds
from netplane.cli.output import Format, print_record, wants_format
from netplane.cli.resources import find_resource


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@asks_controller
@wants_format
def describe(kind: Kind, name: str, client: Client, output: Format) -> None:
    """Show all of a resource, by its name or id.

    One of a KIND by its NAME or id, and the names of what it refers to.
    """
    view = find_resource(client, kind, name)
    if output is Format.TABLE:
        view = {field: _with_name(client, field, view[field]) for field in view if field != "tenant_id"}
    print_record(view, output)


def _with_name(client: Client, field: str, value: Any) -> Any:
    """An id, and the name of what it stands for, if the caller may know it."""
    kind = kinds().get(field.removesuffix("_id"))
    if not field.endswith("_id") or kind is None or not isinstance(value, str) or not value:
        return value
    found = client.get(f"{kind.path}?id={value}&fields=name")[kind.plural]
    return f"{value} ({found[0]['name']})" if found and found[0]["name"] else value
