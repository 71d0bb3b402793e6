"""Clouds of a given shape: many small projects, a few that are a hundred times larger, and networks of very many ports.

The same shape always gives the same cloud. Every project has the same address ranges, a router, two networks, a default
group and a web group with rules, as OpenStack's projects begin; its ports stand on as many hosts as they can, drawn by
lot, which is the most that a network has to do for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from random import Random

from bench.cloud.description import Cloud, Group, Host, Network, Port, Project, Router, Rule

LARGE = 100
"""How many times as many ports as others a large project has."""
COUNTED = 32
"""Bits by which ids count."""
WEB = 3
"""One port of so many is in the web group too."""
RANGES = ("10.0.0.0/16", "10.128.0.0/16")
WIDE = ("10.0.0.0/12", "10.128.0.0/16")
"""The ranges of a project whose ports are all on its first network."""


@dataclass(frozen=True)
class Shape:
    """How large a cloud is."""

    projects: int
    ports: int
    """Of the projects, large ones included."""
    hosts: int
    large: int = 0
    """How many of the projects are large."""
    flat: tuple[int, ...] = ()
    """Further projects, each with so many ports, all of them on one network."""
    together: int = 1
    """How many ports of a project stand on the same host."""
    seed: int = 1


def build(shape: Shape) -> Cloud:
    """The cloud of that shape. ValueError if a project would have no port, or a range would not hold its ports."""
    draw = Draw(shape.seed)
    hosts = tuple(Host(f"host-{number:04}", str(IPv4Address("172.16.0.0") + number)) for number in _from_1(shape.hosts))
    names = [host.name for host in hosts]
    plans = [(size, RANGES) for size in sizes(shape)] + [(size, WIDE) for size in shape.flat]
    return Cloud(hosts, tuple(_project(draw, size, ranges, names, shape.together) for size, ranges in plans))


def sizes(shape: Shape) -> list[int]:
    """How many ports each project has, but for flat ones; large projects stand first."""
    weights = [LARGE] * shape.large + [1] * (shape.projects - shape.large)
    unit, rest = divmod(shape.ports, sum(weights)) if weights else (0, 0)
    if weights and not unit:
        raise ValueError("fewer ports than projects")
    found = [weight * unit for weight in weights]
    # What is left over is spread over the small ones, one each, so that they stay alike.
    for index in range(rest):
        found[-1 - index % max(shape.projects - shape.large, 1)] += 1
    return found


class Draw:
    """Where ids, MAC addresses and lots come from."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._ids = self._random.getrandbits(COUNTED - 1)
        self._macs = 0

    def id(self) -> str:
        """A UUID that follows the one before, as netplane gives them."""
        self._ids += 1
        digits = f"{self._ids:08x}{self._random.getrandbits(96):024x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def mac(self) -> str:
        """A MAC address that was not given before."""
        self._macs += 1
        digits = f"{self._macs:06x}"
        return f"fa:16:3e:{digits[:2]}:{digits[2:4]}:{digits[4:]}"

    def some(self, among: Sequence[str], count: int) -> Sequence[str]:
        """So many of them, each once; all if there are fewer."""
        return self._random.sample(among, min(count, len(among)))


def _project(draw: Draw, size: int, ranges: tuple[str, ...], hosts: Sequence[str], together: int) -> Project:
    networks = tuple(_network(draw, f"network-{number}", range) for number, range in enumerate(ranges, 1))
    groups = tuple(_groups(draw))
    busy = networks[:1] if ranges is WIDE else networks
    ports = tuple(_ports(draw, size, busy, groups, hosts, together))
    return Project(draw.id().replace("-", ""), Router(draw.id(), "router"), networks, groups, ports)


def _network(draw: Draw, name: str, range: str) -> Network:
    gateway = str(IPv4Network(range)[1])
    return Network(draw.id(), name, draw.id(), range, gateway, draw.id(), draw.mac())


def _groups(draw: Draw) -> Iterator[Group]:
    default, web = draw.id(), draw.id()
    own = (
        rule
        for ethertype in ("IPv4", "IPv6")
        for rule in (
            Rule(draw.id(), "egress", ethertype),
            Rule(draw.id(), "ingress", ethertype, remote_group=default),
        )
    )
    yield Group(default, "default", tuple(own))
    yield Group(
        web,
        "web",
        (
            Rule(draw.id(), "egress", "IPv4"),
            Rule(draw.id(), "egress", "IPv6"),
            Rule(draw.id(), "ingress", "IPv4", "tcp", 80, 80),
            Rule(draw.id(), "ingress", "IPv4", "tcp", 443, 443),
            Rule(draw.id(), "ingress", "IPv4", "tcp", 8000, 8099, remote_group=default),
            Rule(draw.id(), "ingress", "IPv4", "tcp", 22, 22, remote_prefix="192.0.2.0/24"),
        ),
    )


def _ports(
    draw: Draw, size: int, networks: Sequence[Network], groups: Sequence[Group], hosts: Sequence[str], together: int
) -> Iterator[Port]:
    default, web = (group.id for group in groups)
    both = tuple(sorted((default, web)))
    addresses = [_addresses(network.range) for network in networks]
    places = draw.some(hosts, -(-size // together))
    for index in range(size):
        which = index % len(networks)
        belongs = both if index % WEB == WEB - 1 else (default,)
        yield Port(
            draw.id(),
            networks[which].id,
            draw.mac(),
            next(addresses[which]),
            belongs,
            draw.id(),
            places[index // together % len(places)],
        )


def _addresses(text: str) -> Iterator[str]:
    """The addresses of a range that machines may have, after the gateway's; ValueError when there are no more."""
    network = IPv4Network(text)
    first = int(network.network_address)
    for number in range(first + 2, first + network.num_addresses - 1):
        yield f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    raise ValueError(f"{text} is full")


def _from_1(count: int) -> range:
    return range(1, count + 1)
