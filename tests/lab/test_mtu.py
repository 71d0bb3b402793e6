"""Networks of different MTU and the router between them: real programs, real packets, the stock tools."""

import re
import socket
import subprocess
from collections.abc import Iterator

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo import scene
from netplane.lab.demo.scene import PROJECTS, Scene
from netplane.lab.machine import DEVICE
from netplane.lab.namespace import batch, inside
from netplane.lab.traffic.tcp import EchoServer, exchange
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tmtu")
LEFT_MTU, RIGHT_MTU = 1450, 1300
IP_AND_ICMP, IP_AND_UDP = 28, 28
SERVERS = ("b1", "b2")
"""On the client's host, and on another."""


@pytest.fixture(scope="module")
def world() -> Iterator[Scene]:
    """The scene of the demo, its right networks with a smaller MTU, of which their machines have heard."""
    with Lab(PREFIX, 3, PROJECTS) as lab:
        made = scene.build(lab.start())
        for machine in made.machines:
            machine.obtain()
        api = made.blue.api
        api.update("network", made.blue.segments["right"].network, mtu=RIGHT_MTU)
        api.settle()
        for name in SERVERS:
            batch([f"link set {DEVICE} mtu {RIGHT_MTU}"], made.machine(name).namespace)
        yield made
    assert read_leftovers(PREFIX) == []


@pytest.fixture(autouse=True)
def forgetful(world: Scene) -> None:
    """Nobody knows from an earlier test what a path carries."""
    for machine in world.machines:
        batch(["route flush cache"], machine.namespace)


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


@pytest.mark.parametrize("server", SERVERS)
def test_ping(world: Scene, server: str) -> None:
    client, target = world.machine("a1"), world.machine(server).address
    fits = run(client, "ping", "-n", "-c1", "-W1", "-M", "do", "-s", str(RIGHT_MTU - IP_AND_ICMP), target)
    assert " 1 received" in fits
    longer = run(client, "ping", "-n", "-c1", "-W1", "-M", "do", "-s", str(RIGHT_MTU - IP_AND_ICMP + 1), target)
    assert f"Frag needed and DF set (mtu = {RIGHT_MTU})" in longer
    assert known_mtu(client, target) == RIGHT_MTU


@pytest.mark.parametrize("server", SERVERS)
def test_what_may_be_cut_is_cut_by_its_sender(world: Scene, server: str) -> None:
    """The first packet is lost, as the sender is told; what comes after it comes in pieces."""
    client, target = world.machine("a1"), world.machine(server)
    with inside(target.namespace):
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with there, here:
        there.bind(("0.0.0.0", 7400))
        there.settimeout(0.2)
        here.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: IP_PMTUDISC_DONT

        def arrives() -> bool:
            here.sendto(bytes(LEFT_MTU - IP_AND_UDP), (target.address, 7400))
            try:
                return len(there.recv(2048)) == LEFT_MTU - IP_AND_UDP
            except TimeoutError:
                return False

        assert not arrives()
        until("a datagram comes in pieces", arrives, 5)


@pytest.mark.parametrize("server", SERVERS)
def test_a_stream_that_begins_with_too_large_segments(world: Scene, server: str) -> None:
    """The server says that it takes more than its network carries, as a machine with a setting of old would."""
    client, target = world.machine("a1"), world.machine(server)
    batch([f"route change default via 10.0.2.1 dev {DEVICE} advmss {LEFT_MTU - 40}"], target.namespace)
    with EchoServer(target.namespace, 7401):
        assert exchange(client.namespace, target.address, 7401, 1 << 20, 3).ok
    assert known_mtu(client, target.address) == RIGHT_MTU


@pytest.mark.parametrize("server", SERVERS)
def test_the_mtu_of_a_path_is_found(world: Scene, server: str) -> None:
    found = run(world.machine("a1"), "traceroute", "--mtu", "-n", "-q1", "-w1", "-m4", world.machine(server).address)
    assert re.findall(r"F=(\d+)", found) == [str(LEFT_MTU), str(RIGHT_MTU)], found


def test_a_network_carries_no_more_than_its_mtu(world: Scene) -> None:
    """As a switch would: without a word, but counted."""
    client, target = world.machine("a1"), world.machine("a3").address
    batch([f"link set {DEVICE} mtu 1500"], client.namespace)
    try:
        before = drops(world, "TOO_LONG")
        size = LEFT_MTU - IP_AND_ICMP
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
    said = run(client, "ping", "-n", "-c1", "-W1", "-M", "do", "-s", str(LEFT_MTU - IP_AND_ICMP), target.address)
    assert " 1 received" in said
