"""The whole path of a packet where there are few and where there are many: rules of its machine, endpoints near it.

Three datapaths stand side by side and are measured in turn, so that a noisy machine slows all of them; ratios are taken
round by round. The traffic is the same everywhere, as many connections to as many machines, wherever these stand in a
table, so that nothing else differs; what it takes to speak to many machines instead is told beside it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address
from statistics import median
from struct import pack
from typing import NamedTuple

from bench.datapath import scratch
from bench.figure import Figure, at_most
from netplane.base.addresses import pack_address, pack_mac
from netplane.compiler import compile_slice
from netplane.datapath import KernelDatapath, libbpf
from netplane.model import Device, Endpoint, FixedIP, Host, Identity, Network, Port, Record, SecurityGroupRule, Subnet
from netplane.tables.decisions import Verdict
from netplane.tables.outcome import Program, Synthetic
from netplane.tables.pipeline import ENDPOINT, SETTINGS

SIZES = ((10, 10), (1_000, 10_000), (10_000, 1_000_000))
"""Rules, and endpoints of each family together."""

ROUNDS = 7
PACKETS = 1_000
FLOWS = 250
"""Connections of each family at a time."""

FEW = 5
"""Machines that they are to: as many as there are at least."""
GOAL = 1.3
VNI, IFINDEX, IDENTITY = 7, 101, 11
MAC, PEER = "02:00:00:00:00:05", pack_mac("02:00:00:00:00:06")
OWN, OWN_V6 = "10.128.0.1", "fd00:1::1"
FIRST, FIRST_V6 = int(IPv4Address("10.0.0.1")), int(IPv6Address("fd00::1"))


class Place(NamedTuple):
    """One of the datapaths, and the machines that packets go to there, by number."""

    datapath: KernelDatapath
    targets: list[int]


def figures() -> Iterator[Figure]:
    """Ratios of the largest to the smallest, and what each takes."""
    with ExitStack() as stack:
        places = [build(stack.enter_context(scratch(f"scale-{number}")), *size) for number, size in enumerate(SIZES)]
        for ipv6 in (False, True):
            for new in (False, True):
                name = f"{'IPv6' if ipv6 else 'IPv4'}, {'new connections' if new else 'established'}"
                yield from compared(name, [measure(places, round, ipv6=ipv6, new=new) for round in range(ROUNDS + 1)])
            wide = places[-1]._replace(targets=spread(SIZES[-1][1], FLOWS))
            taken = [nanoseconds(wide, round, ipv6=ipv6, new=False) for round in range(ROUNDS)]
            what = (
                f"whole path, {'IPv6' if ipv6 else 'IPv4'}, established: {SIZES[-1][1]:,} endpoints, to {FLOWS} of them"
            )
            yield Figure(what, median(taken), "ns/packet", f"the same to {FLOWS} machines in place of {FEW}")


def compared(name: str, rounds: list[list[float]]) -> Iterator[Figure]:
    """A ratio, and the medians; one round before does not count."""
    rounds = rounds[1:]
    flows = f"{FLOWS} connections to {FEW} machines"
    how = f"median ratio of {ROUNDS} rounds in turn, {PACKETS:,} made packets each, of {flows}"
    small, large = SIZES[0], SIZES[-1]
    what = f"whole path, {name}: {large[0]:,} rules and {large[1]:,} endpoints to {small[0]} and {small[1]}"
    yield Figure(what, median(one[-1] / one[0] for one in rounds), "x", how, at_most(GOAL))
    how = "median of the same rounds, by the kernel's run time statistics of programs"
    for number, (rules, endpoints) in enumerate(SIZES):
        what = f"whole path, {name}: {rules:,} rules, {endpoints:,} endpoints"
        yield Figure(what, median(one[number] for one in rounds), "ns/packet", how)


def measure(places: list[Place], round: int, *, ipv6: bool, new: bool) -> list[float]:
    """What a packet takes at each place, in ns; each is first in turn."""
    taken = [0.0] * len(places)
    for step in range(len(places)):
        which = (step + round) % len(places)
        taken[which] = nanoseconds(places[which], round, ipv6=ipv6, new=new)
    return taken


def nanoseconds(place: Place, round: int, *, ipv6: bool, new: bool) -> float:
    """The mean time of the programs at a place."""
    make = frame6 if ipv6 else frame
    frames = [
        make(
            place.targets[number % len(place.targets)],
            (10_000 + round * PACKETS + number) if new else 5_000 + number % FLOWS,
        )
        for number in range(PACKETS)
    ]
    if not new:
        run(place, frames[:FLOWS])
    fd = place.datapath.program_fd(Program.FROM_MACHINE)
    with libbpf.closing(libbpf.enable_statistics()):
        time, runs = libbpf.program_time(fd)
        run(place, frames)
        time_after, runs_after = libbpf.program_time(fd)
    return (time_after - time) / (runs_after - runs)


def run(place: Place, frames: list[bytes]) -> None:
    """Send frames, all of which must leave for the other host."""
    origin = Synthetic(ifindex=IFINDEX)
    for one in frames:
        outcome = place.datapath.run(Program.FROM_MACHINE, one, origin)
        if outcome.verdict is not Verdict.TUNNEL:
            raise RuntimeError(str(outcome))


def build(datapath: KernelDatapath, rules: int, endpoints: int) -> Place:
    """A machine with so many rules of each family, and a domain with so many endpoints, all on another host."""
    for table, entries in compile_slice(records(rules)).items():
        datapath.write(table, entries)
    datapath.write(SETTINGS.name, {SETTINGS.pack_key(0): SETTINGS.pack_value(1, 500, 501, 0)})
    half = endpoints // 2
    datapath.grow({ENDPOINT.name: 2 * endpoints})
    value = ENDPOINT.pack_value(PEER, 0, 2, IDENTITY)
    for first, pack_number in ((FIRST, number_v4), (FIRST_V6, number_v6)):
        datapath.write(ENDPOINT.name, {ENDPOINT.pack_key(VNI, pack_number(first + n)): value for n in range(half)})
    return Place(datapath, spread(endpoints, FEW))


def spread(endpoints: int, targets: int) -> list[int]:
    """So many machines of one family, from all over the domain."""
    half = endpoints // 2
    return list(range(0, half, half // targets))[:targets]


def records(rules: int) -> list[Record]:
    """One network, one machine here and one host elsewhere; all that the machine sends is allowed by its last rules."""
    return [
        Network(id="n", vni=VNI),
        *(Subnet(id=id, network_id="n", cidr=cidr) for id, cidr in (("s", "10.0.0.0/8"), ("s6", "fd00::/16"))),
        *(Host(id=f"h{number}", number=number, address=f"192.0.2.{number}") for number in (1, 2)),
        Identity(id="i", number=IDENTITY, groups=("g",)),
        Port(
            id="p",
            network_id="n",
            mac_address=MAC,
            fixed_ips=(FixedIP("s", OWN), FixedIP("s6", OWN_V6)),
            security_groups=("g",),
            identity_id="i",
        ),
        Device(id="p", ifindex=IFINDEX),
        Endpoint.of(
            "p",
            vni=VNI,
            mac=pack_mac(MAC),
            addresses=(pack_address(OWN), pack_address(OWN_V6)),
            identity=IDENTITY,
            host=1,
        ),
        *(
            rule(number, "IPv4", f"172.{16 + number // 65536}.{number // 256 % 256}.{number % 256}/32")
            for number in range(rules - 1)
        ),
        *(rule(number, "IPv6", f"fd02::{number:x}/128") for number in range(rules - 1)),
        SecurityGroupRule(
            id=f"{1 << 30:08x}-4",
            security_group_id="g",
            direction="egress",
            remote_ip_prefix="10.0.0.0/8",
            protocol="udp",
        ),
        SecurityGroupRule(
            id=f"{1 << 30:08x}-6",
            security_group_id="g",
            direction="egress",
            ethertype="IPv6",
            remote_ip_prefix="fd00::/16",
            protocol="udp",
        ),
    ]


def rule(number: int, family: str, prefix: str) -> SecurityGroupRule:
    """A rule of its own prefix and port."""
    return SecurityGroupRule(
        id=f"{number:08x}-{family}",
        security_group_id="g",
        direction="egress",
        ethertype=family,
        protocol="udp",
        port_range_min=1 + number % 60_000,
        port_range_max=1 + number % 60_000,
        remote_ip_prefix=prefix,
    )


def number_v4(number: int) -> bytes:
    """An IPv4 address as tables have it."""
    return bytes(10) + b"\xff\xff" + number.to_bytes(4, "big")


def number_v6(number: int) -> bytes:
    """An IPv6 address as tables have it."""
    return number.to_bytes(16, "big")


def frame(target: int, port: int) -> bytes:
    """64 bytes to one of the endpoints by IPv4."""
    datagram = pack("!HHHH", port, 6000, 72, 0) + bytes(64)
    head = pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0)
    return (
        PEER
        + pack_mac(MAC)
        + b"\x08\0"
        + head
        + pack_address(OWN)[12:]
        + (FIRST + target).to_bytes(4, "big")
        + datagram
    )


def frame6(target: int, port: int) -> bytes:
    """The same by IPv6."""
    datagram = pack("!HHHH", port, 6000, 72, 0) + bytes(64)
    head = pack("!IHBB", 6 << 28, len(datagram), 17, 64) + pack_address(OWN_V6) + number_v6(FIRST_V6 + target)
    return PEER + pack_mac(MAC) + b"\x86\xdd" + head + datagram
