"""Packets between two machines on two hosts: netplane with security groups, next to Linux bridge + VXLAN without.

    m1 ── h1 ── router ── h2 ── m2     netplane: real programs, tables from the compiler, a default security group
    m3 ── h3 ── router ── h4 ── m4     Linux: a bridge and a VXLAN device with static entries

Both pairs stand at once and are measured in turn, so that a noisy machine slows both; ratios are taken round by round.
"""

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.figure import Figure, at_least, at_most
from netplane.agent.devices.tunnel import ensure_tunnel
from netplane.base.addresses import pack_address, pack_mac
from netplane.compiler import compile_slice
from netplane.datapath import KernelDatapath
from netplane.lab import namespace, underlay
from netplane.model import Device, Endpoint, FixedIP, Host, Identity, Network, Port, Record, SecurityGroupRule
from netplane.tables.outcome import Program
from netplane.tables.pipeline import SETTINGS

PREFIX = "np-bench"
PINS = Path("/run/netplane/bpf")
ROUNDS = 8
PINGS = 4000
STREAM_SECONDS = 1
CONNECT_SECONDS = 1.0
VNI = 77
GROUP = "00000000-0000-0000-0000-000000000001"
ADDRESSES = ("10.77.0.11", "10.77.0.12")
MACS = ("fa:16:3e:00:77:01", "fa:16:3e:00:77:02")


class Pair(NamedTuple):
    """Two machines that talk."""

    client: str
    """The namespace that opens connections."""
    server: str
    address: str
    """The server's."""


def figures() -> list[Figure]:
    """Round trip, throughput and connection rate, each as netplane's ratio to Linux and in absolute terms."""
    with pairs() as (ours, linux):
        how = f"median ratio of {ROUNDS} rounds, in turn with Linux bridge + VXLAN without security groups"
        rows: list[Figure] = []
        for name, unit, measure, goal in (
            ("round trip, two hosts", "µs", read_round_trip, at_most(1.15)),
            ("TCP throughput, two hosts", "Gbit/s", read_throughput, at_least(0.95)),
            ("new TCP connections, two hosts", "1/s", read_connections, at_least(0.85)),
        ):
            rounds = alternate(measure, ours, linux)
            rows += [
                Figure(f"{name}: ratio", median(a / b for a, b in rounds), "x", how, goal),
                Figure(f"{name}: netplane", median(a for a, _ in rounds), unit, measure.__doc__ or ""),
                Figure(f"{name}: Linux", median(b for _, b in rounds), unit, measure.__doc__ or ""),
            ]
        return rows


def alternate(measure: Callable[[Pair], float], ours: Pair, linux: Pair) -> list[tuple[float, float]]:
    """(netplane, Linux) round by round, each first in every other round; one round before does not count."""
    rounds: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        if number % 2:
            mine = measure(ours)
            rounds.append((mine, measure(linux)))
        else:
            theirs = measure(linux)
            rounds.append((measure(ours), theirs))
    return rounds[1:]


def read_round_trip(pair: Pair) -> float:
    """Ping -f, average."""
    said = _run(pair.client, "ping", "-q", "-f", "-c", str(PINGS), pair.address)
    found = re.search(r"= [\d.]+/([\d.]+)/", said)
    if found is None or " 0% packet loss" not in said:
        raise RuntimeError(said)
    return float(found[1]) * 1000


def read_throughput(pair: Pair) -> float:
    """One stream of iperf3, offloads on."""
    with _serving(pair.server, "iperf3", "-s", "-1", "--forceflush"):
        said = _run(
            pair.client, "iperf3", "-c", pair.address, "-t", str(STREAM_SECONDS), "-J", "--connect-timeout", "900"
        )
    return float(json.loads(said)["end"]["sum_received"]["bits_per_second"]) / 1e9


def read_connections(pair: Pair) -> float:
    """One client that connects and resets, in a loop."""
    with _serving(pair.server, "python3", "-c", SERVER):
        return float(_run(pair.client, "python3", "-c", CLIENT, pair.address, str(CONNECT_SECONDS)))


SERVER = """
import socket
listener = socket.create_server(("", 5099), backlog=1024)
listener.settimeout(10)
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""
CLIENT = """
import socket, struct, sys, time
end, done = time.perf_counter() + float(sys.argv[2]), 0
while time.perf_counter() < end:
    s = socket.create_connection((sys.argv[1], 5099))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    done += 1
print(done / float(sys.argv[2]))
"""


def _run(space: str, *argv: str) -> str:
    with namespace.inside(space):
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@contextmanager
def _serving(space: str, *argv: str) -> Iterator[None]:
    with namespace.inside(space):
        server = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        yield
    finally:
        server.kill()
        server.wait()


@contextmanager
def pairs() -> Iterator[tuple[Pair, Pair]]:
    """Both pairs, up; everything is gone afterwards."""
    spaces = [f"{PREFIX}-{name}" for name in ("router", "h1", "h2", "h3", "h4", "m1", "m2", "m3", "m4")]
    _sweep(spaces)
    with ExitStack() as stack:
        stack.callback(_sweep, spaces)
        namespace.batch(f"netns add {space}" for space in spaces)
        for space in spaces:
            namespace.write_sysctl(space, "ipv6/conf/all/disable_ipv6", 1)
        underlay.join(f"{PREFIX}-router", {f"{PREFIX}-h{index}": index for index in range(1, 5)})
        for index in range(4):
            _plug(f"{PREFIX}-h{index + 1}", f"{PREFIX}-m{index + 1}", index % 2)
        for index in range(2):
            stack.enter_context(_netplane(index))
        for index in range(2):
            _linux(index)
        yield (
            Pair(f"{PREFIX}-m1", f"{PREFIX}-m2", ADDRESSES[1]),
            Pair(f"{PREFIX}-m3", f"{PREFIX}-m4", ADDRESSES[1]),
        )


def _sweep(spaces: list[str]) -> None:
    for space in spaces:
        if namespace.exists(space):
            namespace.batch([f"netns delete {space}"])


def _plug(host: str, machine: str, which: int) -> None:
    namespace.batch(
        [f"link add eth0 address {MACS[which]} mtu 1450 netns {machine} type veth peer name machine0 netns {host}"]
    )
    namespace.batch(["link set machine0 mtu 1450 up"], host)
    namespace.batch(
        ["link set lo up", "link set eth0 up", f"address add {ADDRESSES[which]}/24 dev eth0"],
        machine,
    )


@contextmanager
def _netplane(which: int) -> Iterator[None]:
    with namespace.inside(f"{PREFIX}-h{which + 1}"):
        datapath = KernelDatapath.open(PINS / f"bench-h{which + 1}")
        tunnel = ensure_tunnel("np-vxlan", underlay.address(which + 1)).ifindex
        device = socket.if_nametoindex("machine0")
        for table, entries in compile_slice(_records(which, device)).items():
            datapath.write(table, entries)
        datapath.write(SETTINGS.name, {SETTINGS.pack_key(0): SETTINGS.pack_value(which + 1, tunnel, 0, 0)})
        datapath.attach(device, Program.FROM_MACHINE)
        datapath.attach(tunnel, Program.FROM_TUNNEL)
    try:
        yield
    finally:
        with namespace.inside(f"{PREFIX}-h{which + 1}"):
            datapath.remove()


def _records(which: int, ifindex: int) -> list[Record]:
    """One network with two machines on two hosts, in a default security group."""
    ports = [f"00000000-0000-0000-0000-0000000000a{index}" for index in range(2)]
    return [
        Network(id="n", vni=VNI),
        *(Host(id=f"h{index + 1}", number=index + 1, address=underlay.address(index + 1)) for index in range(2)),
        *(
            Endpoint.of(
                ports[index],
                vni=VNI,
                mac=pack_mac(MACS[index]),
                addresses=(pack_address(ADDRESSES[index]),),
                identity=1,
                host=index + 1,
            )
            for index in range(2)
        ),
        Identity(id="i", number=1, groups=(GROUP,)),
        SecurityGroupRule(id="00000001-0000-0000-0000-000000000000", security_group_id=GROUP, direction="egress"),
        SecurityGroupRule(
            id="00000002-0000-0000-0000-000000000000",
            security_group_id=GROUP,
            direction="ingress",
            remote_group_id=GROUP,
        ),
        Port(
            id=ports[which],
            network_id="n",
            mac_address=MACS[which],
            fixed_ips=(FixedIP("s", ADDRESSES[which]),),
            identity_id="i",
        ),
        Device(id=ports[which], ifindex=ifindex, peer=True),
    ]


def _linux(which: int) -> None:
    far = 1 - which
    namespace.batch(
        [
            "link add br0 type bridge",
            f"link add vx0 type vxlan id {VNI} dstport 4789 local {underlay.address(which + 3)} nolearning",
            "link set vx0 master br0",
            "link set machine0 master br0",
            "link set vx0 up",
            "link set br0 up",
        ],
        f"{PREFIX}-h{which + 3}",
    )
    with namespace.inside(f"{PREFIX}-h{which + 3}"):
        for mac in (MACS[far], "00:00:00:00:00:00"):
            subprocess.run(["bridge", "fdb", "append", mac, "dev", "vx0", "dst", underlay.address(far + 3)], check=True)
