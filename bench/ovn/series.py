"""The measurements: each is made on one system and then on the other, in turn, so that a noisy machine slows both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Network
from random import Random
from typing import NamedTuple, TypeVar

from bench.cloud import Cloud, Host, Port, Project, Rule
from bench.ovn.standing import Cold, Place, Realised, Spent, System, Tenants, cpu
from bench.processes import wait_for_rest

WARM = 2
"""Changes of each sort before those that count."""

T = TypeVar("T")
BURST = 10_000
"""The number of the first port of a burst; others have lower ones."""

Change = Callable[[Tenants], Realised]


class Changed(NamedTuple):
    """What one sort of change took."""

    taken: list[Realised]
    cpu: float
    """Seconds of processor of all processes, a change, with all that follows from it."""


class Burst(NamedTuple):
    """Ports that came one after the other, without waiting."""

    ports: int
    seconds: float
    """Until the last was everywhere."""
    cpu: float
    """Seconds of processor of all processes."""


class Restarted(NamedTuple):
    """A host's agent, killed and started again."""

    seconds: float
    cpu: float


def cold_starts(systems: Sequence[System], rounds: int) -> dict[str, list[Cold]]:
    """Cold starts of each system while the others rest; it then runs on."""
    found: dict[str, list[Cold]] = {system.name: [] for system in systems}
    for round in range(rounds):
        for system in turn(systems, round):
            if round:
                system.kill()
            found[system.name].append(system.start())
            rest(system)
    return found


def changes(systems: Sequence[System], cloud: Cloud, real: int, count: int) -> Iterator[tuple[str, dict[str, Changed]]]:
    """So many changes of each sort, by what they are called."""
    with ExitStack() as stack:
        tenants = [(system, stack.enter_context(system.tenants())) for system in systems]
        for what, sort in sorts(cloud, cloud.hosts[:real], count + WARM).items():
            taken: dict[str, list[Realised]] = {system.name: [] for system in systems}
            used = {system.name: 0.0 for system in systems}
            for number, change in enumerate(sort):
                for system, tenant in turn(tenants, number):
                    before = system.read_spent()
                    realised = change(tenant)
                    rest(system)
                    if number >= WARM:
                        taken[system.name].append(realised)
                        used[system.name] += used_since(before, system.read_spent())
            yield what, {name: Changed(taken[name], used[name] / count) for name in taken}


def bursts(systems: Sequence[System], cloud: Cloud, real: int, count: int) -> dict[str, Burst]:
    """So many ports at once, on each system."""
    places = _places(cloud, cloud.hosts[:real], range(BURST, BURST + count), Random(BURST))
    found: dict[str, Burst] = {}
    for system in systems:
        with system.tenants() as tenants:
            before = system.read_spent()
            seconds = tenants.add_all(places)
            rest(system)
            found[system.name] = Burst(count, seconds, used_since(before, system.read_spent()))
    return found


def restarts(systems: Sequence[System], hosts: Sequence[Host]) -> dict[str, list[Restarted]]:
    """Each host's agent once."""
    found: dict[str, list[Restarted]] = {system.name: [] for system in systems}
    for number, host in enumerate(hosts):
        for system in turn(systems, number):
            before = system.read_spent()
            seconds = system.restart(host.name)
            rest(system)
            found[system.name].append(Restarted(seconds, used_since(before, system.read_spent())))
    return found


def sorts(cloud: Cloud, hosts: Sequence[Host], count: int) -> dict[str, list[Change]]:
    """The sorts of changes, each so many times, drawn by lot; what is added is moved and then deleted.

    ValueError if the cloud has too few ports that could join a group.
    """
    random = Random(count)
    names = [host.name for host in hosts]
    projects = _carried(cloud, hosts)
    places = _places(cloud, hosts, range(count), random)
    targets = [random.choice([name for name in names if name != place.port.host]) for place in places]
    moved = [place._replace(port=replace(place.port, host=host)) for place, host in zip(places, targets, strict=True)]
    single = [
        (project, port)
        for project in projects
        for port in project.ports
        if len(port.groups) == 1 and port.host in names
    ]
    web = [
        project for project in projects if any(len(port.groups) == 2 and port.host in names for port in project.ports)
    ]
    return {
        "port added": [_adding(place) for place in places],
        "port moved": [_moving(place, host) for place, host in zip(places, targets, strict=True)],
        "port deleted": [_deleting(place) for place in moved],
        "rule added": [_allowing(random.choice(web), _rule(number)) for number in range(count)],
        "member joins a group": [_joining(*pair) for pair in random.sample(single, count)],
    }


def _adding(place: Place) -> Change:
    return lambda tenants: tenants.add(place)


def _moving(place: Place, host: str) -> Change:
    return lambda tenants: tenants.move(place, host)


def _deleting(place: Place) -> Change:
    return lambda tenants: tenants.delete(place)


def _allowing(project: Project, rule: Rule) -> Change:
    return lambda tenants: tenants.allow(project, rule)


def _joining(project: Project, port: Port) -> Change:
    return lambda tenants: tenants.join(project, port)


def _carried(cloud: Cloud, hosts: Sequence[Host]) -> list[Project]:
    """The projects that have a machine on one of some hosts."""
    names = {host.name for host in hosts}
    return [project for project in cloud.projects if any(port.host in names for port in project.ports)]


def _places(cloud: Cloud, hosts: Sequence[Host], numbers: range, random: Random) -> list[Place]:
    projects = _carried(cloud, hosts)
    return [_place(random.choice(projects), random.choice(hosts).name, number) for number in numbers]


def _place(project: Project, host: str, number: int) -> Place:
    """A port for a machine of a project, at an address that the cloud has not given to anybody."""
    network = project.networks[0]
    address = str(IPv4Network(network.range)[-2 - number])
    mac = f"fa:16:3f:00:{number >> 8:02x}:{number & 255:02x}"
    # The first characters differ from those of all others, since OpenStack names devices by them.
    id = f"{0xB0000000 + number:08x}-0000-4000-a000-000000000000"
    return Place(project, network, Port(id, network.id, mac, address, (project.groups[0].id,), "", host))


def _rule(number: int) -> Rule:
    return Rule(
        f"{0xC0000000 + number:08x}-0000-4000-a000-000000000000",
        "ingress",
        "IPv4",
        "tcp",
        9_000 + number,
        9_000 + number,
    )


def rest(system: System) -> None:
    """Wait until a system has done everything."""
    wait_for_rest(lambda: cpu(system.read_spent()))


def used_since(before: Mapping[str, Spent], after: Mapping[str, Spent]) -> float:
    """Seconds of processor between two readings; a process that uses less than it did is another one."""
    earlier = {name: spent.cpu for name, spent in before.items()}
    return sum(
        spent.cpu - earlier.get(name, 0.0) if spent.cpu >= earlier.get(name, 0.0) else spent.cpu
        for name, spent in after.items()
    )


def turn(items: Sequence[T], number: int) -> Sequence[T]:
    """Items in an order in which each is first in turn."""
    return items if number % 2 == 0 else list(reversed(items))
