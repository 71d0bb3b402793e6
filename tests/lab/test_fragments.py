"""Packets larger than the MTU, in fragments: real ones between machines on one host and on two, routed and not."""

import socket
import time
from itertools import permutations

import pytest

from netplane.lab import Machine
from netplane.lab.demo.scene import Scene
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import ETH_P_IP, Capture, containing, ethernet, fragment, ipv4, send, udp
from netplane.lab.traffic.ping import ping

PORT = 7200
SIZE = 8_000
NAMES = ("a1", "a2", "a3", "b1")
UDP = 17
MARK = b"a part of the whole"


def ask(client: Machine, server: Machine, port: int, size: int) -> bytes:
    """What a server on UDP answers to a datagram of a size: the same back; nothing if none comes within a second."""
    with inside(server.namespace):
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with there, here:
        there.bind((server.address, port))
        there.settimeout(0.5)
        here.settimeout(0.5)
        here.sendto(bytes(range(250)) * (size // 250), (server.address, port))
        try:
            there.sendto(*there.recvfrom(65536))
            return here.recv(65536)
        except TimeoutError:
            return b""


@pytest.mark.parametrize(("source", "target"), list(permutations(NAMES, 2)))
def test_large_pings_and_datagrams(world: Scene, source: str, target: str) -> None:
    one, other = world.machine(source), world.machine(target)
    assert ping(one.namespace, other.address, options=("-s", "4000")).lost == 0
    assert ask(one, other, PORT, SIZE) == bytes(range(250)) * (SIZE // 250)


def test_a_router_answers_large_pings(world: Scene) -> None:
    for own in ("a1", "b1"):
        for router in ("10.0.1.1", "10.0.2.1"):
            assert ping(world.machine(own).namespace, router, options=("-s", "4000")).lost == 0


def test_rules_hold_for_fragments(world: Scene) -> None:
    """What the receiver's group does not allow does not get through in fragments; its answers to what it asked do."""
    blue, client, server = world.blue, world.machine("a1"), world.machine("b2")
    default = blue.api.show("port", server.plug.port)["security_groups"]
    closed, welcoming = (blue.api.create("security_group", name=name)["id"] for name in ("closed", "welcoming"))
    blue.api.create("security_group_rule", security_group_id=welcoming, direction="ingress", ethertype="IPv4")
    blue.api.update("port", client.plug.port, security_groups=[*default, welcoming])
    blue.api.update("port", server.plug.port, security_groups=[closed])
    blue.api.settle()
    assert ask(client, server, PORT, SIZE) == b""
    assert ask(server, client, PORT, SIZE) == bytes(range(250)) * (SIZE // 250)
    assert ping(client.namespace, server.address, wait=0.3, options=("-s", "4000")).received == 0
    assert ping(server.namespace, client.address, options=("-s", "4000")).lost == 0
    for machine in (client, server):
        blue.api.update("port", machine.plug.port, security_groups=default)
    blue.api.settle()
    assert ask(client, server, PORT, SIZE)
    for group in (closed, welcoming):
        blue.api.delete("security_group", group)


def test_fragments_without_their_first_reach_nobody(world: Scene) -> None:
    sender, target = world.machine("a1"), world.machine("a3")
    whole = ipv4(sender.address, target.address, UDP, udp(MARK * 200, 5000, 6000))
    first, *rest = (ethernet(sender.mac, target.mac, ETH_P_IP, piece) for piece in fragment(whole, 99, 1_000))
    with Capture(target.namespace) as capture:
        send(sender.namespace, rest)
        time.sleep(0.2)
        assert capture.received(containing(MARK)) == []
        send(sender.namespace, [first, *rest])
        time.sleep(0.2)
        assert [seen.frame for seen in capture.received(containing(MARK))] == [first, *rest]


def test_one_machine_cannot_push_out_what_another_has_begun(world: Scene) -> None:
    """However many packets it begins without ending them."""
    flooder, sender, target = world.machine("a1"), world.machine("a2"), world.machine("a3")
    whole = ipv4(sender.address, target.address, UDP, udp(MARK * 200, 5000, 6000))
    first, *rest = (ethernet(sender.mac, target.mac, ETH_P_IP, piece) for piece in fragment(whole, 99, 1_000))
    begun = ipv4(flooder.address, target.address, UDP, udp(bytes(1_200), 5000, 6000))
    flood = [ethernet(flooder.mac, target.mac, ETH_P_IP, fragment(begun, number, 1_000)[0]) for number in range(2_000)]
    with Capture(target.namespace) as capture:
        send(sender.namespace, [first])
        send(flooder.namespace, flood)
        send(sender.namespace, rest)
        time.sleep(0.3)
        assert [seen.frame for seen in capture.received(containing(MARK))] == [first, *rest]
