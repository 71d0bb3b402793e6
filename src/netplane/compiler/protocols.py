"""What rules say of protocols and ports, as the ends of `policy` keys.

The table matches prefixes, so a range of ports becomes the fewest aligned blocks that make it up: at most 30,
mostly one.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from netplane.base.protocols import ICMP, ICMPV6, WITH_PORTS, family_protocol_number
from netplane.compiler.feature import bits_before
from netplane.tables.pipeline import POLICY
from netplane.tables.schema import FieldType

PORT_BITS = 16
ANY_PROTOCOL = bits_before(POLICY, "protocol")
"""The bits of a policy key that come before its protocol."""
ONE_PROTOCOL = ANY_PROTOCOL + 16


_SERVICE = POLICY.key.offsets()["protocol"]


class Match(NamedTuple):
    """The end of a policy key: its bits in all, and the fields `protocol` and `port`."""

    bits: int
    protocol: int
    port: bytes


EVERYTHING = Match(ANY_PROTOCOL, 0, bytes(2))


@lru_cache(maxsize=4096)
def matches(protocol: str | None, low: int | None, high: int | None, *, ipv6: bool = False) -> tuple[Match, ...]:
    """The ends of policy keys for a rule's protocol and ports (ICMP: type and code); ValueError if they make none.

    ICMP means ICMPv6 in a rule about IPv6.
    """
    icmp, number = ICMPV6 if ipv6 else ICMP, family_protocol_number(protocol, ipv6=ipv6)
    if low is None and high is None:
        return (EVERYTHING if number is None else Match(ONE_PROTOCOL, number, bytes(2)),)
    if number == icmp:
        return (_icmp(icmp, low, high),)
    if number not in WITH_PORTS:
        raise ValueError(f"protocol {protocol or 'any'} has no ports")
    if low is None or high is None:
        raise ValueError("a port range needs both ends")
    blocks = port_blocks(low, high)
    return tuple(Match(ONE_PROTOCOL + length, number, first.to_bytes(2, "big")) for first, length in blocks)


class End(NamedTuple):
    """The same, packed: what a policy key begins with, and what it ends with."""

    bits: bytes
    service: bytes


def ends(protocol: str | None, low: int | None, high: int | None, *, ipv6: bool) -> tuple[End, ...]:
    """`matches`, packed."""
    keys = [
        POLICY.pack_key(bits, 0, 0, 0, 0, bytes(16), number, port)
        for bits, number, port in matches(protocol, low, high, ipv6=ipv6)
    ]
    return tuple(End(key[: FieldType.U32.size], key[_SERVICE:]) for key in keys)


def _icmp(number: int, kind: int | None, code: int | None) -> Match:
    """Types and codes have one byte each; a code means nothing without its type (RFC 792, RFC 4443)."""
    if kind is None:
        raise ValueError("an ICMP code needs a type")
    if not (0 <= kind <= 255 and 0 <= (code or 0) <= 255):
        raise ValueError(f"ICMP type {kind} code {code} is out of range")
    bits = ONE_PROTOCOL + (8 if code is None else 16)
    return Match(bits, number, bytes((kind, code or 0)))


def port_blocks(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The fewest aligned blocks that make up a range of ports, both ends included, as (first port, prefix length)."""
    if not 0 <= low <= high < 1 << PORT_BITS:
        raise ValueError(f"ports {low} to {high} are no range")
    return _blocks(low, high)


def _blocks(low: int, high: int) -> Iterator[tuple[int, int]]:
    while low <= high:
        aligned = (low & -low).bit_length() - 1 if low else PORT_BITS
        fitting = (high - low + 1).bit_length() - 1
        size = min(aligned, fitting)
        yield low, PORT_BITS - size
        low += 1 << size
