"""`netplane agent`."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import click

from netplane.base.garbage import uncollected
from netplane.cli.address import Address
from netplane.cli.places import AGENT_STATE


def _url(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise click.BadParameter(f"{value!r} is no http:// or https:// address", param=option)
    return value


def _southbound(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """A controller's address that has no port, or is none."""
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
    "--address",
    default=None,
    type=Address(),
    help="The host's address in the underlay, where tunnels end.  [default: as it has joined]",
)
@click.option(
    "--controller",
    "controllers",
    multiple=True,
    callback=_southbound,
    help="A controller's southbound address: host:port or unix:///path; may be repeated. No others are asked then.  "
    "[default: those that it has joined with, and all that they tell it of]",
)
@click.option(
    "--state",
    default=AGENT_STATE,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where `netplane join` has put the host's papers, and where it keeps its slice.",
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
def agent(
    address: str | None,
    controllers: tuple[str, ...],
    state: Path,
    decisions: Path | None,
    resolv_conf: Path,
    nova_metadata_url: str | None,
    nova_metadata_secret: str,
) -> None:
    """Run this host's agent until SIGTERM.

    The datapath goes on forwarding after it. SIGHUP loads the datapath's programs anew, without losing a packet.
    """
    if os.geteuid() != 0:
        raise click.ClickException("the datapath needs root; run it again with sudo")
    with uncollected():
        from netplane.agent.metadata.nova import Nova
        from netplane.agent.process import main
        from netplane.datapath import DatapathError
        from netplane.trust.faults import Distrust

    meets_others = not controllers
    address, controllers = _whereabouts(state, address, controllers)
    nova = Nova(nova_metadata_url, nova_metadata_secret) if nova_metadata_url else None
    try:
        main(
            address,
            controllers,
            state,
            meets_others=meets_others,
            decisions=decisions,
            resolv_conf=resolv_conf,
            nova=nova,
        )
    except (DatapathError, PermissionError) as problem:
        raise click.ClickException(f"{problem} (the kernel must be 6.1 or newer, and let root load eBPF)") from problem
    except Distrust as problem:
        raise click.ClickException(f"{problem}. `netplane join` makes this machine a host again.") from problem
    except OSError as problem:
        raise click.ClickException(f"{problem}. Does another agent run here?") from problem


def _whereabouts(state: Path, address: str | None, controllers: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Where the host is and where controllers are: what the command line leaves out, `netplane join` has written."""
    from netplane.agent.introductions import read_introduced
    from netplane.agent.settings import read_settings
    from netplane.trust.papers import IDENTITY

    try:
        settings = read_settings(state)
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
    if settings is not None:
        address = address or settings.address
        controllers = controllers or tuple(dict.fromkeys((*settings.controllers, *read_introduced(state))))
    if not address or not controllers or not (state / IDENTITY).exists():
        raise click.ClickException(f"this machine is no host yet (nothing in {state}): run `netplane join` first")
    return address, controllers
