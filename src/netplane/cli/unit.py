"""`netplane unit`."""

import click

from netplane.cli.places import AGENT_STATE
from netplane.cli.systemd import WHATS, NotInstalled, install, unit_name
from netplane.cli.systemd import unit as unit_text


@click.command()
@click.argument("what", type=click.Choice(WHATS))
@click.option("--install", "installs", is_flag=True, help="Write it for systemd, which starts it now and at each boot.")
def unit(what: str, *, installs: bool) -> None:
    """Print a systemd unit for netplane, or install it.

    WHAT it runs is an agent, a server, or both as `netplane up`. Options of the command that it runs are set in
    /etc/netplane/WHAT.env, as NAME=VALUE; `netplane join` installs the agent's by itself.
    """
    if not installs:
        click.echo(unit_text(what), nl=False)
        return
    try:
        install(what)
    except NotInstalled as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(started(what))


def started(what: str) -> str:
    """What to tell about a unit that has been installed."""
    from netplane.trust.papers import IDENTITY

    if what == "agent" and not (AGENT_STATE / IDENTITY).exists():
        return f"{unit_name(what)} is installed; this machine is no host yet, and the agent waits for `netplane join`"
    return f"{unit_name(what)} runs, now and after each boot: `journalctl -u netplane-{what}` says what it does"
