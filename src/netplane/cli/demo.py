"""`netplane demo`."""

import os
import sys
from functools import partial

import click

from netplane.cli.output import Format, print_value, wants_format


@click.command()
@click.option("--hosts", default=3, show_default=True, type=click.IntRange(3, 20), help="How many hosts to build.")
@click.option("--keep", is_flag=True, help="Stay up afterwards, and say how to look around.")
@click.option("--prefix", default="demo", show_default=True, help="What the names of everything it makes begin with.")
@wants_format
def demo(hosts: int, prefix: str, output: Format, *, keep: bool) -> None:
    """Check everything with real packets.

    Builds hosts out of network namespaces, connects machines of two tenants, and removes it all at the end.
    """
    if os.geteuid() != 0:
        raise click.ClickException("the demo makes network namespaces and loads eBPF; run it again with sudo")
    from netplane.lab.demo import run

    tell = None if output is Format.TABLE else partial(print_value, output=output)
    sys.exit(run(prefix, hosts, keep=keep, tell=tell))
