"""`netplane up`: a controller and an agent for this machine, each a process that is started again when it ends.

    netplane up ─┬─ netplane server   HTTP on 127.0.0.1:9696, store in /var/lib/netplane
                 └─ netplane agent    joins over /run/netplane/southbound

Everything is found again by the next run: store, tokens, papers, slice, and the datapath in the kernel.
"""

import asyncio
import fcntl
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

import click

from netplane.cli.address import Address, default_address
from netplane.cli.host_name import host_name
from netplane.cli.places import LISTEN, RUN, STATE
from netplane.cli.server import underlay_mtu
from netplane.cli.supervise import supervise
from netplane.cli.tokens import ensure_tokens
from netplane.controller.listening.place import Listening
from netplane.model.network import DEFAULT_DOMAIN

STEPS = """netplane is up: API {url}, host {name}, underlay address {address}. Next steps, in another shell:

  netplane status                      what is there
  export OS_CLIENT_CONFIG_FILE={state}/clouds.yaml OS_CLOUD=netplane
  openstack network list
  netplane attach DEVICE PORT          plug a tap or veth device into a port
  netplane trace PORT icmp dst=ADDRESS what the datapath would do with a packet

Stop with Ctrl-C or SIGTERM; machines keep their networks until `netplane down`.
"""


@click.command()
@click.option(
    "--name", default=socket.gethostname, show_default="the hostname", callback=host_name, help="The host's name."
)
@click.option(
    "--address", type=Address(), default=None, help="The underlay address.  [default: that of the default route]"
)
@click.option("--listen", default=LISTEN, show_default=True, help="Where clients connect.")
@click.option(
    "--dns-domain",
    default=DEFAULT_DOMAIN,
    show_default=True,
    envvar="NETPLANE_DNS_DOMAIN",
    help="What machines' names end with on networks without a domain of their own.",
)
@click.option(
    "--state",
    default=STATE,
    show_default=True,
    envvar="NETPLANE_STATE",
    type=click.Path(file_okay=False, path_type=Path),
    help="Store, tokens and slice.",
)
@click.option(
    "--run",
    "run_directory",
    default=RUN,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the agent's socket is.",
)
@underlay_mtu
def up(
    name: str,
    address: str | None,
    listen: str,
    dns_domain: str,
    state: Path,
    run_directory: Path,
    underlay_mtu: int,
) -> None:
    """Run a controller and an agent for this machine."""
    if os.geteuid() != 0:
        raise click.ClickException("the datapath needs root; run it again with sudo")
    address = address or default_address()
    try:
        tokens = ensure_tokens(state)
    except OSError as problem:
        raise click.ClickException(f"nothing can be kept in {state}: {problem.strerror or problem}") from problem
    lock = hold(state)
    run_directory.mkdir(parents=True, exist_ok=True)
    southbound = f"unix://{run_directory}/southbound"

    async def enrol() -> str:
        """While the controller starts, which takes as long."""
        await asyncio.to_thread(_enrol, name, state)
        return STEPS.format(url=Listening(listen).url, name=name, address=address, state=state)

    asyncio.run(
        supervise(
            {
                "controller": _server(listen, southbound, state, tokens, underlay_mtu),
                "agent": _agent(address, southbound, state),
            },
            environment={"NETPLANE_DNS_DOMAIN": dns_domain},
            after={"agent": enrol},
        )
    )
    lock.close()


def hold(state: Path) -> IO[str]:
    """Keep others from working on the same state for as long as the file is open, whatever this process ends of."""
    lock = open(state / "lock", "a+")  # noqa: SIM115 - held until the end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise click.ClickException(f"netplane is up already on {state}; `netplane status` shows it") from None
    return lock


def _server(listen: str, southbound: str, state: Path, tokens: Path, underlay_mtu: int) -> list[str]:
    database = str(_database(state))
    words = ["--listen", listen, "--southbound", southbound, "--database", database, "--tokens", str(tokens)]
    words += ["--underlay-mtu", str(underlay_mtu)]
    return [sys.executable, "-m", "netplane.cli", "server", *words]


def _enrol(name: str, state: Path) -> None:
    """Have papers for this machine's agent: as any other's it proves who it is."""
    from netplane.controller.local import enrol_here
    from netplane.store import Store, Unavailable, Unfit
    from netplane.trust.faults import Distrust

    try:
        with closing(Store.open(f"sqlite:///{_database(state)}")) as store:
            enrol_here(store, name, state / "agent")
    except (Unavailable, Unfit, Distrust, OSError) as problem:
        raise click.ClickException(f"this host cannot be enrolled: {problem}") from problem


def _database(state: Path) -> Path:
    return state / "netplane.db"


def _agent(address: str, southbound: str, state: Path) -> list[str]:
    words = ["--address", address, "--controller", southbound, "--state", str(state / "agent")]
    return [sys.executable, "-m", "netplane.cli", "agent", *words]
