"""As whom the host's services see the machines: an address for each address of each port, told by its slot.

    240.0.0.0 + 16 * slot + which of the port's IPv4 addresses
    100:0:0:1:: + 16 * slot + which of its IPv6 addresses, the link-local one being the first

A slot is the ifindex of the port's device; of a trunk's subport, a number in the upper half, drawn from ifindex and
VLAN id. Two subports of a host hardly ever draw the same; then only one of them is served.

In the services' namespace nobody else has addresses of these ranges (RFC 1112, section 4, and RFC 9780 reserve them),
and no resolver has. There the services' own IPv6 address is 100::a9fe:a9fe: a link-local one would be one device's.
"""

from ipaddress import IPv4Network, IPv6Address, IPv6Network
from struct import pack
from zlib import crc32

from netplane.base.addresses import MAPPED, is_ipv4

RANGE, RANGE_V6 = IPv4Network("240.0.0.0/4"), IPv6Network("100:0:0:1::/64")
INSIDE_V6 = IPv6Address("100::a9fe:a9fe")
_FIRST, _FIRST_V6 = int(RANGE.network_address), int(RANGE_V6.network_address)
ADDRESSES = 16
"""Addresses of one machine in each family that are told apart; further ones are not served."""

DEVICES = range(1, RANGE.num_addresses // ADDRESSES - 1)
"""Slots that there are addresses for; the last one's would be everybody's."""

TAGGED = len(DEVICES) // 2 + 1
"""The first slot of subports."""


def slot_of(ifindex: int, vlan: int) -> int:
    """The slot of a port whose frames have a VLAN id on a device; 0 for no tag."""
    return TAGGED + crc32(pack("!IH", ifindex, vlan)) % (DEVICES.stop - TAGGED) if vlan else ifindex


def peer_of(slot: int, which: int, *, ipv6: bool = False) -> bytes:
    """As whom an address of a port is seen, 16 bytes; ValueError if there is no address left."""
    if slot not in DEVICES or which not in range(ADDRESSES):
        raise ValueError(f"there is no peer for address {which} of slot {slot}")
    number = slot * ADDRESSES + which
    return (_FIRST_V6 + number).to_bytes(16, "big") if ipv6 else MAPPED + (_FIRST + number).to_bytes(4, "big")


def seen_slot(peer: bytes) -> int:
    """The slot of the port that is seen under an address (16 bytes); 0 if that is nobody."""
    whole = RANGE if is_ipv4(peer) else RANGE_V6
    number = int.from_bytes(peer[-whole.max_prefixlen // 8 :], "big") - int(whole.network_address)
    return number // ADDRESSES if number in range(whole.num_addresses) else 0
