"""`netplane join`."""

import socket
from pathlib import Path

import click

from netplane.cli.address import Address, default_address
from netplane.cli.host_name import host_name
from netplane.cli.places import STATE

SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs (sd_booted(3))."""


@click.command()
@click.argument("url")
@click.option("--token", required=True, envvar="NETPLANE_JOIN_TOKEN", show_envvar=True, help="The join token.")
@click.option(
    "--host", default=socket.gethostname, show_default="the hostname", callback=host_name, help="The host's name."
)
@click.option(
    "--address",
    type=Address(),
    default=None,
    help="The host's address in the underlay, where tunnels end.  [default: that of the default route]",
)
@click.option(
    "--state",
    default=STATE / "agent",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the agent keeps what it needs.",
)
def join(url: str, token: str, host: str, address: str | None, state: Path) -> None:
    """Make this machine a host of the controller at URL.

    The host makes its own key, which never leaves it, and the controller certifies it; `netplane host token` makes the
    token that proves either to the other. `netplane agent` then needs nothing else. A host joins again in the same way.
    """
    from netplane.agent.joining import join
    from netplane.client import Fault
    from netplane.trust.faults import Distrust

    address = address or default_address()
    try:
        papers = join(url, token, host, address, state)
    except Fault as problem:
        raise click.ClickException(f"the controller at {url}: {problem}") from None
    except Distrust as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(f"cannot keep what the agent needs: {problem}") from None
    until = papers.certificate.not_valid_after_utc.date()
    click.echo(f"host {host} has joined, at {address}; its certificate is valid until {until} and renews itself")
    click.echo(f"next, as root:\n\n  {_start(state)}\n")


def _start(state: Path) -> str:
    agent = "netplane agent" if state == STATE / "agent" else f"netplane agent --state {state}"
    return f"systemd-run --unit netplane-agent --property Restart=always {agent}" if SYSTEMD.is_dir() else agent
