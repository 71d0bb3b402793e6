"""`netplane status`."""

from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import Format, print_table, print_value, wants_format

COLUMNS = ("host", "number", "address", "alive", "revision", "behind", "ports")


@click.command()
@asks_controller
@wants_format
def status(client: Client, output: Format) -> None:
    """Show controllers, hosts, and what is wrong.

    A host is alive if it has a session with a controller; its revision is the last one that it has in its kernel; it
    is behind if it needs a change since then that it has not acknowledged.
    """
    body = client.get("/netplane/v1/status")
    if output is not Format.TABLE:
        print_value(body, output)
        return
    click.echo(f"controller {client.url}, netplane {body['version']}, revision {body['revision']}\n")
    print_table(("controllers",), ((listens_on,) for listens_on in body["controllers"]))
    click.echo()
    print_table(COLUMNS, (_row(host) for host in body["hosts"]))
    if not body["hosts"]:
        click.echo("no host has joined: run `netplane join` on one")
    click.echo("\nproblems:" if body["problems"] else "\nno problems")
    for problem in body["problems"]:
        click.echo(f"  {_problem(problem)}")


def _row(host: dict[str, Any]) -> tuple[object, ...]:
    alive = "yes" if host["alive"] else "no"
    since = host.get("behind_since")
    behind = f"since {since[:19]}Z" if since else "no"
    return host["name"], host["number"], host["address"], alive, host["revision"], behind, host["ports"]


def _problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    where = f" on {problem['host']}" if problem.get("host") else ""
    return f"{problem['kind']} {problem['id']}{where}: {problem['text']}"
