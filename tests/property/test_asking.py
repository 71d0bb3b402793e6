"""DHCP among machines in random worlds, most of whose subnets have none of ours: intent == machine == programs."""

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from netplane.model import AnyRecord, Port, Subnet
from netplane.tables.decisions import Reason, Verdict
from netplane.tables.packet import take_tag
from netplane.verify.datagram import UDP
from netplane.verify.dhcp import is_answer, is_question, may_ask
from netplane.verify.family import read_packet
from netplane.verify.intent import Kind, intent, intent_of_tunnel
from netplane.verify.talks import Memory
from netplane.verify.world import World, given, mac_of
from tests.conversation import some_port
from tests.frames import TO_ALL, Sender, due_mac, ethernet, ipv4, tagged, udp
from tests.frames6 import ipv6
from tests.property.conftest import Build, build_specification
from tests.property.test_intent import said_by_hosts, underlay_of
from tests.worlds import all_tables, random_members, random_world

SEEDS = range(10)
PACKETS = 40


def untold_world(random: Random) -> list[AnyRecord]:
    """A world whose subnets mostly have no DHCP."""

    def eased(one: AnyRecord) -> AnyRecord:
        return replace(one, enable_dhcp=False) if isinstance(one, Subnet) and random.random() < 0.8 else one

    return [eased(one) for one in random_world(random)]


def speaker(random: Random, records: list[AnyRecord]) -> Port:
    """Somebody; mostly one who may ask, or one without port security, who may be a server."""
    world = World(records)
    machines = [one for one in records if isinstance(one, Port) and world.plugged(one)]
    servers = [one for one in machines if not one.port_security_enabled]
    clients = [one for one in machines if may_ask(world, one)]
    return random.choice(random.choice((servers, clients, clients)) or [some_port(random, records)])


def said(random: Random, records: list[AnyRecord], port: Port) -> bytes:
    """What clients and servers say, and what looks like it."""
    sender, choose = Sender(random, records, port), random.choice
    if random.random() < 0.3:
        return tagged(choose((sender.dhcp, sender.dhcp6))(), sender.vlan)
    others = [one for one in sender.neighbours if not one.is_router_interface and given(one)]
    numbers = choose(((68, 67), (68, 67), (67, 68), (68, 69)) if port.port_security_enabled else ((67, 68), (68, 67)))
    if random.random() < 0.3:
        numbers = {68: 546, 67: 547, 69: 548}[numbers[0]], {68: 546, 67: 547, 69: 548}[numbers[1]]
        to = choose(("ff02::1:2", *(str(one) for other in others for one in given(other) if one.version == 6)))
        mac = due_mac(to) if to == "ff02::1:2" else mac_of(choose(others))
        packet = ipv6(udp(*numbers, bytes(48)), UDP, sender.source(6), to)
        return tagged(ethernet(mac, sender.mac, 0x86DD, packet), sender.vlan)
    source = choose(("0.0.0.0", "0.0.0.0", sender.source())) if numbers[0] == 68 else sender.source()
    everybody = ("255.255.255.255", TO_ALL), ("255.255.255.255", TO_ALL), ("10.0.0.255", TO_ALL)
    somebody = [(str(one), mac_of(other)) for other in others for one in given(other) if one.version == 4]
    to, mac = choose((*everybody, *everybody, *somebody[:4], ("255.255.255.255", mac_of(port))))
    protocol = UDP if random.random() < 0.95 else 6
    return tagged(ethernet(mac, sender.mac, 0x0800, ipv4(udp(*numbers, bytes(240)), protocol, source, to)), sender.vlan)


@pytest.mark.parametrize("seed", SEEDS)
def test_machines_ask_each_other(build: Build, seed: int) -> None:
    random = Random(seed)
    records = untold_world(random)
    members = random_members(random, records)
    fabric, world, memory = build(records, all_tables(records, members)), World(records), Memory()
    memory.members |= members
    for _ in range(PACKETS):
        port = speaker(random, records)
        frame, memory.noted = said(random, records, port), []
        assert fabric.send(port.id, frame) == intent(world, port.id, frame, memory), frame.hex()
        assert sorted(fabric.noted) == sorted(memory.noted), frame.hex()


@pytest.mark.parametrize("seed", SEEDS)
def test_hosts_say_that_machines_ask(build: Build, seed: int) -> None:
    random = Random(seed)
    records = untold_world(random)
    fabric, world, memory = build(records, all_tables(records)), World(records), Memory()
    for host, vni, outer, _ in said_by_hosts(random, records):
        _, frame = take_tag(said(random, records, speaker(random, records)))
        assert fabric.tunnel(host, vni, underlay_of(outer), frame) == intent_of_tunnel(
            world, host, vni, outer, frame, memory
        ), frame.hex()


def test_all_of_it_is_met() -> None:
    """Questions from nobody are heard, here and on other hosts; answers pass; and what is not allowed does not."""
    met: Counter[str] = Counter()
    for seed in SEEDS:
        random = Random(seed)
        records = untold_world(random)
        fabric = build_specification()(records, all_tables(records))
        for _ in range(PACKETS):
            port = speaker(random, records)
            frame = said(random, records, port)
            fate, datagram = fabric.send(port.id, frame), read_packet(take_tag(frame)[1])
            if datagram is None or datagram.protocol != UDP:
                continue
            kind = "question" if is_question(datagram) else "answer" if is_answer(datagram) else "other"
            nobody = "nobody's" if datagram.source.is_unspecified else "somebody's"
            far = "far" if len(fabric.outcomes) > 1 else "near"
            met.update((f"{nobody} {kind} {fate.kind.value} {far}", f"{kind} {fate.kind.value}"))
            met.update(
                f"{kind} {outcome.reason.name}" for outcome in fabric.outcomes if outcome.verdict is Verdict.DROP
            )
    for wanted in (
        f"nobody's question {Kind.FLOODED.value} near",
        f"nobody's question {Kind.FLOODED.value} far",
        f"answer {Kind.FLOODED.value}",
        f"answer {Kind.DELIVERED.value}",
        f"answer {Reason.ROGUE_DHCP.name}",
        f"question {Reason.SPOOFED_ADDRESS.name}",
        f"other {Reason.SPOOFED_ADDRESS.name}",
    ):
        assert met[wanted] > 1, (wanted, met)
