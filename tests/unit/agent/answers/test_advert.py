"""Router advertisements, octet by octet (RFC 4861, RFC 8106), and which solicitations are heard."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.answers.advert import Advert, Prefix, PrefixFlag, Says, is_solicitation, write
from netplane.agent.answers.frames import ETHERTYPE_IPV6, ICMPV6, checksum, ethernet, icmpv6, ipv6
from netplane.base.addresses import link_local, pack_address

MAC = bytes.fromhex("fa163e010203")
ROUTERS = pack_address("ff02::2")
SOURCE = link_local(MAC)


def test_an_advertisement_says_all() -> None:
    advert = Advert(
        mac=MAC,
        says=Says.MANAGED | Says.OTHER,
        lifetime=1800,
        prefixes=(Prefix(pack_address("2001:db8::"), 64, PrefixFlag.ON_LINK | PrefixFlag.AUTONOMOUS, 20, 10),),
        mtu=1400,
        resolvers=(pack_address("2001:db8::53"), pack_address("2001:db8::54")),
        search=(b"\1a\7example\0",),
        told=1800,
    )
    (frame,) = write(advert)
    assert frame[:14] == bytes.fromhex("333300000001") + MAC + b"\x86\xdd"
    assert frame[14:22] == b"\x60\0\0\0" + pack("!HBB", len(frame) - 54, 58, 255)
    assert frame[22:54] == SOURCE + pack_address("ff02::1")
    message = frame[54:]
    assert checksum(frame[22:54] + pack("!II", len(message), 58) + message) == 0
    assert message[:2] == b"\x86\0"
    assert message[4:16] == pack("!BBHII", 64, 0xC0, 1800, 0, 0)
    assert message[16:24] == b"\1\1" + MAC
    assert message[24:32] == b"\5\1\0\0" + pack("!I", 1400)
    assert message[32:64] == b"\3\4\x40\xc0" + pack("!III", 20, 10, 0) + pack_address("2001:db8::")
    resolvers = pack_address("2001:db8::53") + pack_address("2001:db8::54")
    assert message[64:104] == b"\x19\5\0\0" + pack("!I", 1800) + resolvers
    assert message[104:] == b"\x1f\3\0\0" + pack("!I", 1800) + b"\1a\7example\0".ljust(16, b"\0")


def test_an_advertisement_that_has_little_to_say() -> None:
    (frame,) = write(Advert(MAC, Says(0), 0, (), 0, (), (), 0))
    assert len(frame) == 54 + 16 + 8


def test_many_prefixes_take_several_frames() -> None:
    """All of them small enough for every link (RFC 8200, section 5)."""
    prefixes = tuple(
        Prefix(pack_address(f"2001:db8:{number:x}::"), 64, PrefixFlag.ON_LINK, 20, 10) for number in range(60)
    )
    frames = write(Advert(MAC, Says(0), 9, prefixes, 1400, (pack_address("2001:db8::53"),) * 5, (), 9))
    assert [frame.count(b"\3\4\x40\x80") for frame in frames] == [24, 24, 12]
    assert all(len(frame) <= 14 + 1280 and frame[62 - 2 : 62] == pack("!H", 9) for frame in frames)
    assert [b"\x19\x0b\0\0" in frame for frame in frames] == [True, False, False]


def solicitation(
    source: bytes = SOURCE, options: bytes = b"\1\1" + MAC, kind: int = 133, code: int = 0, hops: int = 255
) -> bytes:
    message = icmpv6(source, ROUTERS, kind, code, bytes(4) + options)
    return ethernet(
        bytes.fromhex("333300000002"), MAC, ETHERTYPE_IPV6, ipv6(source, ROUTERS, ICMPV6, message, hops=hops)
    )


@pytest.mark.parametrize(
    "frame",
    [
        solicitation(),
        solicitation(options=b""),
        solicitation(source=bytes(16), options=b""),
        solicitation(options=b"\x0e\1abcdef"),
        solicitation() + bytes(20),
    ],
)
def test_solicitations_that_are_heard(frame: bytes) -> None:
    assert is_solicitation(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        solicitation(source=bytes(16)),
        solicitation(kind=134),
        solicitation(code=1),
        solicitation(hops=254),
        solicitation(options=b"\1\0abcdef"),
        solicitation(options=b"\1\2abcdef"),
        solicitation(options=b"\1"),
        solicitation()[:-1],
        solicitation()[:-1] + b"x",
        solicitation()[:12] + b"\x08\0" + solicitation()[14:],
        solicitation()[:20] + b"\x11" + solicitation()[21:],
    ],
)
def test_solicitations_that_are_not(frame: bytes) -> None:
    assert not is_solicitation(frame)


@given(st.binary(max_size=120), st.integers(0, 90))
def test_any_frame_is_one_or_is_not(noise: bytes, at: int) -> None:
    frame = solicitation()
    assert is_solicitation(noise) in (True, False)
    assert is_solicitation(frame[:at] + noise) in (True, False)
