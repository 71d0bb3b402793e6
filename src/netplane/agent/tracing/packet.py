"""How a packet is written for a trace, and the frame that it stands for.

    tcp dst=10.0.1.7 dport=80          a SYN from the port's own address
    udp dst=10.0.1.7 dport=53 sport=5353
    icmp dst=10.0.1.7 ttl=1            an echo request; type= and code= for others
    arp dst=10.0.0.1                   who has that address?
    nd dst=fd00::1                     the same of an IPv6 address
    hex:FRAME                          any frame, byte for byte

Words after the first are `name=value`: `src`, `dst` (addresses of one family), `smac`, `dmac` (MAC addresses), `ttl`,
`sport`, `dport`, `type`, `code` (numbers) and `flags` (letters of FSRPAU, for tcp). To an IPv6 address, `icmp` is
ICMPv6 and `ttl` the hop limit. What is left out comes from the port.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple

from netplane.agent.answers.frames import (
    BROADCAST_MAC,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ICMP,
    ICMPV6,
    TCP,
    TCP_FLAGS,
    UDP,
    arp_request,
    ethernet,
    group_mac,
    icmp,
    icmpv6,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from netplane.base.addresses import pack_mac

PROTOCOLS = ("tcp", "udp", "icmp", "arp", "nd")
LENGTHS = {"arp": 4, "nd": 16}
"""Bytes of the addresses that are asked for."""
ADDRESSES = ("src", "dst")
MACS = ("smac", "dmac")
NUMBERS = {"ttl": 255, "sport": 65535, "dport": 65535, "type": 255, "code": 255}
"""The greatest value of each."""

SPORT = 40_000
ECHO = bytes((0, 1, 0, 1))
"""The identifier and sequence number of an echo request."""

SOLICITATION, SOLICITED_NODE, UNROUTED = 135, bytes.fromhex("ff0200000000000000000001ff"), 255
"""A question for a neighbour, the beginning of the group it goes to, and the hop limit that it needs (RFC 4861)."""


class BadPacket(ValueError):
    """The text is no packet; says what is wrong with it."""


class Sketch(NamedTuple):
    """A packet as it was written."""

    protocol: str
    addresses: Mapping[str, bytes]
    """4 bytes each, or 16 bytes each."""
    macs: Mapping[str, bytes]
    numbers: Mapping[str, int]
    flags: int
    raw: bytes = b""
    """The frame, if it was given byte for byte."""

    @property
    def is_ipv6(self) -> bool:
        """Whether its addresses are of IPv6."""
        return len(self.addresses.get("dst", b"")) == 16


class Origin(NamedTuple):
    """What a port gives to its packets: its own MAC and address, and the MAC that leads to the destination.

    The address is of the family of the packet that it is asked for.
    """

    mac: bytes
    address: bytes
    next_hop: bytes


def parse(text: str) -> Sketch:
    """The packet that a text describes; BadPacket if it describes none."""
    if text.strip().startswith("hex:"):
        return Sketch("", {}, {}, {}, 0, _hex(text.strip().removeprefix("hex:")))
    protocol, *words = text.split() or [""]
    if protocol not in PROTOCOLS:
        raise BadPacket(f"a packet begins with one of {', '.join(PROTOCOLS)} or hex:, not {protocol!r}")
    fields = dict(_field(word) for word in words)
    if "dst" not in fields:
        raise BadPacket("a packet needs dst=ADDRESS")
    return _sketch(protocol, fields)


def build(sketch: Sketch, origin: Origin) -> bytes:
    """The frame, with what was left out filled in."""
    if sketch.raw:
        return sketch.raw
    source = sketch.addresses.get("src", origin.address)
    smac = sketch.macs.get("smac", origin.mac)
    if sketch.protocol == "arp":
        question = arp_request(smac, source, sketch.addresses["dst"])
        return ethernet(sketch.macs.get("dmac", BROADCAST_MAC), smac, ETHERTYPE_ARP, question)
    if sketch.protocol == "nd":
        group = SOLICITED_NODE + sketch.addresses["dst"][13:]
        packet = _solicitation(sketch, source, group)
        return ethernet(sketch.macs.get("dmac", group_mac(group)), smac, ETHERTYPE_IPV6, packet)
    dmac = sketch.macs.get("dmac", origin.next_hop)
    kind = ETHERTYPE_IPV6 if sketch.is_ipv6 else ETHERTYPE_IPV4
    return ethernet(dmac, smac, kind, _packet(sketch, source, sketch.addresses["dst"]))


def _solicitation(sketch: Sketch, source: bytes, group: bytes) -> bytes:
    asked = icmpv6(source, group, SOLICITATION, 0, bytes(4) + sketch.addresses["dst"])
    return ipv6(source, group, ICMPV6, asked, hops=sketch.numbers.get("ttl", UNROUTED))


def _packet(sketch: Sketch, source: bytes, destination: bytes) -> bytes:
    protocol, payload = _payload(sketch, source, destination)
    ttl = sketch.numbers.get("ttl", 64)
    if sketch.is_ipv6:
        return ipv6(source, destination, protocol, payload, hops=ttl)
    return ipv4(source, destination, protocol, payload, ttl=ttl)


def _payload(sketch: Sketch, source: bytes, destination: bytes) -> tuple[int, bytes]:
    """Its protocol, and what stands in it."""
    numbers = sketch.numbers
    sport, dport, code = numbers.get("sport", SPORT), numbers.get("dport", 0), numbers.get("code", 0)
    if sketch.protocol == "tcp":
        return TCP, tcp(source, destination, sport, dport, sketch.flags)
    if sketch.protocol == "udp":
        return UDP, udp(source, destination, sport, dport, b"")
    if sketch.is_ipv6:
        return ICMPV6, icmpv6(source, destination, numbers.get("type", 128), code, ECHO)
    return ICMP, icmp(numbers.get("type", 8), code, ECHO)


def _sketch(protocol: str, fields: dict[str, str]) -> Sketch:
    sketch = Sketch(
        protocol,
        addresses={name: _address(fields.pop(name)) for name in ADDRESSES if name in fields},
        macs={name: _mac(fields.pop(name)) for name in MACS if name in fields},
        numbers={name: _number(name, fields.pop(name), most) for name, most in NUMBERS.items() if name in fields},
        flags=_flags(fields.pop("flags", "S")),
    )
    if fields:
        raise BadPacket(f"nothing is called {next(iter(fields))!r} in a packet")
    lengths = set(map(len, sketch.addresses.values()))
    if len(lengths) > 1:
        raise BadPacket("src and dst are of one family, IPv4 or IPv6")
    if lengths != {LENGTHS.get(protocol, *lengths)}:
        raise BadPacket(f"{protocol} asks for an IPv{'4' if protocol == 'arp' else '6'} address")
    return sketch


def _field(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not value:
        raise BadPacket(f"expected name=value, not {word!r}")
    return name, value


def _hex(text: str) -> bytes:
    try:
        frame = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        raise BadPacket("hex: is followed by hexadecimal digits") from None
    if not frame:
        raise BadPacket("the frame is empty")
    return frame


def _address(text: str) -> bytes:
    try:
        return ip_address(text).packed
    except ValueError:
        raise BadPacket(f"not an IP address: {text!r}") from None


def _mac(text: str) -> bytes:
    try:
        return pack_mac(text)
    except ValueError:
        raise BadPacket(f"not a MAC address: {text!r}") from None


def _number(name: str, text: str, most: int) -> int:
    if not text.isdecimal() or int(text) > most:
        raise BadPacket(f"{name} is a number from 0 to {most}, not {text!r}")
    return int(text)


def _flags(letters: str) -> int:
    if unknown := set(letters) - TCP_FLAGS.keys():
        raise BadPacket(f"not a TCP flag: {min(unknown)!r}")
    return sum(TCP_FLAGS[letter] for letter in set(letters))
