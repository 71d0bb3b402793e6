"""Trunks: a machine whose one device carries several ports, by frames with tags of its own making.

This kernel has no VLAN devices, so the machine's subports are played by packet sockets; those they talk to are whole.
"""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from netplane.lab import Machine
from netplane.lab.api import Body
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.frames import (
    ETH_P_8021Q,
    ETH_P_ARP,
    ETH_P_IP,
    Capture,
    Seen,
    echo_request,
    ethernet,
    ipv4,
    mac,
    send,
    tagged,
    udp,
)
from netplane.lab.traffic.ping import Pinging
from netplane.lab.wait import until

OTHER, SAME = 10, 4094
"""The VLAN ids of a subport with a MAC address of its own, and of one with its parent's."""
ICMP, UDP = 1, 17
MARK = b"under which tag"
PATIENCE = 3.0


@dataclass
class Carried:
    """A subport, as the machine speaks for it."""

    machine: Machine
    vlan: int
    port: Body
    gateway: str
    gateway_mac: str

    @property
    def address(self) -> str:
        return str(self.port["fixed_ips"][0]["ip_address"])

    @property
    def mac(self) -> str:
        return str(self.port["mac_address"])

    def say(self, kind: int, target_mac: str, payload: bytes, vlan: int | None = None) -> None:
        frame = ethernet(self.mac, target_mac, kind, payload)
        tag = self.vlan if vlan is None else vlan
        send(self.machine.namespace, [tagged(frame, tag) if tag else frame])

    def resolve(self, target: str) -> str:
        """The MAC address that the network tells for an address; empty if it tells none."""
        ask = struct.pack("!HHBBH", 1, ETH_P_IP, 6, 4, 1) + mac(self.mac) + IPv4Address(self.address).packed
        with Capture(self.machine.namespace) as capture:
            self.say(ETH_P_ARP, "ff:ff:ff:ff:ff:ff", ask + bytes(6) + IPv4Address(target).packed)
            answers = hear(capture, self.vlan, lambda frame: frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2")
        return answers[0].frame[22:28].hex(":") if answers else ""

    def ping(self, target: str, target_mac: str, vlan: int | None = None, seconds: float = PATIENCE) -> bool:
        """Whether an echo comes back, under the right tag."""
        number = time.monotonic_ns() & 0xFFFF
        with Capture(self.machine.namespace) as capture:
            packet = ipv4(self.address, target, ICMP, echo_request(number, b"through a trunk"))
            self.say(ETH_P_IP, target_mac, packet, vlan)
            mark = b"\0\0" + b"????" + struct.pack("!H", number)
            return bool(hear(capture, self.vlan, lambda frame: is_reply(frame, mark[6:]), seconds))


def is_reply(frame: bytes, number: bytes) -> bool:
    return frame[12:14] == b"\x08\0" and frame[23] == ICMP and frame[34] == 0 and frame[38:40] == number


def hear(capture: Capture, vlan: int, wanted: Callable[[bytes], bool], seconds: float = PATIENCE) -> list[Seen]:
    """What comes in under a tag within a while, without the tag."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tag = struct.pack("!HH", ETH_P_8021Q, vlan)
        found = [
            seen._replace(frame=seen.frame[:12] + seen.frame[16:])
            for seen in capture.read()
            if not seen.sent and seen.frame[12:16] == tag
        ]
        if matching := [seen for seen in found if wanted(seen.frame)]:
            return matching
        time.sleep(0.01)
    return []


@dataclass
class Trunked:
    """The scene, and a trunk in it."""

    scene: Scene
    trunk: Body
    other: Carried
    same: Carried


@pytest.fixture(scope="module")
def world(world: Scene) -> Trunked:
    """The machine a1 is a trunk, with one subport in its own network and one in the other."""
    return build(world)


def build(made: Scene) -> Trunked:
    tenant, parent = made.blue, made.machine("a1")
    left, right = tenant.segments["left"], tenant.segments["right"]

    def carried(vlan: int, segment: str, address: str, **fields: object) -> Carried:
        where = tenant.segments[segment]
        fixed = {"subnet_id": where.subnet, "ip_address": address}
        port = tenant.api.create("port", network_id=where.network, fixed_ips=[fixed], **fields)
        return Carried(parent, vlan, port, where.gateway, where.gateway_mac)

    other = carried(OTHER, "left", left.gateway.removesuffix(".1") + ".50")
    same = carried(SAME, "right", right.gateway.removesuffix(".1") + ".50", mac_address=parent.mac)
    wanted = [
        {"port_id": one.port["id"], "segmentation_type": "vlan", "segmentation_id": one.vlan} for one in (other, same)
    ]
    trunk = tenant.api.create("trunk", port_id=parent.plug.port, sub_ports=wanted)
    until("the trunk is up", lambda: tenant.api.show("trunk", trunk["id"])["status"] == "ACTIVE", 10)
    return Trunked(made, trunk, other, same)


def test_ports_of_a_trunk_are_up_with_it(world: Trunked) -> None:
    for one in (world.other, world.same):
        shown = world.scene.blue.admin.show("port", one.port["id"])
        assert (shown["status"], shown["device_owner"]) == ("ACTIVE", "trunk:subport")


@pytest.mark.parametrize("name", ["a2", "a3", "b1", "b2"])
@pytest.mark.parametrize("vlan", [OTHER, SAME])
def test_subports_reach_machines(world: Trunked, vlan: int, name: str) -> None:
    """In their own network and through the router, on their own host and on others."""
    one = world.other if vlan == OTHER else world.same
    target = world.scene.machine(name)
    is_near = (name[0] == "a") == (vlan == OTHER)
    next_hop = one.resolve(target.address if is_near else one.gateway)
    assert next_hop == (target.mac if is_near else one.gateway_mac)
    assert one.ping(target.address, next_hop)


@pytest.mark.parametrize("name", ["a2", "a3", "b1", "b2"])
@pytest.mark.parametrize("vlan", [OTHER, SAME])
def test_machines_reach_subports(world: Trunked, vlan: int, name: str) -> None:
    """Connections that others begin arrive under the port's tag; what leaves the parent has none."""
    one = world.other if vlan == OTHER else world.same
    with Capture(one.machine.namespace) as capture:
        pinging = Pinging(world.scene.machine(name).namespace, one.address, 0.1)
        asked = hear(capture, vlan, lambda frame: frame[23] == ICMP and frame[34] == 8)
        pinging.stop()
    assert asked
    assert asked[0].frame[:6] == mac(one.mac)


def test_the_ports_of_a_trunk_reach_each_other(world: Trunked) -> None:
    """The parent by frames without a tag, through the machine's own kernel."""
    parent, other = world.scene.machine("a1"), world.other
    assert other.ping(parent.address, other.resolve(parent.address))
    with Capture(parent.namespace) as capture:
        pinging = Pinging(parent.namespace, other.address, 0.1)
        assert hear(capture, OTHER, lambda frame: frame[23] == ICMP and frame[34] == 8)
        pinging.stop()


def test_the_parent_goes_on_as_before(world: Trunked) -> None:
    for name in ("a2", "a3", "b1", "b2"):
        assert not world.scene.machine("a1").ping(world.scene.machine(name).address).lost


@pytest.mark.parametrize("vlan", [OTHER, SAME])
def test_dhcp_answers_under_the_tag(world: Trunked, vlan: int) -> None:
    one = world.other if vlan == OTHER else world.same
    discover = struct.pack("!BBBBIHH16x", 1, 1, 6, 0, 0x4E50, 0, 0x8000) + mac(one.mac).ljust(16, b"\0") + bytes(192)
    discover += bytes.fromhex("63825363 350101 ff")
    with Capture(one.machine.namespace) as capture:
        packet = ipv4("0.0.0.0", "255.255.255.255", UDP, udp(discover, 68, 67))
        one.say(ETH_P_IP, "ff:ff:ff:ff:ff:ff", packet)
        offers = hear(capture, vlan, lambda frame: frame[23] == UDP and frame[36:38] == b"\0\x44")
    assert offers
    assert offers[0].frame[58:62] == IPv4Address(one.address).packed, "the address that is offered"


@pytest.mark.parametrize("vlan", [0, 11, SAME])
def test_a_port_speaks_under_its_own_tag_only(world: Trunked, vlan: int) -> None:
    target = world.scene.machine("a2")
    assert world.other.ping(target.address, target.mac)
    assert not world.other.ping(target.address, target.mac, vlan, 0.3)


PRIORITY, SERVICE = 7 << 13, 0x88A8
"""Bits of a tag that are no VLAN's, and the EtherType of providers' tags (IEEE 802.1ad)."""


@pytest.mark.parametrize(
    ("tags", "passes"),
    [
        ([(ETH_P_8021Q, OTHER | PRIORITY)], True),
        ([(ETH_P_8021Q, OTHER), (ETH_P_8021Q, OTHER)], False),
        ([(ETH_P_8021Q, OTHER), (ETH_P_8021Q, 0)], False),
        ([(ETH_P_8021Q, 0), (ETH_P_8021Q, OTHER)], False),
        ([(SERVICE, OTHER)], False),
        ([(SERVICE, OTHER), (ETH_P_8021Q, OTHER)], False),
    ],
    ids=["priority", "twice", "and a priority", "a priority and", "of a provider", "within a provider's"],
)
def test_tags_of_other_kinds(world: Trunked, tags: list[tuple[int, int]], passes: bool) -> None:
    """One tag tells of one VLAN; what has more of them is nobody's."""
    one, target = world.other, world.scene.machine("a2")
    words = b"".join(struct.pack("!HH", *tag) for tag in tags)
    frame = ethernet(one.mac, target.mac, ETH_P_IP, ipv4(one.address, target.address, UDP, udp(MARK, 7000, 7001)))
    with Capture(target.namespace) as capture:
        send(one.machine.namespace, [frame[:12] + words + frame[12:]])
        # What comes behind it has come last.
        assert one.ping(target.address, target.mac)
        assert any(MARK in seen.frame and not seen.sent for seen in capture.read()) == passes


def test_a_priority_without_a_vlan_is_the_parent_s(world: Trunked) -> None:
    parent, target = world.scene.machine("a1"), world.scene.machine("a2")
    packet = ipv4(parent.address, target.address, UDP, udp(MARK, 7000, 7001))
    frame = tagged(ethernet(parent.mac, target.mac, ETH_P_IP, packet), PRIORITY)
    with Capture(target.namespace) as capture:
        send(parent.namespace, [frame])
        until("it arrives", lambda: any(MARK in seen.frame and not seen.sent for seen in capture.read()), PATIENCE)


def test_a_trace_of_a_subport(world: Trunked) -> None:
    target = world.scene.machine("a2")
    question = {"port_id": world.other.port["id"], "packet": f"icmp dst={target.address}"}
    told = str(world.scene.blue.admin.call("POST", "/netplane/v1/trace", question).body)
    assert "DELIVER" in told
    assert f"port {world.other.port['id']} on network" in told


def test_a_subport_leaves(world: Trunked) -> None:
    """Last of all: it is down, its packets end, and the host knows nothing of it any more."""
    api, one, target = world.scene.blue.api, world.same, world.scene.machine("b1")
    assert one.ping(target.address, target.mac)
    path = f"/v2.0/trunks/{world.trunk['id']}/remove_subports"
    api.call("PUT", path, {"sub_ports": [{"port_id": one.port["id"]}]})
    until("it is down", lambda: api.show("port", one.port["id"])["status"] == "DOWN", 10)
    assert not one.ping(target.address, target.mac, seconds=0.3)
    assert world.other.ping(world.scene.machine("a2").address, world.scene.machine("a2").mac)
    api.delete("trunk", world.trunk["id"])
    for gone in (one, world.other):
        until("it is down", lambda id=gone.port["id"]: api.show("port", id)["status"] == "DOWN", 10)  # type: ignore[misc]
    tables = world.scene.blue.admin.read_tables(world.scene.machine("a1").host.name)
    assert not [entry for entry in tables["port"] if "vlan=0 " not in entry]
    assert not [entry for entry in tables["device"] if "vlan=0 " not in entry]
    assert not world.scene.machine("a1").ping(world.scene.machine("b2").address).lost
