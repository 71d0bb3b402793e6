"""The DHCP server, asked as machines ask it (RFC 2131, section 4.4)."""

from ipaddress import IPv4Address
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netplane.agent.answers import dhcp
from netplane.agent.answers.bootp import HEADER, MAGIC, Message, Option, parse, read_options
from netplane.agent.answers.dhcp import LEASE
from netplane.agent.answers.frames import BROADCAST_MAC, ETHERTYPE_IPV4, UDP, checksum, ethernet, ipv4, udp
from netplane.base.addresses import pack_mac
from netplane.model import DhcpOption, FixedIP, Port, Route, Subnet
from netplane.model.dhcp import OPTIONS as NAMES
from netplane.model.dhcp import encode_option
from tests.unit.agent.records import NETWORK, PORT, SUBNET

MAC = pack_mac(PORT.mac_address)
XID = b"\1\2\3\4"
MINE, OTHER = IPv4Address("10.0.0.5").packed, IPv4Address("10.0.0.77").packed
GATEWAY = IPv4Address("10.0.0.1").packed
SERVICES = IPv4Address("169.254.169.254").packed
TO_SERVICES = b"\x20" + SERVICES + bytes(4)
"""The route to the host's services, which are on every link."""
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
    assert read_options(frame[42 + HEADER + 4 :], found)
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
        Option.BROADCAST: IPv4Address("10.0.0.255").packed,
        Option.HOSTNAME: b"host-10-0-0-5",
        Option.ROUTES: TO_SERVICES + b"\0" + GATEWAY,
    }


@pytest.mark.parametrize(
    ("asked", "ciaddr", "said"),
    [
        ({Option.REQUESTED: MINE, Option.SERVER: GATEWAY}, NONE, Message.ACK),
        ({Option.REQUESTED: OTHER, Option.SERVER: GATEWAY}, NONE, Message.NAK),
        ({Option.REQUESTED: MINE, Option.SERVER: OTHER}, NONE, None),
        ({Option.REQUESTED: OTHER, Option.SERVER: OTHER}, NONE, None),
        ({Option.REQUESTED: MINE}, NONE, Message.ACK),
        ({Option.REQUESTED: OTHER}, NONE, Message.NAK),
        ({}, MINE, Message.ACK),
        ({}, OTHER, Message.NAK),
        ({}, NONE, Message.NAK),
    ],
    ids=[
        "selecting",
        "wrong address",
        "other server",
        "other server's offer",
        "reboot",
        "moved",
        "renewing",
        "renewing moved",
        "nothing",
    ],
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
        replace(SUBNET, host_routes=(Route("fd00::/64", "fd00::1"),)),
        replace(SUBNET, ip_version=6),
        replace(SUBNET, id="another"),
    ],
)
def test_records_that_make_no_sense_lease_nothing(subnet: Subnet) -> None:
    assert ask(question(Message.DISCOVER), PORT, subnet) is None


def test_host_routes_come_with_the_default_route() -> None:
    """RFC 3442: who reads option 121 must ignore option 3, so the default route is in both."""
    routes = (Route("192.168.0.0/17", "10.0.0.9"), Route("172.16.0.0/12", "10.0.0.8"))
    answer = ask(question(Message.DISCOVER), PORT, replace(SUBNET, host_routes=routes))
    via = b"\x0a\0\0"
    assert options(answer)[Option.ROUTES] == (
        b"\x11\xc0\xa8\0" + via + b"\x09" + b"\x0c\xac\x10" + via + b"\x08" + TO_SERVICES + b"\0" + GATEWAY
    )


def test_without_a_gateway_there_is_no_default_route() -> None:
    answer = options(ask(question(Message.DISCOVER), PORT, replace(SUBNET, gateway_ip=None, dns_nameservers=())))
    assert answer[Option.SERVER] == answer[Option.DNS] == SERVICES
    assert answer[Option.ROUTES] == TO_SERVICES
    assert Option.ROUTER not in answer


def test_a_machine_learns_its_name_and_its_networks_domain() -> None:
    named = replace(NETWORK, dns_domain="blue.example.")
    asked = question(Message.DISCOVER, (Option.PARAMETERS, bytes((12, 15, 119))))
    told = options(dhcp.answer(asked, replace(PORT, dns_name="web"), {SUBNET.id: SUBNET}, named))
    assert (told[Option.HOSTNAME], told[Option.DOMAIN]) == (b"web", b"blue.example")
    assert told[Option.SEARCH] == b"\x04blue\x07example\0"
    unnamed = options(dhcp.answer(asked, PORT, {SUBNET.id: SUBNET}, NETWORK))
    assert unnamed.keys().isdisjoint({Option.DOMAIN, Option.SEARCH})


def test_a_subnet_that_names_resolvers_of_another_ip_version_only_has_none_of_this() -> None:
    subnet = replace(SUBNET, dns_nameservers=("2001:db8::53",))
    assert Option.DNS not in options(ask(question(Message.DISCOVER), PORT, subnet))


def test_a_host_route_may_be_the_default_route() -> None:
    routes = (Route("0.0.0.0/0", "10.0.0.9"),)
    answer = options(ask(question(Message.DISCOVER), PORT, replace(SUBNET, host_routes=routes)))
    assert answer[Option.ROUTES] == b"\0\x0a\0\0\x09" + TO_SERVICES


def test_a_port_with_two_addresses_keeps_the_one_that_its_machine_has() -> None:
    port = replace(PORT, fixed_ips=(*PORT.fixed_ips, FixedIP("sub", "10.0.0.77")))
    assert yours(ask(question(Message.REQUEST, ciaddr=OTHER), port)) == OTHER
    assert yours(ask(question(Message.DISCOVER), port)) == MINE


@pytest.mark.parametrize("asked", [(Message.DISCOVER, MINE), (Message.REQUEST, MINE), (Message.REQUEST, OTHER)])
@pytest.mark.parametrize("client", [b"\1\2\3", bytes(range(256)) * 2])
def test_the_client_identifier_comes_back(asked: tuple[Message, bytes], client: bytes) -> None:
    """RFC 6842: also with a refusal, and however long."""
    parts = [(Option.CLIENT, client[at : at + 255]) for at in range(0, len(client), 255)]
    answer = ask(question(asked[0], (Option.REQUESTED, asked[1]), (Option.SIZE, b"\5\0"), *parts))
    assert options(answer)[Option.CLIENT] == client


def own(*named: tuple[str, str], port: Port = PORT) -> Port:
    """The port with options of its own."""
    return replace(port, extra_dhcp_opts=tuple(DhcpOption(*each) for each in named))


BASICS = [53, 54, 51, 58, 59, 1]
PXE = own(("bootfile-name", "pxelinux.0"), ("server-ip-address", "192.0.2.9"), ("150", "192.0.2.8,192.0.2.7"))


def order(frame: bytes | None) -> list[int]:
    """The options of an answer as they follow each other."""
    return list(options(frame))


def field(frame: bytes | None, start: int, length: int) -> bytes:
    """A field of an answer's fixed part, without trailing zeros."""
    assert frame is not None
    return frame[42 + start : 42 + start + length].rstrip(b"\0")


def test_what_is_asked_for_comes_first_and_in_that_order_and_then_the_ports_own() -> None:
    answer = ask(question(Message.DISCOVER, (Option.PARAMETERS, b"\x79\x1a\x2a\x03\x01\x43\x36\x1a")), PXE)
    assert order(answer) == [*BASICS, 121, 26, 3, 67, 150]
    assert order(ask(question(Message.DISCOVER, (Option.PARAMETERS, b"\x0f")))) == BASICS


def test_boot_file_and_next_server_are_also_in_their_fields() -> None:
    answer = ask(question(Message.DISCOVER), PXE)
    assert field(answer, 20, 4) == IPv4Address("192.0.2.9").packed
    assert field(answer, 108, 128) == b"pxelinux.0"
    told = options(answer)
    assert told[Option.BOOT_FILE] == b"pxelinux.0"
    assert told[Option.TFTP_ADDRESS] == bytes((192, 0, 2, 8, 192, 0, 2, 7))
    assert 255 not in told


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ([("150", "192.0.2.8,192.0.2.7"), ("66", "192.0.2.6")], "192.0.2.8"),
        ([("tftp-server", "192.0.2.6")], "192.0.2.6"),
        ([("tftp-server", "boot.example")], "0.0.0.0"),
        ([("255", "192.0.2.5"), ("tftp-server", "192.0.2.6")], "192.0.2.5"),
        ([], "0.0.0.0"),
    ],
)
def test_next_server(named: list[tuple[str, str]], address: str) -> None:
    answer = ask(question(Message.REQUEST, ciaddr=MINE), own(*named))
    assert field(answer, 20, 4).ljust(4, b"\0") == IPv4Address(address).packed
    assert field(answer, 44, 64) == dict(named).get("tftp-server", dict(named).get("66", "")).encode()


def test_a_refusal_tells_nothing_of_the_ports_options() -> None:
    answer = ask(question(Message.REQUEST, (Option.REQUESTED, OTHER)), PXE)
    assert order(answer) == [53, 54]
    assert (field(answer, 20, 4), field(answer, 108, 128)) == (b"", b"")


def test_the_ports_own_options_replace_its_subnets() -> None:
    port = own(("mtu", "1300"), ("dns-server", "9.9.9.10"), ("router", "10.0.0.9"), ("netmask", "255.255.0.0"))
    told = options(ask(question(Message.DISCOVER), port))
    assert told[Option.MTU] == pack("!H", 1300)
    assert told[Option.DNS] == b"\x09\x09\x09\x0a"
    assert told[Option.ROUTER] == b"\x0a\0\0\x09"
    assert told[Option.ROUTES] == TO_SERVICES + b"\0\x0a\0\0\x09", "the default route follows"
    assert told[Option.MASK] == b"\xff\xff\0\0"
    assert told[Option.SERVER] == GATEWAY


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ([("router", "")], {Option.ROUTES}),
        ([("classless-static-route", "")], {Option.ROUTER}),
        ([("3", ""), ("121", "10.7.0.0/16,10.0.0.9")], {Option.ROUTES}),
    ],
)
def test_routes_can_be_withheld(named: list[tuple[str, str]], left: set[Option]) -> None:
    told = options(ask(question(Message.DISCOVER), own(*named)))
    assert told.keys() & {Option.ROUTER, Option.ROUTES} == left


@pytest.mark.parametrize(
    ("named", "times"),
    [
        ([], (86_400, 43_200, 75_600)),
        ([("lease-time", "600")], (600, 300, 525)),
        ([("51", "10m"), ("T1", "60"), ("T2", "120")], (600, 60, 120)),
        ([("lease-time", "600"), ("T1", "550")], (600, 300, 525)),
        ([("lease-time", "600"), ("T2", "601")], (600, 300, 525)),
        ([("lease-time", "infinite")], (0xFFFFFFFF, None, None)),
        ([("lease-time", "infinite"), ("T1", "60")], (0xFFFFFFFF, None, None)),
    ],
)
def test_times(named: list[tuple[str, str]], times: tuple[int | None, ...]) -> None:
    told = options(ask(question(Message.REQUEST, ciaddr=MINE), own(*named)))
    packed = tuple(told.get(code) for code in (Option.LEASE, Option.RENEWAL, Option.REBINDING))
    assert packed == tuple(None if seconds is None else pack("!I", seconds) for seconds in times)


def test_options_of_other_versions_and_without_sense_are_not_told() -> None:
    strange = [DhcpOption("no-such", "1"), DhcpOption("mtu", "x"), DhcpOption("67", "v6", 6), DhcpOption("53", "1")]
    port = replace(PORT, extra_dhcp_opts=tuple(strange))
    assert ask(question(Message.DISCOVER), port) == ask(question(Message.DISCOVER))


def test_rapid_commit() -> None:
    """RFC 4039: who asks for it is acknowledged at once, and told so."""
    answer = ask(question(Message.DISCOVER, (Option.RAPID, b"")))
    assert kind(answer) is Message.ACK
    assert options(answer)[Option.RAPID] == b""
    assert yours(answer) == MINE
    assert ask(question(Message.DISCOVER, (Option.RAPID, b"\1"))) is None
    assert Option.RAPID not in options(ask(question(Message.REQUEST, (Option.RAPID, b""), ciaddr=MINE)))


def test_an_offer_repeats_no_address_of_the_clients() -> None:
    """RFC 2131, table 3."""
    assert field(ask(question(Message.DISCOVER, ciaddr=MINE)), 12, 4) == b""
    assert field(ask(question(Message.REQUEST, ciaddr=MINE)), 12, 4) == MINE


def test_either_address_of_a_port_is_refused_or_given_by_whichever_server_is_named() -> None:
    """The names of the server differ between subnets; both are ours."""
    other = replace(SUBNET, id="other", cidr="10.0.9.0/24", gateway_ip="10.0.9.1")
    port = replace(PORT, fixed_ips=(*PORT.fixed_ips, FixedIP("other", "10.0.9.5")))
    named = (Option.SERVER, IPv4Address("10.0.9.1").packed)
    assert kind(ask(question(Message.REQUEST, (Option.REQUESTED, OTHER), named), port, SUBNET, other)) is Message.NAK
    second = (Option.REQUESTED, IPv4Address("10.0.9.5").packed)
    answer = ask(question(Message.REQUEST, second, named), port, SUBNET, other)
    assert kind(answer) is Message.ACK
    assert options(answer)[Option.SERVER] == IPv4Address("10.0.9.1").packed
    assert yours(ask(question(Message.DISCOVER), port, replace(SUBNET, enable_dhcp=False), other)) == second[1]


def test_declined() -> None:
    assert dhcp.read_declined(question(Message.DECLINE, (Option.REQUESTED, MINE))) == "10.0.0.5"
    assert dhcp.read_declined(question(Message.RELEASE, ciaddr=MINE)) is None


def all_options(frame: bytes | None) -> dict[int, bytes]:
    """The options of an answer, those in overloaded fields included."""
    assert frame is not None
    found = options(frame)
    overload = found.get(Option.OVERLOAD, b"\0")[0]
    assert overload in (0, 1, 2, 3)
    assert not overload & 1 or read_options(frame[42 + 108 : 42 + 236], found)
    assert not overload & 2 or read_options(frame[42 + 44 : 42 + 108], found)
    return found


def texts(count: int, length: int) -> list[tuple[str, str]]:
    return [(str(224 + index), chr(97 + index) * length) for index in range(count)]


def test_what_does_not_fit_goes_into_the_other_fields_and_then_nowhere() -> None:
    """RFC 2131, section 4.1: `file` and `sname` may hold options; RFC 2132, section 9.3."""
    port = own(("bootfile-name", "pxelinux.0"), ("tftp-server", "boot.example"), *texts(6, 60))
    answer = ask(question(Message.DISCOVER, (Option.PARAMETERS, b"\x1a\x03")), port)
    assert answer is not None
    assert len(answer) <= 14 + 576
    told = all_options(answer)
    assert told[Option.OVERLOAD] == b"\3"
    assert {code: told[code].decode() for code in range(224, 230)} == {int(code): text for code, text in texts(6, 60)}
    assert (told[Option.BOOT_FILE], told[Option.TFTP_SERVER]) == (b"pxelinux.0", b"boot.example")
    more = all_options(ask(question(Message.DISCOVER), own(*texts(9, 60))))
    assert set(BASICS) <= more.keys()
    assert 3 <= len(more.keys() & set(range(224, 233))) < 9
    assert Option.ROUTER in more, "what matters most is not left out"


def test_who_takes_larger_messages_gets_them() -> None:
    port = own(("67", "pxelinux.0"), *texts(9, 60))
    for size, whole in ((576, False), (575, False), (1024, True), (65535, True)):
        answer = ask(question(Message.DISCOVER, (Option.SIZE, pack("!H", size))), port)
        assert answer is not None
        assert len(answer) - 14 <= max(size, 576)
        assert (field(answer, 108, 128) == b"pxelinux.0") == whole
        assert (Option.OVERLOAD not in options(answer)) == whole
    answer = ask(question(Message.DISCOVER, (Option.SIZE, b"\xff\xff")), own(*texts(9, 255)))
    assert answer is not None
    assert len(answer) - 14 <= 1400, "the network's MTU is the limit"


def test_a_long_option_is_told_in_parts() -> None:
    names = ",".join(f"{letter * 50}.example" for letter in "abcdef")
    port = own(("domain-search", names[:-8].replace(".example", f".{'x' * 5}")))
    told = all_options(ask(question(Message.DISCOVER, (Option.SIZE, b"\5\0")), port))
    assert len(told[119]) > 255


def test_options_in_parts_and_in_overloaded_fields_are_read() -> None:
    """RFC 3396 and RFC 2132, section 9.3."""
    head = bytearray(pack("!BBBB4sHH", 1, 1, 6, 0, XID, 0, 0) + (bytes(16) + MAC).ljust(HEADER - 12, b"\0"))
    head[108:114] = b"\x32\4" + MINE
    parted = bytes((53, 1, 3, 52, 1, 1, 54, 2)) + GATEWAY[:2] + bytes((54, 2)) + GATEWAY[2:]
    assert kind(ask(wrapped(bytes(head) + MAGIC + parted + b"\xff"))) is Message.ACK


def test_what_is_cut_short_is_no_request() -> None:
    whole = question(Message.REQUEST, (Option.REQUESTED, MINE))
    assert parse(whole) is not None
    assert [parse(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    assert parse(wrapped(whole[42:], sport=67, dport=68)) is None


@given(st.binary(max_size=400))
def test_no_frame_ever_raises(octets: bytes) -> None:
    ask(octets)


OWN = st.builds(
    DhcpOption,
    st.one_of(st.sampled_from(sorted(NAMES)), st.integers(0, 300).map(str), st.text(max_size=5)),
    st.one_of(
        st.text(max_size=255),
        st.from_regex(r"[0-9a-z.:,/]{0,255}", fullmatch=True),
        st.sampled_from(["10.0.0.1", "10.0.0.0/8,10.0.0.1", "a.example,b.example", "7", "infinite", ""]),
    ),
)


@given(st.lists(OWN, max_size=32), st.integers(0, 0xFFFF), st.one_of(st.none(), st.binary(min_size=1, max_size=200)))
def test_whatever_a_port_has_its_machine_can_read(own: list[DhcpOption], size: int, asked: bytes | None) -> None:
    more = [] if asked is None else [(int(Option.PARAMETERS), asked)]
    answer = ask(
        question(Message.DISCOVER, (Option.SIZE, pack("!H", size)), *more), replace(PORT, extra_dhcp_opts=tuple(own))
    )
    assert answer is not None
    assert 14 + 28 + 300 <= len(answer) <= 14 + max(576, min(size, 1400))
    told = all_options(answer)
    first = BASICS if Option.RENEWAL in told else [53, 54, 51, 1]  # A lease for ever is never renewed.
    assert list(told)[: len(first)] == first
    assert len(told[Option.MASK]) == len(told[Option.LEASE]) == 4
    known = {code: value for each in own for code, value in known_option(each)}
    assert all(value == told[code] for code, value in known.items() if code in told and code not in TIMES)


TIMES = (Option.LEASE, Option.RENEWAL, Option.REBINDING)


def known_option(option: DhcpOption) -> list[tuple[int, bytes]]:
    try:
        return [encode_option(option)]
    except ValueError:
        return []


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(1, 254), st.binary(max_size=40)), max_size=8), st.data())
def test_no_request_ever_raises(message: int, told: list[tuple[int, bytes]], data: st.DataObject) -> None:
    frame = bytearray(question(message, *told))
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    answer = ask(bytes(frame))
    assert answer is None or checksum(answer[14:34]) == 0
