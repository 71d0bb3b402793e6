"""OVN with a cloud stored in it: what is prepared once, started cold as often as one likes, and asked.

    northbound ──▶ northd ──▶ southbound ──▶ ovn-controller ──▶ Open vSwitch      one of the last two for each real host
                                   ▲
                             stand_in(), once: the other hosts, which do not run

Both databases are kept between starts, and each host's switch knows its devices, as after a power cut.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.cloud import Cloud
from bench.ovn import northbound
from bench.ovn.central import Central, stand_in, start_central, store
from bench.ovn.changing import Tenants
from bench.ovn.daemon import make
from bench.ovn.host import Host, start_controller, start_host
from bench.ovn.programs import Programs
from bench.ovn.standing import Cold, Spent, read_process
from bench.ovn.waiting import wait_for, wait_until
from netplane.lab.ledger import Ledger

PAUSE = 1.0
"""Seconds in which a host that has answered would say that it has more to do."""


class Ovn:
    """The system; `real` of the cloud's hosts run, the first ones."""

    def __init__(self, ledger: Ledger, programs: Programs, cloud: Cloud, *, real: int, threads: int) -> None:
        self.name = f"OVN {programs.read_versions()['OVN']}"
        self._cloud = cloud
        self._threads = threads
        self._real = cloud.hosts[:real]
        self._place = make(ledger, programs, "central")
        self._places = {host.name: make(ledger, programs, host.name) for host in self._real}
        self.hosts: dict[str, Host] = {}
        self.central: Central

    def prepare(self) -> Mapping[str, float]:
        """Store the cloud, let everything settle once, and end it; seconds of the steps."""
        rows = (northbound.project_rows(project) for project in self._cloud.projects)
        began = time.monotonic()
        store(self._place, [northbound.begin(), *rows])
        stored = time.monotonic()
        self.central = start_central(self._place, self._threads)
        number = self.central.write()
        wait_until(lambda: self.central.read_computed() >= number, PAUSE)
        computed = time.monotonic()
        carried = {port.id: port.host for project in self._cloud.projects for port in project.ports}
        stand_in(self.central, {host.name: host.address for host in self._cloud.hosts[len(self._real) :]}, carried)
        self._start_hosts()
        for name, host in self.hosts.items():
            host.plug([port for port, where in carried.items() if where == name])
        self._settle()
        settled = time.monotonic()
        self.kill()
        self._compact()
        return {"stored": stored - began, "northd from nothing": computed - stored, "hosts": settled - computed}

    def start(self) -> Cold:
        """All processes at once, until all ports have their flows, and no more come."""
        began = time.time()
        self.central = start_central(self._place, self._threads)
        self._start_hosts()
        end, flows = max(self._wait_for_ports(host) for host in self.hosts.values()), self._read_flows()
        while (after := self._wait_for_more()) != flows:
            end, flows = time.time(), after
        return Cold(end - began, self.read_spent(), flows)

    def kill(self) -> None:
        """End all processes as a power cut would."""
        for host in self.hosts.values():
            host.kill()
        self.hosts = {}
        self.central.kill()

    def read_spent(self) -> dict[str, Spent]:
        """What each process has used so far."""
        groups = {"central": self.central.children} | {name: host.children for name, host in self.hosts.items()}
        return {
            f"{where}: {name}": read_process(child.pid)
            for where, children in groups.items()
            for name, child in children.items()
        }

    def restart(self, host: str) -> float:
        """Kill a host's ovn-controller and start it again; seconds until all ports have their flows."""
        running = self.hosts[host]
        running.children["controller"].kill()
        began = time.time()
        running.children["controller"] = start_controller(running.place, running.switch)
        return self._wait_for_ports(running) - began

    @contextmanager
    def tenants(self) -> Iterator[Tenants]:
        """Somebody to change it, while it runs."""
        tenants = Tenants(self._cloud, self.central, self.hosts)
        try:
            yield tenants
        finally:
            tenants.close()

    def _start_hosts(self) -> None:
        southbound = f"unix:{self._place.directory}/southbound.sock"
        self.hosts = {host.name: start_host(self._places[host.name], southbound, host.address) for host in self._real}

    def _wait_for_ports(self, host: Host) -> float:
        """When the last port of a host had its flows, by the word of its controller."""
        return wait_for(host.read_all_installed, PAUSE)

    def _answer(self) -> None:
        """Wait until all hosts have answered a number that is written now."""
        number = self.central.write()
        wait_until(lambda: self.central.read_answered(number) >= self.hosts.keys(), PAUSE)

    def _read_flows(self) -> dict[str, int]:
        return {name: host.read_flows() for name, host in self.hosts.items()}

    def _wait_for_more(self) -> dict[str, int]:
        """The flows of each host after a while in which more would have come."""
        time.sleep(PAUSE)
        return self._read_flows()

    def _settle(self) -> None:
        """Wait until all ports here are up, and hosts have nothing to do that comes of it."""
        names = {port.id for project in self._cloud.projects for port in project.ports}
        wait_until(lambda: names <= self.central.read_up(), PAUSE)
        self._answer()

    def _compact(self) -> None:
        """Write each database anew, without its history, as its server does by itself after some minutes."""
        for path in self._databases():
            self._place.run("ovsdb-tool", "compact", str(path))

    def _databases(self) -> list[Path]:
        central = [self._place.directory / f"{name}.db" for name in ("northbound", "southbound")]
        return central + [place.directory / "db.db" for place in self._places.values()]
