"""IPv6 as a reader of its RFCs sees it (RFC 8200, RFC 4443); written apart from `netplane.tables.ipv6`."""

from ipaddress import IPv6Address
from struct import pack, unpack_from
from typing import NamedTuple

from netplane.base.protocols import WITH_PORTS
from netplane.verify.datagram import Datagram, change_word, fits, sum_of

OPTIONS, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
MANY, LONGEST = 6, 512
"""Extension headers that a packet may have, and where the last must end."""
MAPPED = bytes.fromhex("00000000000000000000ffff")
ERRORS = (1, 2, 3, 4)
ROOM = 1280 - 48
"""What an error has room for of the packet that it is about."""


class Place(NamedTuple):
    """What a fragment header says, and where in the packet its data starts."""

    identification: int
    offset: int
    """In bytes."""
    more: bool
    start: int


class Reading(NamedTuple):
    """A packet without its extension headers."""

    protocol: int
    header: bytes
    payload: bytes
    place: Place | None


def read_ipv6(frame: bytes) -> Datagram | None:
    """The packet in a frame; None unless it is IPv6, well formed, and of a kind that is carried."""
    packet = frame[14:]
    if frame[12:14] != b"\x86\xdd" or len(packet) < 40 or packet[0] >> 4 != 6:
        return None
    size = 40 + int.from_bytes(packet[4:6], "big")
    if size > len(packet) or MAPPED in (packet[8:20], packet[24:36]):
        return None
    reading = read_extensions(packet[:size])
    if reading is None:
        return None
    ends = IPv6Address(packet[8:24]), IPv6Address(packet[24:40])
    whole = Datagram(*ends, packet[7], reading.protocol, reading.header, reading.payload)
    place = reading.place
    if place is None or not (place.offset or place.more):
        return whole if carries(whole) else None
    length = size - place.start
    # A fragment is of a packet that can be: its header is 40 bytes, of the rest 65535 at most.
    if length == 0 or (place.more and length % 8) or place.start - 48 + place.offset + length > 65535:
        return None
    part = whole._replace(identification=place.identification, offset=place.offset, more=place.more)
    if part.offset:
        return part
    return part._replace(reach=length) if carries(part) else None


def carries(datagram: Datagram) -> bool:
    """Whether the payload holds the header that its protocol promises; ICMPv4 is unknown to IPv6."""
    if datagram.is_icmp:
        return len(datagram.payload) >= 8
    if not datagram.payload:
        # A first fragment may end with its extension headers, if nothing is known of what follows them.
        return datagram.protocol not in WITH_PORTS
    return datagram.protocol == 1 or fits(datagram.protocol, datagram.payload, more=datagram.more)


def read_extensions(packet: bytes) -> Reading | None:
    """Walk along the extension headers, as far as there is something to be read; None if they make no sense."""
    following, at, place = packet[6], 40, None
    for number in range(MANY + 1):
        if following not in (OPTIONS, ROUTING, FRAGMENT, DESTINATION) or (place and place.offset):
            return Reading(following, packet[:at], packet[at:], place)
        if number == MANY or min(len(packet), LONGEST) < at + 8 or (following == OPTIONS and at != 40):
            return None
        if following == ROUTING and packet[at + 2] == 0:
            return None
        size = 8 if following == FRAGMENT else 8 * packet[at + 1] + 8
        if following == FRAGMENT:
            if place is not None:
                return None
            field, identification = unpack_from("!HI", packet, at + 2)
            place = Place(identification, field & 0xFFF8, bool(field & 1), at + 8)
        following, at = packet[at], at + size
        if at > min(len(packet), LONGEST):
            return None
    raise AssertionError("the last round returns")


def read_quote(datagram: Datagram) -> Datagram | None:
    """What an ICMPv6 error is about: the beginning of a packet that its receiver sent to its sender."""
    if not datagram.is_icmp or datagram.more or datagram.offset or datagram.payload[0] not in ERRORS:
        return None
    quote = datagram.payload[8:]
    if len(quote) < 40 or quote[0] >> 4 != 6:
        return None
    ends = IPv6Address(quote[8:24]), IPv6Address(quote[24:40])
    reading = read_extensions(quote)
    if ends != (datagram.destination, datagram.source) or reading is None or len(reading.payload) < 8:
        return None
    if reading.place is not None and reading.place.offset:
        return None
    return Datagram(*ends, quote[7], reading.protocol, reading.header, reading.payload)


def may_be_told(datagram: Datagram) -> bool:
    """Whether an error may be sent about it: never about an error or a redirect, nor about what goes to a group."""
    is_error = datagram.is_icmp and (datagram.icmp[0] < 128 or datagram.icmp[0] == 137)
    return not (is_error or datagram.destination.is_multicast)


def write_echo_reply(frame: bytes, datagram: Datagram) -> bytes:
    """The same frame turned into an answer to its echo request, or to its part of one."""
    answer = bytearray(frame)
    answer[0:6], answer[6:12] = frame[6:12], frame[0:6]
    answer[22:38], answer[38:54] = frame[38:54], frame[22:38]
    answer[21] = 64
    if not datagram.offset:
        at = 14 + len(datagram.header)
        change_word(answer, at, 129 << 8 | frame[at + 1], checksum_at=at + 2)
    return bytes(answer)


def write_routed(frame: bytes, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The same frame so many routers further."""
    answer = bytearray(frame)
    answer[0:12] = destination_mac + source_mac
    answer[21] -= routers
    return bytes(answer)


def write_error(frame: bytes, datagram: Datagram, kind: tuple[int, int], sender: IPv6Address, mtu: int) -> bytes:
    """An ICMPv6 error about a frame, sent back to where it came from; with the MTU that it is about, or 0."""
    size = 40 + int.from_bytes(frame[18:20], "big")
    message = bytes(kind) + bytes(2) + mtu.to_bytes(4, "big") + frame[14 : 14 + min(size, ROOM)]
    return frame[6:12] + frame[0:6] + b"\x86\xdd" + write_icmp(sender, datagram.source.packed, message, hops=64)


def write_icmp(sender: IPv6Address, receiver: bytes, message: bytes, *, hops: int) -> bytes:
    """A packet of an ICMPv6 message whose checksum has yet to be found; a pseudo header is part of it."""
    pseudo = sender.packed + receiver + len(message).to_bytes(4, "big") + b"\0\0\0\x3a"
    checksum = sum_of(pseudo + message).to_bytes(2, "big")
    header = pack("!IHBB", 0x60000000, len(message), 58, hops)
    return header + sender.packed + receiver + message[:2] + checksum + message[4:]
