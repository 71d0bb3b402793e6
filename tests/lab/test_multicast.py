"""What machines say to groups and to all of their network: who hears it, who may not, and nobody in other networks."""

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo import scene
from netplane.lab.demo.scene import PROJECTS, Scene
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import ETH_P_ARP, ETH_P_IP, Capture, containing, ethernet, ipv4, send, udp
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tmany")
MARK = b"to whom it may concern"
TO_ALL = "ff:ff:ff:ff:ff:ff"
EVERYBODY = "255.255.255.255"
SETTLE = 0.3
UDP = 17
LEFT = ("a1", "a2", "a3")


@pytest.fixture(scope="module")
def world() -> Iterator[Scene]:
    """The scene of the demo: two tenants with the same addresses, whose machines are on one network on two hosts."""
    with Lab(PREFIX, 3, PROJECTS) as lab:
        made = scene.build(lab.start())
        for machine in made.machines:
            machine.obtain()
        yield made
    assert read_leftovers(PREFIX) == []


def heard(world: Scene, sender: Machine, frames: list[bytes], mark: bytes = MARK) -> list[str]:
    """Who gets frames that a machine sends, a name for each copy, sorted."""
    named = {f"{name}.{tenant}": one for tenant in PROJECTS for name, one in world.tenants[tenant].machines.items()}
    captures = {name: Capture(one.namespace) for name, one in named.items()}
    send(sender.namespace, frames)
    time.sleep(SETTLE)
    found = []
    for name, capture in captures.items():
        with capture:
            found += [name] * len(capture.received(containing(mark)))
    return sorted(found)


def said(sender: Machine, target: str, mac: str, *, source: str = "", port: int = 6000, ttl: int = 1) -> bytes:
    """A marked datagram to many."""
    packet = ipv4(source or sender.address, target, UDP, udp(MARK, 5000, port), ttl)
    return ethernet(sender.mac, mac, ETH_P_IP, packet)


def arp(operation: int, mac: str, sender: str, target: str) -> bytes:
    """An ARP packet that says where its sender is."""
    hardware, addresses = bytes.fromhex(mac.replace(":", "")), [socket.inet_aton(one) for one in (sender, target)]
    return struct.pack("!HHBBH", 1, ETH_P_IP, 6, 4, operation) + hardware + addresses[0] + bytes(6) + addresses[1]


@pytest.mark.parametrize(
    ("target", "mac"),
    [(EVERYBODY, TO_ALL), ("10.0.1.255", TO_ALL), ("224.0.0.251", "01:00:5e:00:00:fb")],
)
@pytest.mark.parametrize("name", LEFT)
def test_all_others_on_the_network_and_nobody_else(world: Scene, name: str, target: str, mac: str) -> None:
    """Each gets one copy, also on another host; the sender and the other tenant, with the same addresses, none."""
    sender = world.machine(name)
    assert heard(world, sender, [said(sender, target, mac)]) == [f"{one}.blue" for one in LEFT if one != name]


def test_what_is_not_addressed_to_many_in_frame_and_packet_alike(world: Scene) -> None:
    sender = world.machine("a1")
    frames = [
        said(sender, "10.0.1.12", TO_ALL),
        said(sender, "10.0.2.255", TO_ALL),
        said(sender, "224.0.0.251", TO_ALL),
        said(sender, "224.0.0.251", "01:00:5e:00:00:fc"),
        said(sender, "224.0.0.251", "01:00:5e:80:00:fb"),
        said(sender, EVERYBODY, "01:00:5e:7f:ff:ff"),
        said(sender, "224.0.0.251", world.machine("a2").mac),
        said(sender, EVERYBODY, world.machine("a2").mac),
        said(sender, EVERYBODY, world.blue.segments["left"].gateway_mac),
        said(sender, EVERYBODY, TO_ALL, source="10.0.1.12"),
        said(sender, EVERYBODY, TO_ALL, source="0.0.0.0"),
        ethernet(sender.mac, TO_ALL, 0x88CC, MARK * 3),
    ]
    assert heard(world, sender, frames) == []


@pytest.mark.parametrize("operation", [1, 2])
def test_gratuitous_arp(world: Scene, operation: int) -> None:
    sender, other = world.machine("a1"), world.machine("a2")
    true = ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, sender.mac, sender.address, sender.address))
    lies = [
        ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, sender.mac, other.address, other.address)),
        ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, other.mac, sender.address, sender.address)),
        ethernet(sender.mac, other.mac, ETH_P_ARP, arp(operation, sender.mac, sender.address, sender.address)),
    ]
    assert heard(world, sender, [true], true[14:28]) == ["a2.blue", "a3.blue"]
    assert heard(world, sender, lies, lies[0][14:20]) == []


def test_a_real_broadcast(world: Scene) -> None:
    """From a socket to sockets; the answer, to the sender alone, is a connection of its own."""
    sender, others = world.machine("a1"), [world.machine(name) for name in ("a2", "a3")]
    listening = []
    for machine in others:
        with inside(machine.namespace):
            listening.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listening[-1].bind(("", 7000))
        listening[-1].settimeout(2)
    with inside(sender.namespace):
        speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    speaker.settimeout(2)
    speaker.sendto(MARK, ("10.0.1.255", 7000))
    for one in listening:
        data, where = one.recvfrom(100)
        assert data == MARK
        one.sendto(b"answer", where)
    assert {speaker.recvfrom(100)[1][0] for _ in others} == {machine.address for machine in others}
    for one in (*listening, speaker):
        one.close()
