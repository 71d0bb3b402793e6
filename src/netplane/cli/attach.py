"""`netplane attach`."""

import os
import socket
import time

import click

from netplane.agent.devices.alias import ALIAS
from netplane.cli.client import Client, ClientError, asks_controller
from netplane.cli.ids import is_id
from netplane.cli.port import find_port

WAIT = 5.0
"""Seconds that an agent and its controller have: a device is taken in milliseconds, a port is up a moment later."""
EVERY = 0.05


@click.command()
@click.argument("device")
@click.argument("port")
@click.option(
    "--wait",
    "seconds",
    default=WAIT,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds until the port must be up; 0 asks nobody whether it is.",
)
@asks_controller
def attach(device: str, port: str, seconds: float, client: Client) -> None:
    """Plug a device of this host into a port.

    Sets the alias of DEVICE so that the agent finds it, brings it up, and waits until the port is up too. PORT is the
    port's id or its name. What is wrong is said in one line; the alias stays, and the agent takes it when it can.
    """
    if os.geteuid() != 0:
        raise click.ClickException("attaching a device needs root; run it again with sudo")
    id, is_known = _resolve(client, port)
    before = _set(device, f"{ALIAS}{id}")
    if before.startswith(ALIAS) and before != f"{ALIAS}{id}":
        click.echo(f"{device} was plugged into port {before.removeprefix(ALIAS)} before")
    if seconds:
        _wait(client, device, id, seconds, is_known=is_known)
    click.echo(f"{device} is plugged into port {id}; `netplane status` shows its host")


def _resolve(client: Client, port: str) -> tuple[str, bool]:
    """The id of a port, and whether a controller knows it: hosts work without one, so an id is taken unchecked then."""
    if not is_id(port):
        return find_port(client, port), True
    try:
        client.get(f"/v2.0/ports/{port}")
    except ClientError as problem:
        if problem.status == 404:
            raise ClientError(f"there is no port {port}; `openstack port list` shows what there is") from None
        click.echo(f"not checked whether port {port} exists: {problem.message}", err=True)
        return port, False
    return port, True


def _wait(client: Client, device: str, id: str, seconds: float, *, is_known: bool) -> None:
    """Until the host's agent has taken the device, and the controller says that the port is up."""
    from netplane.datapath.attachment import is_served

    end, ifindex = time.monotonic() + seconds, socket.if_nametoindex(device)
    while not is_served(ifindex):
        if time.monotonic() > end:
            raise click.ClickException(
                f"{device} is named for port {id}, but no agent has taken it: does one run on this host? "
                "(`netplane agent`, or `netplane up`; its log says what hinders it)"
            )
        time.sleep(EVERY)
    while is_known and client.get(f"/v2.0/ports/{id}")["port"]["status"] != "ACTIVE":
        if time.monotonic() > end:
            raise click.ClickException(
                f"{device} is this host's for port {id}, but the port is not up: {_why(client, id)}"
            )
        client.pause(EVERY)


def _why(client: Client, id: str) -> str:
    """Why a port is not up, as far as the controller tells whoever asks."""
    port = client.get(f"/v2.0/ports/{id}")["port"]
    if not port["admin_state_up"]:
        return "its admin_state_up is false"
    try:
        status = client.get("/netplane/v1/status")
    except ClientError:
        return "an administrator's `netplane status` says why"
    said = [problem["text"] for problem in status["problems"] if isinstance(problem, dict) and problem["id"] == id]
    if said:
        return "; ".join(said)
    bound = port.get("binding:host_id", "")
    if not bound:
        return "no host's agent has claimed it; does this host's have a session (`netplane status`)?"
    alive = any(host["name"] == bound and host["alive"] for host in status["hosts"])
    return f"its host is {bound}, which " + ("has not plugged it in" if alive else "has no session with the controller")


def _set(device: str, alias: str) -> str:
    """Set a device's alias and bring it up, by netlink so that it works in any network namespace; its former alias."""
    from pyroute2 import IPRoute

    with IPRoute() as kernel:
        found = kernel.link_lookup(ifname=device)
        if not found:
            raise click.ClickException(f"there is no device {device} here; `ip link` shows what there is")
        before = kernel.link("get", index=found[0])[0].get("ifalias") or ""
        kernel.link("set", index=found[0], ifalias=alias, state="up")
    return str(before)
