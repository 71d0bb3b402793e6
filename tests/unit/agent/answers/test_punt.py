"""What frames on the punt device say, and how often a machine may ask."""

from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.answers.punt import Punted, TokenBuckets, decode
from netplane.tables.decisions import Punt
from netplane.tables.packet import punted

FRAME = b"\xff" * 6 + b"\2\0\0\0\0\5" + b"\x08\0" + b"payload"


def test_the_datapath_names_kind_and_device() -> None:
    marked = punted(FRAME, Punt.DHCP, 0x01020304)
    assert decode(marked) == Punted(Punt.DHCP, 0x01020304, marked)


def test_what_the_kernel_sends_itself_is_passed_over() -> None:
    assert decode(FRAME) is None
    assert decode(b"\x33\x33" + FRAME[2:]) is None
    assert decode(b"\x02\x09" + FRAME[2:]) is None
    assert decode(b"\x02\x01") is None


@given(st.binary(max_size=100))
def test_nothing_raises(frame: bytes) -> None:
    decode(frame)


def test_a_burst_then_the_rate() -> None:
    buckets = TokenBuckets(rate=2, burst=3)
    assert [buckets.allow(1, 100.0) for _ in range(4)] == [True, True, True, False]
    assert [buckets.allow(1, 100.5), buckets.allow(1, 100.5)] == [True, False]
    assert buckets.allow(2, 100.5)
    assert [buckets.allow(1, 1000.0) for _ in range(4)] == [True, True, True, False]


def test_full_buckets_are_forgotten() -> None:
    buckets = TokenBuckets(rate=2, burst=3)
    buckets.allow(1, 100.0)
    buckets.allow(2, 110.0)
    buckets.forget(110.2)
    assert buckets._buckets.keys() == {2}
    assert [buckets.allow(2, 110.2) for _ in range(3)] == [True, True, False]
