"""Ethernet frames for tests, made of bytes: only what the contract's cases need."""

from socket import inet_aton
from struct import pack

BROADCAST = b"\xff" * 6
ICMP, TCP, UDP = 1, 6, 17
SYN, ACK = 0x02, 0x10
ECHO_REQUEST, ECHO_REPLY = 8, 0


def ethernet(source: bytes, destination: bytes, kind: int, payload: bytes) -> bytes:
    """A frame."""
    return destination + source + pack("!H", kind) + payload


def arp_request(mac: bytes, address: str, target: str) -> bytes:
    """Who has `target`? Tell `address`."""
    header = pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return ethernet(mac, BROADCAST, 0x0806, header + mac + inet_aton(address) + bytes(6) + inet_aton(target))


def ipv4(
    source: str, destination: str, protocol: int, payload: bytes, *, ttl: int = 64, fragment: int = 0, number: int = 0
) -> bytes:
    """An IPv4 packet, its header checksum right; `fragment` is flags and offset, `number` the identification."""
    start = pack("!BBHHHBB", 0x45, 0, 20 + len(payload), number, fragment, ttl, protocol)
    addresses = inet_aton(source) + inet_aton(destination)
    return start + checksum(start + bytes(2) + addresses) + addresses + payload


def udp(source: int, destination: int, payload: bytes = b"hello") -> bytes:
    """A UDP datagram without a checksum."""
    return pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def tcp(source: int, destination: int, flags: int) -> bytes:
    """A TCP segment without data or checksum."""
    return pack("!HHIIBBHHH", source, destination, 0, 0, 0x50, flags, 1024, 0, 0)


def echo(kind: int, number: int = 7, data: bytes = b"netplane") -> bytes:
    """An ICMP echo request or reply, its checksum right."""
    rest = pack("!HH", number, 1) + data
    return pack("!BB", kind, 0) + checksum(pack("!BBH", kind, 0, 0) + rest) + rest


def icmp_error(about: bytes, kind: int = 3, code: int = 3, quoted: int = 28) -> bytes:
    """An ICMP error about the IPv4 packet in a frame, its checksum right."""
    rest = bytes(4) + about[14 : 14 + quoted]
    return pack("!BB", kind, code) + checksum(pack("!BBH", kind, code, 0) + rest) + rest


def checksum(data: bytes) -> bytes:
    """The internet checksum (RFC 1071) of bytes whose own checksum is 0, or `0000` if theirs is right."""
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return pack("!H", ~total & 0xFFFF)
