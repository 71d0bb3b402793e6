"""A machine with a kernel of its own, under QEMU, plugged in as Nova does it: what it can do, and what befalls it."""

import signal
from collections.abc import Iterator

import pytest

from netplane.lab import Lab, Plug
from netplane.lab.guest import Guest, Kernel, add_tap, remove_tap, tap_name
from netplane.lab.guest.shell import Shell
from netplane.lab.machine import plug_in
from netplane.lab.namespace import batch
from netplane.lab.traffic.tcp import EchoServer, Stream
from netplane.lab.wait import until
from tests.guest.trunk import add_trunk, configure, expect_carried, expect_removed, remove_trunk
from tests.guest.world import (
    PORT,
    World,
    expect_configured,
    expect_fragments,
    expect_ipv6,
    expect_offloads,
    expect_pings,
    expect_route,
    expect_streams,
    pause,
)
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tgst")
pytestmark = pytest.mark.timeout(300)


class Running:
    """The guest with two devices that most of these tests look at."""

    def __init__(self, world: World, kernel: Kernel) -> None:
        self.plugs: list[Plug] = [world.add_plug("left"), world.add_plug("right")]
        self.guest = Guest(world.lab, world.first, "guest", kernel, self.plugs)
        self.guest.start()
        self.shell: Shell = self.guest.wait()
        for device in ("eth0", "eth1"):
            self.shell.obtain(device)


@pytest.fixture(scope="module")
def world(kernel: Kernel) -> Iterator[World]:
    with Lab(PREFIX, 2, ("blue",)) as lab:
        yield World(lab.start())
    assert read_leftovers(PREFIX) == []


@pytest.fixture(scope="module")
def running(world: World, kernel: Kernel) -> Iterator[Running]:
    made = Running(world, kernel)
    yield made
    made.guest.kill()


def test_configured_by_dhcp(world: World, running: Running) -> None:
    expect_configured(world, running.shell, running.plugs[0])


def test_offloads_are_on(world: World, running: Running) -> None:
    expect_offloads(running.shell)


def test_pings_both_ways(world: World, running: Running) -> None:
    expect_pings(world, running.shell, running.plugs[0].address)


def test_ipv6(world: World, running: Running) -> None:
    expect_ipv6(world, running.shell, running.plugs[0])


def test_fragments_both_ways(world: World, running: Running) -> None:
    expect_fragments(world, running.shell, running.plugs[0].address)


def test_the_way_across_the_router(world: World, running: Running) -> None:
    expect_route(world, running.shell, running.plugs[0].address)


def test_streams_both_ways(world: World, running: Running) -> None:
    expect_streams(world, running.shell, running.plugs[0])


def test_the_second_device(world: World, running: Running) -> None:
    assert running.shell.read_address("eth1") == running.plugs[1].address
    assert world.machine("side").ping(running.plugs[1].address).ttl == 64


def test_a_trunk(world: World, running: Running) -> None:
    """Two more networks on one device; nothing is left of them behind it."""
    shell, parent = running.shell, running.plugs[0]
    assert shell.run("modprobe 8021q").status == 0
    world.tenant.add_segment("carried", "10.0.4", ipv6="2001:db8:4")
    [peer] = world.tenant.add_machines({"carried": ("carried", "10.0.4.12", world.second)})
    peer.obtain()
    before = world.read_tables()
    made = add_trunk(world, parent, {10: ("beyond", "routed"), 20: ("carried", "carried")})
    for one in made.subports:
        configure(shell, one)
    for one in made.subports:
        expect_carried(world, shell, parent, one)
    assert world.reaches(parent.address)
    expect_removed(world, made, *made.subports)
    remove_trunk(world, shell, made)
    world.expect_tables(before)


def test_a_device_that_is_plugged_in_and_out(world: World, running: Running) -> None:
    before, monitor = world.read_tables(), running.guest.monitor()
    plug = world.add_plug("beyond")
    monitor.run("netdev_add", type="tap", id="hot", ifname=tap_name(plug.port), script="no", downscript="no")
    monitor.run("device_add", driver="virtio-net-pci", id="hotnic", netdev="hot", mac=plug.mac, romfile="")
    until("the guest sees it", lambda: running.shell.run("ls /sys/class/net/eth2").status == 0, 10, 0.1)
    running.shell.run("configure eth2")
    assert running.shell.obtain("eth2") == plug.address
    assert world.machine("routed").ping(plug.address).lost == 0
    monitor.run("device_del", id="hotnic")
    monitor.wait("DEVICE_DELETED")
    monitor.run("netdev_del", id="hot")
    monitor.close()
    world.remove_plug(plug)
    world.expect_tables(before)
    assert not world.reaches(plug.address)


@pytest.mark.parametrize("way", ["QMP", "SIGSTOP"])
def test_paused_and_resumed(world: World, running: Running, way: str) -> None:
    """Nothing changes for a machine that is stopped for a while; what was sent to it waits."""
    before, monitor, child = world.read_tables(), running.guest.monitor(), running.guest.child
    assert child is not None
    machine, address = world.machine("far"), running.plugs[0].address
    stream = Stream(machine.namespace, address, PORT)
    pause()
    if way == "QMP":
        monitor.run("stop")
    else:
        child.signal(signal.SIGSTOP)
    pause()
    at_rest = stream.rounds
    assert not world.reaches(address)
    assert stream.rounds - at_rest <= 1
    assert world.read_tables() == before
    assert world.status(running.plugs[0]) == "ACTIVE"
    if way == "QMP":
        monitor.run("cont")
    else:
        child.signal(signal.SIGCONT)
    monitor.close()
    world.wait_reached(address)
    until("the connection goes on", lambda: stream.rounds > at_rest + 20, 10)
    assert stream.error == ""
    stream.abandon()


def test_killed_without_a_word(world: World, running: Running, kernel: Kernel) -> None:
    """Devices that Nova made outlive QEMU; another one takes them up."""
    before = world.read_tables()
    running.guest.kill()
    assert not world.reaches(running.plugs[0].address)
    world.expect_tables(before)
    running.guest.start()
    running.shell = running.guest.wait()
    running.shell.obtain()
    world.wait_reached(running.plugs[0].address)
    world.expect_tables(before)
    with EchoServer(world.machine("far").namespace, PORT):
        said = running.shell.run(f"echo again | nc {world.machine('far').address} {PORT}")
        assert said.text.strip() == "again"


def test_a_device_is_deleted_under_it(world: World, running: Running) -> None:
    """The guest goes on with its other one; the port is down until a new device comes, with a new QEMU."""
    plug, tap = running.plugs[1], tap_name(running.plugs[1].port)
    remove_tap(world.first.namespace, tap)
    until("its port is down", lambda: world.status(plug) == "DOWN", 5)
    assert not world.reaches(plug.address, "side")
    assert world.reaches(running.plugs[0].address)
    add_tap(world.first.namespace, tap, 1450)
    until("its port is up", lambda: world.status(plug) == "ACTIVE", 5)
    running.guest.kill()
    running.guest.start()
    running.shell = running.guest.wait()
    running.shell.obtain("eth1")
    until("it is reached", lambda: world.reaches(plug.address, "side"), 5)


def test_its_host_is_rebooted(world: World, running: Running) -> None:
    """Agent, pins, devices, QEMU: all gone at once. It comes back as Nova would bring it back."""
    world.lab.reboot(world.first)
    assert not world.reaches(running.plugs[0].address)
    for plug in running.plugs:
        add_tap(world.first.namespace, tap_name(plug.port), 1450)
    plug_in([world.machine("near")])
    world.lab.start_agent(world.first)
    running.guest.start()
    running.shell = running.guest.wait()
    for device in ("eth0", "eth1"):
        running.shell.obtain(device)
    world.wait_reached(running.plugs[0].address)
    assert {world.status(plug) for plug in running.plugs} == {"ACTIVE"}


def test_devices_that_qemu_makes_go_with_it(world: World, running: Running, kernel: Kernel) -> None:
    """As without Nova: the device is QEMU's own, and nobody says a word when both vanish."""
    running.guest.kill()
    others = len(world.read_attached(world.first)) - len(running.plugs)
    for plug in running.plugs:
        world.remove_plug(plug)
    until("their programs are off", lambda: len(world.read_attached(world.first)) == others, 5)
    before = world.read_tables()
    plug = world.add_plug("left", tap=False)
    guest = Guest(world.lab, world.first, "alone", kernel, [plug])
    guest.start()
    try:
        until("its port is up", lambda: world.status(plug) == "ACTIVE", 10)
        batch([f"link set {tap_name(plug.port)} up"], world.first.namespace)
        guest.wait().obtain()
        world.wait_reached(plug.address)
    finally:
        guest.kill()
    until("its port is down", lambda: world.status(plug) == "DOWN", 5)
    until("its program is off", lambda: len(world.read_attached(world.first)) == others, 5)
    world.tenant.admin.delete("port", plug.port)
    world.expect_tables(before)


def test_deleting_everything_leaves_nothing(world: World) -> None:
    """Last in this module: the tenant is gone after it."""
    world.expect_nothing_left()
