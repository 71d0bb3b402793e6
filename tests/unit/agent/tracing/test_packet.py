"""How packets of traces are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.answers.frames import checksum
from netplane.agent.tracing import packet
from netplane.agent.tracing.packet import BadPacket, Origin, build, parse
from netplane.base.addresses import pack_address
from netplane.tables.ipv6 import parse as take_apart6
from netplane.tables.packet import Packet, parse_arp
from netplane.tables.packet import parse as take_apart

ORIGIN = Origin(b"\2\0\0\0\0\5", b"\x0a\0\0\5", b"\2\0\0\0\0\1")


def made(text: str) -> Packet:
    """The packet as the datapath sees it; its checksums are right."""
    frame = build(parse(text), ORIGIN)
    found = take_apart(frame)
    assert isinstance(found, Packet)
    assert checksum(frame[14:34]) == 0
    return found


def test_tcp_from_the_ports_own_address() -> None:
    frame, found = build(parse("tcp dst=10.0.1.7 dport=80"), ORIGIN), made("tcp dst=10.0.1.7 dport=80")
    assert frame[:12] == ORIGIN.next_hop + ORIGIN.mac
    assert (found.source, found.destination) == (pack_address("10.0.0.5"), pack_address("10.0.1.7"))
    assert (found.protocol, found.sport, found.dport, found.flags, found.ttl) == (6, packet.SPORT, 80, 2, 64)


def test_everything_can_be_said() -> None:
    text = "tcp dst=1.2.3.4 src=5.6.7.8 sport=9 dport=10 ttl=11 flags=SA dmac=02:00:00:00:00:aa smac=02:00:00:00:00:bb"
    frame, found = build(parse(text), ORIGIN), made(text)
    assert frame[:12].hex() == "0200000000aa0200000000bb"
    assert found.source == pack_address("5.6.7.8")
    assert (found.sport, found.dport, found.ttl, found.flags) == (9, 10, 11, 0x12)


def test_udp_and_icmp() -> None:
    assert made("udp dst=10.0.1.7 dport=53")[5:8] == (28, packet.SPORT, 53)
    assert made("icmp dst=10.0.1.7").starts
    assert (made("icmp dst=10.0.1.7 type=3 code=1 ttl=1").type, made("icmp dst=1.1.1.1 code=1").code) == (3, 1)


def test_arp() -> None:
    asked = parse_arp(build(parse("arp dst=10.0.0.1"), ORIGIN))
    assert asked is not None
    assert (asked.operation, asked.sender_mac) == (1, ORIGIN.mac)
    assert (asked.sender, asked.target) == (pack_address("10.0.0.5"), pack_address("10.0.0.1"))


ORIGIN6 = Origin(b"\2\0\0\0\0\5", pack_address("fd00::5"), b"\2\0\0\0\0\1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcp dst=fd00::7 dport=80", (6, 64, 80)),
        ("udp dst=fd00::7 dport=53 ttl=3", (17, 3, 53)),
        ("icmp dst=fd00::7", (58, 64, 128 << 8)),
        ("icmp dst=fd00::7 type=1 code=4", (58, 64, 1 << 8 | 4)),
        ("nd dst=fd00::7", (58, 255, 135 << 8)),
    ],
)
def test_ipv6(text: str, said: tuple[int, int, int]) -> None:
    frame = build(parse(text), ORIGIN6)
    found = take_apart6(frame)
    assert isinstance(found, Packet)
    assert (found.protocol, found.ttl, found.service) == said
    assert found.source == ORIGIN6.address
    pseudo = frame[22:54] + len(frame[54:]).to_bytes(4, "big") + bytes((0, 0, 0, found.protocol))
    assert checksum(pseudo + frame[54:]) == 0


def test_a_frame_byte_for_byte() -> None:
    assert build(parse("hex:0011aabb"), ORIGIN) == b"\x00\x11\xaa\xbb"
    assert build(parse(" hex:00:11 "), ORIGIN) == b"\x00\x11"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "begins with"),
        ("igmp dst=1.1.1.1", "begins with"),
        ("tcp", "needs dst"),
        ("tcp dst", "name=value"),
        ("tcp dst=", "name=value"),
        ("tcp dst=10.0.0.256", "IP address"),
        ("tcp dst=::1 src=1.1.1.1", "one family"),
        ("arp dst=::1", "IPv4"),
        ("nd dst=1.1.1.1", "IPv6"),
        ("tcp dst=1.1.1.1 dport=65536", "from 0 to 65535"),
        ("tcp dst=1.1.1.1 ttl=-1", "from 0 to 255"),
        ("tcp dst=1.1.1.1 flags=SX", "'X'"),
        ("tcp dst=1.1.1.1 dmac=zz", "MAC"),
        ("tcp dst=1.1.1.1 color=blue", "'color'"),
        ("hex:", "empty"),
        ("hex:0g", "hexadecimal"),
    ],
)
def test_what_is_no_packet_says_why(text: str, wrong: str) -> None:
    with pytest.raises(BadPacket, match=wrong):
        parse(text)


WORDS = st.one_of(st.text(max_size=12), st.sampled_from(["tcp", "dst=1.1.1.1", "ttl=", "ttl=²", "flags=S", "dmac=é"]))


@given(st.lists(WORDS, max_size=5))
def test_nothing_else_is_raised(words: list[str]) -> None:
    try:
        build(parse(" ".join(words)), ORIGIN)
    except BadPacket:
        return
