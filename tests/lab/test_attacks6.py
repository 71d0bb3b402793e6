"""Attacks by IPv6's headers, by the tunnel, on the host's services, and by DHCP next door: real packets.

host 1             host 2
left       a1  a2             a3            2001:db8:1::/64 (slaac), 10.0.1.0/24, and 10.0.9.0/24 without DHCP
"""

import struct
import time
from collections.abc import Iterator

import pytest

from netplane.agent.answers.frames import ETHERTYPE_IPV6, UDP, ethernet, ipv6, udp
from netplane.base.addresses import pack_address, pack_mac
from netplane.lab import Lab, Machine
from netplane.lab.autoconfiguration import read_addresses
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.namespace import batch
from netplane.lab.traffic import frames
from netplane.lab.traffic.frames import Capture, containing, send, send_vxlan
from netplane.lab.wait import until
from netplane.tables.decisions import Service
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tatt6")
MARK = b"an attack by IPv6 in progress"
SETTLE = 0.3
TO_ALL = "ff:ff:ff:ff:ff:ff"
HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS = 0, 43, 44, 60
SERVICES_MAC = int(Service.MAC).to_bytes(6, "big").hex(":")


@pytest.fixture(scope="module")
def blue() -> Iterator[Tenant]:
    """Machines that have their addresses; `out` is on a subnet where nobody answers DHCP."""
    with Lab(PREFIX, 2, ["blue"]) as lab:
        lab.start()
        blue = Tenant(lab, "blue")
        blue.add_router()
        left = blue.add_segment("left", "10.0.1", ipv6="2001:db8:1")
        one, other = lab.host_list
        blue.add_machines({"a1": ("left", "10.0.1.11", one), "a2": ("left", "10.0.1.12", one)})
        blue.add_machines({"a3": ("left", "10.0.1.13", other)})
        silent = blue.api.create(
            "subnet", network_id=left.network, ip_version=4, cidr="10.0.9.0/24", enable_dhcp=False, gateway_ip=None
        )
        port = blue.admin.create(
            "port",
            network_id=left.network,
            project_id=blue.project,
            fixed_ips=[{"subnet_id": silent["id"], "ip_address": "10.0.9.5"}],
            binding__host_id=one.name,
        )
        (blue.machines["out"],) = lab.add_machines({"blue-out": (one, to_plug(port))})
        blue.admin.settle()
        for name in ("a1", "a2", "a3"):
            configure(blue.machines[name])
        batch(["link set eth0 up", "address add 10.0.9.5/24 dev eth0"], blue.machines["out"].namespace)
        yield blue
    assert read_leftovers(PREFIX) == []


def configure(machine: Machine) -> None:
    machine.obtain()
    until(f"{machine.name} has its address", lambda: read_addresses(machine.namespace) == [machine.ipv6], 15)


def arrived(sender: Machine, receivers: list[Machine], sent: list[bytes]) -> int:
    """How many marked frames any of the receivers gets."""
    captures = [Capture(receiver.namespace) for receiver in receivers]
    send(sender.namespace, sent)
    time.sleep(SETTLE)
    count = 0
    for capture in captures:
        with capture:
            count += len(capture.received(containing(MARK)))
    return count


def options(following: int) -> bytes:
    """An extension header of eight bytes that says nothing."""
    return bytes((following, 0, 1, 4, 0, 0, 0, 0))


def piece(following: int, place: int, *, more: bool, number: int = 7) -> bytes:
    """A fragment header; `place` in units of eight bytes."""
    return struct.pack("!BxHI", following, place << 3 | more, number)


def frame(sender: Machine, receiver: Machine, protocol: int, payload: bytes, source: str = "", to: str = "") -> bytes:
    packet = ipv6(pack_address(source or sender.ipv6), pack_address(to or receiver.ipv6), protocol, payload, hops=64)
    return ethernet(pack_mac(receiver.mac), pack_mac(sender.mac), ETHERTYPE_IPV6, packet)


def datagram(sender: Machine, receiver: Machine, port: int = 6000) -> bytes:
    return udp(pack_address(sender.ipv6), pack_address(receiver.ipv6), 5000, port, MARK.ljust(64, b"."))


@pytest.fixture
def strict(blue: Tenant) -> Iterator[None]:
    """`a2` and `a3` hear nothing but UDP to port 6000 by IPv6."""
    group = blue.api.create("security_group", name="strict")["id"]
    rule = {"direction": "ingress", "ethertype": "IPv6", "protocol": "udp"}
    blue.api.create("security_group_rule", security_group_id=group, port_range_min=6000, port_range_max=6000, **rule)
    ports = [blue.machines[name].plug.port for name in ("a2", "a3")]
    (default,) = (one["id"] for one in blue.api.find("security_group") if one["name"] == "default")
    for port in ports:
        blue.api.update("port", port, security_groups=[group])
    blue.api.settle()
    yield
    for port in ports:
        blue.api.update("port", port, security_groups=[default])
    blue.api.delete("security_group", group)
    blue.api.settle()


@pytest.mark.parametrize("name", ["a2", "a3"])
def test_extension_headers_lead_around_no_rule(blue: Tenant, strict: None, name: str) -> None:
    liar, target = blue.machines["a1"], blue.machines[name]
    allowed, refused = datagram(liar, target), datagram(liar, target, 22)
    rest = MARK.ljust(64, b".")
    v4 = frames.ipv4("10.0.1.11", target.address, UDP, frames.udp(MARK, 5000, 6000))
    tricks = [
        (OPTIONS, options(UDP) + refused),
        (OPTIONS, options(OPTIONS) * 7 + options(UDP) + refused),
        (OPTIONS, options(OPTIONS) * 20 + options(UDP) + allowed),
        (OPTIONS, options(HOP_BY_HOP) + options(UDP) + allowed),
        (OPTIONS, bytes((UDP, 255, 1, 4, 0, 0, 0, 0)) + allowed),
        (ROUTING, bytes((UDP, 2, 0, 1, 0, 0, 0, 0)) + pack_address(liar.ipv6) + allowed),
        (4, v4),
        (41, ipv6(pack_address(liar.ipv6), pack_address(target.ipv6), UDP, allowed, hops=64)),
        (51, bytes((UDP, 1)) + bytes(10) + allowed),
        (59, allowed),
        (FRAGMENT, piece(OPTIONS, 0, more=True) + options(UDP)),
        (FRAGMENT, piece(UDP, 1, more=False) + rest),
        (FRAGMENT, piece(UDP, 0, more=True) + refused),
        (FRAGMENT, piece(UDP, len(refused) // 8, more=False) + rest),
        (FRAGMENT, piece(FRAGMENT, 0, more=False) + piece(UDP, 0, more=False) + allowed),
        (FRAGMENT, piece(UDP, 0, more=True)[:8] + refused[:4] + MARK),
    ]
    for number, (protocol, payload) in enumerate(tricks):
        assert arrived(liar, [target], [frame(liar, target, protocol, payload)]) == 0, number
    assert arrived(liar, [target], [frame(liar, target, OPTIONS, options(UDP) + allowed)]) == 1


def test_no_fragment_writes_over_the_first(blue: Tenant, strict: None) -> None:
    liar, target = blue.machines["a1"], blue.machines["a3"]
    clean = udp(pack_address(liar.ipv6), pack_address(target.ipv6), 5000, 6000, b"." * 64)
    first = frame(liar, target, FRAGMENT, piece(UDP, 0, more=True, number=9) + clean)
    over = [
        frame(liar, target, FRAGMENT, piece(protocol, place, more=False, number=number) + MARK.ljust(64, b"."))
        for protocol, place, number in ((UDP, 1, 9), (UDP, 8, 9), (6, 8, 9), (UDP, 9, 10), (UDP, 9, 9 + 64))
    ]
    assert arrived(liar, [target], [first, *over]) == 0
    behind = frame(liar, target, FRAGMENT, piece(UDP, 9, more=False, number=9) + MARK.ljust(64, b"."))
    assert arrived(liar, [target], [behind]) == 1
    another = frame(liar, blue.machines["a2"], FRAGMENT, piece(UDP, 9, more=False, number=9) + MARK.ljust(64, b"."))
    assert arrived(liar, [blue.machines["a2"]], [another]) == 0


def test_ipv4_does_not_travel_in_ipv6s_clothes(blue: Tenant) -> None:
    liar, target = blue.machines["a1"], blue.machines["a2"]
    sent = [
        frame(liar, target, UDP, datagram(liar, target), source, to)
        for source, to in (
            (f"::ffff:{liar.address}", f"::ffff:{target.address}"),
            (liar.ipv6, f"::ffff:{target.address}"),
            (f"::ffff:{liar.address}", target.ipv6),
            (f"::{liar.address}", target.ipv6),
            ("::", target.ipv6),
            ("::1", target.ipv6),
            ("ff02::1", target.ipv6),
        )
    ]
    assert arrived(liar, [target], sent) == 0
    assert arrived(liar, [target], [frame(liar, target, UDP, datagram(liar, target))]) == 1


def test_hosts_send_to_groups_in_their_own_machines_names_only(blue: Tenant) -> None:
    """What reaches one host's tunnel for all, from another: from a machine of its own, once; never sent on, or back."""
    own, here, there = blue.machines["a1"], blue.machines["a2"], blue.machines["a3"]
    vni, host = blue.segments["left"].vni, own.host

    def to_all(source: str, mac: str) -> bytes:
        packet = frames.ipv4(source, "255.255.255.255", UDP, frames.udp(MARK, 5000, 6000), 1)
        return frames.ethernet(mac, TO_ALL, frames.ETH_P_IP, packet)

    def to_all6(source: str, mac: str) -> bytes:
        told = udp(pack_address(source), pack_address("ff02::1"), 5000, 6000, MARK)
        packet = ipv6(pack_address(source), pack_address("ff02::1"), UDP, told, hops=1)
        return ethernet(bytes.fromhex("333300000001"), pack_mac(mac), ETHERTYPE_IPV6, packet)

    for number, (forged, by) in enumerate(
        (
            (to_all(there.address, there.mac), vni),
            (to_all(own.address, there.mac), vni),
            (to_all("10.0.1.1", own.mac), vni),
            (to_all("0.0.0.0", own.mac), vni),
            (to_all(own.address, own.mac), vni + 1),
            (to_all(own.address, own.mac), 0xFFFFFF),
            (to_all6(there.ipv6, there.mac), vni),
            (to_all6("fe80::1", own.mac), vni),
            (to_all6("::", own.mac), vni),
        )
    ):
        captures = [Capture(machine.namespace) for machine in (here, there)]
        send_vxlan(host.namespace, there.host.address, by, [forged])
        time.sleep(SETTLE)
        for capture in captures:
            with capture:
                assert capture.received(containing(MARK)) == [], number
    captures = [Capture(machine.namespace) for machine in (own, here, there)]
    send_vxlan(host.namespace, there.host.address, vni, [to_all(own.address, own.mac), to_all6(own.ipv6, own.mac)])
    time.sleep(SETTLE)
    counts = []
    for capture in captures:
        with capture:
            counts.append(len(capture.received(containing(MARK))))
    assert counts == [0, 0, 2]


def test_nobody_plays_the_hosts_services(blue: Tenant) -> None:
    """Neither their address nor their peers' is anybody's to speak from; nothing of theirs but names and metadata."""
    liar, target = blue.machines["a1"], blue.machines["a2"]
    asked = frames.udp(MARK, 53, 53)
    sent = [
        frames.ethernet(liar.mac, mac, frames.ETH_P_IP, frames.ipv4(source, to, UDP, asked))
        for mac in (SERVICES_MAC, target.mac, TO_ALL)
        for source in ("169.254.169.254", "240.0.0.1", "240.0.0.16", "100.64.0.1")
        for to in (target.address, "169.254.169.254", "240.0.0.1", "240.0.0.16")
    ]
    sent += [
        frames.ethernet(liar.mac, SERVICES_MAC, frames.ETH_P_IP, frames.ipv4(liar.address, to, UDP, told))
        for to in ("240.0.0.1", "240.0.0.16", "127.0.0.1", target.address, "169.254.169.254")
        for told in (asked, frames.udp(MARK, 53, 22), frames.udp(MARK, 53, 80))
    ]
    inside = Capture(liar.host.namespace, "np-serve")
    with inside:
        assert arrived(liar, [target, blue.machines["a3"]], sent) == 0
        passed = [seen for seen in inside.read() if MARK in seen.frame]
        assert {(seen.frame[30:34], seen.frame[36:38]) for seen in passed} <= {(b"\xa9\xfe\xa9\xfe", b"\0\x35")}


def test_no_machine_answers_dhcp_next_door(blue: Tenant) -> None:
    """Not even one whose own subnet has no DHCP: neighbours on other subnets of the network hear it too."""
    liar, others = blue.machines["out"], [blue.machines[name] for name in ("a1", "a2", "a3")]
    packet = frames.ipv4("10.0.9.5", "255.255.255.255", UDP, frames.udp(MARK, 67, 68))
    said = frames.ipv4("10.0.9.5", "255.255.255.255", UDP, frames.udp(MARK, 67, 69))
    assert arrived(liar, others, [frames.ethernet(liar.mac, TO_ALL, frames.ETH_P_IP, packet)]) == 0
    assert arrived(liar, others, [frames.ethernet(liar.mac, TO_ALL, frames.ETH_P_IP, said)]) == len(others)
