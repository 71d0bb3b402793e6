"""Tenants' machines on three hosts: what reaches whom, with real packets."""

import time
from collections.abc import Iterator
from itertools import permutations

import pytest

from netplane.lab import Machine, Plug
from netplane.lab.demo import addresses, forgery, isolation, reach, rules
from netplane.lab.demo.check import Checks
from netplane.lab.demo.scene import Scene
from netplane.lab.demo.tenant import to_plug
from netplane.lab.machine import plug_in, unplug
from netplane.lab.traffic.frames import ETH_P_IP, Capture, containing, echo_request, ethernet, ipv4, send
from netplane.lab.traffic.tcp import Stream
from netplane.lab.wait import until

PORT = 7100
NAMES = ("a1", "a2", "a3", "b1", "b2")


@pytest.mark.parametrize("item", [addresses, isolation, forgery, rules], ids=lambda item: item.__name__.split(".")[-1])
def test_items_of_the_demo(world: Scene, item: object) -> None:
    checks: Checks = item.checks  # type: ignore[attr-defined]
    assert [check for check in checks(world) if not check.ok] == []


@pytest.mark.parametrize(("source", "target"), list(permutations(NAMES, 2)))
def test_every_machine_reaches_every_other_of_its_project(world: Scene, source: str, target: str) -> None:
    one, other = world.machine(source), world.machine(target)
    came = one.ping(other.address, count=2)
    assert came.lost == 0
    assert came.ttl == (64 if source[0] == target[0] else 63)
    with other.serve(PORT):
        assert one.exchange(other.address, PORT, 200_000 // 256 * 256).error == ""


def test_the_way_across_the_router(world: Scene) -> None:
    assert [check for check in reach.checks(world) if not check.ok] == []


def plug_elsewhere(machine: Machine, target: Machine) -> None:
    """Move a machine's device to the host of another machine, as when it is started there."""
    unplug(machine)
    machine.host = target.host
    plug_in([machine])
    machine.client.start()


def test_a_port_follows_its_device(world: Scene) -> None:
    """Without `binding:host_id` the host where the device appears is bound, and a later one takes over."""
    blue = world.blue
    segment = blue.segments["left"]
    port = blue.admin.create("port", network_id=segment.network, project_id="blue")
    plug = to_plug(port)
    made = world.lab.add_machines({"moving": (world.lab.host_list[0], plug)})[0]
    try:
        made.obtain()
        for where in ("a3", "b2", "a1"):
            until("it is reached", lambda: world.machine("a2").ping(plug.address, count=1, wait=0.2).received, 5)
            plug_elsewhere(made, world.machine(where))
        until("it is reached", lambda: world.machine("a3").ping(plug.address, count=1, wait=0.2).received, 5)
    finally:
        world.lab.remove_machine(made)
        blue.admin.delete("port", port["id"])


def test_a_device_that_comes_back(world: Scene) -> None:
    machine = world.machine("a2")
    plug_elsewhere(machine, machine)
    until("it is reached again", lambda: world.machine("a3").ping(machine.address, count=1, wait=0.2).received, 10)


@pytest.mark.parametrize("state", ["port", "network"])
def test_what_is_administratively_down_carries_nothing(world: Scene, state: str) -> None:
    machine, blue = world.machine("a2"), world.blue
    id = machine.plug.port if state == "port" else blue.segments["left"].network
    blue.admin.update(state, id, admin_state_up=False)
    blue.admin.settle()
    assert world.machine("b1").ping(machine.address, count=2, wait=0.2).received == 0
    blue.admin.update(state, id, admin_state_up=True)
    blue.admin.settle()
    assert world.machine("b1").ping(machine.address, count=2).lost == 0


def test_a_router_that_is_down_routes_nothing(world: Scene) -> None:
    blue, source = world.blue, world.machine("a1")
    blue.api.update("router", blue.router, admin_state_up=False)
    blue.api.settle()
    assert source.ping(world.machine("b1").address, count=2, wait=0.2).received == 0
    assert source.ping(world.machine("a3").address, count=2).lost == 0
    blue.api.update("router", blue.router, admin_state_up=True)
    blue.api.settle()
    assert source.ping(world.machine("b1").address, count=2).lost == 0


def test_a_machine_that_leaves_a_group_loses_its_connections(world: Scene) -> None:
    """The default group lets its members in; a port that is moved out of it is cut off within a second."""
    blue, client, server = world.blue, world.machine("a1"), world.machine("b2")
    default = blue.api.show("port", client.plug.port)["security_groups"]
    group = blue.api.create("security_group", name="lonely")["id"]
    with server.serve(PORT):
        stream = Stream(client.namespace, server.address, PORT)
        time.sleep(0.2)
        blue.api.update("port", client.plug.port, security_groups=[group])
        moved = time.monotonic()
        until("the connection rests", lambda: time.monotonic() - stream.last > 0.4, 3)
        assert stream.last - moved < 1.0
        stream.abandon()
        assert not client.exchange(server.address, PORT, seconds=0.3).ok
        blue.api.update("port", client.plug.port, security_groups=default)
        blue.api.settle()
        assert client.exchange(server.address, PORT).error == ""
    blue.api.delete("security_group", group)


def test_a_deleted_port_is_gone_at_once(world: Scene) -> None:
    blue, host = world.blue, world.lab.host_list[1]
    machine = blue.add_machines({"brief": ("right", "10.0.2.77", host)})[0]
    machine.obtain()
    assert world.machine("a1").ping(machine.address, count=2).lost == 0
    blue.admin.delete("port", machine.plug.port)
    blue.admin.settle()
    assert world.machine("a1").ping(machine.address, count=2, wait=0.2).received == 0
    assert machine.ping(world.machine("b2").address, count=2, wait=0.2).received == 0
    world.lab.remove_machine(blue.machines.pop("brief"))


def test_a_device_with_the_alias_of_no_port_gets_nothing(world: Scene) -> None:
    plug = Plug("00000000-0000-4000-8000-000000000000", "02:00:00:00:00:99", "10.0.1.98")
    stranger = world.lab.add_machines({"stranger": (world.lab.host_list[0], plug)}, dhcp=False)[0]
    target = world.machine("a2")
    frame = ethernet(
        plug.mac, target.mac, ETH_P_IP, ipv4(plug.address, target.address, 1, echo_request(1, b"stranger"))
    )
    with Capture(target.namespace) as capture:
        send(stranger.namespace, [frame] * 10)
        time.sleep(0.2)
        assert capture.received(containing(b"stranger")) == []
    world.lab.remove_machine(stranger)


def cut_short(packet: bytes) -> Iterator[bytes]:
    """The same frame, ending after each of its first bytes."""
    return (packet[:end] for end in range(14, len(packet)))


def altered(packet: bytes) -> Iterator[bytes]:
    """The same frame with one bit of its network and transport headers turned over."""
    for position in range(14, 42):
        for bit in range(8):
            yield packet[:position] + bytes([packet[position] ^ (1 << bit)]) + packet[position + 1 :]


@pytest.mark.parametrize("change", [cut_short, altered])
def test_damaged_packets_never_pass_as_somebody_elses(world: Scene, change: object) -> None:
    """Whatever arrives of them comes from the true sender's MAC and address, and is as long as it says."""
    sender, target = world.machine("a1"), world.machine("a3")
    packet = ipv4(sender.address, target.address, 1, echo_request(9, b"damaged-goods-and-more"))
    frames = list(change(ethernet(sender.mac, target.mac, ETH_P_IP, packet)))  # type: ignore[operator]
    with Capture(target.namespace) as capture:
        send(sender.namespace, frames)
        time.sleep(0.3)
        for seen in capture.received(containing(b"damaged")):
            assert seen.source == sender.address
            assert seen.frame[6:12] == bytes.fromhex(sender.mac.replace(":", ""))
            assert int.from_bytes(seen.frame[16:18], "big") <= len(seen.frame) - 14
    assert sender.ping(target.address, count=2).lost == 0
