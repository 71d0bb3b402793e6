"""Real keepalived in a machine: who shares an address with others by VRRP (RFC 5798)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netplane.lab import Machine
from netplane.lab.namespace import inside
from netplane.lab.process import MORTAL

ADVERTISED = 0.1
"""Seconds between advertisements; a backup takes over after three of them and a little more."""

CONFIG = """
global_defs {{ vrrp_version 3 }}
vrrp_instance shared {{
    state BACKUP
    interface eth0
    virtual_router_id 7
    priority {priority}
    advert_int {advertised}
    garp_master_delay 1
    virtual_ipaddress {{ {address}/24 dev eth0 }}
}}
"""


@contextmanager
def keepalived(machine: Machine, folder: Path, address: str, priority: int) -> Iterator[None]:
    """Keepalived for one address, which the machine with the highest priority has."""
    config, pid, vrrp = (folder / f"{machine.name}.{kind}" for kind in ("conf", "pid", "vrrp"))
    config.write_text(CONFIG.format(priority=priority, advertised=ADVERTISED, address=address))
    command = ["keepalived", "--dont-fork", "--vrrp", "--log-console", "-f", config, "-p", pid, "-r", vrrp]
    with inside(machine.namespace), (folder / f"{machine.name}.log").open("wb") as log:
        running = subprocess.Popen([*MORTAL, *map(str, command)], stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        running.terminate()
        running.wait(10)
