"""The DHCP server, asked as machines ask it (RFC 2131, section 4.4)."""

from ipaddress import IPv4Address
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netplane.agent import dhcp
from netplane.agent.dhcp import HEADER, LEASE, MAGIC, Message, Option
from netplane.agent.frames import BROADCAST_MAC, ETHERTYPE_IPV4, UDP, checksum, ethernet, ipv4, udp
from netplane.base.addresses import pack_mac
from netplane.model import FixedIP, Port, Subnet
from netplane.model.network import HostRoute
from tests.unit.agent.records import NETWORK, PORT, SUBNET

MAC = pack_mac(PORT.mac_address)
XID = b"\1\2\3\4"
MINE, OTHER = IPv4Address("10.0.0.5").packed, IPv4Address("10.0.0.77").packed
GATEWAY = IPv4Address("10.0.0.1").packed
NONE = bytes(4)


def question(
    message: int,
    *options: tuple[int, bytes],
    ciaddr: bytes = NONE,
    flags: int = 0,
    chaddr: bytes = MAC,
) -> bytes:
    """A machine's frame."""
    head = pack("!BBBB4sHH", 1, 1, 6, 0, XID, 0, flags) + (ciaddr + bytes(12) + chaddr).ljust(HEADER - 12, b"\0")
    told = b"".join(pack("!BB", code, len(value)) + value for code, value in ((53, bytes((message,))), *options))
    return wrapped(head + MAGIC + told + b"\xff")


def wrapped(bootp: bytes, *, sport: int = 68, dport: int = 67) -> bytes:
    """A BOOTP message in a frame."""
    datagram = udp(NONE, b"\xff" * 4, sport, dport, bootp)
    return ethernet(BROADCAST_MAC, MAC, ETHERTYPE_IPV4, ipv4(NONE, b"\xff" * 4, UDP, datagram))


def ask(frame: bytes, port: Port = PORT, *subnets: Subnet) -> bytes | None:
    return dhcp.answer(frame, port, {subnet.id: subnet for subnet in subnets or (SUBNET,)}, NETWORK)


def options(frame: bytes | None) -> dict[int, bytes]:
    """The options of an answer."""
    assert frame is not None
    found: dict[int, bytes] = {}
    assert dhcp._read_options(frame[42 + HEADER + 4 :], found)
    return found


def kind(frame: bytes | None) -> Message | None:
    """What an answer says."""
    return None if frame is None else Message(options(frame)[Option.TYPE][0])


def yours(frame: bytes | None) -> bytes:
    assert frame is not None
    return frame[42 + 16 : 42 + 20]


def test_discover_is_offered_the_ports_address_and_all_that_its_subnet_says() -> None:
    offer = ask(question(Message.DISCOVER))
    assert yours(offer) == MINE
    assert options(offer) == {
        Option.TYPE: bytes((Message.OFFER,)),
        Option.SERVER: GATEWAY,
        Option.LEASE: pack("!I", LEASE),
        Option.RENEWAL: pack("!I", LEASE // 2),
        Option.REBINDING: pack("!I", LEASE * 7 // 8),
        Option.MASK: b"\xff\xff\xff\0",
        Option.ROUTER: GATEWAY,
        Option.DNS: b"\x09\x09\x09\x09\1\1\1\1",
        Option.MTU: pack("!H", 1400),
        Option.ROUTES: b"\0" + GATEWAY,
    }


@pytest.mark.parametrize(
    ("asked", "ciaddr", "said"),
    [
        ({Option.REQUESTED: MINE, Option.SERVER: GATEWAY}, NONE, Message.ACK),
        ({Option.REQUESTED: OTHER, Option.SERVER: GATEWAY}, NONE, Message.NAK),
        ({Option.REQUESTED: MINE, Option.SERVER: OTHER}, NONE, None),
        ({Option.REQUESTED: MINE}, NONE, Message.ACK),
        ({Option.REQUESTED: OTHER}, NONE, Message.NAK),
        ({}, MINE, Message.ACK),
        ({}, OTHER, Message.NAK),
        ({}, NONE, Message.NAK),
    ],
    ids=["selecting", "wrong address", "other server", "reboot", "moved", "renewing", "renewing moved", "nothing"],
)
def test_request(asked: dict[Option, bytes], ciaddr: bytes, said: Message | None) -> None:
    answer = ask(question(Message.REQUEST, *asked.items(), ciaddr=ciaddr))
    assert kind(answer) == said
    if said is Message.ACK:
        assert yours(answer) == MINE
    if said is Message.NAK:
        assert yours(answer) == NONE
        assert Option.LEASE not in options(answer)


def test_inform_is_told_everything_but_an_address_and_a_time() -> None:
    answer = ask(question(Message.INFORM, ciaddr=MINE))
    assert kind(answer) is Message.ACK
    assert yours(answer) == NONE
    assert Option.LEASE not in options(answer)
    assert options(answer)[Option.ROUTER] == GATEWAY


@pytest.mark.parametrize("message", [Message.DECLINE, Message.RELEASE, Message.OFFER, Message.ACK, Message.NAK, 0, 9])
def test_no_answer_to(message: int) -> None:
    assert ask(question(message)) is None


def test_no_answer_for_another_mac_or_without_dhcp() -> None:
    assert ask(question(Message.DISCOVER, chaddr=BROADCAST_MAC)) is None
    assert ask(question(Message.DISCOVER), PORT, replace(SUBNET, enable_dhcp=False)) is None
    assert ask(question(Message.DISCOVER), replace(PORT, fixed_ips=())) is None


@pytest.mark.parametrize(
    ("message", "flags", "ciaddr", "mac", "address"),
    [
        (Message.DISCOVER, 0x8000, NONE, BROADCAST_MAC, b"\xff" * 4),
        (Message.DISCOVER, 0, NONE, MAC, MINE),
        (Message.REQUEST, 0x8000, MINE, MAC, MINE),
        (Message.REQUEST, 0, OTHER, BROADCAST_MAC, b"\xff" * 4),
    ],
    ids=["broadcast wanted", "unicast", "renewal", "refusal"],
)
def test_where_answers_go(message: Message, flags: int, ciaddr: bytes, mac: bytes, address: bytes) -> None:
    answer = ask(question(message, flags=flags, ciaddr=ciaddr))
    assert answer is not None
    assert (answer[:6], answer[30:34]) == (mac, address)
    assert unpack("!HH", answer[34:38]) == (67, 68)


def test_checksums_are_right() -> None:
    answer = ask(question(Message.DISCOVER))
    assert answer is not None
    assert checksum(answer[14:34]) == 0
    pseudo = answer[26:34] + pack("!BBH", 0, UDP, len(answer) - 34)
    assert checksum(pseudo + answer[34:]) == 0


@pytest.mark.parametrize(
    "subnet",
    [
        replace(SUBNET, cidr="nonsense"),
        replace(SUBNET, gateway_ip="fd00::1"),
        replace(SUBNET, dns_nameservers=("nobody",)),
        replace(SUBNET, host_routes=(HostRoute("fd00::/64", "fd00::1"),)),
        replace(SUBNET, ip_version=6),
        replace(SUBNET, id="another"),
    ],
)
def test_records_that_make_no_sense_lease_nothing(subnet: Subnet) -> None:
    assert ask(question(Message.DISCOVER), PORT, subnet) is None


def test_host_routes_come_with_the_default_route() -> None:
    """RFC 3442: who reads option 121 must ignore option 3, so the default route is in both."""
    routes = (HostRoute("192.168.0.0/17", "10.0.0.9"), HostRoute("172.16.0.0/12", "10.0.0.8"))
    answer = ask(question(Message.DISCOVER), PORT, replace(SUBNET, host_routes=routes))
    via = b"\x0a\0\0"
    assert options(answer)[Option.ROUTES] == (
        b"\x11\xc0\xa8\0" + via + b"\x09" + b"\x0c\xac\x10" + via + b"\x08" + b"\0" + GATEWAY
    )


def test_without_a_gateway_there_is_no_default_route() -> None:
    answer = options(ask(question(Message.DISCOVER), PORT, replace(SUBNET, gateway_ip=None, dns_nameservers=())))
    assert answer[Option.SERVER] == IPv4Address("169.254.169.254").packed
    assert answer.keys().isdisjoint({Option.ROUTER, Option.ROUTES, Option.DNS})


def test_a_host_route_may_be_the_default_route() -> None:
    routes = (HostRoute("0.0.0.0/0", "10.0.0.9"),)
    answer = options(ask(question(Message.DISCOVER), PORT, replace(SUBNET, host_routes=routes)))
    assert answer[Option.ROUTES] == b"\0\x0a\0\0\x09"


def test_a_port_with_two_addresses_keeps_the_one_that_its_machine_has() -> None:
    port = replace(PORT, fixed_ips=(*PORT.fixed_ips, FixedIP("sub", "10.0.0.77")))
    assert yours(ask(question(Message.REQUEST, ciaddr=OTHER), port)) == OTHER
    assert yours(ask(question(Message.DISCOVER), port)) == MINE


def test_the_client_identifier_comes_back() -> None:
    """RFC 6842."""
    assert options(ask(question(Message.DISCOVER, (61, b"\1\2\3"))))[Option.CLIENT] == b"\1\2\3"


def test_options_in_parts_and_in_overloaded_fields_are_read() -> None:
    """RFC 3396 and RFC 2132, section 9.3."""
    head = bytearray(pack("!BBBB4sHH", 1, 1, 6, 0, XID, 0, 0) + (bytes(16) + MAC).ljust(HEADER - 12, b"\0"))
    head[108:114] = b"\x32\4" + MINE
    parted = bytes((53, 1, 3, 52, 1, 1, 54, 2)) + GATEWAY[:2] + bytes((54, 2)) + GATEWAY[2:]
    assert kind(ask(wrapped(bytes(head) + MAGIC + parted + b"\xff"))) is Message.ACK


def test_what_is_cut_short_is_no_request() -> None:
    whole = question(Message.REQUEST, (Option.REQUESTED, MINE))
    assert dhcp.parse(whole) is not None
    assert [dhcp.parse(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    assert dhcp.parse(wrapped(whole[42:], sport=67, dport=68)) is None


@given(st.binary(max_size=400))
def test_no_frame_ever_raises(octets: bytes) -> None:
    ask(octets)


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(1, 254), st.binary(max_size=40)), max_size=8), st.data())
def test_no_request_ever_raises(message: int, told: list[tuple[int, bytes]], data: st.DataObject) -> None:
    frame = bytearray(question(message, *told))
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    answer = ask(bytes(frame))
    assert answer is None or checksum(answer[14:34]) == 0
