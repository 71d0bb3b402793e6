"""`netplane down`."""

import os
import socket
from pathlib import Path

import click

from netplane.cli import systemd
from netplane.cli.places import STATE
from netplane.cli.up import hold


@click.command()
@click.option("--name", default=socket.gethostname, show_default="the hostname", help="The host's name.")
@click.option(
    "--state",
    default=STATE,
    show_default=True,
    envvar="NETPLANE_STATE",
    type=click.Path(file_okay=False, path_type=Path),
    help="What `netplane up` was given.",
)
def down(name: str, state: Path) -> None:
    """Take the datapath of this machine away.

    Agents leave it in the kernel when they end, so that machines keep their networks. Store, tokens and papers stay.
    """
    if os.geteuid() != 0:
        raise click.ClickException("the datapath needs root; run it again with sudo")
    if not state.is_dir():
        raise click.ClickException(f"there is no {state}: netplane was never up here, or with another --state")
    from netplane.agent.process import teardown

    if state == STATE and (kept := next(filter(systemd.is_active, ("agent", "up")), None)):
        raise click.ClickException(f"netplane-{kept} runs; first `systemctl disable --now netplane-{kept}`")
    with hold(state):
        teardown(name, state / "agent")
    click.echo(f"the datapath of {name} is gone; `netplane up`, or the agent, brings it back")
