"""Random worlds and packets: what the records intend is what the hosts do, all of them together.

    intent(records, packet) == specification(compiled tables of all hosts, packet) == the real programs

The three share no code that decides anything. A failure names its seed; `random_world(Random(seed))` is its world.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address
from random import Random

import pytest
from hypothesis import given, settings

from netplane.datapath import KernelDatapath
from netplane.model import AnyRecord, Host, Network, Port
from netplane.tables.decisions import Class, Verdict
from netplane.tables.outcome import Outcome
from netplane.tables.pipeline import BUDGET, CONNECTION, COUNTER, FRAGMENT, LOGGING, PROJECT
from netplane.verify.family import read_packet
from netplane.verify.intent import Kind, intent, intent_of_tunnel
from netplane.verify.services import intent_of_services
from netplane.verify.talks import Memory
from netplane.verify.world import World
from tests.conversation import Conversation, some_port
from tests.fabric import SECOND, Fabric
from tests.frames import Sender, reply_to, rest_of
from tests.property.conftest import STATE, Build, build_kernel, build_specification
from tests.worlds import (
    Members,
    all_tables,
    hosts_of,
    random_maze,
    random_members,
    random_world,
    randoms,
    underlay,
    worlds,
)

WORLDS = range(60)
PACKETS = 40
STEPS = 90


@pytest.mark.parametrize("seed", WORLDS)
def test_packets(build: Build, seed: int) -> None:
    random = Random(seed)
    records = random_world(random)
    members = random_members(random, records)
    check_packets(random, records, build(records, all_tables(records, members)), members)


@pytest.mark.parametrize("seed", WORLDS)
def test_packets_in_mazes(build: Build, seed: int) -> None:
    """Where packets pass several routers, and machines that lead on; hosts keep what they remember."""
    random = Random(seed)
    records = random_maze(random)
    fabric, world, memory = build(records, all_tables(records)), World(records), Memory()
    for _ in range(PACKETS):
        port = some_port(random, records)
        frame = Sender(random, records, port).journey()
        for part in (frame, *rest_of(random, frame)):
            assert fabric.send(port.id, part) == intent(world, port.id, part, memory), part.hex()


@settings(max_examples=40, deadline=None)
@given(worlds(), randoms())
def test_packets_of_fresh_worlds(records: list[AnyRecord], random: Random) -> None:
    members = random_members(random, records)
    check_packets(random, records, build_specification()(records, all_tables(records, members)), members)


def check_packets(random: Random, records: list[AnyRecord], fabric: Fabric, members: Members) -> None:
    """Packets one after the other; intent and hosts both remember the connections that they make."""
    world, memory = World(records), Memory()
    memory.members |= members
    for _ in range(PACKETS):
        port = some_port(random, records)
        frame = Sender(random, records, port).wire()
        for part in (frame, *rest_of(random, frame)):
            memory.noted = []
            fate = fabric.send(port.id, part)
            assert fate == intent(world, port.id, part, memory), part.hex()
            assert sorted(fabric.noted) == sorted(memory.noted), part.hex()
            if fate.kind is Kind.SERVED:
                check_reply(world, fabric, port, reply_to(random, fate.frame))


def check_reply(world: World, fabric: Fabric, port: Port, frame: bytes) -> None:
    """What the services of its host answer a machine."""
    host, said = world.host(port), read_packet(frame)
    if host is not None and said is not None and not said.offset:
        intended = intent_of_services(world, host, port.id, said.destination, frame)
        assert fabric.reply(host.id, port.id, frame) == intended, frame.hex()


def test_random_packets_to_many_are_met() -> None:
    """The worlds are not worth much if nothing is ever copied in them: of both families, by ARP, and across hosts."""
    met: set[tuple[bytes, int, int]] = set()
    for seed in range(25):
        random = Random(seed)
        records = random_world(random)
        fabric = build_specification()(records, all_tables(records, random_members(random, records)))
        for _ in range(PACKETS):
            port = some_port(random, records)
            frame = Sender(random, records, port).frame()
            if copies := fabric.send(port.id, frame).copies:
                met.add((frame[12:14], len(copies), len(fabric.outcomes)))
    assert {kind for kind, _, _ in met} == {b"\x08\x00", b"\x86\xdd", b"\x08\x06"}
    assert any(copies > 1 for _, copies, _ in met)
    assert any(hosts > 1 for _, _, hosts in met)


@pytest.mark.parametrize("seed", WORLDS)
def test_conversations(build: Build, seed: int) -> None:
    """Packets, replies, retransmissions, pauses and changes of the world, in any order."""
    random = Random(seed)
    talk, memory = Conversation(random, random_world(random)), Memory()
    fabric = build(talk.records, all_tables(talk.records))
    for _ in range(STEPS):
        said = talk.next()
        if said is None:
            fabric, memory.members = build(talk.records, all_tables(talk.records, talk.members)), set(talk.members)
            continue
        fate, memory.noted = fabric.send(*said), []
        assert fate == intent(World(talk.records), said.port_id, said.frame, memory, said.now * SECOND), said
        assert sorted(fabric.noted) == sorted(memory.noted), said
        talk.note(said, fate)


@pytest.mark.parametrize("seed", WORLDS)
def test_tunnel(build: Build, seed: int) -> None:
    """Hosts that say anything about anybody: only true senders are believed."""
    random = Random(seed)
    records = random_world(random)
    members = random_members(random, records)
    world, memory = World(records), Memory()
    memory.members |= members
    fabric = build(records, all_tables(records, members))
    for host, vni, outer, frame in said_by_hosts(random, records):
        fabric.decided, memory.noted = [], []
        fate = fabric.tunnel(host, vni, underlay_of(outer), frame)
        assert fate == intent_of_tunnel(world, host, vni, outer, frame, memory), frame.hex()
        assert fabric.noted == memory.noted, frame.hex()


def said_by_hosts(random: Random, records: list[AnyRecord]) -> Iterator[tuple[Host, int, IPv4Address, bytes]]:
    """Tunnel packets: to which host, under which VNI, from which underlay address, with what in them."""
    world = World(records)
    hosts = list(hosts_of(records).values())
    networks = [record for record in records if isinstance(record, Network)]
    for _ in range(PACKETS):
        port = some_port(random, records)
        carrier = world.host(port)
        right = carrier is not None and random.random() < 0.7
        sender = carrier if right and carrier is not None else random.choice(hosts)
        vni = (world.network(port) if random.random() < 0.9 else random.choice(networks)).vni
        outer = IPv4Address("198.51.100.1") if random.random() < 0.05 else IPv4Address(sender.address)
        host, frame = random.choice(hosts), Sender(random, records, port).frame()
        for part in (frame, *rest_of(random, frame)):
            yield host, vni, outer, part


def underlay_of(address: IPv4Address) -> bytes:
    return underlay(Host(id="", number=0, address=str(address)))


@pytest.mark.kernel
@pytest.mark.parametrize("seed", WORLDS)
def test_programs_take_the_specified_steps(kernel: list[KernelDatapath], seed: int) -> None:
    """Not only the same fate: the same steps, connections and counters."""
    random = Random(seed)
    talk = Conversation(random, random_world(random))
    builds = build_specification(), build_kernel(kernel)
    tables = all_tables(talk.records)
    specified, real = (build(talk.records, tables) for build in builds)
    for _ in range(STEPS):
        said = talk.next()
        if said is None:
            tables = all_tables(talk.records, talk.members)
            specified, real = (build(talk.records, tables) for build in builds)
            continue
        talk.note(said, real.send(*said))
        specified.send(*said)
        assert [*map(comparable, real.outcomes)] == [*map(comparable, specified.outcomes)], said
        assert decisions(real) == decisions(specified), said
    for host in tables:
        for name, shown in zip(
            STATE, (connections, counters, budgets, paces, fragments, unlogged, projects), strict=True
        ):
            assert shown(real.runners[host].read(name)) == shown(specified.runners[host].read(name))


@pytest.mark.kernel
@pytest.mark.parametrize("seed", WORLDS)
def test_programs_take_the_specified_steps_in_mazes(kernel: list[KernelDatapath], seed: int) -> None:
    random = Random(seed)
    records = random_maze(random)
    tables = all_tables(records)
    specified, real = (build(records, tables) for build in (build_specification(), build_kernel(kernel)))
    for _ in range(PACKETS):
        port = some_port(random, records)
        frame = Sender(random, records, port).journey()
        for part in (frame, *rest_of(random, frame)):
            for fabric in (specified, real):
                fabric.send(port.id, part)
            assert [*map(comparable, real.outcomes)] == [*map(comparable, specified.outcomes)], part.hex()


@pytest.mark.kernel
@pytest.mark.parametrize("seed", WORLDS)
def test_programs_take_the_specified_steps_from_the_tunnel(kernel: list[KernelDatapath], seed: int) -> None:
    random = Random(seed)
    records = random_world(random)
    tables = all_tables(records, random_members(random, records))
    specified, real = (build(records, tables) for build in (build_specification(), build_kernel(kernel)))
    for host, vni, outer, frame in said_by_hosts(random, records):
        for fabric in (specified, real):
            fabric.outcomes, fabric.decided = [], []
            fabric.tunnel(host, vni, underlay_of(outer), frame)
        assert [*map(comparable, real.outcomes)] == [*map(comparable, specified.outcomes)], frame.hex()
        assert decisions(real) == decisions(specified), frame.hex()


def comparable(outcome: Outcome) -> tuple[object, ...]:
    """What must agree: what a step found only if it went well, and no frame of a drop."""
    steps = [step if not step.reason else (step.stage, step.reason) for step in outcome.steps]
    frame = b"" if outcome.verdict is Verdict.DROP else outcome.frame
    return (*outcome[:4], frame, *steps)


def decisions(fabric: Fabric) -> list[dict[str, object]]:
    """What was written down, without the time."""
    return [event | {"time": 0} for event in fabric.decided]


def unlogged(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """How many decisions were not written down, of each port."""
    return {key: LOGGING.unpack_value(value)["unlogged"] for key, value in entries.items()}


def connections(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """All of them, without the time, which the kernel takes from its own clock."""
    return {key: CONNECTION.unpack_value(value) | {"seen": 0} for key, value in entries.items()}


def budgets(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """All of them."""
    return {key: BUDGET.unpack_value(value) for key, value in entries.items()}


def projects(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """All of them."""
    return {key: PROJECT.unpack_value(value) for key, value in entries.items()}


def paces(entries: dict[bytes, bytes]) -> set[bytes]:
    """What there is, without the time."""
    return set(entries)


def fragments(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """All of them, without the time."""
    return {key: FRAGMENT.unpack_value(value) | {"seen": 0} for key, value in entries.items()}


def counters(entries: dict[bytes, bytes]) -> dict[bytes, object]:
    """All of them; of drops only packets, since a test run fills up frames that are too short for the kernel."""
    found = {key: COUNTER.unpack_value(value) for key, value in entries.items()}
    dropped = {key for key in found if COUNTER.unpack_key(key)["class"] >= Class.DROPPED}
    return {key: value["packets"] if key in dropped else value for key, value in found.items()}
