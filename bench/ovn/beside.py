"""netplane with the same cloud stored in it: a controller on SQLite, and an agent for each real host.

Each agent is a process of its own with the tables of its host in the kernel. What an agent takes its devices from is
left out on both sides: here a port's device is there when its record comes, with OVN it is plugged in beforehand.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.cloud import Cloud, Host, Port, Project, Rule
from bench.cloud.stored import fill
from bench.control.fleet import Fleet, Plan, fleet
from bench.control.fleet import Place as Seat
from bench.control.latency import stamped
from bench.control.papers import let_in
from bench.ovn.standing import Cold, Place, Realised, Spent, read_process
from bench.serving import SECRET, Server, controller
from netplane.lab.api import Api
from netplane.store import Store

PATIENCE = 1800.0
"""Seconds that anything may take."""
PINS = "bench-ovn"
LOOK = 0.1
"""Seconds that the controller is asked to wait for the last host, before it is asked again."""


class Netplane:
    """The system; `real` of the cloud's hosts have an agent, the first ones."""

    name = "netplane"

    def __init__(self, folder: Path, cloud: Cloud, *, real: int) -> None:
        self._folder = folder
        self._cloud = cloud
        self._real = cloud.hosts[:real]
        self._database = str(folder / "netplane.db")
        self._revision = 0
        self._running = ExitStack()
        self._fleets: dict[str, Fleet] = {}
        self._kernel: dict[str, Spent] = {}
        self._server: Server | None = None

    def prepare(self) -> Mapping[str, float]:
        """Store the cloud, and let the real hosts in; seconds of the step."""
        began = time.monotonic()
        store = Store.open(self._database)
        try:
            fill(store, self._cloud)
            let_in(store, [host.name for host in self._real], self._folder / "hosts")
            self._revision = store.revision
        finally:
            store.close()
        return {"stored": time.monotonic() - began}

    def start(self) -> Cold:
        """All processes at once, until all hosts have everything that is stored in their tables."""
        for host in self._real:
            (self._folder / "hosts" / host.name / "slice").unlink(missing_ok=True)
        began = time.time()
        with ThreadPoolExecutor(1 + len(self._real)) as threads:
            server = threads.submit(self._controller)
            self._fleets = dict(
                zip((host.name for host in self._real), threads.map(self._agent, self._real), strict=True)
            )
            self._server = server.result()
        for each in self._fleets.values():
            each.begin("until", self._revision, PATIENCE)
        seconds = max(float(each.end()) for each in self._fleets.values()) - began
        standings = {name: each.standing for name, each in self._fleets.items()}
        self._kernel = {f"{name}: kernel tables": Spent(0.0, each.kernel) for name, each in standings.items()}
        return Cold(seconds, self.read_spent(), {name: each.entries for name, each in standings.items()})

    def kill(self) -> None:
        """End all processes, and take the tables out of the kernel."""
        if self._server is not None:
            os.kill(self._server.pid, signal.SIGKILL)
        self._running.close()
        self._server, self._fleets = None, {}

    def read_spent(self) -> dict[str, Spent]:
        """What each process has used so far; the kernel's tables are no process, but memory like that of a switch."""
        agents = {f"{name}: agent": read_process(each.pid) for name, each in self._fleets.items()}
        return {"central: controller": read_process(self._serving.pid)} | agents | self._kernel

    def restart(self, host: str) -> float:
        """Kill a host's agent and start it again; seconds until it has compared all tables with what they should be."""
        [described] = [each for each in self._real if each.name == host]
        os.kill(self._fleets[host].pid, signal.SIGKILL)
        began = time.time()
        self._fleets[host] = self._agent(described)
        self._revision = self._api().status()["revision"]
        return float(self._fleets[host].tell("until", self._revision, PATIENCE)) - began

    @contextmanager
    def tenants(self) -> Iterator["Tenants"]:
        """Somebody to change it, while it runs."""
        yield Tenants(self._api(), {host.name for host in self._real})

    @property
    def _serving(self) -> Server:
        assert self._server is not None, "it has been started"
        return self._server

    def _api(self) -> Api:
        return Api(f"http://127.0.0.1:{self._serving.port}", SECRET)

    def _controller(self) -> Server:
        return self._running.enter_context(controller(self._folder / "controller", self._database))

    def _agent(self, host: Host) -> Fleet:
        """A host's agent, which looks for the controller."""
        southbound = f"unix://{self._folder}/controller/southbound"
        seat = Seat(host.name, host.address, (southbound,), self._folder / "hosts" / host.name)
        agent = self._running.enter_context(fleet(Plan([seat], real=1, whole=1, pins=PINS)))
        agent.tell("start")
        return agent


class Tenants:
    """Who changes it, through the API, and asks the controller since when each host has had a change."""

    def __init__(self, api: Api, real: set[str]) -> None:
        self._api = api
        self._real = real
        self._ids: dict[str, str] = {}

    def add(self, place: Place) -> Realised:
        """A port comes."""
        began = time.time()
        self._create(place)
        return self._taken(began, place.port.host)

    def add_all(self, places: Sequence[Place]) -> float:
        """Ports come, a call each."""
        began = time.time()
        revisions = [self._create(place) for place in places]
        return max(self._taken(began, revision=revision).everywhere for revision in revisions) / 1e3

    def move(self, place: Place, host: str) -> Realised:
        """A port goes to another host."""
        began = time.time()
        self._api.call("PUT", f"/v2.0/ports/{self._ids[place.port.id]}", {"port": {"binding:host_id": host}})
        return self._taken(began, host)

    def delete(self, place: Place) -> Realised:
        """A port goes."""
        began = time.time()
        self._api.delete("port", self._ids.pop(place.port.id))
        return self._taken(began, place.port.host)

    def allow(self, project: Project, rule: Rule) -> Realised:
        """The web group gets a rule."""
        fields = {
            "security_group_id": project.groups[1].id,
            "direction": rule.direction,
            "ethertype": rule.ethertype,
            "protocol": rule.protocol,
            "port_range_min": rule.first,
            "port_range_max": rule.last,
        }
        began = time.time()
        self._api.create("security_group_rule", **fields)
        return self._taken(began)

    def join(self, project: Project, port: Port) -> Realised:
        """A port joins the web group too."""
        began = time.time()
        self._api.update("port", port.id, security_groups=[group.id for group in project.groups])
        return self._taken(began)

    def _create(self, place: Place) -> int:
        """Make a port, and give the revision that it came with."""
        network, port = place.network, place.port
        self._ids[port.id] = self._api.create(
            "port",
            network_id=network.id,
            project_id=place.project.id,
            mac_address=port.mac,
            fixed_ips=[{"subnet_id": network.subnet, "ip_address": port.address}],
            security_groups=list(port.groups),
            binding__host_id=port.host,
        )["id"]
        return self._api.revision

    def _taken(self, began: float, host: str | None = None, *, revision: int | None = None) -> Realised:
        """Wait for a revision, the newest one if None; only real hosts ever answer."""
        revision = self._api.revision if revision is None else revision
        answer = self._api.read_realised(revision, LOOK)
        while self._real & set(answer["pending"]):
            answer = self._api.read_realised(revision, LOOK)
        ends = [stamped(text) for text in answer["realised"].values()]
        here = stamped(answer["realised"][host]) if host else min(ends)
        return Realised((here - began) * 1e3, (max(ends) - began) * 1e3)
