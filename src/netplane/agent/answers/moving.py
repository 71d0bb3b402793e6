"""Addresses that move between ports: what a machine says of it, and what the others of its network are told.

Pure: frames in, words out, and back. Machines believe gratuitous ARP (RFC 5944, section 4.6) and unsolicited neighbour
advertisements (RFC 4861, section 7.2.6) and forget what they had known of the address.
"""

from ipaddress import IPv6Address
from struct import pack
from typing import NamedTuple

from netplane.agent.answers.frames import BROADCAST_MAC, ETHERTYPE_ARP, arp_request, checksum, ethernet
from netplane.base.addresses import is_ipv4, unpack_address, unpack_mac

ETHERTYPE_IPV6 = 0x86DD
ICMPV6, ADVERTISEMENT, OVERRIDE = 58, 136, 0x20000000
ALL_NODES = IPv6Address("ff02::1").packed
ALL_NODES_MAC = bytes.fromhex("333300000001")


class Said(NamedTuple):
    """What a machine says it has."""

    address: str
    mac: str


def read(frame: bytes) -> Said | None:
    """What a punted frame says; None if it is not understood."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ETHERTYPE_ARP and len(frame) >= 42:
        return Said(unpack_address(bytes(10) + b"\xff\xff" + frame[28:32]), unpack_mac(frame[6:12]))
    if kind == ETHERTYPE_IPV6 and len(frame) >= 78 and frame[20] == ICMPV6 and frame[54] == ADVERTISEMENT:
        return Said(unpack_address(frame[62:78]), unpack_mac(frame[6:12]))
    return None


def write(address: bytes, mac: bytes) -> bytes:
    """What tells machines that an address (16 bytes) is at a MAC address now."""
    if is_ipv4(address):
        return ethernet(BROADCAST_MAC, mac, ETHERTYPE_ARP, arp_request(mac, address[12:], address[12:]))
    message = pack("!BBHI", ADVERTISEMENT, 0, 0, OVERRIDE) + address + pack("!BB", 2, 1) + mac
    pseudo = address + ALL_NODES + pack("!II", len(message), ICMPV6)
    message = message[:2] + pack("!H", checksum(pseudo + message)) + message[4:]
    header = pack("!IHBB", 6 << 28, len(message), ICMPV6, 255) + address + ALL_NODES
    return ethernet(ALL_NODES_MAC, mac, ETHERTYPE_IPV6, header + message)
