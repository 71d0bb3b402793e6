"""Item 5: machines of another project with the very same addresses are never reached."""

from collections.abc import Iterator
from contextlib import ExitStack

from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import ONLY_GREEN, Scene
from netplane.lab.traffic.frames import Capture, containing
from netplane.lab.traffic.ping import ping

PORT = 7002
ETHERTYPE_IPV6 = b"\x86\xdd"


def checks(scene: Scene) -> Iterator[Check]:
    """Both tenants ping all their addresses, and every machine of both listens."""
    captured = _exchange(scene)
    for project, other in (("blue", "green"), ("green", "blue")):
        own, foreign = captured[project]
        yield Check(
            f"{project} machines receive nothing of {other}, at the same addresses",
            own > 0 and foreign == 0,
            f"captured {foreign} packets of {other}, {own} of {project}",
        )
    yield _only_green(scene)
    yield _tcp(scene)


def _marker(project: str) -> bytes:
    return f"from-{project}".encode()


def _exchange(scene: Scene) -> dict[str, tuple[int, int]]:
    """By project: the packets with its own marker that its machines received, and those with the other's."""
    found = {}
    with ExitStack() as stack:
        captures = {
            project: [stack.enter_context(Capture(machine.namespace)) for machine in tenant.machines.values()]
            for project, tenant in scene.tenants.items()
        }
        for project in scene.tenants:
            _ping_all(scene, project)
        for project, opened in captures.items():
            frames = [seen.frame for capture in opened for seen in capture.read() if not seen.sent]
            own = sum(containing(_marker(project))(frame) for frame in frames)
            foreign = sum(containing(_marker(name))(frame) for name in captures if name != project for frame in frames)
            found[project] = (own, foreign)
    return found


def _ping_all(scene: Scene, project: str) -> None:
    options = ("-p", _marker(project).hex())
    machines = scene.tenants[project].machines
    for target in (machines["a2"], machines["a3"], machines["b1"], machines["b2"]):
        ping(machines["a1"].namespace, target.address, count=2, options=options)


def _only_green(scene: Scene) -> Check:
    """An address that only the other project has: not even an answer to ARP."""
    with Capture(scene.machine("a4", "green").namespace) as capture:
        came = scene.machine("a1").ping(ONLY_GREEN, count=2, wait=0.3)
        # Its own router speaks to it by IPv6 now and again.
        arrived = capture.received(lambda frame: frame[12:14] != ETHERTYPE_IPV6)
        control = scene.machine("a1", "green").ping(ONLY_GREEN, count=2)
    ok = came.received == 0 and not arrived and control.lost == 0
    text = f"blue {came}, {len(arrived)} packets arrived; green {control}"
    return Check("an address that only green has does not exist for blue", ok, text)


def _tcp(scene: Scene) -> Check:
    """A server that only green runs, at an address that both have."""
    with scene.machine("a3", "green").serve(PORT):
        blue = scene.machine("a1").exchange(scene.machine("a3").address, PORT)
        green = scene.machine("a1", "green").exchange(scene.machine("a3", "green").address, PORT)
    text = f"blue: {blue}; green: {green}"
    return Check("a server of green cannot be reached from blue, at the same address", not blue.ok and green.ok, text)
