"""Networks of different MTU and the router between them: both versions of IP, real packets, the stock tools."""

import errno
import re
import socket
import subprocess
from typing import NamedTuple

import pytest

from netplane.lab import Machine
from netplane.lab.autoconfiguration import read_addresses, read_routers
from netplane.lab.demo.scene import Scene
from netplane.lab.machine import DEVICE
from netplane.lab.namespace import batch, inside
from netplane.lab.traffic.tcp import EchoServer, exchange
from netplane.lab.wait import until

LEFT_MTU, RIGHT_MTU = 1450, 1300
SERVERS = ("b1", "b2")
"""On the client's host, and on another."""


class Family(NamedTuple):
    """A version of IP, as tests here differ by it."""

    version: str
    header: int
    """Bytes before the payload's own 8 of UDP, or of an echo."""
    too_long: str
    """What ping says when a router has told it so."""
    level: int
    discover: int
    """The option that says whether packets may be cut: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER (linux/in.h, linux/in6.h)."""
    mtu: int
    """The option that tells what a path carries: IP_MTU, IPV6_MTU."""

    def address(self, machine: Machine) -> str:
        return machine.ipv6 if self is SIX else machine.address

    def payload(self, mtu: int) -> int:
        """The largest of UDP or an echo in one packet."""
        return mtu - self.header - 8

    def socket(self, machine: Machine) -> socket.socket:
        with inside(machine.namespace):
            return socket.socket(socket.AF_INET6 if self is SIX else socket.AF_INET, socket.SOCK_DGRAM)


FOUR = Family("-4", 20, f"Frag needed and DF set (mtu = {RIGHT_MTU})", socket.IPPROTO_IP, 10, 14)
SIX = Family("-6", 40, f"Packet too big: mtu={RIGHT_MTU}", socket.IPPROTO_IPV6, 23, 24)
DONT, DO = 0, 2
"""IP_PMTUDISC_DONT: the sender lets routers cut. IP_PMTUDISC_DO: it sends nothing longer than the path carries."""

families = pytest.mark.parametrize("family", [FOUR, SIX], ids=["IPv4", "IPv6"])
servers = pytest.mark.parametrize("server", SERVERS)


@pytest.fixture(scope="module")
def world(world: Scene) -> Scene:
    """Its right networks have a smaller MTU, of which their machines have heard."""
    api = world.blue.api
    api.update("network", world.blue.segments["right"].network, mtu=RIGHT_MTU)
    api.settle()
    for name in SERVERS:
        batch([f"link set {DEVICE} mtu {RIGHT_MTU}"], world.machine(name).namespace)
    for machine in world.machines:
        until(f"{machine.name} has its IPv6 address", lambda at=machine: read_addresses(at.namespace), 15)  # type: ignore[misc]
    return world


@pytest.fixture(autouse=True)
def forgetful(world: Scene) -> None:
    """Nobody knows from an earlier test what a path carries."""
    for machine in world.machines:
        for family in (FOUR, SIX):
            run(machine, "ip", family.version, "route", "flush", "cache")


def run(machine: Machine, *argv: str) -> str:
    with inside(machine.namespace):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def known_mtu(machine: Machine, target: str) -> int:
    """What a machine has learnt of the path to an address; 0 for nothing."""
    found = re.search(r"mtu (\d+)", run(machine, "ip", "route", "get", target))
    return int(found[1]) if found else 0


def drops(world: Scene, reason: str) -> int:
    """Packets of the client that were dropped for a reason, or of which its router complained."""
    entries = world.lab.controller.api().read_tables(world.machine("a1").host.name)["counter"]
    mac = world.machine("a1").mac
    found = [re.search(r"packets=(\d+)", entry) for entry in entries if mac in entry and f"DROPPED:{reason} " in entry]
    return sum(int(match[1]) for match in found if match)


def say(client: Machine, family: Family, target: str, payload: int) -> str:
    """One echo request of a size that nobody may cut."""
    return run(client, "ping", family.version, "-n", "-c1", "-W1", "-M", "do", "-s", str(payload), target)


@families
@servers
def test_ping(world: Scene, server: str, family: Family) -> None:
    client, target = world.machine("a1"), family.address(world.machine(server))
    assert " 1 received" in say(client, family, target, family.payload(RIGHT_MTU))
    assert family.too_long in say(client, family, target, family.payload(RIGHT_MTU) + 1)
    assert known_mtu(client, target) == RIGHT_MTU


@families
@servers
def test_what_may_be_cut_is_cut_by_its_sender(world: Scene, server: str, family: Family) -> None:
    """The first packet is lost, as the sender is told; what comes after it comes in pieces."""
    client, target = world.machine("a1"), world.machine(server)
    with family.socket(target) as there, family.socket(client) as here:
        there.bind(("", 7400))
        there.settimeout(0.2)
        here.setsockopt(family.level, family.discover, DONT)

        def arrives() -> bool:
            here.sendto(bytes(family.payload(LEFT_MTU)), (family.address(target), 7400))
            try:
                return len(there.recv(2048)) == family.payload(LEFT_MTU)
            except TimeoutError:
                return False

        assert not arrives()
        until("a datagram comes in pieces", arrives, 5)


@families
@servers
def test_a_program_that_asks_what_its_path_carries(world: Scene, server: str, family: Family) -> None:
    """Path MTU discovery of UDP: its socket refuses what is too long, and says what is not."""
    target = world.machine(server)
    with family.socket(target) as there, family.socket(world.machine("a1")) as here:
        there.bind(("", 7402))
        there.settimeout(2)
        here.setsockopt(family.level, family.discover, DO)
        here.connect((family.address(target), 7402))
        assert here.getsockopt(family.level, family.mtu) == LEFT_MTU
        here.send(bytes(family.payload(LEFT_MTU)))
        until("it has heard", lambda: here.getsockopt(family.level, family.mtu) == RIGHT_MTU, 5)
        assert here.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.EMSGSIZE
        with pytest.raises(OSError, match="Message too long"):
            here.send(bytes(family.payload(RIGHT_MTU) + 1))
        here.send(bytes(family.payload(RIGHT_MTU)))
        assert len(there.recv(2048)) == family.payload(RIGHT_MTU)


@families
@servers
def test_a_stream_that_begins_with_too_large_segments(world: Scene, server: str, family: Family) -> None:
    """The server says that it takes more than its network carries, as a machine with a setting of old would."""
    client, target = world.machine("a1"), world.machine(server)
    [router] = ["10.0.2.1"] if family is FOUR else read_routers(target.namespace)
    segment = str(LEFT_MTU - family.header - 20)
    way = (f"{family.address(client)}", "via", router, "dev", DEVICE, "advmss", segment)
    assert not run(target, "ip", family.version, "route", "add", *way)
    with EchoServer(target.namespace, 7401):
        assert exchange(client.namespace, family.address(target), 7401, 1 << 20, 3).ok
    assert known_mtu(client, family.address(target)) == RIGHT_MTU


@families
@servers
def test_the_mtu_of_a_path_is_found(world: Scene, server: str, family: Family) -> None:
    target = family.address(world.machine(server))
    found = run(world.machine("a1"), "traceroute", family.version, "--mtu", "-n", "-q1", "-w1", "-m4", target)
    assert re.findall(r"F=(\d+)", found) == [str(LEFT_MTU), str(RIGHT_MTU)], found


def test_a_network_carries_no_more_than_its_mtu(world: Scene) -> None:
    """As a switch would: without a word, but counted."""
    client, target = world.machine("a1"), world.machine("a3").address
    batch([f"link set {DEVICE} mtu 1500"], client.namespace)
    try:
        before = drops(world, "TOO_LONG")
        size = FOUR.payload(LEFT_MTU)
        assert " 1 received" in run(client, "ping", "-n", "-c1", "-W1", "-M", "do", "-s", str(size), target)
        assert " 0 received" in run(client, "ping", "-n", "-c1", "-W0.3", "-M", "do", "-s", str(size + 1), target)
        assert drops(world, "TOO_LONG") == before + 1
    finally:
        batch([f"link set {DEVICE} mtu {LEFT_MTU}"], client.namespace)


def test_a_larger_mtu_counts_at_once(world: Scene) -> None:
    api, network = world.blue.api, world.blue.segments["right"].network
    client, target = world.machine("a1"), world.machine("b2")
    api.update("network", network, mtu=LEFT_MTU)
    api.settle()
    batch([f"link set {DEVICE} mtu {LEFT_MTU}"], target.namespace)
    said = run(client, "ping", "-n", "-c1", "-W1", "-M", "do", "-s", str(FOUR.payload(LEFT_MTU)), target.address)
    assert " 1 received" in said
