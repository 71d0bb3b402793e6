"""Frames as nobody should send them: the real programs make of each what the specification does, byte for byte.

Each seed is a machine's or a host's evening of sending valid frames, nested ones, and what is left of either after
bits were flipped, bytes changed, the end cut off or garbage added. Connections stay, so later frames meet them.
"""

from collections.abc import Iterator
from random import Random

import pytest

from netplane.base.addresses import pack_address
from netplane.base.delta import Delta
from netplane.datapath import Datapath
from netplane.datapath.fake import FakeDatapath
from netplane.tables.decisions import Verdict
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.pipeline import CONNECTION, PROFILE
from tests.contract import packets, world
from tests.contract.datapaths import kernel_bench, ways
from tests.contract.frames6 import whole_frame6
from tests.contract.packets import BROADCAST, ICMP, TCP, UDP
from tests.contract.world import ANN, BEN, DOT, IDENTITY, INNER, MACHINES, OUTER, UNDERLAY, Machine
from tests.contract.world6 import MACHINES6, policies6, world6

SEEDS = range(12)
FRAMES = 500
PLACES = (*MACHINES, INNER, OUTER, *(ANN._replace(address=text) for text in ("10.0.1.99", "10.0.2.99", "192.0.2.1")))
FRAGMENTS = (0x2000, 0x2000, 0x2000, 0x4000, 0x2001, 0x2002, 1, 2, 0x1FFF)
FLAGS = (0x02, 0x12, 0x10, 0x11, 0x14, 0x04, 0x01, 0x06, 0x03, 0x00, 0x3F)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Datapath]:
    with kernel_bench(ways()[-1]) as made:
        yield made.datapath


def payload(random: Random, *, nested: bool = False) -> tuple[int, bytes]:
    """A protocol and its packet."""
    kind = random.choice(("udp", "tcp", "echo", "icmp", "other", "nested"))
    if kind == "udp":
        ports = random.choice((67, 68, 80, 4789)), random.choice((67, 68, 80, 22, 4789))
        return UDP, packets.udp(*ports, random.randbytes(random.randrange(40)))
    if kind == "tcp":
        return TCP, packets.tcp(random.randrange(3), random.choice((80, 22)), random.choice(FLAGS))
    if kind == "echo":
        return ICMP, packets.echo(random.choice((0, 8)), random.randrange(3))
    if kind == "icmp" and not nested:
        about = whole_frame(random, random.choice(MACHINES), nested=True)
        return ICMP, packets.icmp_error(about, random.choice((3, 3, 11, 12, 5)), quoted=random.choice((28, 28, 24, 60)))
    if kind == "nested" and not nested:
        inner = whole_frame(random, random.choice(MACHINES), nested=True)
        return random.choice(((4, inner[14:]), (UDP, packets.udp(4789, 4789, bytes(8) + inner)), (47, inner)))
    return random.choice((ICMP, 50, 2, 0, 255)), random.randbytes(random.randrange(24))


def whole_frame(random: Random, source: Machine, *, nested: bool = False) -> bytes:
    """A frame with nothing wrong but, now and then, its addresses."""
    target = random.choice(PLACES)
    if random.random() < 0.1:
        asker = random.choice((source.address, source.address, "0.0.0.0", target.address))
        return packets.arp_request(source.mac, asker, target.address)
    router = INNER if source.vni == INNER.vni else OUTER
    hop = target if target.vni == source.vni else router
    hop_mac = random.choice((hop.mac, hop.mac, hop.mac, router.mac, BROADCAST))
    sender = random.choice((source, source, source, source, random.choice(PLACES)))
    protocol, content = payload(random, nested=nested)
    fragment = random.choice(FRAGMENTS) if random.random() < 0.2 else 0
    if fragment & 0x2000:
        content += bytes(-len(content) % 8)
    ttl, number = random.choice((64, 1, 0)), random.randrange(2)
    packet = packets.ipv4(sender.address, target.address, protocol, content, ttl=ttl, fragment=fragment, number=number)
    return packets.ethernet(source.mac, hop_mac, 0x0800, packet)


def spoil(random: Random, whole: bytes) -> bytes:
    """What is left of a frame; often all of it."""
    if random.random() < 0.4:
        return whole
    frame = bytearray(whole)
    for _ in range(random.choice((0, 0, 1, 2, 4))):
        place = random.randrange(len(frame))
        frame[place] = random.choice((0, 255, frame[place] ^ 1 << random.randrange(8), random.randrange(256)))
    end = random.choice((len(frame), len(frame), random.randrange(len(frame) + 1)))
    return bytes(frame[:end]) + random.randbytes(random.choice((0, 0, 7, 1000)))


def arrival(random: Random) -> tuple[Program, Machine, Synthetic]:
    """A program, who sends, and from where."""
    dry, offset = random.random() < 0.2, random.choice((0, 0, 0, 20, 29, 200, 100_000))
    if random.random() < 0.5:
        machine = random.choice((ANN, BEN, DOT))
        return Program.FROM_MACHINE, machine, Synthetic(ifindex=machine.ifindex, dry=dry, offset=offset)
    machine, host = random.choice(MACHINES), random.choice(tuple(UNDERLAY))
    origin = Synthetic(vni=machine.vni, outer_source=pack_address(UNDERLAY[host]), dry=dry, offset=offset)
    return Program.FROM_TUNNEL, machine, origin


def rules(random: Random) -> Delta:
    """Some of the rules, and the stamp that goes with them."""
    stamp = random.randrange(1, 8)
    known = [*enumerate(world.policies()), *enumerate(policies6())]
    chosen = [entry for number, entry in known if stamp & 1 << number]
    missing = [entry.key for _, entry in known if entry not in chosen]
    written = {"profile": {PROFILE.pack_key(IDENTITY): PROFILE.pack_value(stamp)}}
    return Delta(world.tabulate(chosen) | written, {"policy": missing})


def without_steps(outcome: Outcome) -> Outcome:
    return outcome._replace(steps=())


def without_time(datapath: Datapath) -> dict[bytes, dict[str, int]]:
    found = {key: CONNECTION.unpack_value(value) for key, value in datapath.read("connection").items()}
    return {key: value | {"seen": 0} for key, value in found.items()}


FAMILIES = {"IPv4": (MACHINES, whole_frame), "IPv6": (MACHINES6, whole_frame6)}


@pytest.mark.kernel
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_spoiled_frames(kernel: Datapath, family: str, seed: int) -> None:
    (machines, frame_of), random, fake, passed = FAMILIES[family], Random(seed), FakeDatapath(), 0
    for table in ("connection", "fragment"):
        kernel.delete(table, kernel.read(table))
    for datapath in (kernel, fake):
        datapath.apply(Delta(world6()))
    for number in range(FRAMES):
        if number % 50 == 0:
            delta = rules(random)
            for datapath in (kernel, fake):
                datapath.apply(delta)
                # How often one may ask for DHCP goes by the clock, which the two do not read at the same time.
                datapath.delete("pace", datapath.read("pace"))
        program, machine, origin = arrival(random)
        frame = spoil(random, frame_of(random, machines[MACHINES.index(machine)]))
        specified, real = fake.run(program, frame, origin), kernel.run(program, frame, origin)
        assert without_steps(real) == without_steps(specified), (program, origin, frame.hex())
        passed += real.verdict in (Verdict.DELIVER, Verdict.TUNNEL)
    assert passed
    assert without_time(kernel) == without_time(fake)
