"""IP protocols as rules name them: the names of the OpenStack Networking API, old ones too, and IANA's numbers."""

from collections.abc import Mapping

PROTOCOLS: Mapping[str, int] = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "hopopt": 0,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ip": 0,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
"""`icmpv6` is an old name of `ipv6-icmp`."""

ANY = 0
"""What stands for every protocol, as it does for packet filters; `any` says the same."""

ICMP = 1
ICMPV6 = 58
WITH_PORTS = frozenset(PROTOCOLS[name] for name in ("dccp", "sctp", "tcp", "udp", "udplite"))
WITH_TYPES = frozenset({ICMP, ICMPV6})
IPV6_ONLY = frozenset(number for name, number in PROTOCOLS.items() if name.startswith("ipv6-"))
"""Protocols that make no sense in a rule about IPv4."""


def protocol_number(text: str | None) -> int | None:
    """The number of a protocol given by name or number, None for any; ValueError if there is none."""
    if text is None or text == "any":
        return None
    number = int(text) if text.isascii() and text.isdecimal() else PROTOCOLS.get(text.lower(), -1)
    if not 0 <= number <= 255:
        raise ValueError(f"unknown protocol {text!r}")
    return None if number == ANY else number


def family_protocol_number(text: str | None, *, ipv6: bool) -> int | None:
    """The same of a rule about one family: either has an ICMP of its own, and `icmp` means that."""
    number = protocol_number(text)
    return ICMPV6 if ipv6 and number == ICMP else number
