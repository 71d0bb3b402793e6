"""How values of DHCP options are written by people, and what they are on the wire.

Each format takes a text and gives octets, or raises ValueError with what is wrong. What is written is what OpenStack
Networking's users know from dnsmasq.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network
from struct import pack
from typing import NamedTuple

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
NAME = 253
"""Characters of a domain name at most (RFC 1035, section 3.1: 255 octets on the wire)."""

HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})+")
FOREVER = 0xFFFFFFFF
"""Seconds that never end (RFC 2131, section 3.3)."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
POINTERS = 0x4000
"""Offsets that a compression pointer cannot reach (RFC 1035, section 4.1.4)."""


class Format(NamedTuple):
    """One way of writing values."""

    description: str
    """For users."""
    encode: Callable[[str], bytes]


def _address(text: str) -> bytes:
    return IPv4Address(text.strip()).packed


def _addresses(text: str) -> bytes:
    return b"".join(_address(part) for part in text.split(","))


def _pairs(text: str) -> bytes:
    octets = _addresses(text)
    if len(octets) % 8:
        raise ValueError(f"'{text}' is not a list of pairs of addresses")
    return octets


def number(text: str, low: int, high: int) -> int:
    """A decimal number within limits."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 12 and low <= int(text) <= high):
        raise ValueError(f"'{text}' is not a number from {low} to {high}")
    return int(text)


def _numeric(form: str, low: int, high: int) -> Format:
    return Format(f"number from {low} to {high}", lambda text: pack(form, number(text, low, high)))


def _seconds(text: str) -> bytes:
    if text == "infinite":
        return pack("!I", FOREVER)
    unit = UNITS.get(text[-1:].lower())
    seconds = number(text, 1, FOREVER) if unit is None else number(text[:-1], 1, FOREVER // unit) * unit
    return pack("!I", seconds)


def _text(text: str) -> bytes:
    """Clients hand such values to scripts: nothing that a terminal or a shell's line would take amiss."""
    if not text or not text.isprintable():
        raise ValueError(f"{text!r} is not a text of printable characters")
    return text.encode()


def labels(name: str) -> tuple[bytes, ...]:
    """A domain name's labels."""
    found = name.strip().removesuffix(".").split(".")
    if len(name) > NAME or not all(LABEL.fullmatch(label) for label in found):
        raise ValueError(f"'{name}' is not a domain name")
    return tuple(label.encode() for label in found)


def _name(text: str) -> bytes:
    return b".".join(labels(text))


def compress(names: Iterable[tuple[bytes, ...]]) -> bytes:
    """Domain names one after the other, each ending in an earlier one where it can (RFC 1035, section 4.1.4)."""
    told, known = bytearray(), dict[tuple[bytes, ...], int]()
    for name in names:
        for index, label in enumerate(name):
            rest = name[index:]
            if rest in known:
                told += pack("!H", 0xC000 | known[rest])
                break
            if len(told) < POINTERS:
                known[rest] = len(told)
            told += bytes((len(label),)) + label
        else:
            told += b"\0"
    return bytes(told)


def _search(text: str) -> bytes:
    """RFC 3397."""
    return compress(labels(name) for name in text.split(","))


def _sip(text: str) -> bytes:
    """RFC 3361: a first octet tells names from addresses."""
    try:
        return b"\1" + _addresses(text)
    except ValueError:
        # Each name stands for itself there (section 3.1).
        return b"\0" + b"".join(compress([labels(name)]) for name in text.split(","))


def route(destination: IPv4Network, nexthop: IPv4Address) -> bytes:
    """RFC 3442: the prefix's length, its significant octets, the next hop."""
    octets = destination.network_address.packed[: (destination.prefixlen + 7) // 8]
    return bytes((destination.prefixlen,)) + octets + nexthop.packed


def _routes(text: str) -> bytes:
    words = [word.strip() for word in text.split(",")]
    if len(words) % 2:
        raise ValueError(f"'{text}' does not name a next hop for each destination")
    pairs = zip(words[::2], words[1::2], strict=True)
    return b"".join(route(IPv4Network(destination), IPv4Address(nexthop)) for destination, nexthop in pairs)


def _octets(text: str) -> bytes:
    """What dnsmasq makes of a value whose type it does not know."""
    if text.startswith("0x"):
        return _some(bytes.fromhex(text[2:]))
    if HEXADECIMAL.fullmatch(text):
        return bytes(int(part, 16) for part in text.split(":"))
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _text(text[1:-1])
    if text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= FOREVER:
        value = int(text)
        return value.to_bytes(1 if value < 0x100 else 2 if value < 0x10000 else 4, "big")
    try:
        return _addresses(text)
    except ValueError:
        return _text(text)


def _some(octets: bytes) -> bytes:
    if not octets:
        raise ValueError("there are no octets")
    return octets


ADDRESS = Format("IPv4 address", _address)
ADDRESSES = Format("IPv4 addresses separated by commas", _addresses)
PAIRS = Format("IPv4 addresses separated by commas, in pairs", _pairs)
FLAG = _numeric("!B", 0, 1)
OCTET = _numeric("!B", 0, 0xFF)
HOPS = _numeric("!B", 1, 0xFF)
SHORT = _numeric("!H", 0, 0xFFFF)
MTU = _numeric("!H", 68, 0xFFFF)
DATAGRAM = _numeric("!H", 576, 0xFFFF)
LONG = _numeric("!I", 0, 0xFFFFFFFF)
OFFSET = _numeric("!i", -0x80000000, 0x7FFFFFFF)
SECONDS = Format("seconds, or a number of `m`, `h`, `d` or `w`, or `infinite`", _seconds)
TEXT = Format("text", _text)
DOMAIN = Format("domain name", _name)
DOMAINS = Format("domain names separated by commas", _search)
SIP = Format("IPv4 addresses, or domain names, separated by commas", _sip)
ROUTES = Format("destination,next hop and so on, such as `10.7.0.0/16,10.0.0.9`", _routes)
OCTETS = Format(
    "hexadecimal (`0x0a0b` or `0a:0b`), a number (the smallest of 1, 2 or 4 octets), IPv4 addresses separated by "
    'commas, else text; in `"` it is text in any case',
    _octets,
)
