"""`netplane describe`."""

from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.kinds import Kind, KindName, kinds
from netplane.cli.output import Format, print_value, wants_format
from netplane.cli.resources import find_resource


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@asks_controller
@wants_format
def describe(kind: Kind, name: str, client: Client, output: Format) -> None:
    """Show all of a resource of a KIND, by its NAME or id, and the names of what it refers to."""
    view = find_resource(client, kind, name)
    if output is not Format.TABLE:
        print_value(view, output)
        return
    for field, value in view.items():
        if field != "tenant_id":
            _tell(field, _with_name(client, field, value), 0)


def _tell(field: str, value: Any, depth: int) -> None:
    """A line a field, and what it holds below it."""
    start = f"{'  ' * depth}{field}:"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        click.echo(start)
        for item in value:
            said = ", ".join(f"{key} {each}" for key, each in item.items() if each not in (None, "", [], {}))
            click.echo(f"{'  ' * depth}  - {said}")
    elif isinstance(value, dict) and value:
        click.echo(start)
        for key, each in value.items():
            _tell(key, each, depth + 1)
    else:
        click.echo(f"{start:<28} {_text(value)}".rstrip())


def _text(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _with_name(client: Client, field: str, value: Any) -> Any:
    """An id, and the name of what it stands for, if the caller may know it."""
    kind = kinds().get(field.removesuffix("_id"))
    if not field.endswith("_id") or kind is None or not isinstance(value, str) or not value:
        return value
    found = client.get(f"{kind.path}?id={value}&fields=name")[kind.plural]
    return f"{value} ({found[0]['name']})" if found and found[0]["name"] else value
