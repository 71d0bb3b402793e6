"""DHCP messages on the wire (RFC 2131, 2132, 3396): requests read from frames, answers written.

Pure, and knows nothing of who gets what. Whatever is malformed is no request.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from struct import pack, unpack_from
from typing import NamedTuple

from netplane.agent.answers.frames import ETHERTYPE_IPV4, UDP

SERVER_PORT, CLIENT_PORT = 67, 68
ANY = bytes(4)
MAGIC = b"\x63\x82\x53\x63"
HEADER = 236
SNAME, FILE = slice(44, 108), slice(108, 236)
"""The fields for names of server and boot file, which may hold options instead."""

BROADCAST_FLAG = 0x8000
MINIMUM = 300
"""Bytes that a BOOTP message has at least (RFC 1542, section 2.1); some clients insist."""

HEADERS = 28
"""Bytes of the IP and UDP headers, which count in a message's size (RFC 2131, section 2: 576 for 312 of options)."""


class Message(IntEnum):
    """Option 53 (RFC 2132, section 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options that mean something to the server (RFC 2132, 3442, 4039)."""

    PAD = 0
    MASK = 1
    ROUTER = 3
    DNS = 6
    HOSTNAME = 12
    DOMAIN = 15
    MTU = 26
    BROADCAST = 28
    REQUESTED = 50
    LEASE = 51
    OVERLOAD = 52
    TYPE = 53
    SERVER = 54
    PARAMETERS = 55
    SIZE = 57
    RENEWAL = 58
    REBINDING = 59
    CLIENT = 61
    TFTP_SERVER = 66
    BOOT_FILE = 67
    RAPID = 80
    SEARCH = 119
    ROUTES = 121
    TFTP_ADDRESS = 150
    END = 255


LENGTHS = {Option.TYPE: 1, Option.REQUESTED: 4, Option.SERVER: 4, Option.SIZE: 2, Option.RAPID: 0}
"""Octets of those that a request may have, where there is only one length."""


class Request(NamedTuple):
    """What a machine has asked."""

    message: Message
    xid: bytes
    flags: int
    ciaddr: bytes
    chaddr: bytes
    options: Mapping[int, bytes]


class Reply(NamedTuple):
    """What it is told; options in the order of their importance."""

    ciaddr: bytes
    yiaddr: bytes
    siaddr: bytes
    sname: bytes
    file: bytes
    options: Sequence[tuple[int, bytes]]


def parse(frame: bytes) -> Request | None:
    """A DHCP request in an Ethernet frame; None if it is anything else."""
    bootp = _datagram(frame)
    if bootp is None or len(bootp) < HEADER + 4 or bootp[:3] != b"\1\1\6" or bootp[HEADER : HEADER + 4] != MAGIC:
        return None
    options = _options(bootp)
    if options is None or Option.TYPE not in options:
        return None
    if any(len(options.get(option, bytes(length))) != length for option, length in LENGTHS.items()):
        return None
    kind = options[Option.TYPE][0]
    if kind not in Message.__members__.values():
        return None
    (flags,) = unpack_from("!H", bootp, 10)
    return Request(Message(kind), bootp[4:8], flags, bootp[12:16], bootp[28:34], options)


def _datagram(frame: bytes) -> bytes | None:
    """What an Ethernet frame carries from a DHCP client's port to a server's."""
    if len(frame) < 42 or unpack_from("!H", frame, 12)[0] != ETHERTYPE_IPV4:
        return None
    header = (frame[14] & 0xF) * 4
    (total,) = unpack_from("!H", frame, 16)
    if frame[14] >> 4 != 4 or not 20 <= header <= total - 8 or total > len(frame) - 14 or frame[23] != UDP:
        return None
    sport, dport, length = unpack_from("!HHH", frame, 14 + header)
    if (sport, dport) != (CLIENT_PORT, SERVER_PORT) or not 8 <= length <= total - header:
        return None
    return frame[14 + header + 8 : 14 + header + length]


def _options(bootp: bytes) -> dict[int, bytes] | None:
    """All options, those in the overloaded `file` and `sname` fields included; None if one is cut short."""
    found: dict[int, bytes] = {}
    if not read_options(bootp[HEADER + 4 :], found):
        return None
    overload = found.get(Option.OVERLOAD, b"\0")
    areas = (bootp[FILE] if overload in b"\1\3" else b"", bootp[SNAME] if overload in b"\2\3" else b"")
    return found if all(read_options(area, found) for area in areas) else None


def read_options(area: bytes, found: dict[int, bytes]) -> bool:
    """Add an area's options; parts of one option are joined (RFC 3396). Whether none is cut short."""
    at = 0
    while at < len(area) and area[at] != Option.END:
        if area[at] == Option.PAD:
            at += 1
            continue
        if at + 2 > len(area) or at + 2 + area[at + 1] > len(area):
            return False
        end = at + 2 + area[at + 1]
        found[area[at]] = found.get(area[at], b"") + area[at + 2 : end]
        at = end
    return True


def write(request: Request, reply: Reply, size: int) -> bytes:
    """The message that answers a request, in an IP packet of no more than `size` bytes.

    What does not fit into the field for options goes into those for names (option 52), and what does not fit there
    either is left out: the least important first, as far as that makes room.
    """
    room = size - HEADERS - HEADER - len(MAGIC)
    parts = [_write_option(code, value) for code, value in reply.options]
    options, sname, file = b"".join(parts) + bytes((Option.END,)), reply.sname, reply.file
    if len(options) > room:
        options, sname, file = _spread(parts, room, reply)
    head = pack("!BBBB4sHH", 2, 1, 6, 0, request.xid, 0, request.flags)
    addresses = reply.ciaddr + reply.yiaddr + reply.siaddr + ANY
    names = request.chaddr.ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return (head + addresses + names + MAGIC + options).ljust(MINIMUM, b"\0")


def _write_option(code: int, value: bytes) -> bytes:
    """A long option is several (RFC 3396)."""
    parts = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes((code, len(part))) + part for part in parts)


def _spread(parts: Iterable[bytes], room: int, reply: Reply) -> tuple[bytes, bytes, bytes]:
    """The three areas: options, `sname`, `file`. They are read as options, `file`, `sname`.

    An option lies in one area as a whole, so the order in which areas are read does not matter. Each keeps a byte for
    its end, the first also three for option 52.
    """
    free = [room - 4, 127, 63]
    areas = [b"", b"", b""]
    for part in parts:
        place = next((index for index, left in enumerate(free) if len(part) <= left), None)
        if place is not None:
            areas[place] += part
            free[place] -= len(part)
    first, file, sname = areas
    overload = (1 if file else 0) | (2 if sname else 0)
    if overload:
        first += bytes((Option.OVERLOAD, 1, overload))
    end = bytes((Option.END,))
    return first + end, sname + end if sname else reply.sname, file + end if file else reply.file
