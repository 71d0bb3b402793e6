"""What every datapath does: the fake in memory, and the kernel's with either way of attaching programs."""

from collections.abc import Iterator

import pytest

from netplane.base.addresses import NO_ADDRESS, pack_address
from netplane.base.delta import Delta, diff
from netplane.datapath import Datapath, TableFull
from netplane.tables.decisions import (
    PACES,
    Class,
    ConnectionState,
    DeviceFlag,
    Direction,
    Limit,
    Punt,
    Reason,
    Remote,
    Stage,
    Verdict,
)
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import (
    AGENT_TABLES,
    BUDGET,
    CLIENT,
    CONNECTION,
    COUNTER,
    DEVICE,
    ENDPOINT,
    HOP,
    HOST,
    LOGGING,
    PACE,
    PEER,
    POLICY,
    PORT,
    PROFILE,
    PROJECT,
    RESOLVER,
    SETTINGS,
    TABLES,
    TRACE,
)
from netplane.tables.rings import DECISION
from netplane.tables.services import MAC as SERVICES_MAC
from tests.contract import packets, world
from tests.contract.datapaths import Bench, bench, ways
from tests.contract.packets import ACK, ECHO_REPLY, ECHO_REQUEST, ICMP, SYN, TCP, UDP
from tests.contract.world import ANN, BEN, CAT, DOT, EVE, INNER, OUTER, Machine, frame

MANY = 100_000
KERNEL = [pytest.param(way.value, marks=pytest.mark.kernel) for way in ways()]


@pytest.fixture(scope="module", params=["fake", *KERNEL])
def shared(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench(request.param) as made:
        yield made


@pytest.fixture
def under_test(shared: Bench) -> Iterator[Bench]:
    """A datapath as it is when new: loading one for each test would take the verifier most of a minute."""
    yield shared
    for ifindex in shared.datapath.attached():
        shared.datapath.detach(ifindex)
    for table in TABLES:
        if table is not TRACE:
            shared.datapath.delete(table.name, shared.datapath.read(table.name))
    while shared.datapath.take_decisions(1_000):
        continue


@pytest.fixture
def datapath(under_test: Bench) -> Datapath:
    return under_test.datapath


@pytest.fixture
def populated(datapath: Datapath) -> Datapath:
    datapath.apply(Delta(world.world()))
    return datapath


def endpoints(number: int, *, host: int = 1) -> dict[bytes, bytes]:
    value = ENDPOINT.pack_value(b"\2" * 6, 0, host, 9)
    return {ENDPOINT.pack_key(7, i.to_bytes(16, "big")): value for i in range(number)}


def send(datapath: Datapath, machine: Machine, packet: bytes, *, dry: bool = False, offset: int = 0) -> Outcome:
    return datapath.run(Program.FROM_MACHINE, packet, Synthetic(ifindex=machine.ifindex, dry=dry, offset=offset))


def receive(datapath: Datapath, vni: int, host: int, packet: bytes) -> Outcome:
    source = pack_address(world.UNDERLAY[host])
    return datapath.run(Program.FROM_TUNNEL, packet, Synthetic(vni=vni, outer_source=source))


def counted(datapath: Datapath, machine: Machine, direction: Direction, what: int) -> tuple[int, int]:
    key = COUNTER.pack_key(machine.vni, machine.mac, direction, what)
    value = COUNTER.unpack_value(datapath.read("counter").get(key, bytes(COUNTER.value.size)))
    return value["packets"], value["bytes"]


def pieces(source: Machine, target: Machine, protocol: int, payload: bytes) -> list[bytes]:
    """The frames of a packet in three fragments."""
    return [
        frame(source, target, protocol, payload[start : start + 1480], fragment=start // 8 | more)
        for start, more in ((0, 0x2000), (1480, 0x2000), (2960, 0))
    ]


def check(outcome: Outcome, verdict: Verdict, target: int = 0, reason: Reason = Reason.NONE) -> None:
    assert (outcome.verdict, outcome.reason, outcome.target) == (verdict, reason, target)


class TestTables:
    def test_every_table_starts_empty(self, datapath: Datapath) -> None:
        assert not any(datapath.read(table.name) for table in TABLES if table is not TRACE)

    @pytest.mark.parametrize("table", [table.name for table in AGENT_TABLES])
    def test_entries_come_and_go(self, datapath: Datapath, table: str) -> None:
        entries = world.world().get(table, {})
        datapath.write(table, entries)
        assert datapath.read(table) == entries
        datapath.delete(table, entries)
        assert datapath.read(table) == {}

    def test_a_write_replaces_the_value(self, datapath: Datapath) -> None:
        datapath.write("endpoint", endpoints(3, host=1))
        datapath.write("endpoint", endpoints(2, host=2))
        assert datapath.read("endpoint") == endpoints(3, host=1) | endpoints(2, host=2)

    def test_deleting_what_is_not_there(self, datapath: Datapath) -> None:
        datapath.write("endpoint", endpoints(10))
        datapath.delete("endpoint", [*list(endpoints(20))[15:], *list(endpoints(5)), *list(endpoints(12))[10:]])
        assert datapath.read("endpoint").keys() == set(list(endpoints(10))[5:])

    def test_nothing_to_do(self, datapath: Datapath) -> None:
        datapath.write("endpoint", {})
        datapath.delete("endpoint", [])
        datapath.apply(Delta())
        assert datapath.read("endpoint") == {}

    def test_batches(self, datapath: Datapath) -> None:
        entries = endpoints(MANY)
        datapath.grow({"endpoint": MANY})
        datapath.write("endpoint", entries)
        assert datapath.read("endpoint") == entries
        gone = list(entries)[::2]
        datapath.delete("endpoint", gone)
        assert datapath.read("endpoint").keys() == entries.keys() - set(gone)

    def test_batches_of_prefixes(self, datapath: Datapath) -> None:
        entries = {
            POLICY.pack_key(192, i, 0, 0, 0, NO_ADDRESS, 0, bytes(2)): POLICY.pack_value(i + 1)
            for i in range(MANY // 4)
        }
        datapath.write("policy", entries)
        assert datapath.read("policy") == entries
        datapath.delete("policy", entries)
        assert datapath.read("policy") == {}

    def test_an_array_shows_no_zeros(self, datapath: Datapath) -> None:
        key = SETTINGS.pack_key(0)
        datapath.write("settings", {key: SETTINGS.pack_value(1, 2, 3, 4)})
        datapath.write("settings", {key: SETTINGS.pack_value(0, 0, 0, 0)})
        assert datapath.read("settings") == {}

    def test_some_entries(self, datapath: Datapath) -> None:
        there, missing = BUDGET.pack_key(7, ANN.mac), BUDGET.pack_key(8, ANN.mac)
        datapath.write("budget", {there: BUDGET.pack_value(5)})
        assert datapath.look("budget", [missing, there]) == {there: BUDGET.pack_value(5)}
        assert datapath.look("budget", []) == {}

    def test_per_cpu_values_are_summed(self, datapath: Datapath) -> None:
        entries = {COUNTER.pack_key(7, ANN.mac, 0, 1): COUNTER.pack_value(5, 600)}
        datapath.write("counter", entries)
        assert datapath.read("counter") == entries

    def test_a_full_table(self, datapath: Datapath) -> None:
        entries = {HOST.pack_key(i): HOST.pack_value(NO_ADDRESS) for i in range(HOST.room)}
        datapath.write("host", entries)
        with pytest.raises(TableFull, match="host"):
            datapath.write("host", {HOST.pack_key(HOST.room): HOST.pack_value(NO_ADDRESS)})
        assert datapath.read("host") == entries

    def test_a_table_grows(self, datapath: Datapath) -> None:
        entries = {HOST.pack_key(i): HOST.pack_value(NO_ADDRESS) for i in range(HOST.room)}
        one_more = {HOST.pack_key(HOST.room): HOST.pack_value(NO_ADDRESS)}
        datapath.apply(Delta(world.world()))
        datapath.write("host", entries)
        assert datapath.room("host") == HOST.room
        datapath.grow({"host": HOST.room + 1, "hop": HOP.capacity + 1, "port": 5})
        assert datapath.room("host") == 2 * HOST.room
        assert datapath.room("hop") == HOP.capacity, "and never more"
        assert datapath.room("port") == PORT.room, "and never less"
        datapath.write("host", one_more)
        assert datapath.read("host") == entries | one_more
        assert datapath.read("endpoint") == world.world()["endpoint"]
        datapath.grow({"host": 1})
        assert datapath.room("host") == 2 * HOST.room

    def test_wrong_sizes(self, datapath: Datapath) -> None:
        with pytest.raises(ValueError, match="a key of host has 4 bytes"):
            datapath.write("host", {b"short": bytes(16)})
        with pytest.raises(ValueError, match="a value of host has 16 bytes"):
            datapath.write("host", {bytes(4): b"short"})
        with pytest.raises(ValueError, match="a key of host has 4 bytes"):
            datapath.delete("host", [b"short"])

    def test_no_such_table(self, datapath: Datapath) -> None:
        for attempt in (datapath.read, lambda name: datapath.write(name, {}), lambda name: datapath.delete(name, [])):
            with pytest.raises(KeyError):
                attempt("flows")

    def test_a_patch(self, datapath: Datapath) -> None:
        wanted, table_names = world.world(), [table.name for table in AGENT_TABLES]
        datapath.apply(diff(wanted, {}))
        actual = {name: datapath.read(name) for name in table_names}
        assert actual == {name: {} for name in table_names} | wanted
        datapath.apply(diff({name: {} for name in table_names}, actual))
        assert not any(datapath.read(name) for name in table_names)


class TestDevices:
    def test_attach_and_detach(self, under_test: Bench) -> None:
        datapath, first, second = under_test.datapath, under_test.add_device(), under_test.add_device()
        datapath.attach(first, Program.FROM_MACHINE)
        datapath.attach(second, Program.FROM_TUNNEL)
        datapath.attach(second, Program.FROM_TUNNEL)
        assert datapath.attached() == {first: Program.FROM_MACHINE, second: Program.FROM_TUNNEL}
        datapath.detach(first)
        datapath.detach(first)
        assert datapath.attached() == {second: Program.FROM_TUNNEL}
        datapath.attach(second, Program.FROM_MACHINE)
        assert datapath.attached() == {second: Program.FROM_MACHINE}
        datapath.detach(second)
        assert datapath.attached() == {}

    def test_a_device_that_goes_away(self, under_test: Bench) -> None:
        datapath, device = under_test.datapath, under_test.add_device()
        datapath.attach(device, Program.FROM_MACHINE)
        under_test.remove_device(device)
        assert datapath.attached() == {}
        datapath.detach(device)

    def test_replace_keeps_entries_and_devices(self, under_test: Bench) -> None:
        datapath, device = under_test.datapath, under_test.add_device()
        datapath.apply(Delta(world.world()))
        datapath.attach(device, Program.FROM_MACHINE)
        send(datapath, ANN, frame(ANN, BEN, TCP, packets.tcp(1000, 80, SYN)))
        before = {table.name: datapath.read(table.name) for table in TABLES if table is not TRACE}
        datapath.replace()
        assert {name: datapath.read(name) for name in before} == before
        assert datapath.attached() == {device: Program.FROM_MACHINE}
        check(send(datapath, ANN, frame(ANN, BEN, TCP, packets.tcp(1000, 80, ACK))), Verdict.DELIVER, BEN.ifindex)


class TestPackets:
    def test_no_port(self, populated: Datapath) -> None:
        outcome = populated.run(Program.FROM_MACHINE, frame(ANN, BEN, UDP, packets.udp(1, 2)), Synthetic(ifindex=9))
        check(outcome, Verdict.DROP, reason=Reason.NO_PORT)
        assert [step.stage for step in outcome.steps] == [Stage.PORT]

    @pytest.mark.parametrize("length", [0, 1, 13, 14, 20, 33])
    def test_too_short(self, populated: Datapath, length: int) -> None:
        packet = frame(ANN, BEN, UDP, packets.udp(1, 2))[:length]
        check(send(populated, ANN, packet), Verdict.DROP, reason=Reason.MALFORMED)
        check(receive(populated, ANN.vni, world.OTHER_HOST, packet), Verdict.DROP, reason=Reason.MALFORMED)

    def test_too_short_and_no_port(self, populated: Datapath) -> None:
        outcome = populated.run(Program.FROM_MACHINE, b"", Synthetic(ifindex=9))
        check(outcome, Verdict.DROP, reason=Reason.NO_PORT)

    def test_arp_answer(self, populated: Datapath) -> None:
        for target in (BEN, CAT, INNER):
            asked = packets.arp_request(ANN.mac, ANN.address, target.address)
            outcome = send(populated, ANN, asked)
            check(outcome, Verdict.ANSWER, ANN.ifindex)
            answer = packets.arp_request(target.mac, target.address, ANN.address)
            assert outcome.frame == ANN.mac + target.mac + answer[12:21] + b"\2" + answer[22:32] + ANN.mac + answer[38:]

    def test_arp_refused(self, populated: Datapath) -> None:
        for address, target, reason in (
            (ANN.address, "10.0.1.99", Reason.ARP_UNKNOWN),
            ("0.0.0.0", ANN.address, Reason.ARP_UNKNOWN),
            (BEN.address, CAT.address, Reason.SPOOFED_ARP),
        ):
            outcome = send(populated, ANN, packets.arp_request(ANN.mac, address, target))
            check(outcome, Verdict.DROP, reason=reason)

    def test_same_network_same_host(self, populated: Datapath) -> None:
        packet = frame(ANN, BEN, UDP, packets.udp(5000, 6000))
        outcome = send(populated, ANN, packet)
        check(outcome, Verdict.DELIVER, BEN.ifindex)
        assert outcome.frame == packet
        stages = [step.stage for step in outcome.steps]
        assert stages[:4] == [Stage.PORT, Stage.PARSE, Stage.ANTI_SPOOF, Stage.ROUTING]
        assert sorted(stages[4:]) == [Stage.CONNECTION, Stage.POLICY_OUT, Stage.POLICY_IN, Stage.DELIVERY]

    def test_same_network_other_host(self, populated: Datapath) -> None:
        packet = frame(ANN, CAT, UDP, packets.udp(5000, 6000))
        outcome = send(populated, ANN, packet)
        check(outcome, Verdict.TUNNEL, world.OTHER_HOST)
        assert (outcome.vni, outcome.frame) == (ANN.vni, packet)

    def test_routed(self, populated: Datapath) -> None:
        outcome = send(populated, ANN, frame(ANN, DOT, UDP, packets.udp(5000, 6000), ttl=64))
        check(outcome, Verdict.DELIVER, DOT.ifindex)
        routed = packets.ipv4(ANN.address, DOT.address, UDP, packets.udp(5000, 6000), ttl=63)
        assert outcome.frame == packets.ethernet(OUTER.mac, DOT.mac, 0x0800, routed)

    def test_the_longest_prefix_routes(self, populated: Datapath) -> None:
        host_route = world.tabulate([world.route(f"{DOT.address}/32", INNER.vni, INNER.mac)])
        packet = frame(ANN, DOT, UDP, packets.udp(5000, 6000))
        populated.apply(Delta(host_route))
        check(send(populated, ANN, packet), Verdict.ANSWER, ANN.ifindex, Reason.NO_ENDPOINT)
        populated.apply(Delta(deletes={"route": list(host_route["route"])}))
        check(send(populated, ANN, packet), Verdict.DELIVER, DOT.ifindex)

    def test_the_router_answers(self, populated: Datapath) -> None:
        outcome = send(populated, ANN, frame(ANN, INNER, ICMP, packets.echo(ECHO_REQUEST)))
        check(outcome, Verdict.ANSWER, ANN.ifindex)
        assert outcome.frame == frame(INNER, ANN, ICMP, packets.echo(ECHO_REPLY))

    @pytest.mark.parametrize(
        ("destination", "ttl", "reason", "told"),
        [
            ("10.0.2.5", 1, Reason.TTL_EXCEEDED, b"\x0b\0"),
            ("10.0.2.99", 64, Reason.NO_ENDPOINT, b"\3\1"),
            ("192.0.2.1", 64, Reason.NO_ROUTE, b"\3\0"),
        ],
    )
    def test_the_router_says_why_not(
        self, populated: Datapath, destination: str, ttl: int, reason: Reason, told: bytes
    ) -> None:
        packet = packets.ipv4(ANN.address, destination, UDP, packets.udp(5000, 6000), ttl=ttl)
        outcome = send(populated, ANN, packets.ethernet(ANN.mac, INNER.mac, 0x0800, packet))
        check(outcome, Verdict.ANSWER, ANN.ifindex, reason)
        addresses, header, icmp = outcome.frame[:14], outcome.frame[14:34], outcome.frame[34:]
        assert addresses == ANN.mac + INNER.mac + b"\x08\0"
        assert header[12:] == pack_address(INNER.address)[12:] + packet[12:16]
        assert (icmp[:2], icmp[4:8], icmp[8:]) == (told, bytes(4), packet[: 20 + 20])
        assert packets.checksum(header) == packets.checksum(icmp) == b"\0\0"

    def test_dhcp_goes_to_the_agent(self, populated: Datapath) -> None:
        """From no address, or from one that is the port's no longer."""
        for source in ("0.0.0.0", "198.51.100.9"):
            request = packets.ipv4(source, "255.255.255.255", UDP, packets.udp(68, 67))
            packet = packets.ethernet(ANN.mac, packets.BROADCAST, 0x0800, request)
            outcome = send(populated, ANN, packet)
            check(outcome, Verdict.PUNT, world.PUNT)
            assert outcome.frame == bytes((2, Punt.DHCP)) + ANN.ifindex.to_bytes(4, "big") + packet[6:]

    def test_forged(self, populated: Datapath) -> None:
        packet = packets.udp(5000, 6000)
        for forger, reason in (
            (ANN._replace(mac=CAT.mac), Reason.SPOOFED_MAC),
            (ANN._replace(address=CAT.address), Reason.SPOOFED_ADDRESS),
        ):
            check(send(populated, ANN, frame(forger, BEN, UDP, packet)), Verdict.DROP, reason=reason)
        packet = frame(CAT, ANN, UDP, packet)
        check(receive(populated, 7, world.OTHER_HOST, packet), Verdict.DELIVER, ANN.ifindex)
        check(receive(populated, 7, world.THIS_HOST, packet), Verdict.DROP, reason=Reason.FORGED_HOST)
        check(receive(populated, 8, world.OTHER_HOST, packet), Verdict.DROP, reason=Reason.FORGED_SOURCE)

    def test_policy(self, populated: Datapath) -> None:
        for port, allowed in ((80, True), (22, False)):
            outcome = receive(populated, EVE.vni, EVE.host, frame(EVE, ANN, TCP, packets.tcp(4000, port, SYN)))
            if allowed:
                check(outcome, Verdict.DELIVER, ANN.ifindex)
            else:
                check(outcome, Verdict.DROP, reason=Reason.POLICY_IN)
        assert len(populated.read("connection")) == 1

    def test_a_reply_needs_no_rule(self, populated: Datapath) -> None:
        populated.delete("policy", world.world()["policy"])
        populated.apply(Delta(world.tabulate(world.policies()[:1])))
        reply = frame(EVE, ANN, TCP, packets.tcp(22, 4000, SYN | ACK))
        check(receive(populated, 7, EVE.host, reply), Verdict.DROP, reason=Reason.NO_CONNECTION)
        check(send(populated, ANN, frame(ANN, EVE, TCP, packets.tcp(4000, 22, SYN))), Verdict.TUNNEL, EVE.host)
        check(receive(populated, 7, EVE.host, reply), Verdict.DELIVER, ANN.ifindex)
        [value] = populated.read("connection").values()
        assert CONNECTION.unpack_value(value)["state"] == ConnectionState.ESTABLISHED

    def test_permission_taken_back(self, populated: Datapath) -> None:
        start, more = (frame(EVE, ANN, TCP, packets.tcp(4000, 80, flags)) for flags in (SYN, ACK))
        check(receive(populated, 7, EVE.host, start), Verdict.DELIVER, ANN.ifindex)
        [_, _, web] = world.policies()
        populated.apply(Delta({"profile": {PROFILE.pack_key(11): PROFILE.pack_value(99)}}, {"policy": [web.key]}))
        check(receive(populated, 7, EVE.host, more), Verdict.DROP, reason=Reason.REVOKED)
        check(receive(populated, 7, EVE.host, start), Verdict.DROP, reason=Reason.POLICY_IN)

    def test_connections_end_in_silence(self, populated: Datapath) -> None:
        start, more = (frame(ANN, BEN, TCP, packets.tcp(4000, 80, flags)) for flags in (SYN, ACK))
        check(send(populated, ANN, start), Verdict.DELIVER, BEN.ifindex)
        check(send(populated, ANN, more, offset=110, dry=True), Verdict.DELIVER, BEN.ifindex)
        check(send(populated, ANN, more, offset=130), Verdict.DROP, reason=Reason.NO_CONNECTION)

    def test_fragments_pass_as_their_first_did(self, populated: Datapath) -> None:
        datagram = packets.udp(5000, 6000, bytes(4000))
        for target, verdict, where in (
            (BEN, Verdict.DELIVER, BEN.ifindex),
            (DOT, Verdict.DELIVER, DOT.ifindex),
            (CAT, Verdict.TUNNEL, CAT.host),
        ):
            first, second, last = pieces(ANN, target, UDP, datagram)
            check(send(populated, ANN, second), Verdict.DROP, reason=Reason.FRAGMENT)
            check(send(populated, ANN, first, dry=True), verdict, where)
            check(send(populated, ANN, second), Verdict.DROP, reason=Reason.FRAGMENT)
            for piece in (first, second, last):
                check(send(populated, ANN, piece), verdict, where)
            check(send(populated, ANN, last, offset=29), verdict, where)
            check(send(populated, ANN, last, offset=31), Verdict.DROP, reason=Reason.FRAGMENT)
        key = BEN.vni, BEN.mac, Direction.INGRESS, Class.SAME_NETWORK
        value = COUNTER.unpack_value(populated.read("counter")[COUNTER.pack_key(*key)])
        sizes = [len(piece) for piece in pieces(ANN, BEN, UDP, datagram)]
        assert (value["packets"], value["bytes"]) == (4, sum(sizes) + sizes[-1])
        assert len(populated.read("fragment")) == 1

    def test_fragments_from_the_tunnel(self, populated: Datapath) -> None:
        first, second, last = pieces(CAT, ANN, UDP, packets.udp(5000, 6000, bytes(4000)))
        check(receive(populated, 7, CAT.host, second), Verdict.DROP, reason=Reason.FRAGMENT)
        for piece in (first, second, last):
            check(receive(populated, 7, CAT.host, piece), Verdict.DELIVER, ANN.ifindex)
        refused = pieces(EVE, ANN, UDP, packets.udp(5000, 6000, bytes(4000)))
        check(receive(populated, 7, EVE.host, refused[0]), Verdict.DROP, reason=Reason.POLICY_IN)
        check(receive(populated, 7, EVE.host, refused[1]), Verdict.DROP, reason=Reason.FRAGMENT)

    def test_fragments_follow_nobody_elses_first(self, populated: Datapath) -> None:
        first, second, last = pieces(ANN, BEN, UDP, packets.udp(5000, 6000, bytes(4000)))
        check(send(populated, ANN, first), Verdict.DELIVER, BEN.ifindex)
        other = pieces(BEN, ANN, UDP, packets.udp(5000, 6000, bytes(4000)))[1]
        check(send(populated, BEN, other), Verdict.DROP, reason=Reason.FRAGMENT)
        elsewhere = pieces(ANN, CAT, UDP, packets.udp(5000, 6000, bytes(4000)))[1]
        check(send(populated, ANN, elsewhere), Verdict.DROP, reason=Reason.FRAGMENT)
        as_tcp = frame(ANN, BEN, TCP, bytes(16), fragment=2)
        check(send(populated, ANN, as_tcp), Verdict.DROP, reason=Reason.FRAGMENT)
        check(send(populated, ANN, second), Verdict.DELIVER, BEN.ifindex)
        # The same place: the newer packet's rest passes, the older one's does not.
        newer = [piece[:18] + bytes((1, 7)) + piece[20:] for piece in (first, last)]
        check(send(populated, ANN, newer[0]), Verdict.DELIVER, BEN.ifindex)
        check(send(populated, ANN, newer[1]), Verdict.DELIVER, BEN.ifindex)
        check(send(populated, ANN, last), Verdict.DROP, reason=Reason.FRAGMENT)

    def test_fragments_that_hide_or_overwrite_a_header(self, populated: Datapath) -> None:
        """RFC 1858 and RFC 3128."""
        start = packets.tcp(4000, 80, SYN) + bytes(4)
        for payload, fragment in ((start[:8], 0x2000), (start[:16], 0x2000), (start[8:], 1), (start[8:], 0x2001)):
            tiny = frame(ANN, BEN, TCP, payload, fragment=fragment)
            check(send(populated, ANN, tiny), Verdict.DROP, reason=Reason.MALFORMED)
        check(send(populated, ANN, frame(ANN, BEN, TCP, start, fragment=0x2000)), Verdict.DELIVER, BEN.ifindex)
        check(send(populated, ANN, frame(ANN, BEN, TCP, start[8:], fragment=1)), Verdict.DROP, reason=Reason.MALFORMED)
        check(send(populated, ANN, frame(ANN, BEN, TCP, bytes(8), fragment=3)), Verdict.DELIVER, BEN.ifindex)
        beyond = frame(ANN, BEN, UDP, bytes(32), fragment=0x1FFF)
        check(send(populated, ANN, beyond), Verdict.DROP, reason=Reason.MALFORMED)

    def test_a_router_answers_pings_in_fragments(self, populated: Datapath) -> None:
        ping = packets.echo(ECHO_REQUEST, data=bytes(range(250)) * 16)
        outcomes = [send(populated, ANN, piece) for piece in pieces(ANN, INNER, ICMP, ping)]
        for outcome in outcomes:
            check(outcome, Verdict.ANSWER, ANN.ifindex)
            assert packets.checksum(outcome.frame[14:34]) == b"\0\0"
        answer = b"".join(outcome.frame[34:] for outcome in outcomes)
        assert (answer[0], answer[4:], packets.checksum(answer)) == (ECHO_REPLY, ping[4:], b"\0\0")

    def test_the_agent_gets_no_fragments(self, populated: Datapath) -> None:
        asked = ANN._replace(address="0.0.0.0"), BEN._replace(address="255.255.255.255")
        first = pieces(*asked, UDP, packets.udp(68, 67, bytes(4000)))[0]
        check(send(populated, ANN, first), Verdict.DROP, reason=Reason.FRAGMENT)

    @pytest.mark.parametrize(
        ("protocol", "payload"),
        [(UDP, packets.udp(5000, 33434)), (TCP, packets.tcp(4000, 22, SYN)), (ICMP, packets.echo(8)), (47, bytes(8))],
    )
    def test_errors_about_a_connection_pass(self, populated: Datapath, protocol: int, payload: bytes) -> None:
        """EVE is nobody whom ANN's rules would hear."""
        asked = frame(ANN, EVE, protocol, payload)
        errors = [frame(EVE, ANN, ICMP, packets.icmp_error(asked, kind)) for kind in (3, 11, 12)]
        for error in errors:
            check(receive(populated, 7, EVE.host, error), Verdict.DROP, reason=Reason.POLICY_IN)
        check(send(populated, ANN, asked), Verdict.TUNNEL, EVE.host)
        before = populated.read("connection")
        for error in errors:
            check(receive(populated, 7, EVE.host, error), Verdict.DELIVER, ANN.ifindex)
        assert populated.read("connection") == before
        populated.apply(Delta({"profile": {PROFILE.pack_key(11): PROFILE.pack_value(99)}}))
        check(receive(populated, 7, EVE.host, errors[0]), Verdict.DELIVER, ANN.ifindex)
        out = [entry.key for entry in world.policies()][:1]
        populated.apply(Delta({"profile": {PROFILE.pack_key(11): PROFILE.pack_value(98)}}, {"policy": out}))
        check(receive(populated, 7, EVE.host, errors[0]), Verdict.DROP, reason=Reason.POLICY_IN)

    def test_errors_that_nothing_explains(self, populated: Datapath) -> None:
        asked = frame(ANN, EVE, UDP, packets.udp(5000, 33434))
        check(send(populated, ANN, asked), Verdict.TUNNEL, EVE.host)
        check(send(populated, ANN, frame(ANN, CAT, UDP, packets.udp(5000, 33434))), Verdict.TUNNEL, CAT.host)
        opened = frame(EVE, ANN, TCP, packets.tcp(4000, 80, SYN))
        check(receive(populated, 7, EVE.host, opened), Verdict.DELIVER, ANN.ifindex)
        later = asked[:20] + bytes((0, 9)) + asked[22:]
        about = [
            packets.icmp_error(asked, 4),
            packets.icmp_error(asked, 5),
            packets.icmp_error(asked, 30),
            packets.icmp_error(asked, quoted=27),
            packets.icmp_error(later),
            packets.icmp_error(frame(ANN, EVE, UDP, packets.udp(5000, 33435))),
            packets.icmp_error(frame(ANN, EVE, TCP, packets.tcp(5000, 33434, SYN))),
            packets.icmp_error(frame(ANN, CAT, UDP, packets.udp(5000, 33434))),
            packets.icmp_error(frame(EVE, ANN, UDP, packets.udp(33434, 5000))),
            # ANN has said nothing in it so far.
            packets.icmp_error(frame(ANN, EVE, TCP, packets.tcp(80, 4000, SYN | ACK))),
        ]
        for error in about:
            check(receive(populated, 7, EVE.host, frame(EVE, ANN, ICMP, error)), Verdict.DROP, reason=Reason.POLICY_IN)
        told = frame(EVE, ANN, ICMP, packets.icmp_error(asked))
        other = frame(EVE._replace(address=CAT.address), ANN, ICMP, packets.icmp_error(asked))
        check(receive(populated, 7, EVE.host, other), Verdict.DROP, reason=Reason.FORGED_SOURCE)
        check(receive(populated, 7, EVE.host, told), Verdict.DELIVER, ANN.ifindex)

    def test_errors_outlive_no_connection(self, populated: Datapath) -> None:
        asked = frame(ANN, BEN, UDP, packets.udp(5000, 33434))
        told = frame(BEN, ANN, ICMP, packets.icmp_error(asked))
        check(send(populated, ANN, asked), Verdict.DELIVER, BEN.ifindex)
        out = [entry.key for entry in world.policies() if entry.key[9:10] == bytes((Remote.IDENTITY,))]
        assert out
        populated.delete("policy", out)
        check(send(populated, BEN, told, offset=29), Verdict.DELIVER, ANN.ifindex)
        check(send(populated, BEN, told, offset=31), Verdict.DROP, reason=Reason.POLICY_IN)

    def test_counters(self, populated: Datapath) -> None:
        packet = frame(ANN, BEN, UDP, packets.udp(5000, 6000))
        for _ in range(3):
            send(populated, ANN, packet)
        send(populated, ANN, frame(ANN, DOT, UDP, packets.udp(5000, 6000)))
        send(populated, ANN, packets.arp_request(ANN.mac, ANN.address, "10.0.1.99"))
        assert counted(populated, ANN, Direction.EGRESS, Class.SAME_NETWORK) == (3, 3 * len(packet))
        assert counted(populated, BEN, Direction.INGRESS, Class.SAME_NETWORK) == (3, 3 * len(packet))
        assert counted(populated, ANN, Direction.EGRESS, Class.ROUTED) == (1, len(packet))
        assert counted(populated, DOT, Direction.INGRESS, Class.ROUTED) == (1, len(packet))
        assert counted(populated, ANN, Direction.EGRESS, Class.DROPPED + Reason.ARP_UNKNOWN) == (1, 42)

    def test_a_machine_takes_no_more_than_its_share_of_connections(self, populated: Datapath) -> None:
        ann, ben, eve = (BUDGET.pack_key(machine.vni, machine.mac) for machine in (ANN, BEN, EVE))
        populated.write("budget", {ann: BUDGET.pack_value(Limit.CONNECTIONS - 1)})
        last, beyond = (frame(ANN, BEN, UDP, packets.udp(port, 6000)) for port in (5000, 5001))
        asked, again = (frame(EVE, ANN, TCP, packets.tcp(port, 80, SYN)) for port in (4000, 4001))
        for _ in range(2):
            check(send(populated, ANN, last), Verdict.DELIVER, BEN.ifindex)
        for dry in (False, True):
            check(send(populated, ANN, beyond, dry=dry), Verdict.DROP, reason=Reason.SHARE_USED_UP)
        check(receive(populated, 7, EVE.host, asked), Verdict.DELIVER, ANN.ifindex)
        check(send(populated, BEN, frame(BEN, ANN, UDP, packets.udp(6000, 5001))), Verdict.DELIVER, ANN.ifindex)
        taken = {ann: Limit.CONNECTIONS, ben: 1, eve: 1}
        assert populated.read("budget") == {key: BUDGET.pack_value(count) for key, count in taken.items()}
        populated.write("budget", {eve: BUDGET.pack_value(Limit.CONNECTIONS)})
        check(receive(populated, 7, EVE.host, again), Verdict.DROP, reason=Reason.SHARE_USED_UP)

    def test_a_project_takes_no_more_than_its_share_of_connections(self, populated: Datapath) -> None:
        """Whoever of its machines here is at an end of a connection, and whoever has begun it."""
        key, limit = PROJECT.pack_key(world.PROJECT_NUMBER), Limit.PROJECT_CONNECTIONS
        populated.write("project", {key: PROJECT.pack_value(limit - 2, 0)})
        first, beyond = (frame(ANN, BEN, UDP, packets.udp(port, 6000)) for port in (5000, 5001))
        asked, again = (frame(EVE, ANN, TCP, packets.tcp(port, 80, SYN)) for port in (4000, 4001))
        for _ in range(2):
            check(send(populated, ANN, first), Verdict.DELIVER, BEN.ifindex)
        check(receive(populated, 7, EVE.host, asked), Verdict.DELIVER, ANN.ifindex)
        for dry in (False, True):
            check(send(populated, ANN, beyond, dry=dry), Verdict.DROP, reason=Reason.PROJECT_SHARE_USED_UP)
        check(receive(populated, 7, EVE.host, again), Verdict.DROP, reason=Reason.PROJECT_SHARE_USED_UP)
        assert populated.read("project") == {key: PROJECT.pack_value(limit, 2)}
        check(send(populated, ANN, first), Verdict.DELIVER, BEN.ifindex)
        device = DEVICE.entry((BEN.vni, BEN.mac), (BEN.ifindex, 0, 0, BEN.identity, 0))
        populated.write("device", {device.key: device.value})
        other = frame(BEN, CAT, UDP, packets.udp(7000, 6000))
        assert send(populated, BEN, other).verdict is Verdict.TUNNEL

    def test_a_machine_does_not_occupy_the_agent(self, populated: Datapath) -> None:
        key, of_another_kind = (PACE.pack_key(ANN.vni, ANN.mac, kind) for kind in (Punt.DHCP, 99))
        request = packets.ipv4("0.0.0.0", "255.255.255.255", UDP, packets.udp(68, 67))
        packet = packets.ethernet(ANN.mac, packets.BROADCAST, 0x0800, request)
        populated.write("pace", {of_another_kind: PACE.pack_value(1 << 62)})
        for _ in range(2):
            check(send(populated, ANN, packet), Verdict.PUNT, world.PUNT)
        assert PACE.unpack_value(populated.read("pace")[key])["until"] > 2 * PACES[Punt.DHCP].pause
        populated.write("pace", {key: PACE.pack_value(1 << 62)})
        for dry in (True, False):
            check(send(populated, ANN, packet, dry=dry), Verdict.DROP, reason=Reason.PUNT_LIMIT)
        assert populated.read("pace") == dict.fromkeys((key, of_another_kind), PACE.pack_value(1 << 62))
        other = packets.ethernet(BEN.mac, packets.BROADCAST, 0x0800, request)
        check(send(populated, BEN, other), Verdict.PUNT, world.PUNT)

    def test_decisions_are_written_down_where_they_are_wanted(self, populated: Datapath) -> None:
        assert populated.take_decisions(10) == []
        flags = DeviceFlag.LOG_DROPS | DeviceFlag.LOG_ACCEPTS
        populated.write(
            "device", dict([DEVICE.entry((ANN.vni, ANN.mac), (ANN.ifindex, flags, 0, ANN.identity, 0))[1:]])
        )
        for port in (80, 80, 81):
            send(populated, ANN, frame(ANN, BEN, UDP, packets.udp(1000, port)))
        send(populated, ANN, frame(ANN, BEN, UDP, packets.udp(1000, 82)), dry=True)
        send(populated, BEN, frame(BEN, DOT, UDP, packets.udp(1000, 80)))
        events = [DECISION.unpack(event) for event in populated.take_decisions(1)]
        events += [DECISION.unpack(event) for event in populated.take_decisions(10)]
        told = [(event["vni"], event["mac"], event["direction"], event["reason"]) for event in events]
        assert told == [(ANN.vni, ANN.mac, Direction.EGRESS, 0)] * 2
        assert [int.from_bytes(event["service"], "big") for event in events] == [80, 81]
        assert {event["rule"] for event in events} == {1}
        assert populated.take_decisions(10) == []

    def test_a_flood_is_counted_not_written_down(self, populated: Datapath) -> None:
        populated.write(
            "device", dict([DEVICE.entry((ANN.vni, ANN.mac), (ANN.ifindex, DeviceFlag.LOG_ACCEPTS, 0, 0, 0))[1:]])
        )
        burst = Limit.LOG_BURST // Limit.LOG_PAUSE
        for port in range(burst + 50):
            send(populated, ANN, frame(ANN, BEN, UDP, packets.udp(1000, 1 + port)))
        written = len(populated.take_decisions(1_000))
        assert burst <= written < burst + 50
        [value] = populated.read("logging").values()
        assert LOGGING.unpack_value(value)["unlogged"] == burst + 50 - written

    def test_questions_to_the_services_and_their_answers(self, populated: Datapath) -> None:
        """The services see a peer in the machine's place; what they answer finds its way back, and counts for it."""
        peer, asked = pack_address("240.0.6.80"), Machine(ANN.vni, "169.254.169.254", SERVICES_MAC, 0)
        packet = frame(ANN, asked, UDP, packets.udp(1000, 53, b"who"))
        check(send(populated, ANN, packet), Verdict.DROP, reason=Reason.NO_CLIENT)
        populated.write("client", {CLIENT.pack_key(ANN.ifindex, 0, pack_address(ANN.address)): peer})
        who = PEER.pack_value(pack_address(ANN.address), ANN.ifindex, 0, 0, ANN.vni, ANN.mac)
        populated.write("peer", {PEER.pack_key(peer): who})
        outcome = send(populated, ANN, packet)
        check(outcome, Verdict.SERVE, world.SERVICE)
        assert (outcome.frame[:6], outcome.frame[26:30]) == (SERVICES_MAC, peer[12:])
        seen = Machine(0, "240.0.6.80", ANN.mac, 0)
        answer = packets.ethernet(
            SERVICES_MAC, bytes(6), 0x0800, packets.ipv4(asked.address, seen.address, UDP, packets.udp(53, 1000, b"me"))
        )
        outcome = populated.run(Program.FROM_SERVICE, answer, Synthetic())
        check(outcome, Verdict.DELIVER, ANN.ifindex)
        assert outcome.frame == frame(asked, ANN, UDP, packets.udp(53, 1000, b"me"))
        assert counted(populated, ANN, Direction.EGRESS, Class.SERVICE) == (1, len(packet))
        assert counted(populated, ANN, Direction.INGRESS, Class.SERVICE) == (1, len(answer))
        populated.delete("peer", [PEER.pack_key(peer)])
        check(populated.run(Program.FROM_SERVICE, answer, Synthetic()), Verdict.DROP, reason=Reason.NO_CLIENT)

    def test_resolvers_are_the_services_to_answer(self, populated: Datapath) -> None:
        asked = Machine(ANN.vni, "9.9.9.9", INNER.mac, 0)
        for number, reason in ((53, Reason.NO_CLIENT), (80, Reason.NO_ROUTE)):
            populated.write("resolver", {RESOLVER.pack_key(ANN.vni, pack_address("9.9.9.9")): bytes(4)})
            outcome = send(populated, ANN, frame(ANN, asked, UDP, packets.udp(1000, number)))
            assert outcome.reason is reason
        populated.delete("resolver", [RESOLVER.pack_key(ANN.vni, pack_address("9.9.9.9"))])
        assert send(populated, ANN, frame(ANN, asked, UDP, packets.udp(1000, 53))).reason is Reason.NO_ROUTE

    def test_a_machine_does_not_occupy_the_services(self, populated: Datapath) -> None:
        peer, asked = pack_address("240.0.6.80"), Machine(ANN.vni, "169.254.169.254", SERVICES_MAC, 0)
        populated.write("client", {CLIENT.pack_key(ANN.ifindex, 0, pack_address(ANN.address)): peer})
        pace = {PACE.pack_key(ANN.vni, ANN.mac, Punt.SERVICE): PACE.pack_value(1 << 62)}
        populated.write("pace", pace)
        question = frame(ANN, asked, UDP, packets.udp(1000, 53))
        check(send(populated, ANN, question), Verdict.DROP, reason=Reason.PUNT_LIMIT)
        assert populated.read("pace") == pace

    def test_dry_runs_change_nothing(self, populated: Datapath) -> None:
        for packet in (
            frame(ANN, BEN, UDP, packets.udp(5000, 6000)),
            frame(ANN, BEN._replace(mac=b"\2" * 6), UDP, packets.udp(5000, 6000)),
            frame(ANN._replace(address="0.0.0.0"), BEN, UDP, packets.udp(68, 67)),
        ):
            assert send(populated, ANN, packet, dry=True).steps
        assert [populated.read(table) for table in ("connection", "counter", "budget", "pace")] == [{}] * 4
