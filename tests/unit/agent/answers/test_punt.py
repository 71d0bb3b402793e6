"""What frames on the punt device say, and how often a machine may ask."""

from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.answers.punt import Place, Punted, decode
from netplane.tables.decisions import Punt
from netplane.tables.packet import punted, put_tag

FRAME = b"\xff" * 6 + b"\2\0\0\0\0\5" + b"\x08\0" + b"payload"


def test_the_datapath_names_kind_and_device() -> None:
    marked = punted(FRAME, Punt.DHCP, 0x01020304)
    assert decode(marked) == Punted(Punt.DHCP, Place(0x01020304), marked)
    assert decode(put_tag(marked, 7)) == Punted(Punt.DHCP, Place(0x01020304, 7), marked)


def test_what_the_kernel_sends_itself_is_passed_over() -> None:
    assert decode(FRAME) is None
    assert decode(b"\x33\x33" + FRAME[2:]) is None
    assert decode(b"\x02\x09" + FRAME[2:]) is None
    assert decode(b"\x02\x01") is None


@given(st.binary(max_size=100))
def test_nothing_raises(frame: bytes) -> None:
    decode(frame)
