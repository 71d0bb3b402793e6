"""What both systems are asked to do, and what they answer."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from bench.cloud import Network, Port, Project, Rule
from bench.processes import read_cpu, read_peak


class Spent(NamedTuple):
    """What a process has used."""

    cpu: float
    """Seconds of processor."""
    peak: float
    """The most memory at a time, in MiB."""


class Cold(NamedTuple):
    """A start of everything, with everything stored."""

    seconds: float
    """Until the last host had all its entries."""
    spent: Mapping[str, Spent]
    """By process, as `where: what`."""
    entries: Mapping[str, int]
    """What each host's tables hold."""


class Realised(NamedTuple):
    """Milliseconds of one change."""

    here: float
    """Until it was in the tables of the host that it is about; if it is about none, of the first one that needs it."""
    everywhere: float
    """Until it was in the tables of all real hosts that need it."""


class Place(NamedTuple):
    """Where a port that is added goes."""

    project: Project
    network: Network
    port: Port
    """Its address, groups and host; systems that give ids themselves give it another."""


class Tenants(Protocol):
    """Who changes a running system. What is added is known by the id that it was described with."""

    def add(self, place: Place) -> Realised:
        """A port comes."""

    def add_all(self, places: Sequence[Place]) -> float:
        """Ports come one after the other, nobody waits; seconds until all are on all real hosts that need them."""

    def move(self, place: Place, host: str) -> Realised:
        """A port that was added goes to another real host."""

    def delete(self, place: Place) -> Realised:
        """A port that was added goes; `place` says on which host it is by now."""

    def allow(self, project: Project, rule: Rule) -> Realised:
        """The project's web group gets a rule."""

    def join(self, project: Project, port: Port) -> Realised:
        """A port of the cloud joins the project's web group too."""


class System(Protocol):
    """A system of networking with a cloud stored in it."""

    name: str

    def start(self) -> Cold:
        """Start all processes, and wait until all real hosts have what they need."""

    def kill(self) -> None:
        """End all processes as a power cut would."""

    def read_spent(self) -> Mapping[str, Spent]:
        """What each process has used since it started."""

    def restart(self, host: str) -> float:
        """Kill a host's agent and start it again, the tables stay; seconds until it vouches for all of them."""

    def tenants(self) -> AbstractContextManager[Tenants]:
        """Somebody to change it, while it runs."""


def read_process(pid: int) -> Spent:
    """What a running process has used so far."""
    return Spent(read_cpu(pid), read_peak(pid))


def cpu(spent: Mapping[str, Spent]) -> float:
    """Seconds of processor of all processes together."""
    return sum(one.cpu for one in spent.values())
