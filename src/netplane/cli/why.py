"""`netplane why`."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.log import PATH, packet
from netplane.cli.output import Format, print_value, wants_format
from netplane.cli.port import find_port

AT_ONCE = 1_000


@click.command()
@click.argument("port")
@click.option("--limit", "-n", default=5, show_default=True, type=click.IntRange(1, 100), help="How many flows.")
@click.option(
    "--watch",
    type=click.FloatRange(1, 600),
    help="Log the port's drops for so many seconds first, then stop logging them.",
)
@asks_controller
@wants_format
def why(port: str, limit: int, watch: float | None, client: Client, output: Format) -> None:
    """Explain which packets of a port were dropped, and why.

    Those of PORT (its id or its name), and why no rule let them pass. Each flow is told once, the latest first: the
    packet, the direction, the groups whose rules were asked, and the rules that came closest with what they missed by.
    Drops are known of ports that log them; --watch logs them now.
    """
    id = find_port(client, port)
    if watch is not None:
        _watch(client, id, watch)
    query = urlencode({"port": id, "event": "DROP", "explain": "true", "limit": str(AT_ONCE)})
    flows = _flows(client.get(f"{PATH}?{query}")["decisions"])[:limit]
    if output is not Format.TABLE:
        print_value(flows, output)
    elif not flows:
        click.echo(_nothing(client, id, watched=watch is not None))
    else:
        click.echo("\n\n".join(_say(flow) for flow in flows))


def _watch(client: Client, port: str, seconds: float) -> None:
    """Have drops logged for a while, by a log resource that is taken away again."""
    wish = {"name": "netplane why", "resource_type": "security_group", "target_id": port, "event": "DROP"}
    made = client.post("/v2.0/log/logs", {"log": wish})["log"]["id"]
    try:
        click.echo(f"Watching for {seconds:g} s: let the machine try again.", err=True)
        client.pause(seconds)
    finally:
        client.delete(f"/v2.0/log/logs/{made}")


def _flows(decisions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The latest decision of each flow, the latest flow first, with how often it was met."""
    flows: dict[tuple[object, ...], dict[str, Any]] = {}
    for decision in decisions:
        names = ("direction", "protocol", "source", "destination", "destination_port", "icmp_type", "reason")
        key = tuple(decision[name] for name in names)
        times = flows.pop(key, {"times": 0})["times"]
        flows[key] = {**decision, "times": times + 1}
    return list(reversed(flows.values()))


def _say(flow: Mapping[str, Any]) -> str:
    times = f", {flow['times']} times" if flow["times"] > 1 else ""
    lines = [
        f"{flow['time'][:19]}Z  {packet(flow)}, {flow['direction']}, dropped{times}",
        f"  why      {flow['text']}",
    ]
    explained = flow["why"]
    if flow["reason"] in ("POLICY_IN", "POLICY_OUT"):
        lines.append(f"  groups   {', '.join(flow['security_groups']) or 'none: nothing is allowed'}")
        for near in explained["closest"]:
            missed = "; ".join(near["misses"]) or "it allows it now: it is newer than this packet, or was changed"
            lines.append(f"  closest  rule {near['rule_id']} of group {near['security_group_id']}: {missed}")
        if not explained["closest"]:
            lines.append(f"  closest  {explained['text']}")
    if explained.get("firewall"):
        lines.append(f"  firewall {explained['firewall']['text']}")
    return "\n".join(lines)


def _nothing(client: Client, port: str, *, watched: bool) -> str:
    """Why nothing is known: nobody logs drops, or nothing was dropped."""
    if watched:
        return (
            "No IP packet of this port was dropped meanwhile. What else is dropped, such as ARP for an address\n"
            "that nobody has, is only counted: `netplane tables HOST counter`, on the host that carries the port."
        )
    logs = client.get("/v2.0/log/logs?enabled=true")["logs"]
    if any(log["event"] != "ACCEPT" and log["target_id"] in (None, port) for log in logs):
        return "No packet of this port has been dropped since its drops are logged."
    return f"Nobody logs the drops of this port. Try `netplane why {port} --watch 30` and let the machine try again."
