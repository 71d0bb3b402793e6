"""What machines and hosts try to get past the datapath with: real packets, kept as they were when they were tried."""

import ctypes
import fcntl
import socket
import struct
import time
from pathlib import Path

from netplane.lab import Machine
from netplane.lab.demo.scene import Scene
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import (
    ETH_P_IP,
    Capture,
    checksum,
    containing,
    echo_request,
    ethernet,
    ipv4,
    send,
    send_vxlan,
)
from netplane.tables.decisions import PACES, Punt

MARK = b"an attack in progress"
SETTLE = 0.2
FLOOD, NEIGHBOURS = 100_000, 18
"""Requests of the flooder, and of its neighbour meanwhile: fewer than one may send at once."""
SIOCGIFHWADDR, SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8927, 0x8946, 0x17
UDP = 17


def gateway_mac(machine: Machine) -> str:
    """The MAC address of the router on a machine's network, as the machine has learnt it."""
    address = machine.address.rpartition(".")[0] + ".1"
    assert machine.ping(address, count=1).lost == 0
    with inside(machine.namespace):
        lines = Path("/proc/thread-self/net/arp").read_text().splitlines()
    return next(line.split()[3] for line in lines if line.startswith(f"{address} "))


def udp(data: bytes, sport: int = 5000, dport: int = 6000) -> bytes:
    """A datagram without a checksum."""
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def udp_frame(sender: Machine, mac: str, target: str, *, source: str | None = None, ttl: int = 64) -> bytes:
    """A marked datagram to an address by way of a MAC address."""
    return ethernet(sender.mac, mac, ETH_P_IP, ipv4(source or sender.address, target, UDP, udp(MARK), ttl))


def ask_device(machine: Machine, request: int, argument: bytes) -> bytes:
    """An ioctl on the host's end of a machine's device; the 16 bytes behind its name afterwards."""
    with inside(machine.host.namespace):
        control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with control:
        return fcntl.ioctl(control, request, struct.pack("16s16s8x", machine.device.encode(), argument))[16:32]


def switch_checksums_off(machine: Machine) -> None:
    """Have the host's end of a machine's device finish checksums, as for a guest that cannot take unfinished ones."""
    value = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_STXCSUM, 0))
    ask_device(machine, SIOCETHTOOL, struct.pack("P", ctypes.addressof(value)))


def test_the_routers_errors_are_right_for_a_machine_that_finishes_its_own_checksums(world: Scene) -> None:
    machine = world.machine("b1")
    switch_checksums_off(machine)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with Capture(machine.namespace) as capture:
            with inside(machine.namespace):
                client = socket.socket(socket.AF_INET, kind)
            with client:
                client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
                client.setblocking(False)
                client.connect_ex(("10.0.1.12", 7001))
                if kind is socket.SOCK_DGRAM:
                    client.send(MARK)
                time.sleep(SETTLE)
            errors = [seen.frame for seen in capture.received(lambda frame: frame[23] == 1 and frame[34] == 11)]
        assert errors
        for frame in errors:
            length = int.from_bytes(frame[16:18], "big")
            assert checksum(frame[34 : 14 + length]) == 0


def test_what_must_reach_nobody(world: Scene) -> None:
    liar, target, far = world.machine("a1"), world.machine("a2"), world.machine("b2")
    router = gateway_mac(liar)
    frames = [
        udp_frame(liar, target.mac, "10.0.1.255"),
        udp_frame(liar, target.mac, "255.255.255.255"),
        udp_frame(liar, target.mac, "224.0.0.251"),
        udp_frame(liar, target.mac, "127.0.0.1"),
        udp_frame(liar, target.mac, "0.0.0.0"),
        udp_frame(liar, target.mac, far.address),
        udp_frame(liar, "ff:ff:ff:ff:ff:ff", target.address),
        udp_frame(liar, "01:00:5e:00:00:fb", target.address),
        udp_frame(liar, target.mac, target.address, source="127.0.0.1"),
        udp_frame(liar, target.mac, target.address, source="0.0.0.0"),
        udp_frame(liar, target.mac, target.address, source="10.0.1.255"),
        udp_frame(liar, target.mac, target.address, source="10.0.1.1"),
        udp_frame(liar, target.mac, target.address, source=target.address),
        udp_frame(liar, router, "10.0.2.255"),
        udp_frame(liar, router, "127.0.0.1"),
        udp_frame(liar, router, far.address, ttl=1),
        udp_frame(liar, router, far.address, ttl=0),
        *(
            ethernet(liar.mac, target.mac, kind, ipv4(liar.address, target.address, UDP, udp(MARK)))
            for kind in (0x86DD, 0x88CC, 0x8847, 0x8863, 0x0100, 0x88A8, 0x9100)
        ),
    ]
    captures = [Capture(machine.namespace) for machine in world.machines if machine is not liar]
    send(liar.namespace, frames * 2)
    time.sleep(SETTLE)
    for capture in captures:
        with capture:
            assert [seen.frame.hex() for seen in capture.received(containing(MARK))] == []


def test_no_errors_about_packets_to_groups(world: Scene) -> None:
    """RFC 1122, section 3.2.2, and RFC 1812, section 4.3.2.7."""
    sender = world.machine("a1")
    router = gateway_mac(sender)
    with Capture(sender.namespace) as capture:
        send(sender.namespace, [udp_frame(sender, router, to) for to in ("224.0.0.251", "255.255.255.255")])
        time.sleep(SETTLE)
        assert capture.received(lambda frame: frame[23] == 1) == []
        send(sender.namespace, [udp_frame(sender, router, "198.51.100.1")])
        time.sleep(SETTLE)
        assert len(capture.received(lambda frame: frame[23] == 1)) == 1


def test_the_host_itself_is_out_of_reach(world: Scene) -> None:
    machine = world.machine("a1")
    own = ask_device(machine, SIOCGIFHWADDR, b"")[2:8].hex(":")
    request = ipv4(machine.address, machine.host.address, 1, echo_request(7, MARK))
    with Capture(machine.host.namespace, machine.device) as host, Capture(machine.namespace) as capture:
        send(machine.namespace, [ethernet(machine.mac, own, ETH_P_IP, request)] * 3)
        time.sleep(SETTLE)
        assert capture.received(containing(MARK)) == []
        # By IPv6 routers may be announced meanwhile, as ever.
        assert [seen for seen in host.read() if seen.sent and seen.frame[12:14] != b"\x86\xdd"] == []


def test_the_way_back_through_the_router_to_the_same_network(world: Scene) -> None:
    sender, target = world.machine("a1"), world.machine("a3")
    with Capture(target.namespace) as capture:
        send(sender.namespace, [udp_frame(sender, gateway_mac(sender), target.address)])
        time.sleep(SETTLE)
        [seen] = capture.received(containing(MARK))
    assert seen.frame[22] == 63


def test_options_and_padding_are_carried_as_they_are(world: Scene) -> None:
    sender, target = world.machine("a1"), world.machine("a3")
    plain = ipv4(sender.address, target.address, UDP, udp(MARK))
    head = bytearray(b"\x47" + plain[1:2] + struct.pack("!H", len(plain) + 8) + plain[4:10] + bytes(2) + plain[12:20])
    head += b"\x83\x07\x04\x0a\x00\x02\x0c\x00"
    head[10:12] = struct.pack("!H", checksum(bytes(head)))
    frame = ethernet(sender.mac, target.mac, ETH_P_IP, bytes(head) + plain[20:]) + bytes(11)
    with Capture(target.namespace) as capture:
        send(sender.namespace, [frame])
        time.sleep(SETTLE)
        assert [seen.frame for seen in capture.received(containing(MARK))] == [frame]


def test_a_host_cannot_wrap_what_machines_cannot_send(world: Scene) -> None:
    """Its own machine's packets are believed; everything else that it puts into the tunnel is not."""
    own, target = world.machine("b2"), world.machine("b1")
    network = world.blue.admin.show("network", world.blue.segments["right"].network)
    vni = int(network["provider:segmentation_id"])
    good = udp_frame(own, target.mac, target.address)
    bad = [
        good[:12] + struct.pack("!HH", 0x8100, 5) + good[12:],
        ethernet(own.mac, "ff:ff:ff:ff:ff:ff", ETH_P_IP, good[14:]),
        ethernet(own.mac, target.mac, 0x86DD, good[14:]),
        good[:20] + b"\x20\x00" + good[22:],
        udp_frame(own, target.mac, "10.0.2.255"),
        udp_frame(own, target.mac, target.address, source="10.0.2.1"),
        udp_frame(own, gateway_mac(own), "10.0.2.1"),
        good[:40],
    ]
    with Capture(target.namespace) as capture:
        for number, frame in enumerate(bad):
            send_vxlan(own.host.namespace, target.host.address, vni, [frame])
            time.sleep(SETTLE / 4)
            assert capture.received(containing(MARK[:6])) == [], number
        send_vxlan(own.host.namespace, target.host.address, vni, [good])
        time.sleep(SETTLE)
        assert len(capture.received(containing(MARK))) == 1


def test_one_machine_does_not_keep_others_from_dhcp(world: Scene) -> None:
    """Of a neighbour's requests every single one is answered, of the flood no more than its share."""
    flooder, other = world.machine("a1"), world.machine("a2")
    flood, asked, pace = dhcp_discover(flooder), dhcp_discover(other), PACES[Punt.DHCP]
    at_flooder = 0
    with inside(flooder.namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with wire, Capture(other.namespace) as capture, Capture(flooder.namespace) as own:
        wire.bind(("eth0", 0))
        began = time.monotonic()
        for number in range(FLOOD):
            wire.send(flood)
            if number % (FLOOD // NEIGHBOURS) == FLOOD // NEIGHBOURS - 1:
                send(other.namespace, [asked])
                at_flooder += len(own.received(is_offer))
        lasted = time.monotonic() - began
        time.sleep(SETTLE)
        answers = len(capture.received(is_offer))
        at_flooder += len(own.received(is_offer))
    assert answers == NEIGHBOURS
    assert 0 < at_flooder <= (pace.burst + (lasted + SETTLE) * 1e9) / pace.pause + 1


def is_offer(frame: bytes) -> bool:
    """Whether a frame comes from a DHCP server."""
    return frame[23] == UDP and frame[34:36] == b"\0\x43"


def dhcp_discover(machine: Machine) -> bytes:
    """What a DHCP client says first."""
    mac = bytes.fromhex(machine.mac.replace(":", ""))
    bootp = b"\1\1\6\0" + b"abcd" + bytes(20) + mac + bytes(10 + 192) + b"\x63\x82\x53\x63" + b"\x35\x01\x01\xff"
    return ethernet(
        machine.mac, "ff:ff:ff:ff:ff:ff", ETH_P_IP, ipv4("0.0.0.0", "255.255.255.255", UDP, udp(bootp, 68, 67))
    )
