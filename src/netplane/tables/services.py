"""SERVICE: packets to the host's services for its machines, and what those answer.

The services know a machine by an address that no other machine of the host has, its peer: it stands in the packet
instead of the machine's own. Of IPv6 the services' own address is changed too, since they have no link-local one.
"""

from typing import NamedTuple

from netplane.base.addresses import MAPPED
from netplane.tables import lookup
from netplane.tables.decisions import Service
from netplane.tables.packet import ETHERNET, TCP, UDP, Packet, adjusted
from netplane.tables.peers import INSIDE_V6
from netplane.tables.run import Run

ADDRESS = MAPPED + int(Service.ADDRESS).to_bytes(4, "big")
ADDRESS_V6 = b"\xfe\x80" + bytes(10) + int(Service.ADDRESS).to_bytes(4, "big")
MAC = int(Service.MAC).to_bytes(6, "big")
CHECKSUMS = {TCP: 16, UDP: 6}
"""Where the checksum stands in the transport header."""


class Ends(NamedTuple):
    """Where the addresses stand in an IP header, and how long they are."""

    source: int
    destination: int
    size: int


IPV4, IPV6 = Ends(12, 16, 4), Ends(8, 24, 16)


def is_for_service(run: Run, vni: int, packet: Packet) -> bool:
    """Whether a machine's packet is for the host's services: at their own address, or at its network's resolvers."""
    if packet.protocol not in CHECKSUMS or packet.dport not in (Service.DNS, Service.METADATA):
        return False
    is_ours = packet.destination == (ADDRESS_V6 if packet.is_ipv6 else ADDRESS)
    if packet.dport == Service.METADATA:
        return is_ours and packet.protocol == TCP
    return is_ours or (not packet.is_ipv6 and lookup.resolver(run.entries, vni, packet.destination))


def to_service(frame: bytes, packet: Packet, peer: bytes) -> bytes:
    """The frame as the services get it: from the machine's peer."""
    ends = IPV6 if packet.is_ipv6 else IPV4
    ip = _readdressed(frame[ETHERNET:], packet, ends.source, peer[-ends.size :])
    if packet.is_ipv6:
        ip = _readdressed(ip, packet, ends.destination, INSIDE_V6.packed)
    return MAC + frame[6:ETHERNET] + ip


def from_service(frame: bytes, packet: Packet, mac: bytes, address: bytes) -> bytes:
    """The frame as a machine gets it: to its own address."""
    ends = IPV6 if packet.is_ipv6 else IPV4
    ip = _readdressed(frame[ETHERNET:], packet, ends.destination, address[-ends.size :])
    if packet.is_ipv6:
        ip = _readdressed(ip, packet, ends.source, ADDRESS_V6)
    return mac + MAC + frame[12:ETHERNET] + ip


def _readdressed(packed: bytes, packet: Packet, at: int, after: bytes) -> bytes:
    """The packet with another address of its own; the checksums stay as right as they were (RFC 1624)."""
    ip = bytearray(packed)
    before = bytes(ip[at : at + len(after)])
    ip[at : at + len(after)] = after
    if not packet.is_ipv6:
        ip[10:12] = _sum_with(bytes(ip[10:12]), before, after)
    if not packet.offset:  # Only the first fragment has a transport header.
        place = packet.header + CHECKSUMS[packet.protocol]
        told = bytes(ip[place : place + 2])
        # RFC 768: zero means that there is none, so that a sum of zero is written as all ones.
        if packet.protocol != UDP or any(told):
            changed = _sum_with(told, before, after)
            ip[place : place + 2] = changed if packet.protocol != UDP or any(changed) else b"\xff\xff"
    return bytes(ip)


def _sum_with(checksum: bytes, before: bytes, after: bytes) -> bytes:
    """A checksum after some words have changed."""
    for at in range(0, len(before), 2):
        old, new = (int.from_bytes(words[at : at + 2], "big") for words in (before, after))
        checksum = adjusted(int.from_bytes(checksum, "big"), old, new)
    return checksum
