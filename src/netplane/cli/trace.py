"""`netplane trace`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import as_json, print_json, print_table

EXAMPLES = """Examples of PACKET:

\b
  tcp dst=10.0.1.7 dport=80
  icmp dst=10.0.2.1 ttl=1
  udp dst=10.0.1.7 dport=53 src=10.0.1.9
  arp dst=10.0.1.1
  hex:FRAME
"""


@click.command(epilog=EXAMPLES)
@click.argument("port")
@click.argument("packet", nargs=-1, required=True)
@asks_controller
@as_json
def trace(port: str, packet: tuple[str, ...], client: Client, *, wants_json: bool) -> None:
    """Show what becomes of a packet, and why.

    Runs a packet that the machine on PORT (its id) might send through the real programs of its host, dry, and prints
    the decision of every stage.
    """
    body = client.post("/netplane/v1/trace", {"port_id": port, "packet": " ".join(packet)})
    if wants_json:
        print_json(body)
        return
    print_table(("stage", "decision"), ((step["stage"], step["text"]) for step in body["steps"]))
    reason = f" ({body['reason']})" if body["reason"] and body["reason"] != "NONE" else ""
    click.echo(f"\n{body['verdict']}{reason} on host {body['host']}")
