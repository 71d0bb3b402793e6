"""`netplane agent`."""

import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click

from netplane.cli.address import Address
from netplane.cli.places import STATE
from netplane.model import HOST_NAME


def _host_name(_: click.Context, option: click.Parameter, value: str) -> str:
    if not HOST_NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r}: letters, digits, dots, hyphens and underscores", param=option)
    return value


def _url(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise click.BadParameter(f"{value!r} is no http:// or https:// address", param=option)
    return value


def _southbound(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """What gRPC would take for a name without a port, and look for at 443, or never find."""
    for value in values:
        if value.startswith(("http://", "https://")):
            text = f"{value!r} is where clients connect; agents connect where the controller's --southbound says"
            raise click.BadParameter(text, param=option)
        path, host = value.startswith("unix:"), value.removeprefix("tcp://")
        if not path and not re.fullmatch(r"[^:/\s]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5}", host):
            raise click.BadParameter(f"{value!r} is neither host:port nor unix:///path", param=option)
    return values


@click.command()
@click.option(
    "--name", default=socket.gethostname, show_default="the hostname", callback=_host_name, help="The host's name."
)
@click.option("--address", required=True, type=Address(), help="The host's address in the underlay, where tunnels end.")
@click.option(
    "--controller",
    "controllers",
    multiple=True,
    required=True,
    callback=_southbound,
    help="A controller's southbound address: host:port or unix:///path; may be repeated.",
)
@click.option(
    "--state",
    default=STATE / "agent",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where it keeps its slice.",
)
@click.option(
    "--decisions",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it writes decisions that are logged, a JSON object a line.  [default: decisions.log in --state]",
)
@click.option(
    "--resolv-conf",
    default="/etc/resolv.conf",
    show_default=True,
    envvar="NETPLANE_RESOLV_CONF",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Names the resolvers that are asked for machines whose subnets name none.",
)
@click.option(
    "--nova-metadata-url",
    envvar="NETPLANE_NOVA_METADATA_URL",
    show_envvar=True,
    callback=_url,
    help="Nova's metadata service, such as http://controller:8775; machines are told what it says.",
)
@click.option(
    "--nova-metadata-secret",
    default="",
    envvar="NETPLANE_NOVA_METADATA_SECRET",
    show_envvar=True,
    help="The secret shared with it (its metadata_proxy_shared_secret).",
)
@click.option("--token", required=True, envvar="NETPLANE_AGENT_TOKEN", show_envvar=True, help="The agents' secret.")
def agent(
    name: str,
    address: str,
    controllers: tuple[str, ...],
    state: Path,
    decisions: Path | None,
    token: str,
    resolv_conf: Path,
    nova_metadata_url: str | None,
    nova_metadata_secret: str,
) -> None:
    """Run this host's agent until SIGTERM.

    The datapath goes on forwarding after it. SIGHUP loads the datapath's programs anew, without losing a packet.
    """
    if os.geteuid() != 0:
        raise click.ClickException("the datapath needs root; run it again with sudo")
    from netplane.agent.metadata.nova import Nova
    from netplane.agent.process import main
    from netplane.datapath import DatapathError

    nova = Nova(nova_metadata_url, nova_metadata_secret) if nova_metadata_url else None
    try:
        main(name, address, controllers, state, token, decisions=decisions, resolv_conf=resolv_conf, nova=nova)
    except (DatapathError, PermissionError) as problem:
        raise click.ClickException(f"{problem} (the kernel must be 6.1 or newer, and let root load eBPF)") from problem
    except OSError as problem:
        raise click.ClickException(f"{problem}. Does another agent run here?") from problem
