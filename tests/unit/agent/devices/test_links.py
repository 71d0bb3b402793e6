"""The kernel's messages about devices."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.devices.links import IFALIAS, IFNAME, LINK_NETNSID, LINKINFO, End, Gone, Link, parse
from netplane.agent.devices.netlink import DELLINK, DONE, NEWLINK


def attribute(kind: int, value: bytes) -> bytes:
    return pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, ifindex: int, *attributes: bytes, family: int = 0, flags: int = 1) -> bytes:
    body = pack("=BxxxiII", family, ifindex, flags, 0) + b"".join(attributes)
    return pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def test_a_device_with_all_that_we_ask_of_it() -> None:
    told = message(
        NEWLINK,
        7,
        attribute(IFNAME, b"veth7\0"),
        attribute(IFALIAS, b"netplane:p\0"),
        attribute(LINKINFO, attribute(1, b"veth\0")),
        attribute(LINK_NETNSID, pack("=i", 0)),
    )
    assert list(parse(told)) == [Link(7, "veth7", "netplane:p", "veth", up=True, elsewhere=True)]


def test_a_plain_device_that_is_down() -> None:
    told = message(NEWLINK, 2, attribute(IFNAME, b"eth0\0"), flags=0)
    assert list(parse(told)) == [Link(2, "eth0", "", "", up=False, elsewhere=False)]


def test_several_messages_in_a_datagram() -> None:
    end = pack("=IHHII", 20, DONE, 2, 1, 0) + bytes(4)
    assert list(parse(message(DELLINK, 7) + end)) == [Gone(7), End()]


def test_a_bridges_notices_are_about_its_ports() -> None:
    assert list(parse(message(DELLINK, 7, family=7))) == []


@given(st.binary(max_size=200))
def test_nothing_raises(octets: bytes) -> None:
    list(parse(octets))


@given(st.binary(max_size=60))
def test_no_attributes_raise(octets: bytes) -> None:
    list(parse(message(NEWLINK, 1, octets)))
