"""`netplane status`."""

from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import as_json, print_json, print_table

COLUMNS = ("host", "number", "address", "alive", "revision", "ports")


@click.command()
@asks_controller
@as_json
def status(client: Client, *, wants_json: bool) -> None:
    """Show hosts, how far each is, and problems."""
    body = client.get("/netplane/v1/status")
    if wants_json:
        print_json(body)
        return
    click.echo(f"controller {client.url}, netplane {body['version']}, revision {body['revision']}\n")
    print_table(COLUMNS, (_row(host) for host in body["hosts"]))
    if not body["hosts"]:
        click.echo("no host has joined: run `netplane agent` on one")
    if body["problems"]:
        click.echo("\nproblems:")
    for problem in body["problems"]:
        click.echo(f"  {_problem(problem)}")


def _row(host: dict[str, Any]) -> tuple[object, ...]:
    alive = "yes" if host["alive"] else "no"
    return host["name"], host["number"], host["address"], alive, host["revision"], host["ports"]


def _problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    where = f" on {problem['host']}" if problem.get("host") else ""
    return f"{problem['kind']} {problem['id']}{where}: {problem['text']}"
