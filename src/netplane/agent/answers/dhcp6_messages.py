"""DHCPv6 messages on the wire (RFC 8415): requests read from frames, answers written.

Pure, and knows nothing of who gets what. Whatever is malformed is no request; relays are not spoken to.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from struct import pack, unpack_from
from typing import NamedTuple

from netplane.agent.answers.frames import ETHERTYPE_IPV6, UDP, ethernet, ipv6, udp
from netplane.base.dhcp6 import suboption

CLIENT_PORT, SERVER_PORT = 546, 547


class Message(IntEnum):
    """Message types (section 7.3)."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11


class Option(IntEnum):
    """The options that mean something to the server (section 21; RFC 4704)."""

    CLIENT = 1
    SERVER = 2
    IA_NA = 3
    IA_TA = 4
    ADDRESS = 5
    REQUESTED = 6
    PREFERENCE = 7
    STATUS = 13
    RAPID = 14
    IA_PD = 25
    REFRESH = 32
    NAME = 39


class Status(IntEnum):
    """Why not (section 21.13)."""

    SUCCESS = 0
    NO_ADDRESSES = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    NO_PREFIX = 6


ASSOCIATIONS = {Option.IA_NA: 12, Option.IA_TA: 4, Option.IA_PD: 12}
"""Options that hold options, and the octets before those (sections 21.4, 21.5, 21.21)."""

MOST = 8
"""Associations of one request that are answered; a client has one for each of its interfaces on the link."""

LONGEST_IDENTITY = 130
"""Octets of a client's or a server's identity (section 11.1), with its type."""


class Association(NamedTuple):
    """What one interface of a client has or wants."""

    kind: Option
    id: bytes
    """4 bytes."""
    addresses: tuple[bytes, ...]


class Request(NamedTuple):
    """What a machine has asked."""

    message: Message
    transaction: bytes
    mac: bytes
    """Where the frame comes from."""
    address: bytes
    """And the packet."""
    options: Mapping[int, bytes]
    associations: tuple[Association, ...]


def parse(frame: bytes) -> Request | None:
    """A DHCPv6 request in an Ethernet frame; None if it is anything else."""
    told = _datagram(frame)
    if told is None or len(told) < 4 or told[0] not in Message.__members__.values():
        return None
    found = _options(told[4:])
    if found is None:
        return None
    associations = [_association(code, value) for code, value in found if code in ASSOCIATIONS]
    options = {code: value for code, value in found if code not in ASSOCIATIONS}
    client = options.get(Option.CLIENT, b"..")
    if None in associations or (not 2 < len(client) <= LONGEST_IDENTITY and Option.CLIENT in options):
        return None
    known = tuple(one for one in associations[:MOST] if one is not None)
    return Request(Message(told[0]), told[1:4], frame[6:12], frame[22:38], options, known)


def _datagram(frame: bytes) -> bytes | None:
    """What an Ethernet frame carries from a DHCPv6 client's port to a server's."""
    if len(frame) < 62 or unpack_from("!H", frame, 12)[0] != ETHERTYPE_IPV6:
        return None
    (size,) = unpack_from("!H", frame, 18)
    if frame[14] >> 4 != 6 or frame[20] != UDP or not 8 <= size <= len(frame) - 54:
        return None
    sport, dport, length = unpack_from("!HHH", frame, 54)
    if (sport, dport) != (CLIENT_PORT, SERVER_PORT) or not 8 <= length <= size:
        return None
    return frame[62 : 54 + length]


def _options(area: bytes) -> list[tuple[int, bytes]] | None:
    """Codes and values in order; None if one is cut short."""
    found, at = list[tuple[int, bytes]](), 0
    while at < len(area):
        if at + 4 > len(area):
            return None
        code, length = unpack_from("!HH", area, at)
        if at + 4 + length > len(area):
            return None
        found.append((code, area[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def _association(code: int, value: bytes) -> Association | None:
    """None if it is malformed."""
    kind = Option(code)
    inside = _options(value[ASSOCIATIONS[kind] :])
    if len(value) < ASSOCIATIONS[kind] or inside is None:
        return None
    held = [octets for code, octets in inside if code == Option.ADDRESS]
    if any(len(octets) < 24 for octets in held):
        return None
    return Association(kind, value[:4], tuple(octets[:16] for octets in held))


def write_address(address: bytes, preferred: int, valid: int) -> bytes:
    """An address and for how many seconds it holds (section 21.6)."""
    return suboption(Option.ADDRESS, address + pack("!II", preferred, valid))


def write_status(status: Status, text: str = "") -> bytes:
    """How it went (section 21.13)."""
    return suboption(Option.STATUS, pack("!H", status) + text.encode())


def write_association(association: Association, renewal: int, rebinding: int, content: bytes) -> tuple[int, bytes]:
    """An answer to an association: when to come again, in seconds, and its options."""
    times = b"" if association.kind is Option.IA_TA else pack("!II", renewal, rebinding)
    return association.kind, association.id + times + content


class Sender(NamedTuple):
    """Who answers."""

    mac: bytes
    address: bytes


def write(request: Request, sender: Sender, message: Message, options: Iterable[tuple[int, bytes]]) -> bytes:
    """The frame that answers a request."""
    told = bytes((message,)) + request.transaction + b"".join(suboption(code, value) for code, value in options)
    datagram = udp(sender.address, request.address, SERVER_PORT, CLIENT_PORT, told)
    packet = ipv6(sender.address, request.address, UDP, datagram)
    return ethernet(request.mac, sender.mac, ETHERTYPE_IPV6, packet)
