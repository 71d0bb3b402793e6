"""A machine under a flood of connections, and its neighbours: theirs stand, and they go on making new ones."""

import re
import socket
import struct

from netplane.datapath import libbpf
from netplane.datapath.entries import KernelTable
from netplane.lab import Machine
from netplane.lab.demo.scene import Scene
from netplane.lab.namespace import batch, inside
from netplane.lab.traffic.frames import ETH_P_IP, ethernet, ipv4, mac
from netplane.lab.traffic.tcp import EchoServer, Stream, exchange
from netplane.lab.wait import until
from netplane.tables.decisions import Class, Direction, Limit, Reason
from netplane.tables.pipeline import COUNTER

TCP, SYN = 6, 2
NUMBER = 7600
PORTS = range(1024, 65536)


def flood(source: Machine, target: Machine, count: int) -> None:
    """So many first segments, each of a connection of its own, as fast as they go."""
    segment = struct.pack("!HHIIBBHHH", 0, 0, 1, 0, 0x50, SYN, 1024, 0, 0)
    frame = bytearray(ethernet(source.mac, target.mac, ETH_P_IP, ipv4(source.address, target.address, TCP, segment)))
    with inside(source.namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with wire:
        wire.bind(("eth0", 0))
        for number in range(count):
            frame[34:38] = struct.pack("!HH", PORTS[number % len(PORTS)], 1 + number // len(PORTS))
            wire.send(frame)


def counted(world: Scene, machine: Machine, reason: Reason) -> int:
    """Packets of a machine that were dropped for a reason on its own host."""
    vni = world.blue.segments["left"].vni
    key = COUNTER.pack_key(vni, mac(machine.mac), Direction.EGRESS, Class.DROPPED + reason)
    with libbpf.closing(libbpf.pinned(machine.host.pins / COUNTER.name)) as fd:
        value = KernelTable(COUNTER, fd).read().get(key)
    return 0 if value is None else int(COUNTER.unpack_value(value)["packets"])


def test_neighbours_of_a_machine_under_flood(world: Scene) -> None:
    """Of the same project and of another, on the host that the flood comes from and on that where it goes."""
    attacker, victim = world.machine("a3"), world.machine("a1")
    pairs = [(world.machine("a2"), victim), (world.machine("a2", "green"), world.machine("a3", "green"))]
    servers = [EchoServer(other.namespace, NUMBER) for _, other in pairs]
    streams = [Stream(one.namespace, other.address, NUMBER) for one, other in pairs]
    until("the streams flow", lambda: all(stream.rounds > 10 for stream in streams), 10)
    flood(attacker, victim, Limit.CONNECTIONS + 20_000)
    assert counted(world, attacker, Reason.SHARE_USED_UP) > 0
    rounds = [stream.rounds for stream in streams]
    until(
        "the streams go on", lambda: all(s.rounds > before + 10 for s, before in zip(streams, rounds, strict=True)), 10
    )
    assert not exchange(attacker.namespace, victim.address, NUMBER, 1024).ok
    for one, other in pairs:
        assert exchange(one.namespace, other.address, NUMBER, 65536, 5).ok
    flows = [stream.stop(server) for stream, server in zip(streams, servers, strict=True)]
    assert [flow.error for flow in flows] == ["", ""]
    for server in servers:
        server.close()


def taken(world: Scene, machine: Machine) -> int:
    """How many connections the machine's host counts for the project that has most."""
    lines = world.blue.admin.read_tables(machine.host.name)["project"]
    return max((int(found[1]) for line in lines if (found := re.search(r"connections=(\d+)", line))), default=0)


def test_a_project_that_has_all_it_may_harms_no_other(world: Scene) -> None:
    """Five of its machines open what each may, which nobody answers; then a sixth may not even begin."""
    names = [f"f{number}" for number in range(6)]
    first = world.lab.host_list[0]
    world.blue.add_machines({name: ("left", f"10.0.1.{50 + n}", first) for n, name in enumerate(names)})
    made = [world.machine(name) for name in names]
    for machine in made:
        machine.obtain()
    floods = [(made[0], made[1]), (made[1], made[0]), (made[2], made[3]), (made[3], made[2]), (made[4], made[0])]
    for source, target in floods:
        batch([f"route replace blackhole {source.address}/32"], target.namespace)
    try:
        for source, target in floods:
            flood(source, target, Limit.CONNECTIONS + 1_000)
        assert taken(world, made[4]) > 0.9 * Limit.PROJECT_CONNECTIONS
        assert counted(world, made[4], Reason.PROJECT_SHARE_USED_UP) > 0
        assert not exchange(made[5].namespace, world.machine("a3").address, NUMBER, 1024).ok
        assert counted(world, made[5], Reason.PROJECT_SHARE_USED_UP) > 0
        for one, other in (("a1", "a2"), ("a2", "a3")):
            with EchoServer(world.machine(other, "green").namespace, NUMBER):
                source, address = world.machine(one, "green"), world.machine(other, "green").address
                assert exchange(source.namespace, address, NUMBER, 65536, 5).ok
    finally:
        for name in names:
            machine = world.blue.machines.pop(name)
            world.lab.remove_machine(machine)
            world.blue.admin.delete("port", machine.plug.port)
        world.blue.admin.settle()
    until("what they had is free again", lambda: taken(world, world.machine("a1")) < Limit.CONNECTIONS * 2, 30)


def test_what_a_project_has_is_shown(world: Scene) -> None:
    """By project, on each host that has one of its machines at an end."""
    for host in (world.machine("a1").host, world.machine("a3").host):
        lines = world.blue.admin.read_tables(host.name)["project"]
        most = max(int(found[1]) for line in lines if (found := re.search(r"connections=(\d+)", line)))
        assert most > 1000, lines
