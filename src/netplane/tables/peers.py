"""As whom the host's services see the machines: an address for each address of each machine, told by its device.

    240.0.0.0 + 16 * ifindex + which of the machine's IPv4 addresses

In the services' namespace nobody else has addresses of that range (RFC 1112, section 4: reserved), and no resolver has.
"""

from ipaddress import IPv4Network

from netplane.base.addresses import MAPPED

RANGE = IPv4Network("240.0.0.0/4")
ADDRESSES = 16
"""IPv4 addresses of one machine that are told apart; further ones are not served."""

DEVICES = range(1, RANGE.num_addresses // ADDRESSES - 1)
"""Devices that there are addresses for; the last one's would be everybody's."""


def peer_of(ifindex: int, which: int) -> bytes:
    """As whom an address of the machine behind a device is seen, 16 bytes; ValueError if there is no address left."""
    if ifindex not in DEVICES or which not in range(ADDRESSES):
        raise ValueError(f"there is no peer for address {which} of device {ifindex}")
    return MAPPED + RANGE[ifindex * ADDRESSES + which].packed


def ifindex_of(peer: bytes) -> int:
    """The device of the machine that is seen under an address (4 or 16 bytes); 0 if that is nobody."""
    number = int.from_bytes(peer[-4:], "big") - int(RANGE.network_address)
    return max(number, 0) // ADDRESSES
