"""`netplane trace`."""

from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import Format, print_table, print_value, wants_format
from netplane.cli.port import find_port

EXAMPLES = """Examples of PACKET:

\b
  tcp dst=10.0.1.7 dport=80
  icmp dst=10.0.2.1 ttl=1
  udp dst=10.0.1.7 dport=53 src=10.0.1.9
  arp dst=10.0.1.1
  tcp dst=fd00::7 dport=443
  nd dst=fd00::1
  hex:FRAME
"""


@click.command(epilog=EXAMPLES)
@click.argument("port")
@click.argument("packet", nargs=-1, required=True)
@asks_controller
@wants_format
def trace(port: str, packet: tuple[str, ...], client: Client, output: Format) -> None:
    """Show what becomes of a packet, and why.

    Runs a packet that the machine on PORT (its id or its name) might send through the real programs of its host, dry,
    and prints the decision of every stage; then those of the host that the packet crosses to.
    """
    body = client.post("/netplane/v1/trace", {"port_id": find_port(client, port), "packet": " ".join(packet)})
    if output is not Format.TABLE:
        print_value(body, output)
        return
    _show(body)
    if body.get("then"):
        click.echo()
        _show(body["then"])


def _show(part: dict[str, Any]) -> None:
    """What one host says."""
    print_table(("stage", "decision"), ((step["stage"], step["text"]) for step in part["steps"]))
    reason = f" ({part['reason']})" if part["reason"] and part["reason"] != "NONE" else ""
    where = f" on host {part['host']}" if part["host"] else ""
    click.echo(f"\n{part['verdict']}{reason}{where}")
