"""The DHCPv6 server, asked as machines ask it (RFC 8415, section 18.2)."""

from struct import pack, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netplane.agent.answers import dhcp6
from netplane.agent.answers.dhcp6 import IDENTITY, LEASE, SERVER
from netplane.agent.answers.dhcp6_messages import Message, Option, Status, parse
from netplane.agent.answers.frames import ETHERTYPE_IPV6, UDP, checksum, ethernet, ipv6, udp
from netplane.base.addresses import link_local, pack_address
from netplane.base.dhcp6 import suboption
from netplane.model import DhcpOption, FixedIP, Port, Subnet
from netplane.model.network import SLAAC
from tests.unit.agent.ipv6 import AUTOMATIC, DNS, DUAL, GIVEN, MAC, STATEFUL, STATELESS, subnet
from tests.unit.agent.records import NETWORK, SUBNET

CLIENT = (Option.CLIENT, b"\0\3\0\1" + MAC)
OURS = (Option.SERVER, IDENTITY)
SERVERS = pack_address("ff02::1:2")
MINE, OTHER = pack_address(GIVEN), pack_address("2001:db8:c::99")
ALL = (SUBNET, AUTOMATIC, STATELESS, STATEFUL)
Told = list[tuple[int, bytes]]


def question(message: int, *options: tuple[int, bytes], mac: bytes = MAC) -> bytes:
    """A machine's frame."""
    told = bytes((message,)) + b"abc" + b"".join(suboption(*option) for option in options)
    datagram = udp(link_local(mac), SERVERS, 546, 547, told)
    return ethernet(b"\x33\x33\0\1\0\2", mac, ETHERTYPE_IPV6, ipv6(link_local(mac), SERVERS, UDP, datagram, hops=1))


def wants(*addresses: bytes, kind: Option = Option.IA_NA, id: bytes = b"ia01") -> tuple[int, bytes]:
    """An association."""
    times = b"" if kind is Option.IA_TA else bytes(8)
    return kind, id + times + b"".join(suboption(Option.ADDRESS, address + bytes(8)) for address in addresses)


def asks(*codes: int) -> tuple[int, bytes]:
    return Option.REQUESTED, pack(f"!{len(codes)}H", *codes)


def ask(frame: bytes, port: Port = DUAL, subnets: tuple[Subnet, ...] = ALL) -> bytes | None:
    return dhcp6.answer(frame, port, {one.id: one for one in subnets}, NETWORK)


def read(area: bytes) -> Told:
    found: Told = []
    while area:
        code, length = unpack_from("!HH", area)
        assert len(area) >= 4 + length
        found.append((code, area[4 : 4 + length]))
        area = area[4 + length :]
    return found


def kind(frame: bytes | None) -> Message | None:
    return None if frame is None else Message(frame[62])


def options(frame: bytes | None) -> Told:
    assert frame is not None
    return read(frame[66:])


def held(frame: bytes | None) -> dict[bytes, int]:
    """The addresses of the first association, and how long they hold."""
    (association, *_) = [value for code, value in options(frame) if code == Option.IA_NA]
    inside = [value for code, value in read(association[12:]) if code == Option.ADDRESS]
    assert all(value[16:20] == value[20:24] for value in inside)
    return {value[:16]: unpack_from("!I", value, 16)[0] for value in inside}


def status(area: bytes) -> Status:
    (found,) = [value for code, value in read(area) if code == Option.STATUS]
    return Status(unpack_from("!H", found)[0])


def test_solicit_is_offered_the_ports_address() -> None:
    frame = question(Message.SOLICIT, CLIENT, wants())
    offer = ask(frame)
    assert offer is not None
    assert offer[:14] == MAC + SERVER.mac + b"\x86\xdd"
    assert offer[22:54] == SERVER.address + link_local(MAC)
    assert unpack_from("!HHH", offer, 54) == (547, 546, len(offer) - 54)
    assert checksum(offer[22:54] + pack("!II", len(offer) - 54, UDP) + offer[54:]) == 0
    assert (offer[62], offer[63:66]) == (Message.ADVERTISE, b"abc")
    association = b"ia01" + pack("!II", LEASE // 2, LEASE * 4 // 5)
    association += suboption(Option.ADDRESS, MINE + pack("!II", LEASE, LEASE))
    assert options(offer) == [OURS, CLIENT, (Option.PREFERENCE, b"\xff"), (Option.IA_NA, association), (23, DNS)]


def test_rapid_commit_is_answered_at_once() -> None:
    reply = ask(question(Message.SOLICIT, CLIENT, (Option.RAPID, b""), wants()))
    assert kind(reply) is Message.REPLY
    assert (Option.RAPID, b"") in options(reply)
    assert held(reply) == {MINE: LEASE}


@pytest.mark.parametrize("message", [Message.REQUEST, Message.RENEW])
def test_the_address_is_given(message: Message) -> None:
    reply = ask(question(message, CLIENT, OURS, wants(MINE)))
    assert (kind(reply), held(reply)) == (Message.REPLY, {MINE: LEASE})


def test_what_has_changed_is_heard_by_who_renews() -> None:
    for reply in (
        ask(question(Message.RENEW, CLIENT, OURS, wants(OTHER))),
        ask(question(Message.REBIND, CLIENT, wants(OTHER))),
    ):
        assert held(reply) == {MINE: LEASE, OTHER: 0}


def test_who_has_no_address_any_more_hears_so() -> None:
    bare = replace(DUAL, fixed_ips=DUAL.fixed_ips[:-1])
    gone = ask(question(Message.RENEW, CLIENT, OURS, wants(MINE)), bare)
    assert held(gone) == {MINE: 0}
    (association,) = [
        value for code, value in options(ask(question(Message.REBIND, CLIENT, wants()), bare)) if code == 3
    ]
    assert status(association[12:]) is Status.NO_BINDING
    (association,) = [
        value for code, value in options(ask(question(Message.SOLICIT, CLIENT, wants()), bare)) if code == 3
    ]
    assert status(association[12:]) is Status.NO_ADDRESSES


@pytest.mark.parametrize(
    ("addresses", "said"),
    [((MINE,), Status.SUCCESS), ((OTHER,), Status.NOT_ON_LINK), ((MINE, OTHER), Status.NOT_ON_LINK)],
)
def test_confirm(addresses: tuple[bytes, ...], said: Status) -> None:
    reply = ask(question(Message.CONFIRM, CLIENT, wants(*addresses)))
    assert reply is not None
    assert (kind(reply), status(reply[66:])) == (Message.REPLY, said)


def test_confirm_of_nothing_is_not_answered() -> None:
    assert ask(question(Message.CONFIRM, CLIENT, wants())) is None


@pytest.mark.parametrize("message", [Message.RELEASE, Message.DECLINE])
def test_release_and_decline_are_acknowledged(message: Message) -> None:
    frame = question(message, CLIENT, OURS, wants(MINE))
    reply = ask(frame)
    assert options(reply) == [OURS, CLIENT, (Option.STATUS, b"\0\0")]
    assert dhcp6.read_declined(frame) == (GIVEN if message is Message.DECLINE else None)


def test_the_first_association_gets_all_addresses() -> None:
    two = replace(DUAL, fixed_ips=(*DUAL.fixed_ips, FixedIP("full", "2001:db8:c::78")))
    reply = ask(question(Message.SOLICIT, CLIENT, wants(), wants(id=b"ia02")), two)
    assert held(reply) == {MINE: LEASE, pack_address("2001:db8:c::78"): LEASE}
    second = [value for code, value in options(reply) if code == Option.IA_NA][1]
    assert (second[:12], status(second[12:])) == (b"ia02" + bytes(8), Status.NO_ADDRESSES)


def test_no_prefixes_and_no_temporary_addresses() -> None:
    reply = ask(question(Message.SOLICIT, CLIENT, wants(kind=Option.IA_PD), wants(kind=Option.IA_TA)))
    told = dict(options(reply))
    assert status(told[Option.IA_PD][12:]) is Status.NO_PREFIX
    assert status(told[Option.IA_TA][4:]) is Status.NO_ADDRESSES


OPTIONS = tuple(
    DhcpOption(name, value, 6)
    for name, value in {
        "domain-search": "blue.example",
        "ntp-server": "2001:db8::7b",
        "bootfile-url": "http://boot.example/a",
        "999": "0x01",
        "sip-server": "nonsense",
    }.items()
)


def test_a_client_is_told_what_it_asks_for_and_its_ports_own() -> None:
    port = replace(DUAL, extra_dhcp_opts=OPTIONS)
    reply = ask(question(Message.INFORMATION_REQUEST, asks(59, 23, 31)), port, (STATELESS,))
    assert options(reply) == [
        OURS,
        (59, b"http://boot.example/a"),
        (23, DNS),
        (24, b"\4blue\7example\0"),
        (56, b"\0\1\0\x10" + pack_address("2001:db8::7b")),
        (999, b"\1"),
    ]


def test_who_asks_for_nothing_is_told_everything() -> None:
    reply = ask(question(Message.INFORMATION_REQUEST, CLIENT))
    assert options(reply) == [OURS, CLIENT, (23, DNS), (Option.REFRESH, pack("!I", LEASE))]


def test_the_clients_name_is_its_own() -> None:
    reply = ask(question(Message.SOLICIT, CLIENT, wants(), (Option.NAME, b"\1\3vm1\0")))
    assert (Option.NAME, b"\4\3vm1\0") in options(reply)


def test_a_ports_name_is_its_machines() -> None:
    named = replace(DUAL, dns_name="web")
    network = replace(NETWORK, dns_domain="blue.example.")
    for asked in (asks(39), (Option.NAME, b"\1\3vm1\0")):
        frame = question(Message.SOLICIT, CLIENT, wants(), asked)
        reply = dhcp6.answer(frame, named, {one.id: one for one in ALL}, network)
        assert (Option.NAME, b"\4\3web\4blue\7example\0") in options(reply)
    assert dict(options(ask(question(Message.SOLICIT, CLIENT, wants()), named))).get(Option.NAME) is None


def test_the_networks_domain_is_where_names_are_looked_for() -> None:
    network = replace(NETWORK, dns_domain="blue.example.")
    subnets = {one.id: one for one in ALL}
    told = dict(options(dhcp6.answer(question(Message.INFORMATION_REQUEST, asks(24)), DUAL, subnets, network)))
    assert told[24] == b"\4blue\7example\0"
    own = replace(DUAL, extra_dhcp_opts=(DhcpOption("domain-search", "a.example", 6),))
    told = dict(options(dhcp6.answer(question(Message.INFORMATION_REQUEST, asks(24)), own, subnets, network)))
    assert told[24] == b"\1a\7example\0"


def test_only_where_addresses_or_more_come_by_dhcp() -> None:
    frame = question(Message.INFORMATION_REQUEST)
    assert ask(frame, DUAL, (SUBNET, AUTOMATIC)) is None
    assert ask(frame, DUAL, (STATELESS,)) is not None
    unsaid = replace(subnet("full", "2001:db8:c", None), enable_dhcp=True)
    assert held(ask(question(Message.SOLICIT, CLIENT, wants()), DUAL, (unsaid,))) == {MINE: LEASE}
    for silent in (
        replace(unsaid, enable_dhcp=False),
        replace(STATEFUL, ipv6_address_mode=None),
        replace(STATEFUL, ipv6_address_mode=SLAAC),
    ):
        assert ask(question(Message.SOLICIT, CLIENT, wants()), DUAL, (silent,)) is None


@pytest.mark.parametrize(
    "frame",
    [
        question(Message.SOLICIT, wants()),
        question(Message.SOLICIT, CLIENT, OURS, wants()),
        question(Message.REQUEST, CLIENT, wants()),
        question(Message.REQUEST, CLIENT, (Option.SERVER, b"\0\3\0\1other!"), wants()),
        question(Message.RENEW, OURS, wants()),
        question(Message.REBIND, CLIENT, OURS, wants()),
        question(Message.CONFIRM, CLIENT, OURS, wants(MINE)),
        question(Message.INFORMATION_REQUEST, CLIENT, wants()),
        question(Message.INFORMATION_REQUEST, (Option.SERVER, b"other")),
        question(Message.ADVERTISE, CLIENT, OURS),
        question(Message.REPLY, CLIENT, OURS),
        question(12, CLIENT, wants()),
        question(Message.SOLICIT, CLIENT, wants(), mac=b"\2\0\0\0\0\x99"),
        question(Message.SOLICIT, (Option.CLIENT, b""), wants()),
        question(Message.SOLICIT, (Option.CLIENT, bytes(131)), wants()),
        question(Message.SOLICIT, CLIENT, (Option.IA_NA, b"short")),
        question(Message.SOLICIT, CLIENT, (Option.IA_NA, bytes(12) + suboption(Option.ADDRESS, bytes(23)))),
        question(Message.SOLICIT, CLIENT, wants())[:-1],
        question(Message.SOLICIT, CLIENT, wants())[:20] + b"\6" + question(Message.SOLICIT, CLIENT, wants())[21:],
    ],
)
def test_what_is_not_answered(frame: bytes) -> None:
    assert ask(frame) is None


@given(st.binary(max_size=200), st.integers(0, 120), st.integers(0, 255))
def test_nothing_that_a_machine_sends_raises(noise: bytes, at: int, message: int) -> None:
    good = question(message, CLIENT, OURS, wants(MINE), asks(23, 24))
    for frame in (noise, good[:at] + noise, good[:at] + noise + good[at:], question(message, CLIENT, (3, noise))):
        ask(frame)
        parse(frame)
        dhcp6.read_declined(frame)


@given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40)), max_size=8), st.sampled_from(Message))
def test_answers_can_always_be_read(sent: Told, message: Message) -> None:
    reply = ask(question(message, *sent))
    if reply is not None:
        assert len(reply) == 54 + unpack_from("!H", reply, 18)[0]
        assert options(reply)[0] == OURS
