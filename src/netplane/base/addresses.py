"""Addresses as the tables hold them.

Every IP address is 16 bytes in network order, IPv4 in its IPv4-mapped form (RFC 4291, section 2.5.5.2), so that
one table and one code path serves both families. A prefix is the 16 bytes of its network and its length in those
128 bits: an IPv4 /24 has length 120.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MAPPED = bytes(10) + b"\xff\xff"
"""The first 12 bytes of every IPv4 address."""

MAPPED_BITS = 96
NO_ADDRESS = bytes(16)
LINK_LOCAL = bytes.fromhex("fe80") + bytes(14)
"""The prefix fe80::/64 that interfaces make addresses of for their own link (RFC 4291, section 2.5.6)."""

NO_MAC = bytes(6)


@lru_cache(maxsize=4096)
def pack_address(text: str) -> bytes:
    """16 bytes of an address in text form; ValueError if it is none."""
    address = ip_address(text)
    return MAPPED + address.packed if isinstance(address, IPv4Address) else address.packed


def unpack_address(packed: bytes) -> str:
    """The text form of 16 bytes."""
    if packed[:12] == MAPPED:
        return str(IPv4Address(packed[12:]))
    return str(IPv6Address(packed))


def is_ipv4(packed: bytes) -> bool:
    """Whether 16 bytes hold an IPv4 address."""
    return packed[:12] == MAPPED


@lru_cache(maxsize=65536)
def pack_prefix(text: str) -> tuple[bytes, int]:
    """A prefix in text form as (16 bytes of its network, length in 128 bits); ValueError if it is none."""
    network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    if isinstance(network, IPv4Network):
        return MAPPED + network.network_address.packed, MAPPED_BITS + network.prefixlen
    return network.network_address.packed, network.prefixlen


def unpack_prefix(packed: bytes, bits: int) -> str:
    """The text form of a packed prefix; `bits` counts within 128."""
    if packed[:12] == MAPPED and bits >= MAPPED_BITS:
        return f"{IPv4Address(packed[12:])}/{bits - MAPPED_BITS}"
    return f"{IPv6Address(packed)}/{bits}"


def prefix_contains(outer: tuple[bytes, int], inner: tuple[bytes, int]) -> bool:
    """Whether every address of `inner` lies in `outer`; both as `pack_prefix` gives them."""
    if outer[1] > inner[1]:
        return False
    shift = 128 - outer[1]
    return int.from_bytes(outer[0], "big") >> shift == int.from_bytes(inner[0], "big") >> shift


def pack_mac(text: str) -> bytes:
    """6 bytes of a MAC address written with colons; ValueError if it is none."""
    packed = bytes.fromhex(text.replace(":", ""))
    if len(packed) != 6:
        raise ValueError(f"not a MAC address: {text!r}")
    return packed


def unpack_mac(packed: bytes) -> str:
    """A MAC address in lower case with colons."""
    return packed.hex(":")


def eui64(prefix: bytes, mac: bytes) -> bytes:
    """The address that an interface makes of a /64, given as 16 bytes, and its MAC (RFC 4291, appendix A)."""
    return prefix[:8] + bytes((mac[0] ^ 0x02,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def link_local(mac: bytes) -> bytes:
    """The address that an interface has on its own link, if it makes it of its MAC."""
    return eui64(LINK_LOCAL, mac)
