"""The specification, stage by stage, on a small world; what it shares with the kernel is the datapath contract's."""

from struct import pack

import pytest

from netplane.base.addresses import NO_ADDRESS, NO_MAC, pack_address
from netplane.tables import pipeline
from netplane.tables.decisions import (
    PACES,
    Class,
    ConnectionState,
    Direction,
    Limit,
    Punt,
    Reason,
    Remote,
    Stage,
    Verdict,
)
from netplane.tables.machine import Machine, empty_tables
from netplane.tables.outcome import Outcome
from netplane.tables.pipeline import BUDGET, CONNECTION, COUNTER, POLICY, PROFILE, SETTINGS
from netplane.tables.run import Run
from tests.contract.packets import ACK, SYN, ethernet, ipv4
from tests.contract.world import (
    ANN,
    BEN,
    CAT,
    DOT,
    IDENTITY,
    INNER,
    OTHER_HOST,
    PUNT,
    STRANGER,
    UNDERLAY,
    Tables,
    frame,
    machine_entries,
    world,
)
from tests.contract.world import Machine as Endpoint
from tests.frames import icmp, tcp, udp

SECOND = 1_000_000_000
FROM_OTHER = pack_address(UNDERLAY[OTHER_HOST])


class Host:
    """A machine over the small world, and its clock in seconds."""

    def __init__(self) -> None:
        self.tables: Tables = empty_tables() | world()
        self.machine = Machine(self.tables)
        self.now = 0

    def send(self, source: Endpoint, data: bytes, *, dry: bool = False) -> Outcome:
        return self.machine.run_from_machine(source.ifindex, data, now_ns=self.now * SECOND, dry=dry)

    def receive(self, data: bytes, outer: bytes = FROM_OTHER, vni: int = 7) -> Outcome:
        return self.machine.run_from_tunnel(vni, outer, data, now_ns=self.now * SECOND)

    def set_rules(self, *entries: tuple[int, int]) -> None:
        """Replace the ingress rules of IDENTITY by (protocol, port) from anywhere."""
        keys = [key for key in self.tables["policy"] if POLICY.unpack_key(key)["direction"] == Direction.INGRESS]
        for key in keys:
            del self.tables["policy"][key]
        for protocol, port in entries:
            key = POLICY.pack_key(224, IDENTITY, 1, Remote.ANY, 0, NO_ADDRESS, protocol, pack("!H", port))
            self.tables["policy"][key] = POLICY.pack_value(1)
        self.tables["profile"][PROFILE.pack_key(IDENTITY)] = PROFILE.pack_value(hash(entries) & 0xFFFF)

    def connection(self) -> dict[str, int]:
        """The only connection."""
        (value,) = self.tables["connection"].values()
        return CONNECTION.unpack_value(value)


@pytest.fixture
def host() -> Host:
    return Host()


def check(outcome: Outcome, verdict: Verdict, reason: Reason = Reason.NONE) -> None:
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def segment(source: Endpoint, destination: Endpoint, flags: int, *, back: bool = False) -> bytes:
    ports = (80, 4000) if back else (4000, 80)
    return frame(source, destination, 6, tcp(*ports, flags))


OPEN = segment(CAT, ANN, SYN)


def test_steps_of_a_delivery(host: Host) -> None:
    outcome = host.send(ANN, segment(ANN, BEN, SYN))
    assert [step.stage for step in outcome.steps] == [
        Stage.PORT,
        Stage.PARSE,
        Stage.ANTI_SPOOF,
        Stage.ROUTING,
        Stage.POLICY_OUT,
        Stage.POLICY_IN,
        Stage.CONNECTION,
        Stage.DELIVERY,
    ]
    assert outcome.steps[0][2:] == (ANN.ifindex, ANN.vni, 1)
    assert outcome.steps[-1][2:] == (Verdict.DELIVER, BEN.ifindex, BEN.vni)


def test_a_dry_run_leaves_no_trace(host: Host) -> None:
    check(host.send(ANN, segment(ANN, BEN, SYN), dry=True), Verdict.DELIVER)
    assert host.tables["connection"] == host.tables["counter"] == {}


def test_counters(host: Host) -> None:
    data = frame(ANN, DOT, 17, udp(1, 2))
    host.send(ANN, data)
    host.send(ANN, frame(ANN, INNER, 1, icmp(8)))
    host.send(ANN, data[:6] + BEN.mac + data[12:])
    host.receive(data)
    counted = {key: COUNTER.unpack_value(value)["packets"] for key, value in host.tables["counter"].items()}
    assert counted == {
        COUNTER.pack_key(ANN.vni, ANN.mac, Direction.EGRESS, Class.ROUTED): 1,
        COUNTER.pack_key(DOT.vni, DOT.mac, Direction.INGRESS, Class.ROUTED): 1,
        COUNTER.pack_key(ANN.vni, ANN.mac, Direction.EGRESS, Class.SERVICE): 1,
        COUNTER.pack_key(ANN.vni, ANN.mac, Direction.EGRESS, Class.DROPPED + Reason.SPOOFED_MAC): 1,
        COUNTER.pack_key(0, NO_MAC, Direction.INGRESS, Class.DROPPED + Reason.FORGED_HOST): 1,
    }


def test_a_reply_needs_no_rule(host: Host) -> None:
    check(host.send(ANN, segment(ANN, CAT, SYN)), Verdict.TUNNEL)
    check(host.receive(segment(CAT, ANN, SYN | ACK, back=True)), Verdict.DELIVER)
    assert host.connection()["state"] == ConnectionState.ESTABLISHED
    check(host.receive(frame(CAT, ANN, 6, tcp(81, 4000, ACK))), Verdict.DROP, Reason.NO_CONNECTION)


def test_silence_ends_a_connection(host: Host) -> None:
    check(host.receive(OPEN), Verdict.DELIVER)
    host.now = 119
    check(host.receive(segment(CAT, ANN, ACK)), Verdict.DELIVER)
    host.now += 120
    check(host.receive(segment(CAT, ANN, ACK)), Verdict.DROP, Reason.NO_CONNECTION)


def test_revoked_permission_ends_a_connection(host: Host) -> None:
    check(host.receive(OPEN), Verdict.DELIVER)
    host.set_rules((6, 22))
    check(host.receive(segment(CAT, ANN, ACK)), Verdict.DROP, Reason.REVOKED)
    check(host.send(ANN, segment(ANN, CAT, ACK, back=True)), Verdict.DROP, Reason.REVOKED)
    check(host.receive(OPEN), Verdict.DROP, Reason.POLICY_IN)
    host.set_rules((6, 80))
    check(host.receive(segment(CAT, ANN, ACK)), Verdict.DROP, Reason.REVOKED)
    check(host.receive(OPEN), Verdict.DELIVER)
    check(host.receive(segment(CAT, ANN, ACK)), Verdict.DELIVER)


def test_other_rules_that_still_allow_it(host: Host) -> None:
    host.receive(OPEN)
    before = host.connection()["stamp"]
    host.set_rules((6, 80), (6, 22))
    outcome = host.send(ANN, segment(ANN, CAT, SYN | ACK, back=True))
    check(outcome, Verdict.TUNNEL)
    assert [step.a for step in outcome.steps if step.stage is Stage.CONNECTION] == [2]
    assert host.connection()["stamp"] != before


def test_another_group_of_the_remote_machine_ends_a_connection(host: Host) -> None:
    data = frame(CAT, ANN, 17, udp(1, 2))
    check(host.receive(data), Verdict.DELIVER)
    (moved,) = (entry for entry in machine_entries(CAT._replace(identity=STRANGER)) if entry.table == "endpoint")
    host.tables["endpoint"][moved.key] = moved.value
    check(host.send(ANN, frame(ANN, CAT, 17, udp(2, 1))), Verdict.DROP, Reason.REVOKED)
    check(host.receive(data), Verdict.DROP, Reason.POLICY_IN)


def test_a_closed_connection_begins_anew_from_either_side(host: Host) -> None:
    host.receive(OPEN)
    host.send(ANN, segment(ANN, CAT, 0x14, back=True))
    assert host.connection()["state"] == ConnectionState.CLOSED
    check(host.send(ANN, segment(ANN, CAT, SYN, back=True)), Verdict.TUNNEL)
    assert host.connection()["state"] == ConnectionState.NEW


def test_pings_of_both_sides_are_two_connections(host: Host) -> None:
    check(host.send(ANN, frame(ANN, BEN, 1, icmp(8))), Verdict.DELIVER)
    check(host.send(BEN, frame(BEN, ANN, 1, icmp(8))), Verdict.DELIVER)
    check(host.send(BEN, frame(BEN, ANN, 1, icmp(0))), Verdict.DELIVER)
    assert len(host.tables["connection"]) == 2
    check(host.send(BEN, frame(BEN, ANN, 1, icmp(0, 0, 8))), Verdict.DROP, Reason.NO_CONNECTION)


def test_other_icmp_is_judged_by_itself(host: Host) -> None:
    check(host.send(ANN, frame(ANN, BEN, 1, icmp(3, 3))), Verdict.DELIVER)
    assert host.tables["connection"] == {}
    host.set_rules()
    outcome = host.send(ANN, frame(ANN, BEN, 1, icmp(3, 3)))
    check(outcome, Verdict.DROP, Reason.POLICY_IN)
    assert outcome.steps[-1].stage is Stage.POLICY_IN


def test_a_full_table(host: Host) -> None:
    host.machine.rooms = {**host.machine.rooms, CONNECTION.name: 1}
    check(host.send(ANN, segment(ANN, BEN, SYN)), Verdict.DELIVER)
    check(host.send(ANN, frame(ANN, BEN, 17, udp(1, 2))), Verdict.DROP, Reason.CONNECTIONS_FULL)
    check(host.send(ANN, segment(ANN, BEN, ACK)), Verdict.DELIVER)


@pytest.mark.parametrize(("protocol", "header"), [(33, 12), (132, 12), (136, 8)])
def test_rules_speak_of_the_ports_of_all_protocols_that_have_them(host: Host, protocol: int, header: int) -> None:
    host.set_rules((protocol, 80))
    for port, verdict, reason in ((80, Verdict.DELIVER, Reason.NONE), (22, Verdict.DROP, Reason.POLICY_IN)):
        data = pack("!HH", 4000, port).ljust(header, b"\0")
        check(host.receive(frame(CAT, ANN, protocol, data)), verdict, reason)
        check(host.receive(frame(CAT, ANN, protocol, data[:-1])), Verdict.DROP, Reason.MALFORMED)
    check(host.send(ANN, frame(ANN, CAT, protocol, pack("!HH", 80, 4000).ljust(header, b"\0"))), Verdict.TUNNEL)
    assert len(host.tables["connection"]) == 1


def test_a_machine_cannot_take_the_whole_table(host: Host) -> None:
    share = BUDGET.pack_key(ANN.vni, ANN.mac)
    host.tables["budget"][share] = BUDGET.pack_value(Limit.CONNECTIONS - 1)
    check(host.send(ANN, segment(ANN, BEN, SYN)), Verdict.DELIVER)
    check(host.send(ANN, frame(ANN, BEN, 17, udp(1, 2))), Verdict.DROP, Reason.SHARE_USED_UP)
    check(host.receive(OPEN), Verdict.DELIVER)
    check(host.send(ANN, segment(ANN, BEN, ACK)), Verdict.DELIVER)
    check(host.send(BEN, frame(BEN, ANN, 17, udp(1, 2))), Verdict.DELIVER)
    assert host.tables["budget"][share] == BUDGET.pack_value(Limit.CONNECTIONS)


def test_a_machine_cannot_occupy_the_agent(host: Host) -> None:
    asked = ethernet(ANN.mac, b"\xff" * 6, 0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67)))
    at_once = PACES[Punt.DHCP].burst // PACES[Punt.DHCP].pause
    verdicts = [host.send(ANN, asked).verdict for _ in range(at_once + 5)]
    assert verdicts == [Verdict.PUNT] * at_once + [Verdict.DROP] * 5
    check(host.send(ANN, asked), Verdict.DROP, Reason.PUNT_LIMIT)
    other = ethernet(BEN.mac, b"\xff" * 6, 0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67)))
    check(host.send(BEN, other), Verdict.PUNT)


@pytest.mark.parametrize(("ttl", "reason"), [(2, Reason.NONE), (1, Reason.TTL_EXCEEDED), (0, Reason.TTL_EXCEEDED)])
def test_time_to_live(host: Host, ttl: int, reason: Reason) -> None:
    outcome = host.send(ANN, frame(ANN, DOT, 17, udp(1, 2), ttl=ttl))
    check(outcome, Verdict.ANSWER if reason else Verdict.DELIVER, reason)


def test_no_error_about_an_error(host: Host) -> None:
    for kind, verdict in ((3, Verdict.DROP), (11, Verdict.DROP), (5, Verdict.DROP), (13, Verdict.ANSWER)):
        check(host.send(ANN, frame(ANN, DOT, 1, icmp(kind), ttl=1)), verdict, Reason.TTL_EXCEEDED)


def test_a_router_answers_machines_of_its_hosts_only(host: Host) -> None:
    check(host.send(ANN, frame(ANN, INNER, 1, icmp(8))), Verdict.ANSWER)
    check(host.send(ANN, frame(ANN, INNER, 17, udp(1, 2))), Verdict.ANSWER, Reason.ROUTER_CLOSED)
    check(host.send(ANN, frame(ANN, INNER, 6, tcp(1, 2, SYN))), Verdict.DROP, Reason.ROUTER_CLOSED)
    check(host.receive(frame(CAT, INNER, 1, icmp(8))), Verdict.DROP, Reason.FROM_TUNNEL)


@pytest.mark.parametrize("name", ["device", "host"])
def test_nowhere_to_go(host: Host, name: str) -> None:
    host.tables[name].clear()
    target, reason = (BEN, Reason.NO_DEVICE) if name == "device" else (CAT, Reason.NO_HOST)
    check(host.send(ANN, segment(ANN, target, SYN)), Verdict.DROP, reason)


def test_a_host_that_knows_not_itself_carries_nothing(host: Host) -> None:
    host.tables["settings"] = {SETTINGS.pack_key(0): SETTINGS.pack_value(0, 0, 0, 0)}
    for target in (BEN, CAT):
        check(host.send(ANN, segment(ANN, target, SYN)), Verdict.DROP, Reason.NO_HOST)
    check(host.send(ANN, frame(ANN, INNER, 1, icmp(8))), Verdict.ANSWER)
    asked = ethernet(ANN.mac, b"\xff" * 6, 0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67)))
    check(host.send(ANN, asked), Verdict.DROP, Reason.PUNT_OFF)


def test_dhcp(host: Host) -> None:
    for source, ports, verdict, reason in (
        ("0.0.0.0", (68, 67), Verdict.PUNT, Reason.NONE),
        (ANN.address, (68, 67), Verdict.PUNT, Reason.NONE),
        (BEN.address, (68, 67), Verdict.PUNT, Reason.NONE),
        (ANN.address, (67, 68), Verdict.DROP, Reason.ROGUE_DHCP),
    ):
        data = ethernet(ANN.mac, b"\xff" * 6, 0x0800, ipv4(source, "255.255.255.255", 17, udp(*ports)))
        outcome = host.send(ANN, data)
        check(outcome, verdict, reason)
        assert outcome.target == (PUNT if verdict is Verdict.PUNT else 0)


def test_forgers(host: Host) -> None:
    for data, outer, reason in (
        (OPEN, pack_address("172.16.9.9"), Reason.FORGED_HOST),
        (segment(BEN, ANN, SYN), FROM_OTHER, Reason.FORGED_HOST),
        (OPEN[:6] + BEN.mac + OPEN[12:], FROM_OTHER, Reason.FORGED_SOURCE),
        (frame(INNER, ANN, 6, tcp(4000, 80, SYN)), FROM_OTHER, Reason.FORGED_SOURCE),
        (b"\1" + OPEN[1:], FROM_OTHER, Reason.MULTICAST),
        (segment(CAT, CAT, SYN), FROM_OTHER, Reason.NOT_HERE),
        (OPEN[:13], FROM_OTHER, Reason.MALFORMED),
    ):
        check(host.receive(data, outer), Verdict.DROP, reason)
    check(host.receive(OPEN, vni=8), Verdict.DROP, Reason.FORGED_SOURCE)


def test_every_table_is_there() -> None:
    assert list(empty_tables()) == [table.name for table in pipeline.TABLES]
    assert Run(empty_tables(), b"", 0, {}).settings == (0, 0, 0, 0)
