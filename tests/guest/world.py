"""A tenant with a guest on the first host, and machines on the same host, on another, and behind the router."""

import time
from collections.abc import Iterable

from netplane.lab import Host, Lab, Machine, Plug
from netplane.lab.autoconfiguration import read_addresses
from netplane.lab.demo.departure import difference
from netplane.lab.demo.scene import OF_TRAFFIC, Tables, read_all_tables
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.guest.shell import Shell
from netplane.lab.guest.tap import add_tap, remove_tap, tap_name
from netplane.lab.traffic.frames import Capture, Seen
from netplane.lab.traffic.ping import parse_traceroute, ping, traceroute
from netplane.lab.traffic.tcp import EchoServer
from netplane.lab.wait import NotReached, until

PORT = 7100
NAMES = ("near", "far", "routed")
"""Machines on the guest's host, on another, and on another behind the router."""
MIB = 1 << 20


class World:
    """What the tests work with."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.empty = read_all_tables(lab)
        self.tenant = Tenant(lab, "blue")
        self.tenant.add_router()
        for index, name in enumerate(("left", "right", "beyond"), 1):
            self.tenant.add_segment(name, f"10.0.{index}", ipv6=f"2001:db8:{index}")
        self.first, self.second = lab.host_list
        self.tenant.add_machines(
            {
                "near": ("left", "10.0.1.11", self.first),
                "far": ("left", "10.0.1.12", self.second),
                "side": ("right", "10.0.2.12", self.second),
                "routed": ("beyond", "10.0.3.12", self.second),
            }
        )
        for machine in self.tenant.machines.values():
            machine.obtain()
        self.before = self.read_tables()

    def machine(self, name: str) -> Machine:
        """A machine that is a namespace."""
        return self.tenant.machines[name]

    def add_plug(self, segment: str, *, tap: bool = True) -> Plug:
        """A port on the first host, and the device that Nova would make for it."""
        plug = to_plug(self.tenant.add_port(segment, None, self.first))
        if tap:
            add_tap(self.first.namespace, tap_name(plug.port), self.tenant.segments[segment].mtu)
        return plug

    def remove_plug(self, plug: Plug, *, tap: bool = True) -> None:
        """The same backwards."""
        if tap:
            remove_tap(self.first.namespace, tap_name(plug.port))
        self.tenant.admin.delete("port", plug.port)

    def status(self, plug: Plug) -> object:
        """What the API says of a port."""
        return self.tenant.admin.show("port", plug.port)["status"]

    def reaches(self, address: str, name: str = "far") -> int:
        """Whether a machine has an answer from an address."""
        return self.machine(name).ping(address, count=1, wait=0.5).received

    def wait_reached(self, address: str) -> None:
        """Until the machine on the other host has an answer from an address."""
        until(f"{address} is reached", lambda: self.reaches(address), 10)

    def read_tables(self) -> Tables:
        """The tables of all hosts, but for those that traffic fills."""
        return {
            host: {name: lines for name, lines in tables.items() if name not in OF_TRAFFIC}
            for host, tables in read_all_tables(self.lab).items()
        }

    def expect_tables(self, before: Tables) -> None:
        """Wait until the tables are as they were."""
        try:
            until("tables are as before", lambda: self.read_tables() == before, 10, 0.1)
        except NotReached as problem:
            raise AssertionError(f"{problem}\n{difference(before, self.read_tables())}") from None

    def expect_nothing_left(self) -> None:
        """Delete everything; what traffic has left goes too, at the agents' next round."""
        self.tenant.delete()
        empty = emptied(self.empty)
        try:
            until("tables are as when empty", lambda: emptied(read_all_tables(self.lab)) == empty, 20, 0.1)
        except NotReached as problem:
            raise AssertionError(f"{problem}\n{difference(empty, emptied(read_all_tables(self.lab)))}") from None

    def read_attached(self, host: Host) -> set[str]:
        """What the programs of a host are attached to."""
        return {path.name for path in host.pins.glob("attached/*/*")}


def emptied(tables: Tables) -> Tables:
    """Without what names the host's own devices, which a boot gives other numbers."""
    return {
        host: {name: lines for name, lines in found.items() if name != "settings"} for host, found in tables.items()
    }


def expect_offloads(shell: Shell) -> None:
    """A guest leaves checksums and segmentation to others, and takes what others have left."""
    features = shell.run("ethtool -k eth0").text
    for feature in ("rx-checksumming", "tx-checksum-ip-generic", "tx-tcp-segmentation", "generic-receive-offload"):
        assert f"{feature}: on" in features, features


def expect_configured(world: World, shell: Shell, plug: Plug) -> None:
    """DHCP has told a guest all that it needs."""
    assert shell.obtain() == plug.address
    segment = world.tenant.segments["left"]
    assert f"mtu {segment.mtu} " in shell.run("ip link show eth0").text
    assert f"default via {segment.gateway} dev eth0" in shell.run("ip route").text


def expect_pings(world: World, shell: Shell, address: str) -> None:
    """Both ways, with every machine; across the router one hop is counted."""
    for name in NAMES:
        machine = world.machine(name)
        came = machine.ping(address)
        assert (came.lost, came.ttl) == (0, 63 if name == "routed" else 64), name
        said = shell.run(f"ping -c 3 -i 0.1 {machine.address}")
        assert said.status == 0, said.text
        assert " 0% packet loss" in said.text


def expect_ipv6(world: World, shell: Shell, plug: Plug) -> None:
    """The guest's own kernel makes itself the address of its port, and knows its router."""
    until("the guest has its address", lambda: is_configured(shell, plug), 30, 0.5)
    assert "default via fe80::" in shell.run("ip -6 route").text
    for name in NAMES:
        machine = world.machine(name)
        wait_configured(machine)
        came = machine.ping(plug.ipv6)
        assert (came.lost, came.ttl) == (0, 63 if name == "routed" else 64), f"{name}: {came}"
        said = shell.run(f"ping -c 3 -i 0.1 {machine.ipv6}")
        assert " 0% packet loss" in said.text, said.text
    shell.run(f"(nc -ll -p {PORT + 1} -e cat &) ; sleep 0.2")
    for name in NAMES:
        with Capture(world.first.namespace, tap_name(plug.port)) as capture:
            came_back = world.machine(name).exchange(plug.ipv6, PORT + 1, 2 * MIB)
            assert came_back.ok, f"{name}: {came_back}"
            expect_large(capture.read())


def wait_configured(machine: Machine) -> None:
    """Until a machine that is a namespace has its address."""
    until(f"{machine.name} has its address", lambda: read_addresses(machine.namespace) == [machine.ipv6], 15)


def is_configured(shell: Shell, plug: Plug, device: str = "eth0") -> bool:
    """Whether a guest has its port's address, and knows that nobody else has."""
    lines = shell.run(f"ip -6 addr show {device}").text.splitlines()
    return any(f"inet6 {plug.ipv6}/64" in line and "tentative" not in line for line in lines)


def expect_fragments(world: World, shell: Shell, address: str) -> None:
    """What is too large for one packet is cut by the guest's kernel and by the machines', and put together again."""
    for name in NAMES:
        machine = world.machine(name)
        assert ping(machine.namespace, address, options=("-s", "4000")).lost == 0, name
        said = shell.run(f"ping -c 3 -i 0.1 -s 4000 {machine.address}")
        assert " 0% packet loss" in said.text, said.text


def expect_route(world: World, shell: Shell, address: str) -> None:
    """Routers on the way tell of themselves, about packets whose checksums the guest has left to others."""
    machine = world.machine("routed")
    assert traceroute(machine.namespace, address) == [world.tenant.segments["beyond"].gateway, address]
    said = shell.run(f"traceroute -n -q 1 -w 1 -m 4 {machine.address}").text
    assert parse_traceroute(said) == [world.tenant.segments["left"].gateway, machine.address]


def expect_streams(world: World, shell: Shell, plug: Plug, sizes: int = 2 * MIB) -> None:
    """TCP both ways, with every machine: whole, in large pieces on the tap, and with no checksum that was wrong."""
    shell.run(f"(nc -ll -p {PORT} -e cat &) ; dd if=/dev/urandom of=/tmp/sent bs=64k count={sizes >> 16}; sleep 0.2")
    for name in NAMES:
        machine = world.machine(name)
        with Capture(world.first.namespace, tap_name(plug.port)) as capture:
            came = machine.exchange(plug.address, PORT, sizes)
            assert came.ok, f"{name}: {came}"
            expect_large(capture.read())
        with EchoServer(machine.namespace, PORT):
            said = shell.run(f"nc {machine.address} {PORT} </tmp/sent >/tmp/echoed; cmp /tmp/sent /tmp/echoed", 60)
            assert said.status == 0, f"{name}: {said.text}"
    assert count_errors(shell.run("cat /proc/net/snmp").text) == 0


def expect_large(frames: Iterable[Seen]) -> None:
    """Segments were left to be cut by others, in both directions."""
    frames = list(frames)
    for sent in (True, False):
        assert max(len(seen.frame) for seen in frames if seen.sent is sent) > 1514, "sent" if sent else "received"


def count_errors(snmp: str) -> int:
    """Packets with a wrong checksum, of IP, TCP, UDP and ICMP; from /proc/net/snmp."""
    found = 0
    lines = [line.split() for line in snmp.splitlines()]
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        found += sum(int(v) for n, v in zip(names, values, strict=True) if n in ("InCsumErrors", "InHdrErrors"))
    return found


def pause() -> None:
    """Long enough for what is on its way to have arrived."""
    time.sleep(0.3)
