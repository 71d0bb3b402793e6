"""A cloud in a database, the controllers on it, and the agents of its hosts."""

import gc
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cloud import Cloud, build
from bench.cloud.stored import fill
from bench.control.fleet import Fleet, Place, Plan, Standing, fleet
from bench.control.papers import let_in
from bench.control.profile import Profile
from bench.processes import read_cpu, read_memory, read_peak, read_waited
from bench.serving import SECRET, Server, controller
from netplane.base.garbage import collect_rarely
from netplane.lab.api import Api
from netplane.store import Store
from tests import postgres

PATIENCE = 1_800.0
"""Seconds that a fleet has to do something."""


class Site:
    """Everything of one run. Controllers and agents are processes of their own."""

    def __init__(self, profile: Profile, cloud: Cloud, folder: Path, database: str, fleets: Sequence[Fleet]) -> None:
        self.profile = profile
        self.cloud = cloud
        self.fleets = fleets
        self.servers: list[Server] = []
        self._folder = folder
        self._database = database
        self._running = ExitStack()

    def start(self) -> None:
        """Start the controllers, and return when they answer."""
        for number in range(self.profile.controllers):
            self.servers.append(self._running.enter_context(controller(self._folder / str(number), self._database)))

    def kill(self) -> None:
        """The controllers are gone, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """The controllers end as they are told to."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        for server in self.servers:
            os.kill(server.pid, number)
        self._running.close()
        self.servers = []

    def api(self, number: int = 0) -> Api:
        """A client of one of the controllers."""
        return Api(f"http://127.0.0.1:{self.servers[number % len(self.servers)].port}", SECRET)

    def tell(self, command: str, *arguments: object) -> list[object]:
        """Have all fleets do something at the same time; what each answers."""
        for each in self.fleets:
            each.begin(command, *arguments)
        return [each.end() for each in self.fleets]

    def until(self, revision: int) -> float:
        """Wait until all hosts hold everything up to a revision; when the last one did, since the epoch."""
        return max(float(str(when)) for when in self.tell("until", revision, PATIENCE))

    def standings(self) -> list[Standing]:
        """What each fleet says of itself."""
        return [each.standing for each in self.fleets]

    @property
    def controllers_cpu(self) -> float:
        """Seconds of processor that the controllers have used."""
        return sum(read_cpu(server.pid) for server in self.servers)

    @property
    def agents_cpu(self) -> float:
        """Seconds of processor that all agents have used."""
        return sum(each.cpu for each in self.fleets)

    def waited(self) -> float:
        """Seconds that a controller has been kept from running by whatever else ran."""
        return max(read_waited(server.pid) for server in self.servers)

    def peak(self) -> float:
        """The most memory that a controller has had, in MiB."""
        return max(read_peak(server.pid) for server in self.servers)

    def memory(self) -> float:
        """The most memory that a controller has now, in MiB."""
        return max(read_memory(server.pid) for server in self.servers)


class Filled(NamedTuple):
    """What it took to write a cloud into the database."""

    cpu: float
    """Seconds of processor."""
    revision: int
    """The last one then."""
    octets: int
    """Of the database; 0 if it is not a file."""


@contextmanager
def open_site(profile: Profile) -> Iterator[tuple[Site, Filled]]:
    """A filled database and agents that have not begun; controllers are yet to be started."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netplane-bench-")))
        is_single = profile.controllers == 1
        database = str(folder / "bench.db") if is_single else stack.enter_context(postgresql())
        cloud = build(profile.shape)
        filled = _fill(database, cloud, folder / "hosts")
        southbound = tuple(f"unix://{folder}/{number}/southbound" for number in range(profile.controllers))
        hosts = cloud.hosts[: profile.started]
        places = [Place(host.name, host.address, southbound, folder / "hosts" / host.name) for host in hosts]
        shares = [places[number :: profile.fleets] for number in range(profile.fleets)]
        plans = [Plan(share, profile.real, profile.whole) for share in shares]
        running = Site(profile, cloud, folder, database, [stack.enter_context(fleet(plan)) for plan in plans])
        try:
            yield running, filled
        finally:
            running.stop()


def _fill(database: str, cloud: Cloud, papers: Path) -> Filled:
    usual = gc.get_threshold()
    collect_rarely()
    began = time.process_time()
    store = Store.open(database)
    try:
        fill(store, cloud)
        cpu, revision = time.process_time() - began, store.revision
        let_in(store, [host.name for host in cloud.hosts], papers)
    finally:
        store.close()
        gc.set_threshold(*usual)
    octets = 0 if "://" in database else Path(database).stat().st_size
    return Filled(cpu, revision, octets)


@contextmanager
def postgresql() -> Iterator[str]:
    """An empty database on a PostgreSQL that keeps what it is told."""
    cluster = postgres.new_cluster(fsync="on", full_page_writes="on", autovacuum="on")
    try:
        cluster.start()
        yield cluster.create()
    finally:
        cluster.remove()
