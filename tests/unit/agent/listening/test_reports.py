"""IGMP and MLD: what frames say, queries, and that nothing raises."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.answers.frames import checksum, ethernet, icmpv6, ipv6
from netplane.agent.answers.frames import ipv4 as ipv4_packet
from netplane.agent.listening.queries import igmp_query, mld_query
from netplane.agent.listening.reports import Mode, Report, read_reports
from netplane.base.addresses import MAPPED, pack_address

MAC = b"\2\0\0\0\0\1"
GROUP, OTHER = bytes((239, 1, 2, 3)), bytes((239, 1, 2, 4))
SOURCE = bytes((10, 0, 0, 9))
GROUP_V6, SOURCE_V6, OWN = (pack_address(text) for text in ("ff05::1:3", "fd00::9", "fe80::1"))


def igmp(message: bytes) -> bytes:
    summed = message[:2] + pack("!H", checksum(message)) + message[4:]
    return ethernet(b"\1\0\x5e\1\2\3", MAC, 0x0800, ipv4_packet(SOURCE, GROUP, 2, summed, ttl=1))


def mld(kind: int, body: bytes, *, alert: bool = True) -> bytes:
    message = icmpv6(OWN, GROUP_V6, kind, 0, body)
    if not alert:
        return ethernet(MAC, MAC, 0x86DD, ipv6(OWN, GROUP_V6, 58, message, hops=1))
    options = bytes((58, 0)) + bytes.fromhex("050200000100")
    return ethernet(MAC, MAC, 0x86DD, ipv6(OWN, GROUP_V6, 0, options + message, hops=1))


def record(mode: int, group: bytes, *sources: bytes, auxiliary: bytes = b"") -> bytes:
    return pack("!BBH", mode, len(auxiliary) // 4, len(sources)) + group + b"".join(sources) + auxiliary


def test_older_versions() -> None:
    for kind in (0x12, 0x16):
        assert read_reports(igmp(bytes((kind, 0, 0, 0)) + GROUP)) == [Report(MAPPED + GROUP, Mode.IS_EXCLUDE)]
    assert read_reports(igmp(b"\x17\0\0\0" + GROUP)) == [Report(MAPPED + GROUP, Mode.TO_INCLUDE)]
    assert read_reports(mld(131, bytes(4) + GROUP_V6)) == [Report(GROUP_V6, Mode.IS_EXCLUDE)]
    assert read_reports(mld(132, bytes(4) + GROUP_V6, alert=False)) == [Report(GROUP_V6, Mode.TO_INCLUDE)]


def test_the_newest() -> None:
    records = record(4, GROUP) + record(6, OTHER, SOURCE, auxiliary=bytes(8)) + record(9, GROUP) + record(3, GROUP)
    told = read_reports(igmp(b"\x22\0\0\0\0\0\0\4" + records))
    assert told == [
        Report(MAPPED + GROUP, Mode.TO_EXCLUDE),
        Report(MAPPED + OTHER, Mode.BLOCK, frozenset({MAPPED + SOURCE})),
        Report(MAPPED + GROUP, Mode.TO_INCLUDE),
    ]
    told = read_reports(mld(143, pack("!HH", 0, 1) + record(5, GROUP_V6, SOURCE_V6)))
    assert told == [Report(GROUP_V6, Mode.ALLOW, frozenset({SOURCE_V6}))]


def test_records_that_end_too_early() -> None:
    whole = b"\x22\0\0\0\0\0\0\2" + record(4, GROUP) + record(5, OTHER, SOURCE)
    for end in range(16, len(whole)):
        assert read_reports(igmp(whole[:end])) == [Report(MAPPED + GROUP, Mode.TO_EXCLUDE)]


def test_what_says_nothing() -> None:
    good = igmp(b"\x16\0\0\0" + GROUP)
    for bad in (b"", good[:30], good[:-1] + b"\0", good[:23] + b"\x11" + good[24:], igmp(b"\x11\0\0\0" + GROUP)):
        assert read_reports(bad) == []
    assert read_reports(mld(130, bytes(20))) == []
    assert read_reports(mld(131, bytes(4) + GROUP_V6[:8])) == []


@given(st.binary(max_size=120), st.sampled_from([0x0800, 0x86DD]))
def test_nothing_raises(data: bytes, kind: int) -> None:
    read_reports(ethernet(MAC, MAC, kind, data))


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_queries(seconds: float) -> None:
    query = igmp_query(SOURCE, seconds)
    assert query[:6] == bytes.fromhex("01005e000001")
    assert checksum(query[14:38]) == checksum(query[38:]) == 0
    assert (query[22], query[23], query[26:34]) == (1, 2, SOURCE + bytes((224, 0, 0, 1)))
    assert (query[38], query[39], query[46], query[47]) == (0x11, seconds * 10, 2, 125)
    other = mld_query(seconds)
    assert other[:6] == bytes.fromhex("333300000001")
    assert (other[20], other[21], other[22:24]) == (0, 1, b"\xfe\x80")
    message = other[62:]
    assert checksum(other[22:54] + pack("!II", len(message), 58) + message) == 0
    assert (message[0], int.from_bytes(message[4:6], "big")) == (130, seconds * 1000)
