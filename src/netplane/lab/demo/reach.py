"""Item 2: machines of one project reach each other, on the same network and across the router."""

from collections.abc import Iterator

from netplane.lab.demo.check import Check, all_of
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.frames import Capture, containing
from netplane.lab.traffic.ping import ping, traceroute

PATHS = {
    "same network, same host": ("a1", "a2"),
    "same network, across hosts": ("a1", "a3"),
    "routed, same host": ("a1", "b1"),
    "routed, across hosts": ("a1", "b2"),
}
PORT = 7001
TCP_BYTES = 1 << 20


def checks(scene: Scene) -> Iterator[Check]:
    """Ping and TCP on every path, the MTU, then the router itself."""
    for name, (source, target) in PATHS.items():
        yield all_of(f"ping, {name}", _pings(scene, source, target))
    for name, (source, target) in PATHS.items():
        yield all_of(f"TCP, {name}", _connections(scene, source, target))
    yield _full_size(scene)
    yield _router_answers(scene)
    yield _traceroute(scene)
    yield _ttl(scene, "same network leaves the TTL", "a3", 64)
    yield _ttl(scene, "the router decrements the TTL", "b2", 63)


def _pings(scene: Scene, source: str, target: str) -> Iterator[tuple[str, bool, str]]:
    for project in scene.tenants:
        came = scene.machine(source, project).ping(scene.machine(target, project).address)
        yield project, not came.lost, str(came)


def _connections(scene: Scene, source: str, target: str) -> Iterator[tuple[str, bool, str]]:
    for project in scene.tenants:
        server = scene.machine(target, project)
        with server.serve(PORT):
            came = scene.machine(source, project).exchange(server.address, PORT, TCP_BYTES, 3.0)
        yield project, came.ok, str(came)


def _full_size(scene: Scene) -> Check:
    """A packet as large as the MTU that DHCP announced, not to be fragmented, between hosts."""
    mtu = scene.blue.segments["left"].mtu
    options = ("-s", str(mtu - 28), "-M", "do")
    came = ping(scene.machine("a1").namespace, scene.machine("a3").address, options=options)
    return Check("packets as large as the MTU pass across hosts", not came.lost, f"{mtu} bytes: {came}")


def _router_answers(scene: Scene) -> Check:
    gateways = [segment.gateway for segment in scene.blue.segments.values()]
    results = [(gateway, scene.machine("a1").ping(gateway)) for gateway in gateways]
    return all_of("the router answers ping on each interface", ((who, not one.lost, str(one)) for who, one in results))


def _traceroute(scene: Scene) -> Check:
    target = scene.machine("b2").address
    wanted = [scene.blue.segments["left"].gateway, target]
    found = traceroute(scene.machine("a1").namespace, target)
    return Check("traceroute shows the router, then the machine", found == wanted, " > ".join(found))


def _ttl(scene: Scene, name: str, target: str, wanted: int) -> Check:
    marker = f"ttl-{target}".encode()
    machine = scene.machine(target)
    with Capture(machine.namespace) as capture:
        ping(scene.machine("a1").namespace, machine.address, options=("-p", marker.hex()), count=2)
        found = sorted({seen.ttl for seen in capture.received(containing(marker))})
    return Check(name, found == [wanted], f"sent with 64, captured with {found}")
