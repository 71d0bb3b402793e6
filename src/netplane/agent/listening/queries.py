"""General queries (RFC 3376, section 4.1; RFC 3810, section 5.1): who listens to whatever group?

Machines that know older versions only take them for theirs, as they stand (RFC 3376, section 7.2.1). Pure.
"""

from struct import pack

from netplane.agent.answers.frames import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ICMPV6, checksum, ethernet, group_mac, icmpv6
from netplane.agent.answers.link import PLATFORM_MAC
from netplane.base.addresses import link_local

ROBUSTNESS = 2
INTERVAL = 125
"""Seconds between queries (RFC 3376, section 8.2)."""

RESPONSE = 10.0
"""Seconds within which machines answer one (section 8.3)."""

HELD = ROBUSTNESS * INTERVAL + RESPONSE
"""Seconds after which who has not been heard of listens no more (section 8.4)."""

IGMP_QUERY, MLD_QUERY = 0x11, 130
ALL_SYSTEMS, ALL_SYSTEMS_MAC = bytes((224, 0, 0, 1)), bytes.fromhex("01005e000001")
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
ROUTER_ALERT = bytes.fromhex("94040000")
ROUTER_ALERT_V6 = bytes.fromhex("050200000100")
"""The option that says that it is of MLD (RFC 2711), and two bytes of padding (RFC 8200, section 4.2)."""

NETWORK_CONTROL = 0xC0


def igmp_query(source: bytes, seconds: float) -> bytes:
    """A frame to a machine, from an IPv4 address or 0.0.0.0, to be answered within so many seconds, 12.7 at most."""
    query = pack("!BBHIBBH", IGMP_QUERY, round(seconds * 10), 0, 0, ROBUSTNESS, INTERVAL, 0)
    query = query[:2] + pack("!H", checksum(query)) + query[4:]
    head = pack("!BBHHHBBH", 0x46, NETWORK_CONTROL, 24 + len(query), 0, 0x4000, 1, 2, 0) + source + ALL_SYSTEMS
    head += ROUTER_ALERT
    head = head[:10] + pack("!H", checksum(head)) + head[12:]
    return ethernet(ALL_SYSTEMS_MAC, PLATFORM_MAC, ETHERTYPE_IPV4, head + query)


def mld_query(seconds: float) -> bytes:
    """The same of IPv6, 32 seconds at most; it comes from a link-local address, or is not listened to."""
    source = link_local(PLATFORM_MAC)
    body = pack("!HH16sBBH", round(seconds * 1000), 0, bytes(16), ROBUSTNESS, INTERVAL, 0)
    query = icmpv6(source, ALL_NODES, MLD_QUERY, 0, body)
    options = pack("!BB", ICMPV6, 0) + ROUTER_ALERT_V6
    head = pack("!IHBB", 6 << 28, len(options) + len(query), 0, 1) + source + ALL_NODES
    return ethernet(group_mac(ALL_NODES), PLATFORM_MAC, ETHERTYPE_IPV6, head + options + query)
