"""Attributes and messages to and fro."""

from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.devices.netlink import attributes, encode, message, messages


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=20), max_size=5))
def test_attributes_come_back(wanted: dict[int, bytes]) -> None:
    assert attributes(encode(wanted)) == wanted


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=5).map(lambda b: b.ljust(8, b"\0"))), max_size=4))
def test_messages_come_back(wanted: list[tuple[int, bytes]]) -> None:
    assert list(messages(b"".join(message(kind, 0, 1, body) for kind, body in wanted))) == wanted


@given(st.binary(max_size=64))
def test_what_is_cut_short_is_left_out(octets: bytes) -> None:
    list(messages(octets))
    attributes(octets)
