"""Worlds in which most packets cross firewalls: records, specification and programs agree, and all of it is met."""

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from netplane.datapath import KernelDatapath
from netplane.model import (
    AnyRecord,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Port,
    Router,
    SecurityGroup,
    SecurityGroupRule,
)
from netplane.tables.decisions import Reason, Stage, Verdict
from netplane.verify.intent import intent
from netplane.verify.talks import Memory
from netplane.verify.world import World, addresses, mac_of
from tests.conversation import Conversation, Said, some_port
from tests.fabric import SECOND, Fabric
from tests.frames import Sender, ethernet, icmp, ipv4, tcp, udp
from tests.property.conftest import Build, build_kernel, build_specification
from tests.worlds import Draft, all_tables, changed_wall, random_world

WORLDS = range(50, 80)
STEPS = 60


class Across(Conversation):
    """Conversations between networks, whose machines allow nearly everything themselves, and whose firewalls change."""

    def next(self) -> Said | None:
        """What is said next; None if the world has changed instead."""
        if self.random.random() < 0.1:
            self.records = changed_wall(Draft(self.random, self.records), self.records)
            return None
        if self.passed and self.random.random() < 0.6:
            return Said(*self.random.choice(self.passed[-10:]), self.now)
        port = some_port(self.random, self.records)
        for _ in range(10):
            frame = across(self.random, self.records, port)
            if frame is not None:
                return Said(port.id, frame, self.now)
            port = some_port(self.random, self.records)
        return Said(port.id, Sender(self.random, self.records, port).frame(), self.now)


def across(random: Random, records: list[AnyRecord], port: Port) -> bytes | None:
    """A packet to a machine behind a router, by way of it; None if there is no such machine."""
    interfaces = [one for one in records if isinstance(one, Port) and one.is_router_interface]
    near = [one for one in interfaces if one.network_id == port.network_id]
    ways = [
        (mac_of(way), address)
        for way in near
        for beyond in interfaces
        if beyond.device_id == way.device_id and beyond is not way
        for other in records
        if isinstance(other, Port) and other.network_id == beyond.network_id and not other.is_router_interface
        for address in addresses(other)
        if address.version == 4
    ]
    own = [str(address) for address in addresses(port) if address.version == 4]
    if not ways or not own:
        return None
    mac, address = random.choice(ways)
    numbers = random.choice((1000, 4000)), random.choice((80, 80, 81, 1000))
    kinds = (6, tcp(*numbers, 0x02)), (6, tcp(*numbers, 0x02)), (17, udp(*numbers)), (1, icmp(8)), (1, icmp(13))
    protocol, payload = random.choice(kinds)
    return ethernet(mac, mac_of(port), 0x0800, ipv4(payload, protocol, random.choice(own), str(address)))


def walled_world(random: Random) -> list[AnyRecord]:
    """A random world with firewalls in it, routers that are up, and groups that allow what they are asked."""
    while True:
        records = random_world(random)
        ports = {port for group in records if isinstance(group, FirewallGroup) for port in group.ports}
        routers = Counter(record.device_id for record in records if isinstance(record, Port) and record.id in ports)
        if max(routers.values(), default=0) > 1:
            break
    groups = [record.id for record in records if isinstance(record, SecurityGroup)]
    everything = [
        SecurityGroupRule(
            id=f"{index:08x}-0000-4000-8000-{number:012x}",
            security_group_id=group,
            direction=direction,
            ethertype=ethertype,
        )
        for index, group in enumerate(groups)
        for number, (direction, ethertype) in enumerate(
            (direction, ethertype) for direction in ("ingress", "egress") for ethertype in ("IPv4", "IPv6")
        )
    ]
    reject = FirewallRule(id="ffffffff-0000-4000-8000-000000000000", action="reject")

    def eased(one: AnyRecord) -> AnyRecord:
        match one:
            case Router():
                return replace(one, admin_state_up=True)
            case FirewallPolicy() if random.random() < 0.4:
                return replace(one, firewall_rules=(*one.firewall_rules, reject.id))
        return one

    return [*map(eased, records), *everything, reject]


def converse(seed: int, build: Build) -> Counter[str]:
    """A conversation in which intent and hosts must agree; what it met."""
    random, met = Random(seed), Counter[str]()
    talk, memory = Across(random, walled_world(random)), Memory()
    fabric = build(talk.records, all_tables(talk.records))
    for _ in range(STEPS):
        said = talk.next()
        if said is None:
            fabric = build(talk.records, all_tables(talk.records))
            continue
        fate, memory.noted = fabric.send(*said), []
        assert fate == intent(World(talk.records), said.port_id, said.frame, memory, said.now * SECOND), said
        assert fabric.noted == memory.noted, said
        talk.note(said, fate)
        met.update(sorts(fabric))
    return met


def sorts(fabric: Fabric) -> list[str]:
    """What a packet met of firewalls."""
    found = []
    for outcome in fabric.outcomes:
        steps = {(step.stage, step.reason) for step in outcome.steps}
        walls = [step for step in outcome.steps if step.stage is Stage.FIREWALL]
        again = any(step.stage is Stage.CONNECTION and step.a == 2 for step in outcome.steps)
        if walls and outcome.verdict in (Verdict.DELIVER, Verdict.TUNNEL):
            found.append("again and allowed" if again else "allowed")
        if len(walls) > 1 and not walls[-1].reason:
            found.append("several, allowed")
        if (Stage.FIREWALL, Reason.FIREWALL) in steps:
            found.append("denied")
        if outcome.reason is Reason.FIREWALL_REJECTED:
            found.append("told" if outcome.verdict is Verdict.ANSWER else "rejected")
        if walls and outcome.reason is Reason.REVOKED:
            found.append("revoked")
    return found


@pytest.mark.parametrize("seed", WORLDS)
def test_conversations_across_firewalls(build: Build, seed: int) -> None:
    converse(seed, build)


def test_all_of_it_is_met() -> None:
    met = sum((converse(seed, build_specification()) for seed in WORLDS), Counter[str]())
    wanted = {
        "allowed",
        "several, allowed",
        "again and allowed",
        "denied",
        "told",
        "revoked",
    }
    assert {sort for sort in wanted if met[sort] >= 2} == wanted, met


@pytest.mark.kernel
@pytest.mark.parametrize("seed", WORLDS)
def test_programs_take_the_specified_steps(kernel: list[KernelDatapath], seed: int) -> None:
    random = Random(seed)
    talk = Across(random, walled_world(random))
    builds = build_specification(), build_kernel(kernel)
    tables = all_tables(talk.records)
    specified, real = (build(talk.records, tables) for build in builds)
    for _ in range(STEPS):
        said = talk.next()
        if said is None:
            tables = all_tables(talk.records)
            specified, real = (build(talk.records, tables) for build in builds)
            continue
        talk.note(said, real.send(*said))
        specified.send(*said)
        taken = [
            [step if not step.reason else step[:2] for outcome in one.outcomes for step in outcome.steps]
            for one in (real, specified)
        ]
        assert taken[0] == taken[1], said
