"""The agent as a process: what it is started with, how it ends, and how a host is cleared of it.

SIGTERM, SIGINT    ends the agent; the datapath goes on forwarding with all that it holds
SIGHUP             loads the shipped programs and puts them in the place of those that run
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import closing
from ipaddress import IPv4Address
from pathlib import Path

from netplane.agent.agent import Agent, Startup
from netplane.agent.devices.tunnel import remove_device
from netplane.agent.metadata.nova import Nova
from netplane.agent.service.hosting import Hosting
from netplane.agent.service.namespace import remove_namespace
from netplane.base.garbage import collect_rarely
from netplane.datapath.kernel import KernelDatapath
from netplane.datapath.mounting import BPFFS, unmount_bpffs
from netplane.trust.papers import read_papers

TUNNEL, PUNT, SERVICE = "np-vxlan", "np-punt", "np-serve"
RESOLV_CONF = Path("/etc/resolv.conf")
JOURNAL, DECISIONS = "slice", "decisions.log"


def main(
    address: str,
    controllers: Sequence[str],
    state_dir: Path,
    *,
    meets_others: bool = True,
    decisions: Path | None = None,
    instance: str | None = None,
    resolv_conf: Path = RESOLV_CONF,
    nova: Nova | None = None,
) -> None:
    """Run the agent of a host until SIGTERM or SIGINT, after which the datapath goes on forwarding.

    `address` is the host's in the underlay; `controllers` are `unix:///path` or `host:port`, of which each host tries
    another first, and with `meets_others` also those that they tell it of; `state_dir` holds the host's papers, which
    say its name, and keeps the slice, and decisions that are logged, unless `decisions` names another file for them;
    `instance` names the pinned tables (by default after the host), for machines that run several hosts; `resolv_conf`
    names the resolvers that are asked for machines whose subnets name none; `nova` is whom metadata is asked of, if not
    the records tell it.

    ValueError if the address is not IPv4; Distrust if the papers are not as they should be, FileNotFoundError without
    them; DatapathError if the kernel does not take the programs; OSError without the
    rights for it.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    name = read_papers(state_dir).identity.host
    hosting = Hosting(SERVICE, service_namespace(instance or name), resolv_conf, nova)
    who = Startup(name, str(IPv4Address(address)), tuple(controllers), meets_others, state_dir, TUNNEL, PUNT, hosting)
    collect_rarely()
    with closing(KernelDatapath.open(pins(instance or name))) as datapath:
        asyncio.run(_run(who, datapath, state_dir / JOURNAL, decisions or state_dir / DECISIONS))


def teardown(instance: str, state_dir: Path | None = None) -> None:
    """Take a host's datapath away: programs, tables, devices of this namespace, and the slice in `state_dir`."""
    KernelDatapath.discard(pins(instance))
    for name in (TUNNEL, PUNT, SERVICE):
        remove_device(name)
    remove_namespace(service_namespace(instance))
    if state_dir is not None:
        (state_dir / JOURNAL).unlink(missing_ok=True)
    unmount_bpffs()


def pins(instance: str) -> Path:
    """Where the tables of an instance are pinned; a bpffs takes no names with dots."""
    return BPFFS / instance.replace(".", "_")


def service_namespace(instance: str) -> str:
    """The network namespace in which the services of an instance listen."""
    return f"{SERVICE}-{instance}"


async def _run(who: Startup, datapath: KernelDatapath, journal: Path, decisions: Path) -> None:
    agent, stop = Agent(who, datapath, journal, decisions), asyncio.Event()
    loop = asyncio.get_running_loop()
    replacements: set[asyncio.Task[None]] = set()

    def replace() -> None:
        task = loop.create_task(agent.replace())
        replacements.add(task)
        task.add_done_callback(replacements.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, replace)
    await agent.run(stop)
