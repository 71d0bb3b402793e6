"""IPv6 packets taken apart and put together."""

from struct import pack

import pytest

from netplane.base.addresses import pack_address
from netplane.tables.decisions import Limit, Reason
from netplane.tables.ipv6 import (
    QUOTED,
    answer_echo,
    answer_error,
    forwarded,
    is_answerable,
    is_link_local,
    is_multicast,
    parse,
    parse_quote,
)
from netplane.tables.packet import Packet
from netplane.verify.datagram import sum_of
from tests.frames import ethernet, tcp, udp
from tests.frames6 import DESTINATION, FRAGMENT, OPTIONS, ROUTING, fragment, icmp6, ipv6, options, routing

ANN, BEN = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
HERE, THERE = "fd00::2", "fd00::3"
Chain = tuple[tuple[int, bytes], ...]


def frame(payload: bytes, protocol: int = 17, *, chain: Chain = (), hops: int = 64, length: int | None = None) -> bytes:
    return ethernet(BEN, ANN, 0x86DD, ipv6(payload, protocol, HERE, THERE, hops=hops, chain=chain, length=length))


def parsed(data: bytes) -> Packet:
    packet = parse(data)
    assert isinstance(packet, Packet)
    return packet


def is_sound(data: bytes) -> bool:
    """Whether the checksum of ICMPv6 without extension headers is right."""
    return sum_of(data[22:54] + pack("!II", len(data) - 54, 58) + data[54:]) == 0


WHOLE = frame(udp(1000, 53, b"question"))


def test_udp() -> None:
    packet = parsed(WHOLE + b"padding")
    assert packet == Packet(pack_address(HERE), pack_address(THERE), 64, 17, 40, 56, 1000, 53)
    assert (packet.is_ipv6, packet.service, packet.numbers, packet.starts) == (True, 53, (1000, 53), True)


@pytest.mark.parametrize(("kind", "asks", "echo"), [(128, True, True), (129, False, True), (1, False, False)])
def test_icmp(kind: int, asks: bool, echo: bool) -> None:
    packet = parsed(frame(icmp6(HERE, THERE, kind, 1), 58))
    assert (packet.is_icmp, packet.asks, packet.is_echo, packet.starts) == (True, asks, echo, asks)
    assert (packet.service, packet.numbers) == (kind << 8 | 1, (7, 7) if echo else (0, 0))


def test_icmp_of_ipv4_is_any_protocol() -> None:
    packet = parsed(frame(b"\x08\0", 1))
    assert (packet.is_icmp, packet.starts, packet.service) == (False, True, 0)


@pytest.mark.parametrize(
    ("chain", "header"),
    [
        (((OPTIONS, options(16)),), 56),
        (((DESTINATION, options()), (ROUTING, routing(2))), 72),
        (((FRAGMENT, fragment(0)),), 48),
        (((DESTINATION, options(Limit.HEADER - 40)),), Limit.HEADER),
        (((DESTINATION, options()),) * Limit.EXTENSIONS, 40 + 8 * Limit.EXTENSIONS),
    ],
)
def test_extension_headers(chain: Chain, header: int) -> None:
    packet = parsed(frame(udp(1000, 53), chain=chain))
    assert (packet.protocol, packet.header, packet.dport) == (17, header, 53)
    assert (packet.offset, packet.more, packet.end) == (0, False, 0)


def test_fragments() -> None:
    first = parsed(frame(udp(1000, 53, bytes(16), length=4000), chain=((FRAGMENT, fragment(1, 1 << 31)),)))
    assert (first.id, first.offset, first.more, first.end, first.dport) == (1 << 31, 0, True, 3, 53)
    later = parsed(frame(bytes(9), 60, chain=((OPTIONS, options()), (FRAGMENT, fragment(24, 5)))))
    assert (later.id, later.offset, later.more, later.end, later.protocol) == (5, 3, False, 0, 60)
    assert not later.starts


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (WHOLE[:53], Reason.MALFORMED),
        (WHOLE[:14] + b"\x45" + WHOLE[15:], Reason.MALFORMED),
        (WHOLE[:-1], Reason.MALFORMED),
        (frame(udp(1, 2), length=0), Reason.MALFORMED),
        (frame(udp(1, 2)[:7]), Reason.MALFORMED),
        (frame(udp(1, 2, length=9)), Reason.MALFORMED),
        (frame(tcp(1, 2, 2)[:19], 6), Reason.MALFORMED),
        (frame(b"\x80\0", 58), Reason.MALFORMED),
        (frame(udp(1, 2), chain=((DESTINATION, options()), (OPTIONS, options()))), Reason.MALFORMED),
        (frame(udp(1, 2), chain=((DESTINATION, options()),) * (Limit.EXTENSIONS + 1)), Reason.MALFORMED),
        (frame(udp(1, 2), chain=((DESTINATION, options(Limit.HEADER - 32)),)), Reason.MALFORMED),
        (frame(udp(1, 2), chain=((ROUTING, routing(0)),)), Reason.ROUTING_HEADER),
        (frame(udp(1, 2), chain=((FRAGMENT, fragment(0)),) * 2), Reason.MALFORMED),
        (frame(udp(1, 2, b"odd", length=99), chain=((FRAGMENT, fragment(1)),)), Reason.MALFORMED),
        (frame(b"", chain=((FRAGMENT, fragment(8)),)), Reason.MALFORMED),
        (frame(bytes(16), chain=((FRAGMENT, fragment(0xFFF8)),)), Reason.MALFORMED),
        (frame(b"", chain=((FRAGMENT, fragment(1)), (DESTINATION, options()))), Reason.MALFORMED),
    ],
)
def test_what_is_refused(data: bytes, reason: Reason) -> None:
    assert parse(data) is reason


@pytest.mark.parametrize("ends", [("::ffff:10.0.0.2", THERE), (HERE, "::ffff:10.0.0.2")])
def test_addresses_of_ipv4(ends: tuple[str, str]) -> None:
    assert parse(ethernet(BEN, ANN, 0x86DD, ipv6(udp(1, 2), 17, *ends))) is Reason.MALFORMED


def quoted_by(message: bytes, *, chain: Chain = ()) -> Packet | None:
    told = ethernet(ANN, BEN, 0x86DD, ipv6(message, 58, THERE, HERE, chain=chain))
    return parse_quote(told, parsed(told))


@pytest.mark.parametrize("chain", [(), ((OPTIONS, options()), (FRAGMENT, fragment(1)))])
def test_what_an_error_is_about(chain: Chain) -> None:
    about = frame(udp(1000, 53, bytes(8), length=4000 if chain else None), chain=chain)[14:]
    for kind in (1, 2, 3, 4):
        quote = quoted_by(icmp6(THERE, HERE, kind, 0, bytes(4), about[:-8]))
        assert quote is not None
        assert (quote.source, quote.destination) == (pack_address(HERE), pack_address(THERE))
        assert (quote.protocol, quote.numbers) == (17, (1000, 53))


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        (5, WHOLE[14:]),
        (128, WHOLE[14:]),
        (1, WHOLE[14:61]),
        (1, WHOLE[14:53]),
        (1, b"\x45" + WHOLE[15:]),
        (1, WHOLE[14:22] + WHOLE[38:54] + WHOLE[22:38] + WHOLE[54:]),
        (1, frame(bytes(8), chain=((FRAGMENT, fragment(80)),))[14:]),
        (1, frame(udp(1, 2), chain=((ROUTING, routing(0)),))[14:]),
        (1, frame(icmp6(HERE, THERE, 200), 58)[14:]),
    ],
)
def test_what_an_error_is_not_about(kind: int, about: bytes) -> None:
    assert quoted_by(icmp6(THERE, HERE, kind, 0, bytes(4), about)) is None


def test_what_errors_may_be_sent_about() -> None:
    for kind in range(256):
        assert is_answerable(parsed(frame(icmp6(HERE, THERE, kind), 58))) == (kind >= 128 and kind != 137)
    assert is_answerable(parsed(WHOLE))
    assert not is_answerable(parsed(ethernet(BEN, ANN, 0x86DD, ipv6(udp(1, 2), 17, HERE, "ff0e::1"))))
    assert not is_answerable(parsed(frame(bytes(8), chain=((FRAGMENT, fragment(80)),))))


@pytest.mark.parametrize("size", [0, 7, QUOTED - 48, QUOTED - 47, 1400])
def test_error_answer(size: int) -> None:
    offender = frame(udp(1, 2, bytes(size)))
    answer = answer_error(offender + b"padding", parsed(offender), (1, 3), pack_address("fd00::1"))
    assert answer[:14] == ANN + BEN + b"\x86\xdd"
    assert (answer[21], answer[22:54]) == (64, pack_address("fd00::1") + pack_address(HERE))
    assert answer[54:56] + answer[58:] == b"\1\3" + bytes(4) + offender[14 : 14 + QUOTED]
    assert len(answer) <= 14 + 1280
    assert is_sound(answer)


def test_packet_too_big_says_what_would_pass() -> None:
    answer = answer_error(WHOLE, parsed(WHOLE), (2, 0), pack_address("fd00::1"), 1400)
    assert (answer[54:56], answer[58:62]) == (b"\2\0", pack("!I", 1400))
    assert is_sound(answer)


def test_echo_answer() -> None:
    asked = frame(icmp6(HERE, THERE, 128, 0, b"\0\7\0\1", b"payload"), 58, hops=3)
    answer = answer_echo(asked + b"pad", parsed(asked + b"pad"))
    assert (answer[:6], answer[6:12], answer[21], answer[54]) == (ANN, BEN, 64, 129)
    assert answer[22:54] == pack_address(THERE) + pack_address(HERE)
    assert answer[58:] == asked[58:] + b"pad"
    assert is_sound(answer[:-3])


def test_forwarded() -> None:
    for routers in (1, 3):
        told = forwarded(frame(udp(1, 2), hops=9), routers, b"router", b"target")
        assert told == b"targetrouter" + frame(udp(1, 2), hops=9 - routers)[12:]


@pytest.mark.parametrize(
    ("address", "link_local", "multicast"),
    [("fe80::1", True, False), ("febf:ff::1", True, False), ("fec0::1", False, False), ("ff02::1", False, True)],
)
def test_kinds_of_addresses(address: str, link_local: bool, multicast: bool) -> None:
    packed = pack_address(address)
    assert (is_link_local(packed), is_multicast(packed)) == (link_local, multicast)
