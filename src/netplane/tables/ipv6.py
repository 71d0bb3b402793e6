"""IPv6 packets taken apart and put together, byte for byte as the datapath does it (RFC 8200, RFC 4443).

Nothing here knows a table. A packet's extension headers are read as far as its transport header, which a first fragment
must have whole (RFC 7112); there are at most `Limit.EXTENSIONS` of them, which end within `Limit.HEADER` bytes.
"""

from struct import pack
from typing import NamedTuple

from netplane.base.addresses import is_ipv4
from netplane.tables.decisions import Limit, Reason
from netplane.tables.packet import (
    ECHO_REPLY_V6,
    ETHERNET,
    ICMPV6,
    LONGEST,
    Packet,
    adjusted,
    checksum,
    parse_payload,
    parse_quoted_payload,
)

HEADER = 40
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION)
"""What stands before the transport header; AH and ESP are protocols of their own to rules."""
BACK_AND_FORTH = 0
"""The type of routing header that RFC 5095 forbids."""
ERRORS = (1, 2, 3, 4)
"""ICMPv6's types that say what became of a packet."""
REDIRECT = 137
HOPS = 64
"""The hop limit of what routers say."""
SMALLEST_MTU = 1280
"""No ICMPv6 error is longer; of the offender it has as much as fits (RFC 4443, section 2.4 c)."""
QUOTED = SMALLEST_MTU - HEADER - 8


class Chain(NamedTuple):
    """What extension headers say: the protocol after them and where it starts in the packet, and of a fragment."""

    protocol: int
    start: int
    fragment: int = 0
    """Where the fragmented part starts; 0 for a whole packet."""
    number: int = 0
    offset: int = 0
    """In units of 8 bytes."""
    more: bool = False


def parse(frame: bytes) -> Packet | Reason:
    """The IPv6 packet in a frame, or why it is not one that we carry."""
    ip = frame[ETHERNET:]
    if len(ip) < HEADER or ip[0] >> 4 != 6:
        return Reason.MALFORMED
    length = HEADER + _u16(ip, 4)
    # IPv4 addresses in their mapped form are on no wire (RFC 4291, section 2.5.5.2): here they are IPv4's own.
    if length > len(ip) or is_ipv4(ip[8:24]) or is_ipv4(ip[24:40]):
        return Reason.MALFORMED
    chain = follow_chain(ip[:length])
    if isinstance(chain, Reason):
        return chain
    packet = Packet(ip[8:24], ip[24:40], ip[7], chain.protocol, chain.start, length)
    if chain.offset or chain.more:
        size = length - chain.fragment
        if not is_possible(chain, size):
            return Reason.MALFORMED
        end = 0 if chain.offset else size // 8
        packet = packet._replace(id=chain.number, offset=chain.offset, more=chain.more, end=end)
    return packet if packet.offset else parse_payload(packet, ip[chain.start : length])


def follow_chain(ip: bytes) -> Chain | Reason:
    """The extension headers of a packet of at least 40 bytes, up to a fragment's data if it is a later one."""
    chain, ip = Chain(ip[6], HEADER), ip[: Limit.HEADER]
    for _ in range(Limit.EXTENSIONS):
        if chain.protocol not in EXTENSIONS or chain.offset:
            return chain
        found = next_header(ip, chain)
        if isinstance(found, Reason):
            return found
        chain = found
    return chain if chain.protocol not in EXTENSIONS or chain.offset else Reason.MALFORMED


def next_header(ip: bytes, chain: Chain) -> Chain | Reason:
    """One extension header further."""
    at = chain.start
    if at + 8 > len(ip) or (chain.protocol == HOP_BY_HOP and at != HEADER):
        return Reason.MALFORMED
    if chain.protocol == FRAGMENT:
        if chain.fragment:
            return Reason.MALFORMED
        place, number = _u16(ip, at + 2), int.from_bytes(ip[at + 4 : at + 8], "big")
        return Chain(ip[at], at + 8, at + 8, number, place >> 3, bool(place & 1))
    if chain.protocol == ROUTING and ip[at + 2] == BACK_AND_FORTH:
        return Reason.ROUTING_HEADER
    end = at + (ip[at + 1] + 1) * 8
    return Reason.MALFORMED if end > len(ip) else chain._replace(protocol=ip[at], start=end)


def is_possible(chain: Chain, size: int) -> bool:
    """Whether a fragment may be one: not empty, of whole units but for the last, and of a packet that can be."""
    before = chain.fragment - 8 - HEADER
    return size > 0 and not (chain.more and size % 8) and before + chain.offset * 8 + size <= LONGEST


def parse_quote(frame: bytes, packet: Packet) -> Packet | None:
    """The packet that an ICMPv6 error is about; None unless its receiver may have sent it to its sender."""
    if not packet.is_icmp or packet.type not in ERRORS or packet.more or packet.offset:
        return None
    ip = frame[ETHERNET + packet.header + 8 : ETHERNET + packet.length]
    if len(ip) < HEADER or ip[0] >> 4 != 6 or (ip[8:24], ip[24:40]) != (packet.destination, packet.source):
        return None
    chain = follow_chain(ip)
    if isinstance(chain, Reason) or chain.offset or chain.start + 8 > len(ip):
        return None
    quote = Packet(ip[8:24], ip[24:40], ip[7], chain.protocol, chain.start, HEADER + _u16(ip, 4))
    return parse_quoted_payload(quote, ip[chain.start :])


def is_answerable(packet: Packet) -> bool:
    """Whether errors may be sent about it: not about errors, nor about what goes to many (RFC 4443, section 2.4 e)."""
    is_error = packet.is_icmp and (packet.type < 128 or packet.type == REDIRECT)
    return not (packet.offset or is_error or is_multicast(packet.destination))


def is_multicast(address: bytes) -> bool:
    """RFC 4291, section 2.7."""
    return address[0] == 0xFF


def is_link_local(address: bytes) -> bool:
    """RFC 4291, section 2.5.6: fe80::/10."""
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def answer_echo(frame: bytes, packet: Packet) -> bytes:
    """The reply to an ICMPv6 echo request, or a fragment of it: the same data sent back."""
    ip = bytearray(frame[ETHERNET:])
    icmp = packet.header
    ip[7] = HOPS
    ip[8:24], ip[24:40] = ip[24:40], ip[8:24]
    if not packet.offset:
        before = _u16(ip, icmp)
        ip[icmp] = ECHO_REPLY_V6
        ip[icmp + 2 : icmp + 4] = adjusted(_u16(ip, icmp + 2), before, _u16(ip, icmp))
    return frame[6:12] + frame[0:6] + frame[12:14] + bytes(ip)


def answer_error(frame: bytes, packet: Packet, type_code: tuple[int, int], source: bytes, mtu: int = 0) -> bytes:
    """The ICMPv6 error that `source` sends to the machine that sent the frame.

    `mtu` is what would pass, where the error is about that (RFC 4443, section 3.2).
    """
    quoted = frame[ETHERNET : ETHERNET + min(packet.length, QUOTED)]
    message = with_checksum(source, packet.source, pack("!BBHI", *type_code, 0, mtu) + quoted)
    ip = header(source, packet.source, len(message), HOPS)
    return frame[6:12] + frame[0:6] + frame[12:14] + ip + message


def forwarded(frame: bytes, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The frame after some routers: new MAC addresses, and that many hops less."""
    return destination_mac + source_mac + frame[12:21] + bytes((frame[21] - routers,)) + frame[22:]


def header(source: bytes, destination: bytes, length: int, hops: int) -> bytes:
    """The header of a packet of ICMPv6 whose message is so long."""
    return pack("!IHBB", 6 << 28, length, ICMPV6, hops) + source + destination


def with_checksum(source: bytes, destination: bytes, message: bytes) -> bytes:
    """An ICMPv6 message whose checksum is zero, with its own: the addresses enter it (RFC 8200, section 8.1)."""
    total = checksum(source + destination + pack("!II", len(message), ICMPV6) + message)
    return message[:2] + pack("!H", total) + message[4:]


def _u16(data: bytes | bytearray, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "big")
