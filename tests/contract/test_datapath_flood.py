"""What every datapath does with packets to groups and to all of a network: the fake, and the kernel's."""

from array import array
from collections.abc import Iterator

import pytest

from netplane.base.addresses import pack_address
from netplane.base.delta import Delta
from netplane.datapath import Datapath
from netplane.tables.decisions import PACES, Class, Cost, Direction, Limit, PortFlag, Punt, Reason, Stage, Verdict
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import BROADCAST, COUNTER, CROWD, DEVICE, MEMBER, PACE, PORT, SPREAD, TABLES, TRACE
from netplane.tables.schema import Entry
from tests.contract import packets, world
from tests.contract.datapaths import Bench, bench, ways
from tests.contract.packets import UDP
from tests.contract.world import ANN, BEN, CAT, DOT, EVE, OTHER_HOST, THIS_HOST, Machine

KERNEL = [pytest.param(way.value, marks=pytest.mark.kernel) for way in ways()]
TO_ALL, GROUP = b"\xff" * 6, "239.1.2.3"
GROUP_MAC = bytes.fromhex("01005e010203")
DELIVER, TUNNEL = Verdict.DELIVER, Verdict.TUNNEL


@pytest.fixture(scope="module", params=["fake", *KERNEL])
def shared(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench(request.param) as made:
        yield made


@pytest.fixture
def datapath(shared: Bench) -> Iterator[Datapath]:
    """One of each, whose network has ANN and BEN here, CAT and EVE elsewhere."""
    shared.datapath.apply(Delta(world.world()))
    shared.datapath.apply(Delta(world.tabulate(lists())))
    yield shared.datapath
    for table in TABLES:
        if table is not TRACE:
            shared.datapath.delete(table.name, shared.datapath.read(table.name))


def lists() -> list[Entry]:
    return [
        SPREAD.entry((ANN.vni, 0), (numbers(THIS_HOST, OTHER_HOST),)),
        *(CROWD.entry((ANN.vni, index), (machine.mac,)) for index, machine in enumerate((ANN, BEN))),
        CROWD.entry((DOT.vni, 0), (DOT.mac,)),
        BROADCAST.entry((ANN.vni, pack_address("10.0.1.255")), ()),
        MEMBER.entry((ANN.vni, pack_address(GROUP), 0), (ANN.mac,)),
    ]


def numbers(*hosts: int) -> bytes:
    """Hosts as they stand in an entry."""
    return array("I", hosts).tobytes()


def to_many(
    source: Machine, address: str, mac: bytes, protocol: int = UDP, payload: bytes = packets.udp(5000, 6000)
) -> bytes:
    return packets.ethernet(source.mac, mac, 0x0800, packets.ipv4(source.address, address, protocol, payload))


def send(datapath: Datapath, machine: Machine, packet: bytes, *, dry: bool = False) -> Outcome:
    return datapath.run(Program.FROM_MACHINE, packet, Synthetic(ifindex=machine.ifindex, dry=dry))


def receive(datapath: Datapath, host: int, packet: bytes) -> Outcome:
    origin = Synthetic(vni=ANN.vni, outer_source=pack_address(world.UNDERLAY[host]))
    return datapath.run(Program.FROM_TUNNEL, packet, origin)


def counted(datapath: Datapath, machine: Machine, direction: Direction, what: int) -> int:
    key = COUNTER.pack_key(machine.vni, machine.mac, direction, what)
    return int(COUNTER.unpack_value(datapath.read("counter").get(key, bytes(COUNTER.value.size)))["packets"])


@pytest.mark.parametrize(
    ("address", "mac"),
    [("255.255.255.255", TO_ALL), ("10.0.1.255", TO_ALL), ("224.0.0.251", bytes.fromhex("01005e0000fb"))],
)
def test_a_copy_for_each_other_machine_and_host(datapath: Datapath, address: str, mac: bytes) -> None:
    packet = to_many(ANN, address, mac)
    for dry in (True, False):
        outcome = send(datapath, ANN, packet, dry=dry)
        assert (outcome.verdict, outcome.target, outcome.vni, outcome.frame) == (Verdict.FLOOD, 2, ANN.vni, packet)
        assert outcome.copies == ((DELIVER, BEN.ifindex, 0), (TUNNEL, OTHER_HOST, 0))
        assert (outcome.steps[-1].stage, outcome.steps[-1].a) == (Stage.FLOOD, 2)
    assert counted(datapath, ANN, Direction.EGRESS, Class.GROUP) == 1
    assert counted(datapath, BEN, Direction.INGRESS, Class.GROUP) == 1


def test_from_the_tunnel_to_machines_here_only(datapath: Datapath) -> None:
    packet = to_many(CAT, "255.255.255.255", TO_ALL)
    assert receive(datapath, CAT.host, packet).copies == ((DELIVER, ANN.ifindex, 0), (DELIVER, BEN.ifindex, 0))
    assert receive(datapath, THIS_HOST, packet).reason is Reason.FORGED_HOST
    assert receive(datapath, CAT.host, to_many(ANN, "255.255.255.255", TO_ALL)).reason is Reason.FORGED_HOST


def test_members_only(datapath: Datapath) -> None:
    assert send(datapath, BEN, to_many(BEN, GROUP, GROUP_MAC)).copies == (
        (DELIVER, ANN.ifindex, 0),
        (TUNNEL, OTHER_HOST, 0),
    )
    assert send(datapath, ANN, to_many(ANN, GROUP, GROUP_MAC)).copies == ((TUNNEL, OTHER_HOST, 0),)
    assert receive(datapath, CAT.host, to_many(CAT, "239.1.2.4", bytes.fromhex("01005e010204"))).copies == ()


def test_receivers_rules(datapath: Datapath) -> None:
    """EVE has another identity: nobody's rules let her in, but for TCP to port 80."""
    refused = receive(datapath, EVE.host, to_many(EVE, "255.255.255.255", TO_ALL))
    assert (refused.verdict, refused.copies) == (Verdict.FLOOD, ())
    assert counted(datapath, ANN, Direction.INGRESS, Class.DROPPED + Reason.POLICY_IN) == 1
    packet = to_many(EVE, "255.255.255.255", TO_ALL, packets.TCP, packets.tcp(4000, 80, packets.SYN))
    assert receive(datapath, EVE.host, packet).copies == ((DELIVER, ANN.ifindex, 0), (DELIVER, BEN.ifindex, 0))


@pytest.mark.parametrize(
    ("address", "mac"),
    [
        ("10.0.1.6", TO_ALL),
        ("10.0.2.255", TO_ALL),
        (GROUP, TO_ALL),
        (GROUP, bytes.fromhex("01005e010204")),
        ("255.255.255.255", GROUP_MAC),
        ("240.0.0.1", TO_ALL),
    ],
)
def test_addresses_that_do_not_agree(datapath: Datapath, address: str, mac: bytes) -> None:
    outcome = send(datapath, ANN, to_many(ANN, address, mac))
    assert (outcome.verdict, outcome.reason) == (Verdict.DROP, Reason.MULTICAST)


def test_a_copy_leaves_under_its_devices_tag(datapath: Datapath) -> None:
    device = DEVICE.entry((BEN.vni, BEN.mac), (ANN.ifindex, 0, 9, BEN.identity, 0))
    datapath.write("device", {device.key: device.value})
    packet = to_many(CAT, "255.255.255.255", TO_ALL)
    assert receive(datapath, CAT.host, packet).copies == ((DELIVER, ANN.ifindex, 0), (DELIVER, ANN.ifindex, 9))


def test_announcements(datapath: Datapath) -> None:
    told = packets.arp_request(ANN.mac, ANN.address, ANN.address)
    assert send(datapath, ANN, told).copies == ((DELIVER, BEN.ifindex, 0), (TUNNEL, OTHER_HOST, 0))
    lie = packets.arp_request(ANN.mac, BEN.address, BEN.address)
    assert send(datapath, ANN, lie).reason is Reason.SPOOFED_ARP
    told = packets.arp_request(CAT.mac, CAT.address, CAT.address)
    assert receive(datapath, CAT.host, told).copies == ((DELIVER, ANN.ifindex, 0), (DELIVER, BEN.ifindex, 0))
    assert receive(datapath, THIS_HOST, told).reason is Reason.FORGED_HOST
    asked = packets.arp_request(CAT.mac, CAT.address, ANN.address)
    assert receive(datapath, CAT.host, asked).reason is Reason.UNSUPPORTED


def test_reports_go_to_the_agent_and_queries_nowhere(datapath: Datapath) -> None:
    for kind, verdict in ((0x16, Verdict.PUNT), (0x17, Verdict.PUNT), (0x22, Verdict.PUNT), (0x11, Verdict.DROP)):
        packet = to_many(ANN, GROUP, GROUP_MAC, 2, bytes((kind,)) + bytes(7))
        outcome = send(datapath, ANN, packet)
        assert outcome.verdict is verdict
        if verdict is Verdict.PUNT:
            assert outcome.frame[:2] == bytes((2, Punt.REPORT))
        else:
            assert outcome.reason is Reason.ROGUE_QUERIER
    packet = to_many(CAT, GROUP, GROUP_MAC, 2, b"\x16" + bytes(7))
    assert receive(datapath, CAT.host, packet).reason is Reason.FROM_TUNNEL


def test_a_storm(datapath: Datapath) -> None:
    key, packet = PACE.pack_key(ANN.vni, ANN.mac, Cost.COPIES), to_many(ANN, "255.255.255.255", TO_ALL)
    send(datapath, ANN, packet)
    assert PACE.unpack_value(datapath.read("pace")[key])["until"] >= 2 * PACES[Cost.COPIES].pause
    datapath.write("pace", {key: PACE.pack_value(1 << 62)})
    outcome = send(datapath, ANN, packet)
    assert (outcome.verdict, outcome.reason) == (Verdict.DROP, Reason.STORM)
    assert send(datapath, BEN, to_many(BEN, "255.255.255.255", TO_ALL)).verdict is Verdict.FLOOD


def test_entries_of_hosts_that_are_not_full(datapath: Datapath) -> None:
    """As when entries of one host each were carried over from a release that had such."""
    written = (numbers(THIS_HOST), numbers(OTHER_HOST), numbers(0), numbers(OTHER_HOST, OTHER_HOST, 0, OTHER_HOST))
    datapath.write(
        "spread", dict([SPREAD.entry((ANN.vni, index), (value,))[1:] for index, value in enumerate(written)])
    )
    assert send(datapath, ANN, to_many(ANN, "255.255.255.255", TO_ALL)).target == 1 + 3


def test_as_many_as_a_packet_is_copied_to(datapath: Datapath) -> None:
    """All of a list up to its limit, in one packet; what is beyond is counted."""
    full = numbers(*(16 * (OTHER_HOST,)))
    datapath.write("spread", dict([SPREAD.entry((ANN.vni, index), (full,))[1:] for index in range(Limit.COPIES // 16)]))
    assert send(datapath, ANN, to_many(ANN, "255.255.255.255", TO_ALL)).target == 1 + Limit.COPIES
    assert counted(datapath, ANN, Direction.EGRESS, Class.DROPPED + Reason.TOO_MANY) == 0
    datapath.write("spread", dict([SPREAD.entry((ANN.vni, Limit.COPIES // 16), (numbers(OTHER_HOST),))[1:]]))
    assert send(datapath, ANN, to_many(ANN, "255.255.255.255", TO_ALL)).target == 1 + Limit.COPIES
    assert counted(datapath, ANN, Direction.EGRESS, Class.DROPPED + Reason.TOO_MANY) == 1


def test_no_machine_is_a_dhcp_server_for_its_neighbours(datapath: Datapath) -> None:
    """Its own port may be of a subnet without DHCP, and theirs of another one of the network, with it."""
    for flags in (PortFlag.DHCP, 0):
        datapath.apply(Delta(world.tabulate([PORT.entry((ANN.ifindex, 0), (ANN.vni, ANN.mac, flags, 0))])))
        offer = to_many(ANN, "255.255.255.255", TO_ALL, payload=packets.udp(67, 68))
        outcome = send(datapath, ANN, offer)
        assert (outcome.verdict, outcome.reason) == (Verdict.DROP, Reason.ROGUE_DHCP)
    asked = send(datapath, ANN, to_many(ANN, "255.255.255.255", TO_ALL, payload=packets.udp(68, 67)))
    assert asked.reason is not Reason.ROGUE_DHCP
