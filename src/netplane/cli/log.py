"""`netplane log`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import Format, print_table, print_value, wants_format
from netplane.cli.port import find_port

PATH = "/netplane/v1/decisions"
EVERY = 1.0
"""Seconds between two questions while following."""
AT_ONCE = 1_000


@click.command()
@click.option("--port", default="", help="Only decisions at this port (its id or its name).")
@click.option("--drops", "event", flag_value="DROP", default=None, help="Only packets that were dropped.")
@click.option("--accepts", "event", flag_value="ACCEPT", help="Only connections that were let pass.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, AT_ONCE), help="How many.")
@click.option("--follow", "-f", is_flag=True, help="Go on as more come, until Ctrl-C.")
@asks_controller
@wants_format
def log(port: str, event: str | None, limit: int, client: Client, output: Format, *, follow: bool) -> None:
    """List what was decided at ports that log it.

    Connections let pass and packets dropped, the youngest last. What is logged is said by log resources (POST
    /v2.0/log/logs). `netplane why PORT` explains drops.
    """
    query = {"port": find_port(client, port) if port else "", "event": event or ""}
    body = _ask(client, query | {"limit": str(limit)})
    _print(body, output)
    while follow:
        client.pause(EVERY)
        body = _ask(client, query | {"limit": str(AT_ONCE), "after": str(body["last"])})
        if body["decisions"]:
            _print(body, output)


def _ask(client: Client, query: Mapping[str, str]) -> dict[str, Any]:
    return client.get(f"{PATH}?{urlencode({name: value for name, value in query.items() if value})}")


def _print(body: dict[str, Any], output: Format) -> None:
    if output is not Format.TABLE:
        print_value(body["decisions"], output)
    elif not body["decisions"]:
        click.echo("Nothing is logged of this. Is there a log resource? (`netplane get logs`)")
    else:
        columns = ("time", "port", "", "event", "packet", "by")
        print_table(columns, (row(decision) for decision in body["decisions"]))


def row(decision: Mapping[str, Any]) -> tuple[str, ...]:
    """A decision as cells: when, which port, direction, event, packet, and the rule or reason."""
    by = f"rule {decision['rule_id']}" if decision["rule_id"] else decision["text"]
    more = f" ({decision['unlogged']} more were only counted)" if decision["unlogged"] else ""
    at, port = decision["time"][:23] + "Z", decision["port_id"]
    return at, port, decision["direction"], decision["event"], packet(decision), by + more


def packet(decision: Mapping[str, Any]) -> str:
    """The packet of a decision: `tcp 10.0.0.5:40000 > 10.0.0.6:22`."""
    source, destination = _end(decision, "source"), _end(decision, "destination")
    kind = "" if decision["icmp_type"] is None else f" type {decision['icmp_type']} code {decision['icmp_code']}"
    return f"{decision['protocol']}{kind} {source} > {destination}"


def _end(decision: Mapping[str, Any], name: str) -> str:
    address, port = decision[name], decision[f"{name}_port"]
    if port is None:
        return str(address)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
