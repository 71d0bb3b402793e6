"""Packets as a reader of the RFCs sees them; written apart from `netplane.tables`: each checks the other.

Here is what both families share, and IPv4; `datagram6` has IPv6.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address
from struct import unpack, unpack_from
from typing import NamedTuple

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
DCCP, SCTP, UDP_LITE = 33, 132, 136


Address = IPv4Address | IPv6Address
QUERIES = (0, 8, 13, 14)
"""Types of ICMP that are no errors."""
EVERYBODY_AND_NOBODY = IPv4Network("240.0.0.0/4")
"""The limited broadcast address, and reserved ones."""


class Datagram(NamedTuple):
    """A well-formed packet of IPv4 (RFC 791) or IPv6 (RFC 8200), whole or a fragment."""

    source: Address
    destination: Address
    ttl: int
    protocol: int
    header: bytes
    """With its options, or extension headers."""
    payload: bytes
    identification: int = 0
    offset: int = 0
    """Of a fragment, in bytes."""
    more: bool = False
    """Whether fragments follow this one."""
    beginning: bytes = b""
    """Of a later fragment, the payload of the first one."""
    reach: int = 0
    """Of a first fragment of IPv6: where it ends in its packet, in bytes; no other may begin before."""

    @property
    def is_ipv6(self) -> bool:
        """Whether it is of IPv6."""
        return isinstance(self.source, IPv6Address)

    @property
    def is_icmp(self) -> bool:
        """Whether it is of its family's own ICMP."""
        return self.protocol == (ICMPV6 if self.is_ipv6 else ICMP)

    @property
    def asks(self) -> bool:
        """Whether it is an echo request."""
        return self.is_icmp and self.icmp[0] == (128 if self.is_ipv6 else 8)

    @property
    def replies(self) -> bool:
        """Whether it is the reply to one."""
        return self.is_icmp and self.icmp[0] == (129 if self.is_ipv6 else 0)

    @property
    def transport(self) -> bytes:
        """Where the transport header stands."""
        return self.beginning or self.payload

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination port of the protocols that have them; all begin with them."""
        if self.protocol not in (TCP, UDP, DCCP, SCTP, UDP_LITE):
            return 0, 0
        source, destination = unpack_from("!HH", self.transport)
        return source, destination

    @property
    def icmp(self) -> tuple[int, int]:
        """ICMP's type and code."""
        return self.transport[0], self.transport[1]

    @property
    def identifier(self) -> int:
        """An ICMP echo's identifier."""
        return int.from_bytes(self.transport[4:6], "big")

    @property
    def flags(self) -> set[str]:
        """TCP's flags, by the first letter of FIN, SYN, RST and ACK; a later fragment has none."""
        if self.protocol != TCP or self.offset:
            return set()
        return {name for bit, name in ((1, "F"), (2, "S"), (4, "R"), (16, "A")) if self.payload[13] & bit}


class Arp(NamedTuple):
    """An ARP packet (RFC 826)."""

    operation: int
    sender_mac: bytes
    sender: IPv4Address
    target: IPv4Address


def read_ipv4(frame: bytes) -> Datagram | None:
    """The packet in a frame; None unless it is IPv4 and well formed."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    first, _, length, identification, fragment, ttl, protocol, _, source, destination = unpack(
        "!BBHHHBBH4s4s", frame[14:34]
    )
    words = first & 0x0F
    if first >> 4 != 4 or words < 5 or length < words * 4 or length > len(frame) - 14:
        return None
    header, payload = frame[14 : 14 + words * 4], frame[14 + words * 4 : 14 + length]
    offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
    if not (follows(protocol, offset, more, length, payload) if offset else fits(protocol, payload, more=more)):
        return None
    return Datagram(
        IPv4Address(source), IPv4Address(destination), ttl, protocol, header, payload, identification, offset, more
    )


def read_quote(datagram: Datagram) -> Datagram | None:
    """What an ICMP error (RFC 792) is about: the beginning of a packet that its receiver sent to its sender."""
    if datagram.protocol != ICMP or datagram.more or datagram.offset or datagram.payload[0] not in (3, 11, 12):
        return None
    quote = datagram.payload[8:]
    words = quote[0] & 0x0F if quote else 0
    if words < 5 or quote[0] >> 4 != 4 or len(quote) < words * 4 + 8 or int.from_bytes(quote[6:8], "big") & 0x1FFF:
        return None
    ends = IPv4Address(quote[12:16]), IPv4Address(quote[16:20])
    if ends != (datagram.destination, datagram.source):
        return None
    return Datagram(*ends, quote[8], quote[9], quote[: words * 4], quote[words * 4 :])


def follows(protocol: int, offset: int, more: bool, length: int, payload: bytes) -> bool:
    """Whether it can be a later fragment; none of TCP may reach into the flags (RFC 1858, RFC 3128)."""
    if protocol == TCP and offset < 14:
        return False
    return len(payload) > 0 and offset + length < 65536 and (len(payload) % 8 == 0 or not more)


def fits(protocol: int, payload: bytes, *, more: bool) -> bool:
    """Whether the payload holds the header that the protocol promises, and its lengths are true."""
    if more and (not payload or len(payload) % 8):
        return False
    if protocol == TCP:
        return len(payload) >= 20 and payload[12] >> 4 >= 5 and (payload[12] >> 4) * 4 <= len(payload)
    if protocol == UDP:
        return len(payload) >= 8 and 8 <= int.from_bytes(payload[4:6], "big") <= (65535 if more else len(payload))
    if protocol in (DCCP, SCTP):
        return len(payload) >= 12
    return protocol not in (ICMP, UDP_LITE) or len(payload) >= 8


def read_arp(frame: bytes) -> Arp | None:
    """The ARP packet in a frame; None if it is malformed."""
    if len(frame) < 42:
        return None
    hardware, protocol, mac_size, size, operation, mac, sender, _, target = unpack("!HHBBH6s4s6s4s", frame[14:42])
    if (hardware, protocol, mac_size, size) != (1, 0x0800, 6, 4):
        return None
    return Arp(operation, mac, IPv4Address(sender), IPv4Address(target))


def may_be_told(datagram: Datagram) -> bool:
    """Whether an ICMP error may be sent about it: about pings and times, and no other ICMP; never to a group or all."""
    if datagram.is_icmp and datagram.icmp[0] not in QUERIES:
        return False
    return not (datagram.destination.is_multicast or datagram.destination in EVERYBODY_AND_NOBODY)


def write_arp_reply(frame: bytes, mac: bytes) -> bytes:
    """The same frame turned into the answer that the address asked for is at `mac`."""
    answer = bytearray(frame)
    asker, asked_for = frame[22:32], frame[38:42]
    answer[0:12] = asker[:6] + mac
    answer[20:22] = b"\x00\x02"
    answer[22:42] = mac + asked_for + asker
    return bytes(answer)


def write_echo_reply(frame: bytes) -> bytes:
    """The same frame turned into an answer to its echo request, or to its part of one."""
    answer = bytearray(frame)
    answer[0:6], answer[6:12] = frame[6:12], frame[0:6]
    answer[26:30], answer[30:34] = frame[30:34], frame[26:30]
    change_word(answer, 22, 64 << 8 | frame[23], checksum_at=24)
    icmp = 14 + (frame[14] & 0x0F) * 4
    if not int.from_bytes(frame[20:22], "big") & 0x1FFF:
        change_word(answer, icmp, frame[icmp + 1], checksum_at=icmp + 2)
    return bytes(answer)


def write_routed(frame: bytes, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The same frame so many routers further."""
    answer = bytearray(frame)
    answer[0:12] = destination_mac + source_mac
    change_word(answer, 22, (frame[22] - routers) << 8 | frame[23], checksum_at=24)
    return bytes(answer)


def write_error(frame: bytes, datagram: Datagram, kind: tuple[int, int], sender: IPv4Address, mtu: int) -> bytes:
    """An ICMP error (RFC 792) about a frame, sent back to where it came from; `mtu` as in RFC 1191, or 0."""
    message = bytearray(8) + datagram.header + datagram.payload[:20]
    message[0:2] = bytes(kind)
    message[6:8] = mtu.to_bytes(2, "big")
    message[2:4] = sum_of(message).to_bytes(2, "big")
    header = bytearray(b"\x45\xc0\0\0\0\0\0\0\x40\x01\0\0") + sender.packed + datagram.source.packed
    header[2:4] = (20 + len(message)).to_bytes(2, "big")
    header[10:12] = sum_of(header).to_bytes(2, "big")
    return frame[6:12] + frame[0:6] + b"\x08\x00" + bytes(header + message)


def write_readdressed(frame: bytes, datagram: Datagram, at: int, address: Address) -> bytes:
    """The same frame with another address at a place of its IP header; what UDP leaves unchecked stays so."""
    answer = bytearray(frame)
    sums = [] if datagram.is_ipv6 else [14 + 10]
    transport = 14 + len(datagram.header)
    if datagram.protocol == TCP and not datagram.offset:
        sums.append(transport + 16)
    if datagram.protocol == UDP and not datagram.offset and any(frame[transport + 6 : transport + 8]):
        sums.append(transport + 6)
    for place in sums:
        for part in range(0, len(address.packed), 2):
            answer[14 + at + part : 16 + at + part] = frame[14 + at + part : 16 + at + part]
            word = int.from_bytes(address.packed[part : part + 2], "big")
            change_word(answer, 14 + at + part, word, checksum_at=place)
        if datagram.protocol == UDP and place > transport and not any(answer[place : place + 2]):
            answer[place : place + 2] = b"\xff\xff"
    answer[14 + at : 14 + at + len(address.packed)] = address.packed
    return bytes(answer)


def change_word(data: bytearray, at: int, word: int, *, checksum_at: int) -> None:
    """Write a word and keep its checksum as right or wrong as it was: sums are counted modulo 65535 (RFC 1071)."""
    before = int.from_bytes(data[at : at + 2], "big")
    checksum = int.from_bytes(data[checksum_at : checksum_at + 2], "big")
    data[at : at + 2] = word.to_bytes(2, "big")
    data[checksum_at : checksum_at + 2] = ((checksum + before - word) % 65535).to_bytes(2, "big")


def sum_of(data: bytes | bytearray) -> int:
    """The Internet checksum (RFC 1071): what makes the sum of all words a multiple of 65535."""
    total = int.from_bytes(bytes(data) + bytes(len(data) % 2), "big")
    return (0xFFFF - total % 0xFFFF) % 0xFFFF
