"""IGMP and MLD as machines send them (RFC 1112, 2236, 3376; RFC 2710, 3810): what a frame says of groups.

Pure, and knows nothing of who listens already. Both protocols say the same things, those of older versions as a part
of what the newest can say. Whatever is malformed says nothing.
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import unpack_from
from typing import NamedTuple

from netplane.agent.answers.frames import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ICMPV6, checksum
from netplane.base.addresses import MAPPED

IGMP = 2
HOP_BY_HOP = 0


class Mode(IntEnum):
    """The type of a group record (RFC 3376, section 4.2.12; RFC 3810, section 5.2.12)."""

    IS_INCLUDE = 1
    IS_EXCLUDE = 2
    TO_INCLUDE = 3
    TO_EXCLUDE = 4
    ALLOW = 5
    BLOCK = 6


class Report(NamedTuple):
    """What a machine says of one group."""

    group: bytes
    """16 bytes, IPv4 mapped."""
    mode: Mode
    sources: frozenset[bytes] = frozenset()
    """Whom it wants to hear, or not to hear."""


class Shape(NamedTuple):
    """What differs between the two protocols."""

    joins: tuple[int, ...]
    """Types of older versions' reports."""
    leave: int
    newest: int
    group_at: int
    """Where an older message has its group."""
    size: int
    """Bytes of an address."""
    prefix: bytes
    """What comes before it in 16 bytes."""


SHAPES = {
    ETHERTYPE_IPV4: Shape((0x12, 0x16), 0x17, 0x22, 4, 4, MAPPED),
    ETHERTYPE_IPV6: Shape((131,), 132, 143, 8, 16, b""),
}


def read_reports(frame: bytes) -> list[Report]:
    """What a frame says, in order."""
    kind = int.from_bytes(frame[12:14], "big")
    message = _igmp(frame[14:]) if kind == ETHERTYPE_IPV4 else _mld(frame[14:]) if kind == ETHERTYPE_IPV6 else b""
    return list(_read(message, SHAPES[kind])) if len(message) >= 8 else []


def _igmp(ip: bytes) -> bytes:
    """The message in an IPv4 packet; empty if it is none."""
    if len(ip) < 20 or ip[0] >> 4 != 4 or ip[9] != IGMP:
        return b""
    message = ip[(ip[0] & 15) * 4 : int.from_bytes(ip[2:4], "big")]
    return b"" if checksum(message) else message


def _mld(ip: bytes) -> bytes:
    """The message in an IPv6 packet, which a hop-by-hop header comes before; empty if it is none."""
    if len(ip) < 48 or ip[0] >> 4 != 6:
        return b""
    protocol, at, end = ip[6], 40, 40 + int.from_bytes(ip[4:6], "big")
    if protocol == HOP_BY_HOP:
        protocol, at = ip[40], 48 + ip[41] * 8
    message = ip[at:end]
    over = ip[8:40] + len(message).to_bytes(4, "big") + ICMPV6.to_bytes(4, "big")
    return b"" if protocol != ICMPV6 or checksum(over + message) else message


def _read(message: bytes, shape: Shape) -> Iterator[Report]:
    if message[0] == shape.newest:
        yield from _records(message, shape)
        return
    group = message[shape.group_at : shape.group_at + shape.size]
    if len(group) == shape.size and message[0] in (*shape.joins, shape.leave):
        yield Report(shape.prefix + group, Mode.TO_INCLUDE if message[0] == shape.leave else Mode.IS_EXCLUDE)


def _records(message: bytes, shape: Shape) -> Iterator[Report]:
    """The group records of a report of the newest version (RFC 3376, section 4.2.4)."""
    (count,) = unpack_from("!H", message, 6)
    at = 8
    for _ in range(count):
        if at + 4 + shape.size > len(message):
            return
        mode, auxiliary, number = unpack_from("!BBH", message, at)
        first = at + 4 + shape.size
        end = first + number * shape.size
        if end > len(message):
            return
        if mode in Mode.__members__.values():
            sources = frozenset(shape.prefix + message[i : i + shape.size] for i in range(first, end, shape.size))
            yield Report(shape.prefix + message[at + 4 : first], Mode(mode), sources)
        at = end + auxiliary * 4
