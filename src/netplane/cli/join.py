"""`netplane join`."""

import shlex
import socket
from pathlib import Path

import click

from netplane.cli.address import Address, default_address
from netplane.cli.host_name import host_name
from netplane.cli.places import AGENT_STATE


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
    default=AGENT_STATE,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the agent keeps what it needs.",
)
@click.option(
    "--unit/--no-unit",
    "installs",
    default=True,
    show_default=True,
    help="Have systemd start the agent now and at each boot, where it runs this machine and --state is the default.",
)
def join(url: str, token: str, host: str, address: str | None, state: Path, *, installs: bool) -> None:
    """Make this machine a host of the controller at URL.

    The host makes its own key, which never leaves it, and the controller certifies it; `netplane host token` makes the
    token that proves either to the other. The agent then needs nothing else, and is started by systemd where that runs.
    A host joins again in the same way.
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
    click.echo(what_is_next(state, installs=installs))


def what_is_next(state: Path, *, installs: bool) -> str:
    """Have the agent started if systemd can do it; what has been done, or what is left to do."""
    from netplane.cli import systemd
    from netplane.cli.unit import started

    if state != AGENT_STATE:
        return f"next, as root: netplane agent --state {shlex.quote(str(state))}"
    if not systemd.runs():
        return "next, as root: netplane agent (at each boot: systemd does not run here)"
    if not installs:
        return "next, as root: netplane unit agent --install"
    try:
        # One that runs since before knows where the host and its controllers were then.
        systemd.install("agent", anew=True)
    except systemd.NotInstalled as problem:
        raise click.ClickException(f"the agent is not started: {problem}. Next, as root: netplane agent") from problem
    return started("agent")
