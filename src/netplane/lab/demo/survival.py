"""Item 8: nothing that fails or is upgraded above the datapath disturbs a machine."""

import time
from collections.abc import Callable, Iterator

from netplane.lab import Host, Machine
from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.ping import Ping, Pinging
from netplane.lab.traffic.tcp import Flow, Stream
from netplane.lab.wait import until

PORT = 7003
RENEW_AFTER = 2
"""Seconds; stands in for half of the lease's time."""


def checks(scene: Scene) -> Iterator[Check]:
    """The controller goes first and comes back last; the rest happens without it."""
    host = scene.lab.host_list[0]
    yield _killed_controller(scene)
    yield _renewed(scene.machine("a2"), "DHCP renews while there is no controller")
    yield from _under_load(scene, "agent restarted (SIGTERM), without a controller", lambda: _restart(scene, host))
    yield _renewed(scene.machine("b1"), "DHCP renews from the restarted agent, without a controller")
    yield from _under_load(scene, "agent killed (SIGKILL) and started again", lambda: _restart(scene, host, kill=True))
    yield from _replaced(scene, host)
    yield _controller_back(scene)


def _killed_controller(scene: Scene) -> Check:
    across = Pinging(scene.machine("a1").namespace, scene.machine("a3").address)
    routed = Pinging(scene.machine("b2").namespace, scene.machine("a1").address)
    time.sleep(0.3)
    scene.lab.controller.kill()
    time.sleep(0.7)
    return _lossless("controller killed (SIGKILL): ping goes on", across.stop(), routed.stop())


def _lossless(name: str, *pings: Ping) -> Check:
    sent, lost = sum(ping.sent for ping in pings), sum(ping.lost for ping in pings)
    return Check(name, lost == 0 and all(ping.received for ping in pings), f"{lost} of {sent} echo requests lost")


def _renewed(machine: Machine, name: str) -> Check:
    """A client that reboots with its lease, then renews it by unicast, as after half of the lease's time."""
    machine.client.stop()
    before = len(machine.client.read_history())
    machine.client.start(renew_after=RENEW_AFTER)
    begun = time.monotonic()

    def renewed() -> list[str]:
        news = machine.client.read_history()[before:]
        return news if "RENEW" in news else []

    try:
        news = until("the lease is renewed", renewed, RENEW_AFTER + 8, 0.05)
    except AssertionError as problem:
        return Check(name, False, f"{problem}: {machine.client.read_history()[before:]}", machine.client.read_log())
    return Check(name, True, f"{' then '.join(news)} in {time.monotonic() - begun:.1f} s")


def _under_load(scene: Scene, name: str, act: Callable[[], str]) -> Iterator[Check]:
    """Do something to a1's host while it pings 100 times a second and a TCP connection runs."""
    source, target = scene.machine("a1"), scene.machine("b2")
    with target.serve(PORT) as server:
        stream = Stream(source.namespace, target.address, PORT)
        pings = Pinging(source.namespace, scene.machine("a3").address)
        time.sleep(0.3)
        said = act()
        came, flow = pings.stop(), stream.stop(server)
    check = _lossless(f"{name}: ping", came)
    yield check._replace(measured=f"{check.measured}; {said}")
    yield _uninterrupted(f"{name}: TCP", flow)


def _uninterrupted(name: str, flow: Flow) -> Check:
    return Check(name, flow.ok, str(flow))


def _restart(scene: Scene, host: Host, *, kill: bool = False) -> str:
    """End a host's agent and start it; returns when the new one answers DHCP again."""
    if host.agent is not None:
        _ = host.agent.kill() if kill else host.agent.stop()
    begun = time.monotonic()
    scene.lab.start_agent(host)
    machine = next(one for one in scene.machines if one.host is host and one.name.endswith("b1"))
    machine.client.stop()
    before = len(machine.client.read_history())
    machine.client.start()
    until("DHCP is answered again", lambda: len(machine.client.read_history()) > before, 20)
    return f"answered DHCP {time.monotonic() - begun:.1f} s after its start"


def _replaced(scene: Scene, host: Host) -> Iterator[Check]:
    """New programs in the place of those that run, on every packet's way."""
    before = host.read_programs()
    after: dict[str, int] = {}

    def act() -> str:
        nonlocal after
        host.reload()
        after = until("programs are replaced", lambda: _all_new(before, host.read_programs()), 10, 0.02)
        return f"program ids {_ids(before)} became {_ids(after)}"

    yield from _under_load(scene, "datapath programs replaced", act)


def _all_new(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    return now if now.keys() == before.keys() and all(now[name] != before[name] for name in now) else {}


def _ids(programs: dict[str, int]) -> str:
    return ", ".join(str(number) for number in sorted(set(programs.values())))


def _controller_back(scene: Scene) -> Check:
    """A controller on the same store; then a port that did not exist before."""
    begun = time.monotonic()
    scene.lab.controller.start()
    scene.lab.wait_alive(scene.lab.host_list)
    back = time.monotonic() - begun
    machines = scene.blue.add_machines({"late": ("left", "10.0.1.30", scene.lab.host_list[1])})
    machines[0].obtain()
    came = scene.machine("a1").ping(machines[0].address)
    status = until("the port is ACTIVE", lambda: _active(scene, machines[0]), 5, 0.05)
    measured = f"agents back after {back:.1f} s; the new machine: {came}; port {status}"
    return Check("controller back: a new port comes up", not came.lost, measured)


def _active(scene: Scene, machine: Machine) -> str:
    status = str(scene.blue.api.show("port", machine.plug.port)["status"])
    return status if status == "ACTIVE" else ""
