"""Ethernet frames from fields, with their checksums: what the agent answers machines with and what a trace sends.

Pure. Fields are packed values (6-byte MACs, 4-byte IPv4 and 16-byte IPv6 addresses); formats are those of RFC 791,
8200, 768, 9293, 792, 4443 and 826.
"""

from struct import pack

BROADCAST_MAC = b"\xff" * 6
ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58

TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
"""The letters of TCP flags, as tcpdump writes them."""


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071) of octets; a sum that includes a right checksum gives 0."""
    if len(octets) % 2:
        octets += b"\0"
    # One's complement sums of 16-bit words are remainders modulo 2^16 - 1.
    total = int.from_bytes(octets, "big")
    folded = total % 0xFFFF
    return 0 if total and not folded else 0xFFFF - folded


def ethernet(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """A frame without its trailing check sequence."""
    return destination + source + pack("!H", ethertype) + payload


def ipv4(source: bytes, destination: bytes, protocol: int, payload: bytes, *, ttl: int = 64) -> bytes:
    """A packet that must not be fragmented."""
    fields = pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, ttl, protocol, 0) + source + destination
    return fields[:10] + pack("!H", checksum(fields)) + fields[12:] + payload


def ipv6(source: bytes, destination: bytes, protocol: int, payload: bytes, *, hops: int = 64) -> bytes:
    """A packet without extension headers."""
    return pack("!IHBB", 6 << 28, len(payload), protocol, hops) + source + destination + payload


def udp(source: bytes, destination: bytes, sport: int, dport: int, payload: bytes) -> bytes:
    """A datagram; the addresses enter its checksum."""
    length = 8 + len(payload)
    segment = pack("!HHHH", sport, dport, length, 0) + payload
    # RFC 768: a computed zero is sent as all ones, since zero means "no checksum".
    return segment[:6] + pack("!H", _transport(source, destination, UDP, segment) or 0xFFFF) + segment[8:]


def tcp(source: bytes, destination: bytes, sport: int, dport: int, flags: int) -> bytes:
    """A segment without data or options."""
    segment = pack("!HHIIBBHHH", sport, dport, 0, 0, 0x50, flags, 0xFFFF, 0, 0)
    return segment[:16] + pack("!H", _transport(source, destination, TCP, segment)) + segment[18:]


def icmp(kind: int, code: int, rest: bytes, payload: bytes = b"") -> bytes:
    """A message; `rest` is its second word."""
    message = pack("!BBH", kind, code, 0) + rest + payload
    return message[:2] + pack("!H", checksum(message)) + message[4:]


def icmpv6(source: bytes, destination: bytes, kind: int, code: int, body: bytes) -> bytes:
    """A message; the addresses enter its checksum."""
    message = pack("!BBH", kind, code, 0) + body
    return message[:2] + pack("!H", _transport(source, destination, ICMPV6, message)) + message[4:]


def group_mac(address: bytes) -> bytes:
    """The MAC address of a group of IPv6 (RFC 2464, section 7)."""
    return b"\x33\x33" + address[12:]


def arp_request(mac: bytes, address: bytes, target: bytes) -> bytes:
    """The question who has `target`."""
    return pack("!HHBBH", 1, ETHERTYPE_IPV4, 6, 4, 1) + mac + address + bytes(6) + target


def _transport(source: bytes, destination: bytes, protocol: int, segment: bytes) -> int:
    """The sum over a segment and its pseudo-header, which is the same for both families (RFC 8200, section 8.1)."""
    return checksum(source + destination + pack("!BBH", 0, protocol, len(segment)) + segment)
