"""Frames: making forged ones, and catching what arrives."""

import socket
import struct
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import NamedTuple

from netplane.lab.namespace import inside

ETH_P_ALL = 3
ETH_P_IP = 0x0800
ETH_P_ARP = 0x0806
ETH_P_8021Q = 0x8100
PACKET_OUTGOING = 4
VXLAN_PORT = 4789
BUFFER_BYTES = 4 << 20

SOL_PACKET, PACKET_AUXDATA = 263, 8
AUXDATA = struct.Struct("=3I4H")
"""`struct tpacket_auxdata` of linux/if_packet.h: the kernel has taken VLAN tags out of frames, and tells them here."""

TP_STATUS_VLAN_VALID = 1 << 4


class Seen(NamedTuple):
    """One captured frame."""

    frame: bytes
    sent: bool
    """Whether the machine sent it itself."""

    @property
    def ttl(self) -> int:
        """The TTL of an IPv4 packet."""
        return self.frame[22]

    @property
    def source(self) -> str:
        """The source address of an IPv4 packet."""
        return str(IPv4Address(self.frame[26:30]))


class Capture:
    """A packet socket on a device in a namespace; the kernel keeps what passes from the moment it is made."""

    def __init__(self, namespace: str, device: str = "eth0") -> None:
        with inside(namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.setblocking(False)

    def read(self) -> list[Seen]:
        """What has passed since the last call."""
        found: list[Seen] = []
        while True:
            try:
                frame, told, _, where = self._socket.recvmsg(65536, 256)
            except BlockingIOError:
                return found
            found.append(Seen(_with_tag(frame, told), where[2] == PACKET_OUTGOING))

    def received(self, wanted: Callable[[bytes], bool]) -> list[Seen]:
        """The frames since the last call that arrived from the network and are wanted."""
        return [seen for seen in self.read() if not seen.sent and wanted(seen.frame)]

    def close(self) -> None:
        """Let go of the device."""
        self._socket.close()

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _with_tag(frame: bytes, told: list[tuple[int, int, bytes]]) -> bytes:
    """A frame as it was on the wire."""
    for level, kind, data in told:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(data) >= AUXDATA.size:
            status, _, _, _, _, tci, _ = AUXDATA.unpack_from(data)
            if status & TP_STATUS_VLAN_VALID:
                return tagged(frame, tci & 0xFFF)
    return frame


def tagged(frame: bytes, vlan: int) -> bytes:
    """A frame with a VLAN tag (IEEE 802.1Q)."""
    return frame[:12] + struct.pack("!HH", ETH_P_8021Q, vlan) + frame[12:]


def containing(marker: bytes) -> Callable[[bytes], bool]:
    """Whether a frame carries these bytes anywhere."""
    return lambda frame: marker in frame


def send(namespace: str, frames: list[bytes], device: str = "eth0") -> None:
    """Put frames on a device as they are."""
    with inside(namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with wire:
        wire.bind((device, 0))
        for frame in frames:
            wire.send(frame)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(text: str) -> bytes:
    """Six bytes."""
    return bytes.fromhex(text.replace(":", ""))


def ethernet(source: str, destination: str, kind: int, payload: bytes) -> bytes:
    """An Ethernet frame; MAC addresses as text."""
    return mac(destination) + mac(source) + struct.pack("!H", kind) + payload


def ipv4(source: str, destination: str, protocol: int, payload: bytes, ttl: int = 64) -> bytes:
    """An IPv4 packet without options."""
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45, 0, 20 + len(payload), 0, 0, ttl, protocol, 0, IPv4Address(source).packed, IPv4Address(destination).packed,
    )  # fmt: skip
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def fragment(packet: bytes, number: int, size: int) -> list[bytes]:
    """An IPv4 packet without options in fragments of `size` bytes, a multiple of 8; `number` is its identification."""
    pieces = []
    for start in range(0, len(packet) - 20, size):
        payload = packet[20 + start : 20 + start + size]
        place = start // 8 | (0x2000 if 20 + start + size < len(packet) else 0)
        head = packet[:2] + struct.pack("!HHH", 20 + len(payload), number, place) + packet[8:10] + bytes(2)
        head += packet[12:20]
        pieces.append(head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload)
    return pieces


def udp(data: bytes, source: int, destination: int) -> bytes:
    """A UDP datagram without a checksum."""
    return struct.pack("!HHHH", source, destination, 8 + len(data), 0) + data


def echo_request(number: int, data: bytes) -> bytes:
    """An ICMP echo request; `number` is its identifier."""
    body = struct.pack("!BBHHH", 8, 0, 0, number, 1) + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmp_error(kind: int, code: int, about: bytes) -> bytes:
    """An ICMP error about a packet."""
    body = struct.pack("!BBHI", kind, code, 0, 0) + about
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def arp_reply(source_mac: str, source: str, target_mac: str, target: str) -> bytes:
    """The claim, unasked, that an address is at a MAC address."""
    return struct.pack(
        "!HHBBH6s4s6s4s",
        1, ETH_P_IP, 6, 4, 2, mac(source_mac), IPv4Address(source).packed, mac(target_mac), IPv4Address(target).packed,
    )  # fmt: skip


def vxlan(vni: int, frame: bytes) -> bytes:
    """The payload of a UDP datagram that carries a frame (RFC 7348)."""
    return struct.pack("!BxxxI", 0x08, vni << 8) + frame


def send_vxlan(namespace: str, target: str, vni: int, frames: list[bytes]) -> None:
    """Send frames as VXLAN datagrams from a host's namespace, as a compromised host would."""
    with inside(namespace):
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with wire:
        for frame in frames:
            wire.sendto(vxlan(vni, frame), (target, VXLAN_PORT))
