"""`netplane attach`."""

import os

import click

from netplane.cli.client import Client, ClientError, asks_controller
from netplane.cli.port import find_port, is_id

ALIAS = "netplane:"


@click.command()
@click.argument("device")
@click.argument("port")
@asks_controller
def attach(device: str, port: str, client: Client) -> None:
    """Plug a device of this host into a port.

    Sets the alias of DEVICE so that the agent finds it, and brings it up. PORT is the port's id or its name.
    """
    if os.geteuid() != 0:
        raise click.ClickException("attaching a device needs root; run it again with sudo")
    id = _resolve(client, port)
    before = _set(device, f"{ALIAS}{id}")
    if before.startswith(ALIAS) and before != f"{ALIAS}{id}":
        click.echo(f"{device} was plugged into port {before.removeprefix(ALIAS)} before")
    click.echo(f"{device} is plugged into port {id}; `netplane status` shows its host")


def _resolve(client: Client, port: str) -> str:
    """The id of a port. An id is taken unchecked when no controller answers: hosts work without one."""
    if not is_id(port):
        return find_port(client, port)
    try:
        client.get(f"/v2.0/ports/{port}")
    except ClientError as problem:
        if problem.status == 404:
            raise ClientError(f"there is no port {port}; `openstack port list` shows what there is") from None
        click.echo(f"not checked whether port {port} exists: {problem.message}", err=True)
    return port


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
