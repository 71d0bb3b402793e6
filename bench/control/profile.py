"""How large a run is: the cloud, and how much of it is real."""

from dataclasses import dataclass

from bench.cloud import Shape


@dataclass(frozen=True)
class Profile:
    """One size."""

    name: str
    shape: Shape
    fleets: int = 1
    """Processes that the agents are spread over."""
    real: int = 2
    """Hosts of each fleet with tables in the kernel."""
    whole: int = 100
    """Hosts of each fleet that keep their tables, the real ones among them."""
    controllers: int = 1
    """On SQLite if it is one, on PostgreSQL if there are more."""
    sampled: int = 0
    """Hosts whose agents run at all, if not all do: what they need is multiplied."""
    changes: int = 200
    """Changes of each sort."""

    @property
    def started(self) -> int:
        """How many hosts' agents run."""
        return self.sampled or self.shape.hosts

    @property
    def is_ordinary(self) -> bool:
        """Whether it is of many projects alike, with one controller: it is compared with the next larger such one."""
        return not self.shape.flat and self.controllers == 1

    @property
    def agents(self) -> str:
        """Which part of the hosts is what."""
        hosts = self.started
        real, whole = min(self.real * self.fleets, hosts), min(self.whole * self.fleets, hosts)
        most = f" of {self.shape.hosts:,}, the rest by multiplication" if self.sampled else ""
        parts = [
            f"{hosts:,} agents' sessions and compilers in {self.fleets} process(es){most}",
            f"{real} with kernel tables",
        ]
        parts.append(f"{whole - real} with tables in memory")
        if hosts > whole:
            parts.append(f"{hosts - whole} that let go of theirs when they are whole, and then only acknowledge")
        return ", ".join(parts)


SMALL = Shape(projects=100, ports=2_000, hosts=20)
MIDDLE = Shape(projects=1_000, ports=20_000, hosts=100, large=1)
LARGE = Shape(projects=10_000, ports=200_000, hosts=1_000, large=5)
GROUP = Shape(projects=100, ports=2_000, hosts=20, flat=(10_000,))
FLAT = Shape(projects=0, ports=0, hosts=500, flat=(100_000,))

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("small", SMALL),
        Profile("shared", SMALL, controllers=2),
        Profile("middle", MIDDLE, fleets=2, whole=30),
        Profile("large", LARGE, fleets=2, whole=10),
        Profile("group", GROUP),
        Profile("flat", FLAT, real=1, whole=3, sampled=10),
    )
}
