"""How a packet is written for a trace, and the frame that it stands for.

    tcp dst=10.0.1.7 dport=80          a SYN from the port's own address
    udp dst=10.0.1.7 dport=53 sport=5353
    icmp dst=10.0.1.7 ttl=1            an echo request; type= and code= for others
    arp dst=10.0.0.1                   who has that address?
    hex:FRAME                          any frame, byte for byte

Words after the first are `name=value`: `src`, `dst` (IPv4 addresses), `smac`, `dmac` (MAC addresses), `ttl`, `sport`,
`dport`, `type`, `code` (numbers) and `flags` (letters of FSRPAU, for tcp). What is left out comes from the port.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from netplane.agent.answers.frames import (
    BROADCAST_MAC,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ICMP,
    TCP,
    TCP_FLAGS,
    UDP,
    arp_request,
    ethernet,
    icmp,
    ipv4,
    tcp,
    udp,
)
from netplane.base.addresses import pack_mac

PROTOCOLS = ("tcp", "udp", "icmp", "arp")
ADDRESSES = ("src", "dst")
MACS = ("smac", "dmac")
NUMBERS = {"ttl": 255, "sport": 65535, "dport": 65535, "type": 255, "code": 255}
"""The greatest value of each."""

SPORT = 40_000
ECHO = bytes((0, 1, 0, 1))
"""The identifier and sequence number of an echo request."""


class BadPacket(ValueError):
    """The text is no packet; says what is wrong with it."""


class Sketch(NamedTuple):
    """A packet as it was written."""

    protocol: str
    addresses: Mapping[str, bytes]
    """4 bytes each."""
    macs: Mapping[str, bytes]
    numbers: Mapping[str, int]
    flags: int
    raw: bytes = b""
    """The frame, if it was given byte for byte."""


class Origin(NamedTuple):
    """What a port gives to its packets: its own MAC and address, and the MAC that leads to the destination."""

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
    dmac = sketch.macs.get("dmac", origin.next_hop)
    return ethernet(dmac, smac, ETHERTYPE_IPV4, _packet(sketch, source, sketch.addresses["dst"]))


def _packet(sketch: Sketch, source: bytes, destination: bytes) -> bytes:
    numbers = sketch.numbers
    ttl, sport, dport = numbers.get("ttl", 64), numbers.get("sport", SPORT), numbers.get("dport", 0)
    if sketch.protocol == "tcp":
        return ipv4(source, destination, TCP, tcp(source, destination, sport, dport, sketch.flags), ttl=ttl)
    if sketch.protocol == "udp":
        return ipv4(source, destination, UDP, udp(source, destination, sport, dport, b""), ttl=ttl)
    message = icmp(numbers.get("type", 8), numbers.get("code", 0), ECHO)
    return ipv4(source, destination, ICMP, message, ttl=ttl)


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
        return IPv4Address(text).packed
    except ValueError:
        raise BadPacket(f"not an IPv4 address: {text!r}") from None


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
