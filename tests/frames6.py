"""Random frames of IPv6, as `tests.frames` has them of IPv4: extension headers, fragments, neighbours, lies."""

from ipaddress import IPv6Address
from random import Random
from struct import pack

from netplane.verify.datagram import sum_of
from netplane.verify.datagram6 import read_extensions

OPTIONS, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
ADDRESSES = (
    "fd00:0:0:2::9",
    "fd00:0:0:3::9",
    "fd00:0:0:4::9",
    "fd00:0:0:1::9",
    "fd00:0:0:2::1",
    "2001:db8::1",
    "2001:db8:9::1",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "ff02::1",
    "::1",
    "::ffff:a00:2",
)
PLACES = (1, 1, 1, 1, 1, 0, 8, 9, 40 << 3 | 1, 0xFFF8, 0xFFF9)
"""What a fragment header may say of where it stands; mostly that it is a first one."""
TELLING = (0, 12, 13, 14, 18, 19, 20, 21, 22, 38, 54, 55, 56, 57, 58, 62, 66)
"""Where the headers of a frame say what the rest is."""
IDENTIFICATION = 0x00010203


def ipv6(
    payload: bytes,
    protocol: int,
    source: str,
    destination: str,
    *,
    hops: int = 64,
    chain: tuple[tuple[int, bytes], ...] = (),
    length: int | None = None,
) -> bytes:
    """An IPv6 packet; of each extension header in its chain stands what follows its first byte."""
    following, rest = protocol, payload
    for number, body in reversed(chain):
        following, rest = number, bytes((following,)) + body + rest
    size = len(rest) if length is None else length
    ends = IPv6Address(source).packed + IPv6Address(destination).packed
    return pack("!IHBB", 6 << 28 | 0x12345, size, following, hops) + ends + rest


def options(size: int = 8) -> bytes:
    """Hop-by-hop or destination options that fill so many bytes (RFC 8200, section 4.2)."""
    rest = [min(size - 2 - start, 250) for start in range(0, size - 2, 250)]
    return bytes((size // 8 - 1,)) + b"".join(bytes((1, length - 2)) + bytes(length - 2) for length in rest)


def routing(kind: int = 2, left: int = 0) -> bytes:
    """A routing header with one address."""
    return bytes((2, kind, left)) + bytes(4) + IPv6Address("fd00::99").packed


def fragment(place: int, identification: int = IDENTIFICATION) -> bytes:
    """A fragment header; `place` is the offset in bytes, and 1 if more follow."""
    return pack("!BHI", 0, place, identification)


def icmp6(
    source: str, destination: str, kind: int, code: int = 0, rest: bytes = b"\0\7\0\1", data: bytes = b""
) -> bytes:
    """An ICMPv6 message with its checksum."""
    message = pack("!BBH", kind, code, 0) + rest + data
    pseudo = IPv6Address(source).packed + IPv6Address(destination).packed + pack("!II", len(message), 58)
    return message[:2] + pack("!H", sum_of(pseudo + message)) + message[4:]


def solicitation(
    source: str, target: str, destination: str, *, kind: int = 135, code: int = 0, tail: bytes = b""
) -> bytes:
    """A neighbour solicitation, or another message with a target."""
    return icmp6(source, destination, kind, code, bytes(4), IPv6Address(target).packed + tail)


def solicited_node(target: str) -> tuple[str, bytes]:
    """The group that an address listens to (RFC 4291, section 2.7.1), and its MAC address."""
    low = IPv6Address(target).packed[13:]
    return str(IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + low)), b"\x33\x33\xff" + low


def random_chain(random: Random) -> tuple[tuple[int, bytes], ...]:
    """Extension headers, in an order that may be wrong, sometimes too many."""
    found: list[tuple[int, bytes]] = []
    for _ in range(random.choice((0, 0, 0, 0, 1, 1, 2, 3, 7))):
        number = random.choice((OPTIONS, DESTINATION, DESTINATION, ROUTING, FRAGMENT))
        if number == OPTIONS and found and random.random() < 0.8:
            continue
        if number == FRAGMENT:
            found.append((number, fragment(random.choice(PLACES), random.choice((1, IDENTIFICATION)))))
        elif number == ROUTING:
            found.append((number, routing(random.choice((0, 2, 2, 4)), random.choice((0, 1)))))
        else:
            found.append((number, options(random.choice((8, 8, 16, 40)))))
    return tuple(found)


def reply_to(random: Random, frame: bytes) -> bytes:
    """What a machine might answer to a frame that it got, its extension headers kept."""
    found = read_extensions(frame[14:])
    assert found is not None
    start, payload = 14 + len(found.header), bytearray(found.payload)
    if found.place is not None and found.place.offset:
        pass
    elif found.protocol == 6:
        payload[0:4] = payload[2:4] + payload[0:2]
        payload[13] = random.choice((0x12, 0x12, 0x10, 0x11, 0x14, 0x02))
    elif found.protocol in (17, 33, 132, 136):
        payload[0:4] = payload[2:4] + payload[0:2]
    elif found.protocol == 58 and payload[0] == 128:
        payload[0] = 129
    ip = frame[14:21] + b"\x40" + frame[38:54] + frame[22:38] + frame[54:start]
    return frame[6:12] + frame[0:6] + frame[12:14] + ip + bytes(payload)


def rest_of(random: Random, frame: bytes) -> list[bytes]:
    """More fragments of the same packet if this is a first one, mostly those that follow it."""
    found = read_extensions(frame[14:]) if len(frame) > 54 else None
    if found is None or found.place is None or found.place.offset or not found.place.more:
        return []
    start = 14 + found.place.start
    offset = max(54 + int.from_bytes(frame[18:20], "big") - start, 0)
    fragments = []
    for more in (1, 0):
        data = random.randbytes(random.choice((8, 16, 40)) if more else random.choice((8, 16, 40, 41)))
        place = (offset if random.random() < 0.85 else random.randrange(0xFFFF)) & 0xFFF8 | more
        ip = frame[14:18] + (start - 54 + len(data)).to_bytes(2, "big") + frame[20:start]
        fragments.append(frame[:14] + ip[:-6] + place.to_bytes(2, "big") + ip[-4:] + data)
        offset += len(data)
    return fragments


def error_about(random: Random, frame: bytes) -> bytes:
    """What a machine might say in an ICMPv6 error about a frame that it got, mostly a true one."""
    found = read_extensions(frame[14:])
    assert found is not None
    header = len(found.header)
    quote = bytearray(frame[14 : 14 + random.choice((header + 8, header + 8, header + 20, 1300, header + 7, 39))])
    if random.random() < 0.2:
        quote[random.randrange(len(quote))] ^= 1 << random.randrange(8)
    source, destination = (str(IPv6Address(frame[at : at + 16])) for at in (38, 22))
    kind, code = random.choice((1, 1, 1, 2, 3, 4, 5, 100)), random.choice((0, 1, 3, 4))
    message = icmp6(source, destination, kind, code, bytes(4), bytes(quote))
    return frame[6:12] + frame[0:6] + b"\x86\xdd" + ipv6(message, 58, source, destination)
