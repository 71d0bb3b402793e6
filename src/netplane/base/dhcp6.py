"""How values of DHCPv6 options are written by people, and what they are on the wire (RFC 8415 and those it names).

As `dhcp`, with what differs: addresses of 16 octets, and domain names that are never compressed (section 10).
"""

from collections.abc import Iterable
from ipaddress import IPv6Address
from struct import pack

from netplane.base.dhcp import FOREVER, HEXADECIMAL, SECONDS, TEXT, Format, labels, number

NTP_ADDRESS, NTP_GROUP, NTP_NAME = 1, 2, 3
"""Suboptions of the NTP server option (RFC 5908, section 4)."""


def suboption(code: int, value: bytes) -> bytes:
    """An option, or a part of one that is made alike: code, length, octets."""
    return pack("!HH", code, len(value)) + value


def _address(text: str) -> bytes:
    """Also in brackets, as dnsmasq's users write them."""
    return IPv6Address(text.strip().removeprefix("[").removesuffix("]")).packed


def _addresses(text: str) -> bytes:
    return b"".join(_address(part) for part in text.split(","))


def name(labels: Iterable[bytes]) -> bytes:
    """A domain name (RFC 1035, section 3.1)."""
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _names(text: str) -> bytes:
    return b"".join(name(labels(part)) for part in text.split(","))


def _servers_of_time(text: str) -> bytes:
    return b"".join(_server_of_time(part.strip()) for part in text.split(","))


def _server_of_time(text: str) -> bytes:
    """One suboption each: an address, a group's, or a name."""
    try:
        address = _address(text)
    except ValueError:
        return suboption(NTP_NAME, _names(text))
    return suboption(NTP_GROUP if address[0] == 0xFF else NTP_ADDRESS, address)


def _parameters(text: str) -> bytes:
    """RFC 5970, section 3.2: each with its length before it."""
    parts = [TEXT.encode(part) for part in text.split(",")]
    return b"".join(pack("!H", len(part)) + part for part in parts)


def _octets(text: str) -> bytes:
    """What the like makes of a value of IPv4's options whose type is not known; here addresses are IPv6's."""
    if text.startswith("0x"):
        octets = bytes.fromhex(text[2:])
        if not octets:
            raise ValueError("there are no octets")
        return octets
    try:
        return _addresses(text)
    except ValueError:
        if HEXADECIMAL.fullmatch(text):
            return bytes(int(part, 16) for part in text.split(":"))
    if text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= FOREVER:
        value = number(text, 0, FOREVER)
        return value.to_bytes(1 if value < 0x100 else 2 if value < 0x10000 else 4, "big")
    return TEXT.encode(text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text)


ADDRESSES = Format("IPv6 addresses separated by commas", _addresses)
NAMES = Format("domain names separated by commas", _names)
TIME = Format("IPv6 addresses and domain names separated by commas", _servers_of_time)
PARAMETERS = Format("texts separated by commas", _parameters)
OCTETS = Format(
    "hexadecimal (`0x0a0b` or `0a:0b`), a number (the smallest of 1, 2 or 4 octets), IPv6 addresses separated by "
    'commas, else text; in `"` it is text in any case',
    _octets,
)
__all__ = ["ADDRESSES", "NAMES", "OCTETS", "PARAMETERS", "SECONDS", "TEXT", "TIME", "name", "suboption"]
