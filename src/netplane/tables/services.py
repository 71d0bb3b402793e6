"""SERVICE: packets to the host's services for its machines, and what those answer.

The services know a machine by an address that no other machine of the host has, its peer: it stands in the packet
instead of the machine's own, and everything else stays as it is.
"""

from netplane.base.addresses import MAPPED
from netplane.tables import lookup
from netplane.tables.decisions import Service
from netplane.tables.packet import ETHERNET, TCP, UDP, Packet, adjusted
from netplane.tables.run import Run

ADDRESS = MAPPED + int(Service.ADDRESS).to_bytes(4, "big")
MAC = int(Service.MAC).to_bytes(6, "big")
SOURCE, DESTINATION = 12, 16
"""Where the addresses stand in an IPv4 header."""

CHECKSUMS = {TCP: 16, UDP: 6}
"""Where the checksum stands in the transport header."""


def is_for_service(run: Run, vni: int, packet: Packet) -> bool:
    """Whether a machine's packet is for the host's services: at their own address, or at its network's resolvers."""
    if packet.protocol not in CHECKSUMS or packet.is_ipv6:
        return False
    if packet.dport == Service.METADATA:
        return packet.destination == ADDRESS and packet.protocol == TCP
    if packet.dport != Service.DNS:
        return False
    return packet.destination == ADDRESS or lookup.resolver(run.entries, vni, packet.destination)


def to_service(frame: bytes, packet: Packet, peer: bytes) -> bytes:
    """The frame as the services get it: from the machine's peer."""
    return MAC + frame[6:ETHERNET] + _readdressed(frame, packet, SOURCE, peer)


def from_service(frame: bytes, packet: Packet, mac: bytes, address: bytes) -> bytes:
    """The frame as a machine gets it: to its own address."""
    return mac + MAC + frame[12:ETHERNET] + _readdressed(frame, packet, DESTINATION, address)


def _readdressed(frame: bytes, packet: Packet, at: int, address: bytes) -> bytes:
    """The packet with another address of its own; the checksums stay as right as they were (RFC 1624)."""
    ip = bytearray(frame[ETHERNET:])
    before, after = bytes(ip[at : at + 4]), address[12:]
    ip[at : at + 4] = after
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
    """A checksum after two words have changed."""
    for at in (0, 2):
        old, new = (int.from_bytes(words[at : at + 2], "big") for words in (before, after))
        checksum = adjusted(int.from_bytes(checksum, "big"), old, new)
    return checksum
