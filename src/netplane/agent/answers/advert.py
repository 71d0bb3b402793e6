"""Router advertisements on the wire (RFC 4861, RFC 8106): solicitations read from frames, advertisements written.

Pure, and knows nothing of who says what. Whatever is malformed is no solicitation.
"""

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from struct import pack, unpack_from
from typing import NamedTuple

from netplane.agent.answers.frames import ETHERTYPE_IPV6, ICMPV6, checksum, ethernet, group_mac, icmpv6, ipv6
from netplane.base.addresses import NO_ADDRESS, link_local

SOLICITATION, ADVERTISEMENT = 133, 134
ALL_NODES = bytes.fromhex("ff02") + bytes(13) + b"\1"
HOPS = 255
"""What only neighbours' packets still have (RFC 4861, section 6.1.1)."""

AT_ONCE = 24
"""Prefixes of one frame, which leave room for the rest in the smallest MTU that a link may have."""

MACHINES_HOPS = 64
"""What machines shall send packets with."""


class Option(IntEnum):
    """Options of neighbour discovery (RFC 4861, section 4.6; RFC 8106, section 5)."""

    SOURCE_MAC = 1
    PREFIX = 3
    MTU = 5
    RESOLVERS = 25
    SEARCH = 31


class Says(IntFlag):
    """Flags of an advertisement."""

    MANAGED = 0x80
    """Addresses come by DHCPv6."""
    OTHER = 0x40
    """Everything else does."""


class PrefixFlag(IntFlag):
    """Flags of a prefix."""

    ON_LINK = 0x80
    AUTONOMOUS = 0x40
    """Machines make themselves addresses of it."""


class Prefix(NamedTuple):
    """A prefix of the link."""

    network: bytes
    """16 bytes."""
    length: int
    flags: PrefixFlag
    valid: int
    """Seconds for which addresses of it hold."""
    preferred: int
    """Seconds for which they are used for new connections."""


class Advert(NamedTuple):
    """What one router says of itself and of the link."""

    mac: bytes
    """The router's."""
    says: Says
    lifetime: int
    """Seconds for which it is a default router; 0 if it is none."""
    prefixes: tuple[Prefix, ...]
    mtu: int
    """Bytes; 0 to say nothing of it."""
    resolvers: tuple[bytes, ...]
    search: tuple[bytes, ...]
    """Domain names as they are on the wire."""
    told: int
    """Seconds for which resolvers and domains hold."""


def write(advert: Advert) -> list[bytes]:
    """The frames that tell it to whoever hears them; several if it has many prefixes (RFC 4861, section 6.2.3)."""
    first, *others = [advert.prefixes[at : at + AT_ONCE] for at in range(0, len(advert.prefixes), AT_ONCE)] or [()]
    rest = (advert._replace(prefixes=prefixes, mtu=0, resolvers=(), search=()) for prefixes in others)
    return [_frame(part) for part in (advert._replace(prefixes=first), *rest)]


def _frame(advert: Advert) -> bytes:
    source = link_local(advert.mac)
    head = pack("!BBHII", MACHINES_HOPS, advert.says, advert.lifetime, 0, 0)
    message = icmpv6(source, ALL_NODES, ADVERTISEMENT, 0, head + b"".join(_options(advert)))
    packet = ipv6(source, ALL_NODES, ICMPV6, message, hops=HOPS)
    return ethernet(group_mac(ALL_NODES), advert.mac, ETHERTYPE_IPV6, packet)


def is_solicitation(frame: bytes) -> bool:
    """Whether an Ethernet frame is a router solicitation that may be heard (RFC 4861, section 6.1.1)."""
    if len(frame) < 62 or unpack_from("!H", frame, 12)[0] != ETHERTYPE_IPV6 or frame[14] >> 4 != 6:
        return False
    (length,) = unpack_from("!H", frame, 18)
    if frame[20] != ICMPV6 or frame[21] != HOPS or not 8 <= length <= len(frame) - 54:
        return False
    source, message = frame[22:38], frame[54 : 54 + length]
    if message[:2] != bytes((SOLICITATION, 0)) or checksum(frame[22:54] + pack("!II", length, ICMPV6) + message):
        return False
    options = _kinds(message[8:])
    return options is not None and not (source == NO_ADDRESS and Option.SOURCE_MAC in options)


def _kinds(area: bytes) -> set[int] | None:
    """The options there are; None if one is cut short or has no length."""
    found, at = set[int](), 0
    while at < len(area):
        if at + 2 > len(area) or not area[at + 1] or at + 8 * area[at + 1] > len(area):
            return None
        found.add(area[at])
        at += 8 * area[at + 1]
    return found


def _options(advert: Advert) -> Iterable[bytes]:
    yield _option(Option.SOURCE_MAC, advert.mac)
    if advert.mtu:
        yield _option(Option.MTU, pack("!HI", 0, advert.mtu))
    for prefix in advert.prefixes:
        fields = pack("!BBIII", prefix.length, prefix.flags, prefix.valid, prefix.preferred, 0)
        yield _option(Option.PREFIX, fields + prefix.network)
    if advert.resolvers:
        yield _option(Option.RESOLVERS, pack("!HI", 0, advert.told) + b"".join(advert.resolvers))
    if advert.search:
        yield _option(Option.SEARCH, pack("!HI", 0, advert.told) + b"".join(advert.search))


def _option(kind: Option, value: bytes) -> bytes:
    """Lengths count units of 8 bytes."""
    units = (len(value) + 9) // 8
    return (bytes((kind, units)) + value).ljust(8 * units, b"\0")
