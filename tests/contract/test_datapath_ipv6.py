"""What every datapath does with IPv6: the fake in memory, and the kernel's."""

from collections.abc import Iterator
from struct import pack

import pytest

from netplane.base.addresses import MAPPED, NO_ADDRESS, pack_address
from netplane.base.delta import Delta
from netplane.datapath import Datapath
from netplane.tables.decisions import ConnectionState, Direction, Punt, Reason, Remote, Verdict
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import CONNECTION, FRAGMENT, POLICY, PREFIX, PROFILE, TABLES, TRACE
from netplane.verify.datagram import sum_of
from tests.contract import packets, world
from tests.contract.datapaths import bench, ways
from tests.contract.packets import ACK, SYN, TCP, UDP, ethernet
from tests.contract.world import ANN, BEN, EVE, IDENTITY, Machine, frame
from tests.contract.world6 import (
    ANN6,
    BEN6,
    CAT6,
    DOT6,
    EVE6,
    INNER6,
    OUTER6,
    frame6,
    on_link,
    policies6,
    world6,
)
from tests.frames6 import (
    DESTINATION,
    OPTIONS,
    ROUTING,
    fragment,
    icmp6,
    ipv6,
    options,
    routing,
    solicitation,
    solicited_node,
)
from tests.frames6 import FRAGMENT as FRAGMENT_HEADER

ICMPV6 = 58
ALL_NODES_MAC = b"\x33\x33\0\0\0\x01"
DATAGRAM = packets.udp(5000, 6000)


@pytest.fixture(scope="module", params=["fake", pytest.param(ways()[-1].value, marks=pytest.mark.kernel)])
def shared(request: pytest.FixtureRequest) -> Iterator[Datapath]:
    with bench(request.param) as made:
        yield made.datapath


@pytest.fixture
def datapath(shared: Datapath) -> Iterator[Datapath]:
    """A datapath that knows the small world and nothing else."""
    shared.apply(Delta(world6()))
    yield shared
    for table in TABLES:
        if table is not TRACE:
            shared.delete(table.name, shared.read(table.name))


def send(datapath: Datapath, machine: Machine, packet: bytes, *, dry: bool = False, offset: int = 0) -> Outcome:
    return datapath.run(Program.FROM_MACHINE, packet, Synthetic(ifindex=machine.ifindex, dry=dry, offset=offset))


def receive(datapath: Datapath, machine: Machine, packet: bytes, *, host: int = 2) -> Outcome:
    source = pack_address(world.UNDERLAY[host])
    return datapath.run(Program.FROM_TUNNEL, packet, Synthetic(vni=machine.vni, outer_source=source))


def check(outcome: Outcome, verdict: Verdict, target: int = 0, reason: Reason = Reason.NONE) -> None:
    assert (outcome.verdict, outcome.reason, outcome.target) == (verdict, reason, target)


def is_sound(frame: bytes) -> bool:
    """Whether a frame of ICMPv6 without extension headers has its length and its checksum right."""
    length = int.from_bytes(frame[18:20], "big")
    pseudo = frame[22:54] + pack("!II", length, ICMPV6)
    return frame[20] == ICMPV6 and len(frame) == 54 + length and sum_of(pseudo + frame[54:]) == 0


def echo(source: Machine, destination: Machine, kind: int = 128, *, number: int = 7, data: bytes = b"hello") -> bytes:
    return icmp6(source.address, destination.address, kind, 0, pack("!HH", number, 1), data)


def ask(
    machine: Machine,
    target: str,
    *,
    source: str | None = None,
    to: tuple[str, bytes] | None = None,
    hops: int = 255,
    kind: int = 135,
    code: int = 0,
    chain: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """A neighbour solicitation, as a machine sends it from its own address to the target's group."""
    group, mac = to or solicited_node(target)
    own = machine.address if source is None else source
    message = solicitation(own, target, group, kind=kind, code=code, tail=b"\1\1" + machine.mac)
    return ethernet(machine.mac, mac, 0x86DD, ipv6(message, ICMPV6, own, group, hops=hops, chain=chain))


def pieces(source: Machine, target: Machine, protocol: int, payload: bytes, *, number: int = 1 << 20) -> list[bytes]:
    """The frames of a packet in three fragments."""
    return [
        frame6(
            source,
            target,
            protocol,
            payload[start:end],
            chain=((FRAGMENT_HEADER, fragment(start | (end is not None), number)),),
        )
        for start, end in ((0, 1400), (1400, 2800), (2800, None))
    ]


class TestNeighbours:
    @pytest.mark.parametrize(
        ("target", "flags"),
        [(BEN6, 0x60), (CAT6, 0x60), (on_link(BEN6), 0x60), (INNER6, 0xE0), (on_link(INNER6), 0xE0)],
    )
    def test_who_has_an_address(self, datapath: Datapath, target: Machine, flags: int) -> None:
        for asker in (ANN6, on_link(ANN6)):
            for to in (None, (target.address, target.mac)):
                outcome = send(datapath, ANN6, ask(asker, target.address, to=to))
                check(outcome, Verdict.ANSWER, ANN6.ifindex)
                told = outcome.frame
                assert is_sound(told)
                assert told[:14] == ANN6.mac + target.mac + b"\x86\xdd"
                assert (told[21], told[22:54]) == (255, pack_address(target.address) + pack_address(asker.address))
                assert told[54:56] + told[58:62] == bytes((136, 0, flags, 0, 0, 0))
                assert told[62:] == pack_address(target.address) + b"\2\1" + target.mac

    def test_whether_an_address_is_free(self, datapath: Datapath) -> None:
        for free in (ANN6.address, on_link(ANN6).address, "fd00:1::99"):
            check(send(datapath, ANN6, ask(ANN6, free, source="::")), Verdict.DROP, reason=Reason.ND_UNKNOWN)
        outcome = send(datapath, ANN6, ask(ANN6, BEN6.address, source="::"))
        check(outcome, Verdict.ANSWER, ANN6.ifindex)
        assert is_sound(outcome.frame)
        assert outcome.frame[:12] == ALL_NODES_MAC + BEN6.mac
        assert outcome.frame[38:54] == pack_address("ff02::1")
        assert outcome.frame[58] == 0x20

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"source": BEN6.address}, Reason.SPOOFED_ADDRESS),
            ({"source": INNER6.address}, Reason.SPOOFED_ADDRESS),
            ({"hops": 254}, Reason.MALFORMED),
            ({"code": 1}, Reason.MALFORMED),
            ({"kind": 136}, Reason.ND_NOT_ASKED),
            ({"kind": 137}, Reason.ND_NOT_ASKED),
            ({"kind": 134}, Reason.ROGUE_ROUTER),
            ({"chain": ((FRAGMENT_HEADER, fragment(1)),)}, Reason.FRAGMENT),
        ],
    )
    def test_what_is_not_answered(self, datapath: Datapath, fields: dict[str, object], reason: Reason) -> None:
        check(send(datapath, ANN6, ask(ANN6, BEN6.address, **fields)), Verdict.DROP, reason=reason)  # type: ignore[arg-type]

    def test_what_is_no_address(self, datapath: Datapath) -> None:
        for target in ("ff02::1", "::ffff:10.0.1.6"):
            check(send(datapath, ANN6, ask(ANN6, target)), Verdict.DROP, reason=Reason.MALFORMED)
        short = ask(ANN6, BEN6.address)[: 14 + 40 + 20]
        cut = short[:18] + pack("!H", 20) + short[20:]
        check(send(datapath, ANN6, cut), Verdict.DROP, reason=Reason.MALFORMED)

    def test_none_crosses_the_tunnel(self, datapath: Datapath) -> None:
        for kind in range(133, 138):
            asked = ask(CAT6, ANN6.address, kind=kind, to=(ANN6.address, ANN6.mac))
            check(receive(datapath, CAT6, asked), Verdict.DROP, reason=Reason.ND_NOT_ASKED)

    def test_routers_are_the_agents_matter(self, datapath: Datapath) -> None:
        message = icmp6(on_link(ANN6).address, "ff02::2", 133, rest=bytes(4))
        asked = ipv6(message, ICMPV6, on_link(ANN6).address, "ff02::2", hops=255)
        outcome = send(datapath, ANN6, ethernet(ANN6.mac, b"\x33\x33\0\0\0\x02", 0x86DD, asked))
        check(outcome, Verdict.PUNT, world.PUNT)
        assert outcome.frame[:6] == bytes((2, Punt.ROUTER_SOLICITATION)) + pack("!I", ANN6.ifindex)

    def test_dhcp(self, datapath: Datapath) -> None:
        for ports, verdict, reason in (
            ((546, 547), Verdict.PUNT, Reason.NONE),
            ((547, 546), Verdict.DROP, Reason.ROGUE_DHCP),
        ):
            asked = ipv6(packets.udp(*ports), UDP, on_link(ANN6).address, "ff02::1:2")
            outcome = send(datapath, ANN6, ethernet(ANN6.mac, b"\x33\x33\0\1\0\2", 0x86DD, asked))
            check(outcome, verdict, world.PUNT if verdict is Verdict.PUNT else 0, reason)
            assert (outcome.frame[1] == Punt.DHCP6) == (verdict is Verdict.PUNT)


class TestDelivery:
    def test_on_the_same_network(self, datapath: Datapath) -> None:
        for source, target in ((ANN6, BEN6), (on_link(ANN6), on_link(BEN6))):
            packet = frame6(source, target, UDP, DATAGRAM)
            outcome = send(datapath, ANN6, packet)
            check(outcome, Verdict.DELIVER, BEN6.ifindex)
            assert outcome.frame == packet

    def test_through_the_router(self, datapath: Datapath) -> None:
        outcome = send(datapath, ANN6, frame6(ANN6, DOT6, UDP, DATAGRAM, hops=2))
        check(outcome, Verdict.DELIVER, DOT6.ifindex)
        assert outcome.frame == DOT6.mac + OUTER6.mac + frame6(ANN6, DOT6, UDP, DATAGRAM, hops=1)[12:]

    def test_to_and_from_another_host(self, datapath: Datapath) -> None:
        check(send(datapath, ANN6, frame6(ANN6, CAT6, UDP, DATAGRAM)), Verdict.TUNNEL, CAT6.host)
        back = frame6(CAT6, ANN6, UDP, packets.udp(6000, 5000))
        check(receive(datapath, CAT6, back), Verdict.DELIVER, ANN6.ifindex)
        check(receive(datapath, CAT6, back, host=1), Verdict.DROP, reason=Reason.FORGED_HOST)
        forged = frame6(BEN6, ANN6, UDP, DATAGRAM)
        check(receive(datapath, CAT6, forged), Verdict.DROP, reason=Reason.FORGED_HOST)

    def test_who_says_so(self, datapath: Datapath) -> None:
        for source in (BEN6, on_link(BEN6), INNER6, ANN6._replace(address="::1"), ANN6._replace(address="::")):
            spoofed = frame6(ANN6._replace(address=source.address), BEN6, UDP, DATAGRAM)
            check(send(datapath, ANN6, spoofed), Verdict.DROP, reason=Reason.SPOOFED_ADDRESS)

    def test_link_local_addresses_stay_on_the_link(self, datapath: Datapath) -> None:
        outcome = send(datapath, ANN6, frame6(on_link(ANN6), DOT6, UDP, DATAGRAM))
        check(outcome, Verdict.ANSWER, ANN6.ifindex, Reason.LINK_LOCAL)
        assert outcome.frame[54:56] == b"\1\2"
        for address in ("fe80::99", "febf::1"):
            far = DOT6._replace(address=address)
            check(send(datapath, ANN6, frame6(ANN6, far, UDP, DATAGRAM)), Verdict.ANSWER, ANN6.ifindex, Reason.NO_ROUTE)
        many = DOT6._replace(address="ff0e::1")
        check(send(datapath, ANN6, frame6(ANN6, many, UDP, DATAGRAM)), Verdict.DROP, reason=Reason.NO_ROUTE)

    def test_a_router_takes_no_packets_of_a_family_that_it_has_no_address_of(self, datapath: Datapath) -> None:
        gateways = datapath.read("gateway")
        datapath.delete("gateway", [key for key in gateways if key[10:12] == b"\1\0"])
        check(send(datapath, ANN6, frame6(ANN6, DOT6, UDP, DATAGRAM)), Verdict.DROP, reason=Reason.UNKNOWN_DESTINATION)
        check(send(datapath, ANN, frame(ANN, world.DOT, UDP, DATAGRAM)), Verdict.DELIVER, DOT6.ifindex)


class TestRouter:
    @pytest.mark.parametrize(
        ("target", "hops", "said", "reason"),
        [
            (DOT6._replace(address="2001:db8::1"), 64, (1, 0), Reason.NO_ROUTE),
            (DOT6._replace(address="fd00:2::99"), 64, (1, 3), Reason.NO_ENDPOINT),
            (OUTER6, 64, (1, 4), Reason.ROUTER_CLOSED),
            (DOT6, 1, (3, 0), Reason.TTL_EXCEEDED),
            (DOT6, 0, (3, 0), Reason.TTL_EXCEEDED),
        ],
    )
    @pytest.mark.parametrize("size", [0, 1, 5, 700, 1183, 1184, 1185, 1400])
    def test_errors(
        self, datapath: Datapath, target: Machine, hops: int, said: tuple[int, int], reason: Reason, size: int
    ) -> None:
        """They have as much of the packet as fits into 1280 bytes (RFC 4443, section 2.4 c)."""
        packet = frame6(ANN6, target, UDP, packets.udp(5000, 6000, bytes(range(256)) * 6)[: 8 + size], hops=hops)
        packet = packet[:58] + pack("!H", 8 + size) + packet[60:]
        outcome = send(datapath, ANN6, packet)
        check(outcome, Verdict.ANSWER, ANN6.ifindex, reason)
        told = outcome.frame
        assert is_sound(told)
        assert (told[:12], told[54], told[55], told[21]) == (ANN6.mac + INNER6.mac, *said, 64)
        speaker = OUTER6 if reason is Reason.ROUTER_CLOSED else INNER6
        assert told[22:54] == pack_address(speaker.address) + pack_address(ANN6.address)
        assert told[58:] == bytes(4) + packet[14 : 14 + 1232]

    def test_nothing_is_said_about_some(self, datapath: Datapath) -> None:
        nowhere = DOT6._replace(address="2001:db8::1")
        for kind in (1, 2, 3, 4, 100, 127):
            error = icmp6(ANN6.address, nowhere.address, kind, rest=bytes(4))
            check(send(datapath, ANN6, frame6(ANN6, nowhere, ICMPV6, error)), Verdict.DROP, reason=Reason.NO_ROUTE)
        for kind in (128, 129, 144, 200):
            question = icmp6(ANN6.address, nowhere.address, kind)
            outcome = send(datapath, ANN6, frame6(ANN6, nowhere, ICMPV6, question))
            check(outcome, Verdict.ANSWER, ANN6.ifindex, Reason.NO_ROUTE)
        check(
            send(datapath, ANN6, frame6(ANN6, OUTER6, TCP, packets.tcp(1, 2, SYN))),
            Verdict.DROP,
            0,
            Reason.ROUTER_CLOSED,
        )

    def test_pings(self, datapath: Datapath) -> None:
        for source in (ANN6, on_link(ANN6)):
            for target in (INNER6, OUTER6, on_link(INNER6)):
                outcome = send(datapath, ANN6, frame6(source, target, ICMPV6, echo(source, target), hops=1))
                check(outcome, Verdict.ANSWER, ANN6.ifindex)
                assert is_sound(outcome.frame)
                assert (outcome.frame[54], outcome.frame[58:], outcome.frame[21]) == (
                    129,
                    pack("!HH", 7, 1) + b"hello",
                    64,
                )
                assert outcome.frame[22:54] == pack_address(target.address) + pack_address(source.address)

    def test_pings_in_fragments(self, datapath: Datapath) -> None:
        ping = echo(ANN6, INNER6, data=bytes(range(250)) * 16)
        outcomes = [send(datapath, ANN6, piece) for piece in pieces(ANN6, INNER6, ICMPV6, ping)]
        for outcome in outcomes:
            check(outcome, Verdict.ANSWER, ANN6.ifindex)
        answer = b"".join(outcome.frame[62:] for outcome in outcomes)
        assert (answer[0], answer[4:]) == (129, ping[4:])
        pseudo = outcomes[0].frame[22:54] + pack("!II", len(answer), ICMPV6)
        assert sum_of(pseudo + answer) == 0

    def test_it_is_judged_by_the_rules_of_ipv6(self, datapath: Datapath) -> None:
        datapath.delete("policy", [policies6()[0].key])
        ping = frame6(ANN6, INNER6, ICMPV6, echo(ANN6, INNER6))
        check(send(datapath, ANN6, ping), Verdict.DROP, reason=Reason.POLICY_OUT)
        check(send(datapath, ANN, frame(ANN, world.INNER, 1, packets.echo(8))), Verdict.ANSWER, ANN.ifindex)


class TestRules:
    def test_a_rule_of_one_family_says_nothing_of_the_other(self, datapath: Datapath) -> None:
        four = frame(EVE, ANN, TCP, packets.tcp(4000, 80, SYN))
        six = frame6(EVE6, ANN6, TCP, packets.tcp(4000, 80, SYN))
        [_, _, web] = world.policies()
        [_, _, web6] = policies6()
        for gone, dropped, passed in ((web, four, six), (web6, six, four)):
            datapath.delete("policy", [gone.key])
            check(receive(datapath, EVE, dropped), Verdict.DROP, reason=Reason.POLICY_IN)
            check(receive(datapath, EVE, passed), Verdict.DELIVER, ANN.ifindex)
            datapath.write("policy", {gone.key: gone.value})
            datapath.delete("connection", datapath.read("connection"))

    def test_all_of_ipv6_is_not_ipv4(self, datapath: Datapath) -> None:
        """An IPv4 address lies in `::/0` as the tables have it."""
        keys = [entry.key for entry in (*world.policies(), *policies6())]
        prefix = PREFIX.entry((64, IDENTITY, Direction.INGRESS, NO_ADDRESS), (NO_ADDRESS, 0))
        everything = (192, IDENTITY, Direction.INGRESS, Remote.PREFIX, 0, NO_ADDRESS, 0, bytes(2))
        rule = POLICY.entry(everything, (7,))
        datapath.apply(Delta(world.tabulate([prefix, rule]), {"policy": keys}))
        check(receive(datapath, EVE, frame(EVE, ANN, UDP, DATAGRAM)), Verdict.DROP, reason=Reason.POLICY_IN)
        check(receive(datapath, EVE6, frame6(EVE6, ANN6, UDP, DATAGRAM)), Verdict.DELIVER, ANN.ifindex)

    def test_addresses_of_ipv4_in_ipv6(self, datapath: Datapath) -> None:
        ann, ben = (machine._replace(address=f"::ffff:{machine.address}") for machine in (ANN, BEN))
        for source, target in ((ann, ben), (ANN6, ben), (ann, BEN6)):
            check(send(datapath, ANN6, frame6(source, target, UDP, DATAGRAM)), Verdict.DROP, reason=Reason.MALFORMED)
        assert pack_address("::ffff:10.0.1.5")[:12] == MAPPED

    def test_icmp_of_the_other_family_is_any_protocol(self, datapath: Datapath) -> None:
        check(send(datapath, ANN6, frame6(ANN6, BEN6, 1, b"\x08\0")), Verdict.DELIVER, BEN6.ifindex)
        check(send(datapath, ANN, frame(ANN, BEN, ICMPV6, b"\x80\0")), Verdict.DELIVER, BEN.ifindex)
        check(send(datapath, ANN6, frame6(ANN6, BEN6, ICMPV6, b"\x80\0")), Verdict.DROP, reason=Reason.MALFORMED)


class TestConnections:
    def test_a_reply_needs_no_rule(self, datapath: Datapath) -> None:
        datapath.delete("policy", [entry.key for entry in policies6()[1:]])
        reply = frame6(EVE6, ANN6, TCP, packets.tcp(22, 4000, SYN | ACK))
        check(receive(datapath, EVE6, reply), Verdict.DROP, reason=Reason.NO_CONNECTION)
        opened = frame6(ANN6, EVE6, TCP, packets.tcp(4000, 22, SYN))
        check(send(datapath, ANN6, opened), Verdict.TUNNEL, EVE6.host)
        check(receive(datapath, EVE6, reply), Verdict.DELIVER, ANN6.ifindex)
        [value] = datapath.read("connection").values()
        assert CONNECTION.unpack_value(value)["state"] == ConnectionState.ESTABLISHED

    def test_pings_of_both_sides_are_two_connections(self, datapath: Datapath) -> None:
        for source, target in ((ANN6, BEN6), (BEN6, ANN6)):
            asked = frame6(source, target, ICMPV6, echo(source, target))
            check(send(datapath, source, asked), Verdict.DELIVER, target.ifindex)
        assert len(datapath.read("connection")) == 2
        answer = frame6(BEN6, ANN6, ICMPV6, echo(BEN6, ANN6, 129))
        check(send(datapath, BEN6, answer), Verdict.DELIVER, ANN6.ifindex)
        other = frame6(BEN6, ANN6, ICMPV6, echo(BEN6, ANN6, 129, number=8))
        check(send(datapath, BEN6, other), Verdict.DROP, reason=Reason.NO_CONNECTION)

    @pytest.mark.parametrize("chain", [(), ((OPTIONS, options(16)), (DESTINATION, options()))])
    def test_errors_about_a_connection_pass(self, datapath: Datapath, chain: tuple[tuple[int, bytes], ...]) -> None:
        """EVE6 is nobody whom ANN6's rules would hear."""
        asked = frame6(ANN6, EVE6, UDP, packets.udp(5000, 33434), chain=chain)
        needed = len(asked) - 14 - 5

        def error(kind: int, about: bytes = asked, quoted: int = needed) -> bytes:
            message = icmp6(EVE6.address, ANN6.address, kind, 0, bytes(4), about[14 : 14 + quoted])
            return frame6(EVE6, ANN6, ICMPV6, message)

        for kind in (1, 2, 3, 4):
            check(receive(datapath, EVE6, error(kind)), Verdict.DROP, reason=Reason.POLICY_IN)
        check(send(datapath, ANN6, asked), Verdict.TUNNEL, EVE6.host)
        before = datapath.read("connection")
        for kind in (1, 2, 3, 4):
            check(receive(datapath, EVE6, error(kind)), Verdict.DELIVER, ANN6.ifindex)
        assert datapath.read("connection") == before
        other = frame6(ANN6, EVE6, UDP, packets.udp(5000, 33435), chain=chain)
        to_cat = frame6(ANN6, CAT6, UDP, packets.udp(5000, 33434), chain=chain)
        for told in (error(100), error(1, quoted=needed - 1), error(1, other), error(1, to_cat)):
            check(receive(datapath, EVE6, told), Verdict.DROP, reason=Reason.POLICY_IN)
        out = [policies6()[0].key]
        datapath.apply(Delta({"profile": {PROFILE.pack_key(IDENTITY): PROFILE.pack_value(98)}}, {"policy": out}))
        check(receive(datapath, EVE6, error(1)), Verdict.DROP, reason=Reason.POLICY_IN)


class TestHeaders:
    @pytest.mark.parametrize(
        "chain",
        [
            ((OPTIONS, options()),),
            ((OPTIONS, options(40)), (DESTINATION, options()), (ROUTING, routing()), (DESTINATION, options())),
            ((DESTINATION, options(448)),),
            ((FRAGMENT_HEADER, fragment(0)),),
            ((DESTINATION, options()),) * 6,
        ],
    )
    def test_extension_headers_are_read(self, datapath: Datapath, chain: tuple[tuple[int, bytes], ...]) -> None:
        check(send(datapath, ANN6, frame6(ANN6, BEN6, UDP, DATAGRAM, chain=chain)), Verdict.DELIVER, BEN6.ifindex)
        [key] = datapath.read("connection")
        assert CONNECTION.unpack_key(key)["protocol"] == UDP

    @pytest.mark.parametrize(
        ("chain", "reason"),
        [
            (((ROUTING, routing(0)),), Reason.ROUTING_HEADER),
            (((DESTINATION, options()), (OPTIONS, options())), Reason.MALFORMED),
            (((DESTINATION, options()),) * 7, Reason.MALFORMED),
            (((DESTINATION, options(480)),), Reason.MALFORMED),
            (((FRAGMENT_HEADER, fragment(0)), (FRAGMENT_HEADER, fragment(0))), Reason.MALFORMED),
            (((DESTINATION, b"\x09" + bytes(6)),), Reason.MALFORMED),
            (((FRAGMENT_HEADER, fragment(1)),), Reason.MALFORMED),
            (((FRAGMENT_HEADER, fragment(0xFFF8)),), Reason.MALFORMED),
            (((FRAGMENT_HEADER, fragment(8)),), Reason.FRAGMENT),
        ],
    )
    def test_headers_that_are_refused(
        self, datapath: Datapath, chain: tuple[tuple[int, bytes], ...], reason: Reason
    ) -> None:
        check(send(datapath, ANN6, frame6(ANN6, BEN6, UDP, DATAGRAM, chain=chain)), Verdict.DROP, reason=reason)

    def test_lengths_that_lie(self, datapath: Datapath) -> None:
        for length in (0, 7, len(DATAGRAM) + 1, 65535):
            lies = frame6(ANN6, BEN6, UDP, DATAGRAM, length=length)
            check(send(datapath, ANN6, lies), Verdict.DROP, reason=Reason.MALFORMED)
        # A jumbogram (RFC 2675) has no length but in an option.
        jumbo = frame6(ANN6, BEN6, UDP, DATAGRAM, chain=((OPTIONS, b"\0\xc2\4\0\1\0\0"),), length=0)
        check(send(datapath, ANN6, jumbo), Verdict.DROP, reason=Reason.MALFORMED)
        check(send(datapath, ANN6, frame6(ANN6, BEN6, UDP, DATAGRAM) + bytes(9)), Verdict.DELIVER, BEN6.ifindex)


class TestFragments:
    def test_they_pass_as_their_first_did(self, datapath: Datapath) -> None:
        payload = packets.udp(5000, 6000, bytes(4000))
        for target, verdict, where in (
            (BEN6, Verdict.DELIVER, BEN6.ifindex),
            (DOT6, Verdict.DELIVER, DOT6.ifindex),
            (CAT6, Verdict.TUNNEL, CAT6.host),
        ):
            first, second, last = pieces(ANN6, target, UDP, payload)
            check(send(datapath, ANN6, second), Verdict.DROP, reason=Reason.FRAGMENT)
            check(send(datapath, ANN6, first, dry=True), verdict, where)
            check(send(datapath, ANN6, second), Verdict.DROP, reason=Reason.FRAGMENT)
            for piece in (first, second, last):
                check(send(datapath, ANN6, piece), verdict, where)
            check(send(datapath, ANN6, last, offset=29), verdict, where)
            check(send(datapath, ANN6, last, offset=31), Verdict.DROP, reason=Reason.FRAGMENT)
        [value] = datapath.read("fragment").values()
        found = FRAGMENT.unpack_value(value)
        assert (found["number"], found["end"], found["protocol"]) == (1 << 20, 175, UDP)

    def test_all_of_the_number_counts(self, datapath: Datapath) -> None:
        first = pieces(ANN6, BEN6, UDP, packets.udp(5000, 6000, bytes(4000)), number=1 << 24)[0]
        check(send(datapath, ANN6, first), Verdict.DELIVER, BEN6.ifindex)
        other = pieces(ANN6, BEN6, UDP, packets.udp(5000, 6000, bytes(4000)), number=2 << 24)[1]
        check(send(datapath, ANN6, other), Verdict.DROP, reason=Reason.FRAGMENT)

    def test_none_overlaps_the_first(self, datapath: Datapath) -> None:
        """RFC 5722."""
        start = packets.tcp(4000, 80, SYN) + bytes(12)
        check(
            send(datapath, ANN6, frame6(ANN6, BEN6, TCP, start, chain=((FRAGMENT_HEADER, fragment(1)),))),
            Verdict.DELIVER,
            BEN6.ifindex,
        )
        for at, reason in ((8, Reason.FRAGMENT), (24, Reason.FRAGMENT), (32, Reason.NONE), (800, Reason.NONE)):
            later = frame6(ANN6, BEN6, TCP, bytes(16), chain=((FRAGMENT_HEADER, fragment(at)),))
            verdict = Verdict.DROP if reason else Verdict.DELIVER
            check(send(datapath, ANN6, later), verdict, 0 if reason else BEN6.ifindex, reason)

    def test_the_first_has_the_whole_header(self, datapath: Datapath) -> None:
        """RFC 7112."""
        for payload, chain in (
            (packets.tcp(4000, 80, SYN)[:16], ((FRAGMENT_HEADER, fragment(1)),)),
            (b"", ((FRAGMENT_HEADER, fragment(1)), (DESTINATION, options()))),
        ):
            tiny = frame6(ANN6, BEN6, TCP, payload, chain=chain)
            check(send(datapath, ANN6, tiny), Verdict.DROP, reason=Reason.MALFORMED)

    def test_the_first_alone_says_the_protocol(self, datapath: Datapath) -> None:
        chain = ((FRAGMENT_HEADER, fragment(1)), (DESTINATION, options()))
        first = frame6(ANN6, BEN6, UDP, packets.udp(5000, 6000, bytes(8)), chain=chain)
        check(send(datapath, ANN6, first), Verdict.DELIVER, BEN6.ifindex)
        later = frame6(ANN6, BEN6, DESTINATION, bytes(16), chain=((FRAGMENT_HEADER, fragment(24)),))
        check(send(datapath, ANN6, later), Verdict.DELIVER, BEN6.ifindex)
        assert len(datapath.read("connection")) == 1
