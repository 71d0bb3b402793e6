"""Frames taken apart and put together."""

import pytest

from netplane.base.addresses import MAPPED, pack_address
from netplane.tables.decisions import Punt, Reason
from netplane.tables.packet import (
    Packet,
    answer_arp,
    answer_echo,
    answer_error,
    checksum,
    forwarded,
    parse,
    parse_arp,
    parse_quote,
    punted,
)
from tests.frames import arp, ethernet, icmp, internet_sum, ipv4, tcp, udp

ANN, BEN = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"


def frame(payload: bytes, protocol: int = 17, *, ttl: int = 64, options: bytes = b"", fragment: int = 0) -> bytes:
    packet = ipv4(payload, protocol, "10.0.0.2", "10.0.0.3", ttl=ttl, options=options, fragment=fragment)
    return ethernet(BEN, ANN, 0x0800, packet)


def parsed(data: bytes) -> Packet:
    packet = parse(data)
    assert isinstance(packet, Packet)
    return packet


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


WHOLE = frame(udp(1000, 53, b"question"))


def test_udp() -> None:
    packet = parsed(WHOLE)
    assert packet == Packet(pack_address("10.0.0.2"), pack_address("10.0.0.3"), 64, 17, 20, 36, 1000, 53)
    assert (packet.service, packet.numbers, packet.starts) == (53, (1000, 53), True)


@pytest.mark.parametrize(
    ("flags", "starts"), [(0x02, True), (0xC2, True), (0x12, False), (0x06, False), (0x03, False), (0x10, False)]
)
def test_what_starts_a_tcp_connection(flags: int, starts: bool) -> None:
    assert parsed(frame(tcp(1, 2, flags), 6)).starts is starts


def quoted_by(error: bytes, *, fragment: int = 0) -> Packet | None:
    told = ipv4(error, 1, "10.0.0.3", "10.0.0.2", fragment=fragment)
    return parse_quote(ethernet(ANN, BEN, 0x0800, told), parsed(ethernet(ANN, BEN, 0x0800, told)))


def test_what_an_error_is_about() -> None:
    quote = quoted_by(icmp(3, 3, 0, WHOLE[14:42]))
    assert quote is not None
    assert (quote.source, quote.destination) == (pack_address("10.0.0.2"), pack_address("10.0.0.3"))
    assert (quote.protocol, quote.numbers) == (17, (1000, 53))
    ping = quoted_by(icmp(11, 0, 0, frame(icmp(8, 0, 77), 1)[14:]))
    assert ping is not None
    assert ping.numbers == (77, 77)


@pytest.mark.parametrize(
    "error",
    [
        icmp(4, 0, 0, WHOLE[14:]),
        icmp(5, 1, 0, WHOLE[14:]),
        icmp(8, 0, 0, WHOLE[14:]),
        icmp(3, 3, 0, WHOLE[14:41]),
        icmp(3, 3, 0, WHOLE[14:30]),
        icmp(3, 3, 0, b"\x65" + WHOLE[15:]),
        icmp(3, 3, 0, b"\x44" + WHOLE[15:]),
        icmp(3, 3, 0, WHOLE[14:26] + WHOLE[30:34] + WHOLE[26:30] + WHOLE[34:]),
        icmp(3, 3, 0, frame(bytes(8), fragment=5)[14:]),
        icmp(3, 3, 0, frame(icmp(13), 1)[14:]),
    ],
)
def test_what_an_error_is_not_about(error: bytes) -> None:
    assert quoted_by(error) is None


def test_an_error_in_fragments_is_about_nothing() -> None:
    error = icmp(3, 3, 0, WHOLE[14:42] + bytes(4))
    assert quoted_by(error) is not None
    assert quoted_by(error, fragment=0x2000) is None


def test_the_first_fragment_of_a_datagram() -> None:
    packet = parsed(frame(udp(1000, 53, bytes(1472), length=8008), fragment=0x2000))
    assert (packet.id, packet.offset, packet.more) == (0x1234, 0, True)
    assert (packet.service, packet.numbers, packet.starts) == (53, (1000, 53), True)


@pytest.mark.parametrize(("protocol", "fragment", "more"), [(17, 0x2001, True), (17, 0x1FF0, False), (6, 2, False)])
def test_a_later_fragment(protocol: int, fragment: int, more: bool) -> None:
    packet = parsed(frame(bytes(8), protocol, fragment=fragment))
    assert (packet.id, packet.offset, packet.more) == (0x1234, fragment & 0x1FFF, more)
    assert (packet.service, packet.numbers, packet.starts) == (0, (0, 0), False)


@pytest.mark.parametrize(("kind", "echo", "starts"), [(8, True, True), (0, True, False), (3, False, False)])
def test_icmp(kind: int, echo: bool, starts: bool) -> None:
    packet = parsed(frame(icmp(kind, 1, 77), 1))
    assert (packet.is_echo, packet.starts, packet.service) == (echo, starts, kind << 8 | 1)
    assert packet.numbers == ((77, 77) if echo else (0, 0))


@pytest.mark.parametrize(
    "data",
    [
        WHOLE + b"padding",
        frame(b"", 47),
        frame(udp(1, 2), options=bytes(40)),
        frame(udp(1, 2), fragment=0x4000),
        frame(tcp(1, 2, 2) + bytes(40), 6),
        frame(udp(1, 2, b"12345678", length=8)),
    ],
)
def test_well_formed(data: bytes) -> None:
    parsed(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (WHOLE[:33], Reason.MALFORMED),
        (changed(WHOLE, 14, 0x65), Reason.MALFORMED),
        (changed(WHOLE, 14, 0x44), Reason.MALFORMED),
        (changed(WHOLE, 17, 37), Reason.MALFORMED),
        (changed(WHOLE, 17, 19), Reason.MALFORMED),
        (frame(udp(1, 2, b"odd"), fragment=0x2000), Reason.MALFORMED),
        (frame(udp(1, 2, b"too long"), fragment=0x1FFF), Reason.MALFORMED),
        (frame(b"", fragment=1), Reason.MALFORMED),
        (frame(tcp(1, 2, 2)[:16], 6, fragment=0x2000), Reason.MALFORMED),
        (frame(tcp(1, 2, 2, offset=7) + bytes(4), 6, fragment=0x2000), Reason.MALFORMED),
        (frame(bytes(8), 6, fragment=1), Reason.MALFORMED),
        (frame(udp(1, 2, length=7), fragment=0x2000), Reason.MALFORMED),
        (frame(udp(1, 2)[:7]), Reason.MALFORMED),
        (frame(udp(1, 2, length=7)), Reason.MALFORMED),
        (frame(udp(1, 2, length=9)), Reason.MALFORMED),
        (frame(tcp(1, 2, 2)[:19], 6), Reason.MALFORMED),
        (frame(tcp(1, 2, 2, offset=4), 6), Reason.MALFORMED),
        (frame(tcp(1, 2, 2, offset=6), 6), Reason.MALFORMED),
        (frame(icmp(8, data=b"")[:7], 1), Reason.MALFORMED),
    ],
)
def test_not_well_formed(data: bytes, reason: Reason) -> None:
    assert parse(data) is reason


def test_checksum() -> None:
    # The example of RFC 1071, section 3, whose sum is ddf2.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert checksum(b"\1") == checksum(b"\1\0")


@pytest.mark.parametrize(("ttl", "routers"), [(1, 1), (2, 1), (64, 1), (65, 1), (255, 1), (9, 8), (255, 8)])
def test_forwarded(ttl: int, routers: int) -> None:
    routed = forwarded(frame(udp(1, 2), ttl=ttl), routers, b"router", b"target")
    assert routed[:14] == b"targetrouter\x08\x00"
    assert routed[22] == ttl - routers
    assert internet_sum(routed[14:34]) == 0


def test_a_wrong_checksum_stays_wrong() -> None:
    wrong = bytearray(WHOLE)
    wrong[25] ^= 0x10
    assert internet_sum(forwarded(bytes(wrong), 1, ANN, BEN)[14:34]) == internet_sum(bytes(wrong)[14:34]) != 0


@pytest.mark.parametrize("options", [b"", b"\1" * 4])
def test_echo_answer(options: bytes) -> None:
    asked = frame(icmp(8, 0, 7, b"payload"), 1, ttl=3, options=options) + b"pad"
    answer = answer_echo(asked, parsed(asked))
    size = 14 + 20 + len(options)
    assert (answer[:6], answer[6:12], len(answer)) == (ANN, BEN, len(asked))
    assert (answer[26:30], answer[30:34], answer[22]) == (asked[30:34], asked[26:30], 64)
    assert (answer[size], answer[size + 4 :]) == (0, asked[size + 4 :])
    assert internet_sum(answer[14:size]) == internet_sum(answer[size:-3]) == 0


@pytest.mark.parametrize(("data", "quoted"), [(b"", 8), (bytes(5), 13), (bytes(100), 20)])
def test_error_answer(data: bytes, quoted: int) -> None:
    offender = frame(udp(1, 2, data)) + b"padding"
    answer = answer_error(offender, parsed(offender), (3, 1), pack_address("10.0.0.1"))
    assert answer[:14] == ANN + BEN + b"\x08\x00"
    assert answer[14:16] == b"\x45\xc0"
    assert answer[16:24] == bytes((0, 48 + quoted, 0, 0, 0, 0, 64, 1))
    assert answer[26:34] == bytes((10, 0, 0, 1, 10, 0, 0, 2))
    assert answer[34:36] == b"\3\1"
    assert answer[38:] == bytes(4) + offender[14 : 34 + quoted]
    assert internet_sum(answer[14:34]) == internet_sum(answer[34:]) == 0


def test_arp() -> None:
    request = ethernet(b"\xff" * 6, ANN, 0x0806, arp(1, ANN, "10.0.0.2", "10.0.0.3")) + bytes(18)
    asked = parse_arp(request)
    assert asked is not None
    assert asked == (1, ANN, MAPPED + b"\x0a\0\0\2", MAPPED + b"\x0a\0\0\3")
    answer = answer_arp(request, BEN)
    assert len(answer) == len(request)
    assert (answer[:12], answer[20:22]) == (ANN + BEN, b"\0\2")
    assert answer[22:42] == BEN + b"\x0a\0\0\3" + ANN + b"\x0a\0\0\2"


@pytest.mark.parametrize("head", [b"\0\6\x08\0\6\4", b"\0\1\x86\xdd\6\4", b"\0\1\x08\0\x08\4", b"\0\1\x08\0\6\x10"])
def test_other_arp(head: bytes) -> None:
    assert parse_arp(ethernet(BEN, ANN, 0x0806, arp(1, ANN, "10.0.0.2", "10.0.0.3", head=head))) is None


def test_short_arp() -> None:
    assert parse_arp(ethernet(BEN, ANN, 0x0806, arp(1, ANN, "10.0.0.2", "10.0.0.3"))[:-1]) is None


def test_punted() -> None:
    assert punted(WHOLE, Punt.DHCP, 0x01020304) == b"\2\1\1\2\3\4" + WHOLE[6:]
