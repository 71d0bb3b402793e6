"""Devices that come, go, change hands and vanish without a word; hosts that lose everything. All of it converges."""

from collections.abc import Iterator

import pytest

from netplane.lab import Host, Lab, Machine
from netplane.lab.demo.departure import difference
from netplane.lab.demo.scene import OF_TRAFFIC, Tables, read_all_tables
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.guest.tap import add_tap, remove_tap, tap_name
from netplane.lab.machine import plug_in, unplug
from netplane.lab.namespace import batch
from netplane.lab.traffic.ping import Pinging
from netplane.lab.wait import NotReached, until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("thot")
OF_A_BOOT = OF_TRAFFIC | {"settings", "port", "device", "peer", "client"}
"""Tables that name devices by their numbers, which a boot gives anew, or that count what has passed."""


class World:
    """One tenant with a machine on each of two hosts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.empty = read_all_tables(lab)
        self.attached = [len(self.read_devices(host)) for host in lab.host_list]
        self.tenant = Tenant(lab, "blue")
        self.tenant.add_router()
        self.tenant.add_segment("left", "10.0.1")
        self.tenant.add_segment("right", "10.0.2")
        self.first, self.second = lab.host_list
        self.near, self.far = self.tenant.add_machines(
            {"near": ("left", "10.0.1.11", self.first), "far": ("left", "10.0.1.12", self.second)}
        )
        for machine in (self.near, self.far):
            machine.obtain()

    def reaches(self, address: str) -> int:
        """Whether the second host's machine has an answer from an address."""
        return self.far.ping(address, count=1, wait=0.2).received

    def read_steady(self) -> Tables:
        """The tables of all hosts that are the same whatever happens to devices."""
        return {host: steady(tables) for host, tables in read_all_tables(self.lab).items()}

    def read_devices(self, host: Host) -> list[str]:
        """What the programs of a host are attached to."""
        return [path.name for path in host.pins.glob("attached/*/*")]


def steady(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: lines for name, lines in tables.items() if name not in OF_A_BOOT}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab(PREFIX, 2, ("blue",)) as lab:
        yield World(lab.start())
    assert read_leftovers(PREFIX) == []


def status(world: World, port: str) -> object:
    return world.tenant.admin.show("port", port)["status"]


def come_back(world: World, machine: Machine) -> None:
    plug_in([machine])
    machine.client.start()
    until("it is reached", lambda: world.reaches(machine.address), 10)


def test_a_machine_of_several_devices(world: World) -> None:
    """Plugged in one by one while it runs, each in another network; and out again."""
    before = read_all_tables(world.lab)
    host = world.first
    plugs = {f"nic{i}": to_plug(world.tenant.add_port(s, None, host)) for i, s in enumerate(("left", "right", "right"))}
    made = []
    for name, plug in plugs.items():
        made += world.lab.add_machines({name: (host, plug)})
    for machine in made:
        machine.obtain()
        assert world.far.ping(machine.address).lost == 0
        assert status(world, machine.plug.port) == "ACTIVE"
    for machine in made:
        world.lab.remove_machine(machine)
    until("their ports are down", lambda: {status(world, plug.port) for plug in plugs.values()} == {"DOWN"}, 5)
    for plug in plugs.values():
        world.tenant.admin.delete("port", plug.port)
    expect_tables(world, before)


def expect_tables(world: World, before: Tables) -> None:
    """Wait until the tables are as they were; what machines' traffic has left goes at the agents' next round."""

    def relevant(tables: Tables) -> Tables:
        kept = [name for name in next(iter(before.values())) if name not in OF_TRAFFIC]
        return {host: {name: found[name] for name in kept} for host, found in tables.items()}

    try:
        until("tables are as before", lambda: relevant(read_all_tables(world.lab)) == relevant(before), 10, 0.1)
    except NotReached as problem:
        after = relevant(read_all_tables(world.lab))
        raise AssertionError(f"{problem}\n{difference(relevant(before), after)}") from None


def expect_steady(world: World, before: Tables) -> None:
    """Wait until what no device's number stands in is as it was."""
    try:
        until("the rest is as before", lambda: world.read_steady() == before, 10, 0.1)
    except NotReached as problem:
        raise AssertionError(f"{problem}\n{difference(before, world.read_steady())}") from None


def test_a_device_that_disappears_without_a_word(world: World) -> None:
    """Nobody tells the API; the host sees it, says so, and forgets it."""
    before, devices = read_all_tables(world.lab), world.read_devices(world.first)
    unplug(world.near)
    until("its port is down", lambda: status(world, world.near.plug.port) == "DOWN", 5)
    until("its program is off", lambda: len(world.read_devices(world.first)) == len(devices) - 1, 5)
    until("nothing leads to it", lambda: not read_all_tables(world.lab)[world.first.name]["device"], 5)
    assert not world.reaches(world.near.address)
    come_back(world, world.near)
    assert len(world.read_devices(world.first)) == len(devices)
    after = {host: steady(tables) for host, tables in before.items()}
    expect_steady(world, after)


def test_a_device_that_disappears_while_the_agent_is_down(world: World) -> None:
    devices, host = world.read_devices(world.first), world.first
    assert host.agent is not None
    host.agent.kill()
    unplug(world.near)
    world.lab.start_agent(host)
    world.lab.wait_alive([host])
    until("its port is down", lambda: status(world, world.near.plug.port) == "DOWN", 5)
    until("nothing leads to it", lambda: not read_all_tables(world.lab)[host.name]["device"], 5)
    until("its program is off", lambda: len(world.read_devices(host)) == len(devices) - 1, 5)
    come_back(world, world.near)
    assert len(world.read_devices(host)) == len(devices)


def test_a_device_that_changes_hands(world: World) -> None:
    """An alias that is taken away unplugs it; another one plugs it into another port."""
    host, machine = world.first, world.near
    batch([f"link set {machine.device} alias nobody"], host.namespace)
    until("its port is down", lambda: status(world, machine.plug.port) == "DOWN", 5)
    assert not world.reaches(machine.address)
    batch([f"link set {machine.device} alias netplane:{machine.plug.port}"], host.namespace)
    until("it is reached", lambda: world.reaches(machine.address), 5)


def test_the_newer_of_two_devices_counts(world: World) -> None:
    """A machine that is started anew has two for a moment; when the newer goes, the older one is still right."""
    host, machine = world.first, world.near
    batch(
        (
            "link add twin type veth peer name twin-end",
            f"link set twin alias netplane:{machine.plug.port} up",
        ),
        host.namespace,
    )
    until("the newer one counts", lambda: not world.reaches(machine.address), 5)
    batch(["link delete twin"], host.namespace)
    until("it is reached", lambda: world.reaches(machine.address), 5)


def test_a_tap_under_the_name_that_nova_gives(world: World) -> None:
    """It may be there before its port's record has come, or after; nobody need have opened it."""
    before, devices = read_all_tables(world.lab), len(world.read_devices(world.first))
    port = to_plug(world.tenant.add_port("left", None, world.first))
    add_tap(world.first.namespace, tap_name(port.port), 1450)
    until("its port is up", lambda: status(world, port.port) == "ACTIVE", 5)
    # Renamed, it is nobody's; it may come back under its name.
    batch([f"link set {tap_name(port.port)} name tapnobody"], world.first.namespace)
    until("its port is down", lambda: status(world, port.port) == "DOWN", 5)
    batch([f"link set tapnobody name {tap_name(port.port)}"], world.first.namespace)
    until("its port is up", lambda: status(world, port.port) == "ACTIVE", 5)
    world.tenant.admin.delete("port", port.port)
    until("no program is left", lambda: len(world.read_devices(world.first)) == devices, 5)
    remove_tap(world.first.namespace, tap_name(port.port))
    expect_tables(world, before)


@pytest.mark.parametrize("disk", [True, False], ids=["with its disk", "from nothing"])
@pytest.mark.parametrize("first", ["agent", "devices"])
def test_a_host_that_is_rebooted(world: World, disk: bool, first: str) -> None:
    """Agent, pins, devices: all gone. Others lose nothing; then machines come back, before the agent or after."""
    before, devices = world.read_steady(), world.read_devices(world.first)
    other = world.tenant.add_machines({"other": ("right", "10.0.2.12", world.second)})[0]
    other.obtain()
    world.tenant.admin.settle()
    assert world.far.ping(other.address).lost == 0
    pings = Pinging(world.far.namespace, other.address)
    world.lab.reboot(world.first, disk=disk)
    assert not world.reaches(world.near.address)
    if first == "devices":
        plug_in([world.near])
    world.lab.start_agent(world.first)
    if first == "agent":
        world.lab.wait_alive([world.first])
        plug_in([world.near])
    world.near.client.start()
    until("it is reached", lambda: world.reaches(world.near.address), 15)
    assert pings.stop().lost == 0
    assert world.near.ping(world.far.address).lost == 0
    assert status(world, world.near.plug.port) == "ACTIVE"
    assert len(world.read_devices(world.first)) == len(devices)
    world.tenant.admin.delete("port", other.plug.port)
    world.lab.remove_machine(world.tenant.machines.pop("other"))
    expect_steady(world, before)


def test_deleting_everything_leaves_nothing(world: World) -> None:
    """Last in this module: the tenant is gone after it."""
    world.tenant.delete()
    empty = {host: {**tables, "settings": []} for host, tables in world.empty.items()}

    def now() -> Tables:
        return {host: {**tables, "settings": []} for host, tables in read_all_tables(world.lab).items()}

    until("tables are as when empty", lambda: now() == empty, 20, 0.1)
    assert [len(world.read_devices(host)) for host in world.lab.host_list] == world.attached
