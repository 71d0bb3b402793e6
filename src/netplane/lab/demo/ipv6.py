"""Item 3: the same machines by IPv6, with addresses that they make themselves of what their router says."""

from collections.abc import Callable, Iterator

from netplane.lab import Machine
from netplane.lab.autoconfiguration import read_addresses, read_routers
from netplane.lab.demo.check import Check, all_of
from netplane.lab.demo.reach import PATHS, PORT, TCP_BYTES
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.ping import traceroute
from netplane.lab.wait import NotReached, until

SECONDS = 15
GATEWAY = "2001:db8:1::1"
ACROSS = ("same network, across hosts", "routed, across hosts")


def checks(scene: Scene) -> Iterator[Check]:
    """Addresses and routers first, then ping on every path and TCP across hosts."""
    yield _everywhere(scene, "address by SLAAC, as the port has it", configured)
    yield _everywhere(
        scene, "default router by its advertisements", lambda machine: len(read_routers(machine.namespace)) == 1
    )
    for name, path in PATHS.items():
        yield all_of(f"ping by IPv6, {name}", _pings(scene, *path))
    for name in ACROSS:
        yield all_of(f"TCP by IPv6, {name}", _connections(scene, *PATHS[name]))
    target = scene.machine("b2").ipv6
    found = traceroute(scene.machine("a1").namespace, target)
    yield Check("traceroute by IPv6 shows the router, then the machine", found == [GATEWAY, target], " > ".join(found))


def configured(machine: Machine) -> bool:
    """Whether a machine has made itself the address of its port, after a while that this takes."""
    try:
        return until("it has", lambda: read_addresses(machine.namespace) == [machine.ipv6], SECONDS)
    except NotReached:
        return False


def _everywhere(scene: Scene, name: str, test: Callable[[Machine], bool]) -> Check:
    wrong = [machine.name for machine in scene.machines if not test(machine)]
    total = len(scene.machines)
    return Check(name, not wrong, f"{total - len(wrong)} of {total} machines", ", ".join(wrong))


def _pings(scene: Scene, source: str, target: str) -> Iterator[tuple[str, bool, str]]:
    for project in scene.tenants:
        came = scene.machine(source, project).ping(scene.machine(target, project).ipv6)
        yield project, not came.lost, str(came)


def _connections(scene: Scene, source: str, target: str) -> Iterator[tuple[str, bool, str]]:
    for project in scene.tenants:
        server = scene.machine(target, project)
        with server.serve(PORT):
            came = scene.machine(source, project).exchange(server.ipv6, PORT, TCP_BYTES, 3.0)
        yield project, came.ok, str(came)
