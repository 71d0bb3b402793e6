"""`netplane tables`."""

from urllib.parse import quote

import click

from netplane.cli.client import Client, ClientError, asks_controller
from netplane.cli.output import Format, print_value, wants_format


@click.command()
@click.argument("host")
@click.argument("table", nargs=-1)
@asks_controller
@wants_format
def tables(host: str, table: tuple[str, ...], client: Client, output: Format) -> None:
    """Print the datapath's entries on a host.

    They are read from the kernel of HOST: all tables, or those named.
    """
    body = client.get(f"/netplane/v1/hosts/{quote(host, safe='')}/tables")
    unknown = [name for name in table if name not in body]
    if unknown:
        raise ClientError(f"there is no table {unknown[0]!r}; there are {', '.join(body)}")
    chosen = {name: body[name] for name in table or body}
    if output is not Format.TABLE:
        print_value(chosen, output)
        return
    for name, lines in chosen.items():
        click.echo(f"{name} ({len(lines)})")
        for line in lines:
            click.echo(f"  {line}")
