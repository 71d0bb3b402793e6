"""ICMP errors about what a machine has sent reach it whatever its rules say of ICMP: real programs and real packets."""

import socket
import time
from collections.abc import Iterator

import pytest

from netplane.lab import Machine
from netplane.lab.demo.scene import Scene
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import ETH_P_IP, Capture, containing, ethernet, icmp_error, ipv4, send, udp
from netplane.lab.traffic.ping import traceroute

UDP, ICMP = 17, 1
MARK = b"what became of it"
CLIENT, SERVERS = "a1", ("a2", "a3", "b1", "b2")


@pytest.fixture(scope="module")
def world(world: Scene) -> Iterator[Scene]:
    """The scene of the demo; a1 may only ask, and the others hear UDP and may not say a word of their own."""
    close(world)
    yield world
    open_again(world)


def close(world: Scene) -> None:
    """Only UDP: out for the client, in for the servers."""
    api = world.blue.api
    for name, direction, members in (("asks", "egress", (CLIENT,)), ("hears", "ingress", SERVERS)):
        group = api.create("security_group", name=name)
        for rule in group["security_group_rules"]:
            api.delete("security_group_rule", rule["id"])
        api.create(
            "security_group_rule",
            security_group_id=group["id"],
            direction=direction,
            ethertype="IPv4",
            protocol="udp",
        )
        for member in members:
            api.update("port", world.machine(member).plug.port, security_groups=[group["id"]])
    api.settle()


def open_again(world: Scene) -> None:
    """As the scene was."""
    api = world.blue.api
    groups = {group["name"]: group["id"] for group in api.find("security_group")}
    for name in (CLIENT, *SERVERS):
        api.update("port", world.machine(name).plug.port, security_groups=[groups["default"]])
    for name in ("asks", "hears"):
        api.delete("security_group", groups[name])


@pytest.mark.parametrize("server", SERVERS)
def test_a_closed_port_refuses_a_connected_socket(world: Scene, server: str) -> None:
    client, target = world.machine(CLIENT), world.machine(server)
    assert client.ping(target.address, count=1, wait=0.2).received == 0
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with here:
        here.connect((target.address, 7300))
        here.settimeout(1)
        here.send(MARK)
        with pytest.raises(ConnectionRefusedError):
            here.recv(100)


@pytest.mark.parametrize(("server", "hops"), [("a2", []), ("a3", []), ("b1", ["10.0.1.1"]), ("b2", ["10.0.1.1"])])
def test_traceroute_arrives(world: Scene, server: str, hops: list[str]) -> None:
    target = world.machine(server)
    assert traceroute(world.machine(CLIENT).namespace, target.address) == [*hops, target.address]


def test_errors_about_nothing_reach_nobody(world: Scene) -> None:
    """Neither about what was never sent, nor from a machine that it was not sent to."""
    client, liar, bystander = world.machine(CLIENT), world.machine("a3"), world.machine("a2").address
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with here, Capture(client.namespace) as capture:
        here.bind((client.address, 5000))
        for address in (liar.address, bystander):
            here.sendto(MARK, (address, 6000))
        time.sleep(0.2)
        capture.read()
        send(liar.namespace, [told(liar, client, liar.address, 6001), told(liar, client, bystander, 6000)])
        time.sleep(0.2)
        assert capture.received(containing(MARK)) == []
        send(liar.namespace, [told(liar, client, liar.address, 6000)])
        time.sleep(0.2)
        assert len(capture.received(containing(MARK))) == 1


def told(liar: Machine, client: Machine, address: str, port: int) -> bytes:
    """That a datagram of the client to an address and port has not arrived."""
    about = ipv4(client.address, address, UDP, udp(MARK, 5000, port))
    error = ipv4(liar.address, client.address, ICMP, icmp_error(3, 3, about))
    return ethernet(liar.mac, client.mac, ETH_P_IP, error)
