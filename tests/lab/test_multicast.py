"""What machines say to groups and to all of their network: who hears it, who may not, and nobody in other networks."""

import socket
import struct
import time
from itertools import count as count_from_zero

import pytest

from netplane.datapath import libbpf
from netplane.datapath.entries import KernelTable
from netplane.lab import Machine
from netplane.lab.demo import scene
from netplane.lab.demo.scene import PROJECTS, Scene
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import (
    ETH_P_ARP,
    ETH_P_IP,
    Capture,
    containing,
    echo_request,
    ethernet,
    ipv4,
    send,
    udp,
)
from netplane.lab.wait import until
from netplane.tables.decisions import PACES, Cost
from netplane.tables.pipeline import MEMBER

MARK = b"to whom it may concern"
TO_ALL = "ff:ff:ff:ff:ff:ff"
EVERYBODY = "255.255.255.255"
SETTLE = 0.3
UDP = 17
LEFT = ("a1", "a2", "a3")


def heard(world: Scene, sender: Machine, frames: list[bytes], mark: bytes = MARK) -> list[str]:
    """Who gets frames that a machine sends, a name for each copy, sorted."""
    named = {f"{name}.{tenant}": one for tenant in PROJECTS for name, one in world.tenants[tenant].machines.items()}
    captures = {name: Capture(one.namespace) for name, one in named.items()}
    send(sender.namespace, frames)
    time.sleep(SETTLE)
    found = []
    for name, capture in captures.items():
        with capture:
            found += [name] * len(capture.received(containing(mark)))
    return sorted(found)


def said(sender: Machine, target: str, mac: str, *, source: str = "", port: int = 6000, ttl: int = 1) -> bytes:
    """A marked datagram to many."""
    packet = ipv4(source or sender.address, target, UDP, udp(MARK, 5000, port), ttl)
    return ethernet(sender.mac, mac, ETH_P_IP, packet)


class Listener:
    """A socket in a machine that listens to a group, as a program does."""

    def __init__(self, machine: Machine, group: str, port: int = 7000) -> None:
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        with inside(machine.namespace):
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._device = socket.if_nametoindex("eth0")
        self._socket.bind(("", port))
        self._group = group
        self._change(join=True)

    def _change(self, *, join: bool) -> None:
        if ":" in self._group:
            packed = socket.inet_pton(socket.AF_INET6, self._group) + struct.pack("=I", self._device)
            option = socket.IPV6_JOIN_GROUP if join else socket.IPV6_LEAVE_GROUP
            self._socket.setsockopt(socket.IPPROTO_IPV6, option, packed)
        else:
            packed = struct.pack("=4s4xI", socket.inet_aton(self._group), self._device)
            option = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
            self._socket.setsockopt(socket.IPPROTO_IP, option, packed)

    def leave(self) -> None:
        """Leave the group, and go on listening to the port."""
        self._change(join=False)

    def hears(self) -> int:
        """How many datagrams have come since the last time."""
        self._socket.setblocking(False)
        for count in count_from_zero():
            try:
                assert self._socket.recv(1500) == MARK
            except BlockingIOError:
                return count
        raise AssertionError

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def speak(machine: Machine, group: str, times: int = 1, port: int = 7000) -> None:
    """Send to a group, as a program does."""
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    with inside(machine.namespace):
        speaker = socket.socket(family, socket.SOCK_DGRAM)
        device = socket.if_nametoindex("eth0")
    with speaker:
        if family == socket.AF_INET6:
            speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, device)
            speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
        else:
            speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=8xI", device))
            speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        for _ in range(times):
            speaker.sendto(MARK, (group, port))
    time.sleep(SETTLE)


def read_members(world: Scene, group: str) -> list[str]:
    """The MAC addresses of those that are in a group, as the kernels of all hosts have them, sorted."""
    tables = scene.read_all_tables(world.lab).values()
    return sorted(line.rpartition("mac=")[2] for host in tables for line in host["member"] if f"={group} " in line)


def arp(operation: int, mac: str, sender: str, target: str) -> bytes:
    """An ARP packet that says where its sender is."""
    hardware, addresses = bytes.fromhex(mac.replace(":", "")), [socket.inet_aton(one) for one in (sender, target)]
    return struct.pack("!HHBBH", 1, ETH_P_IP, 6, 4, operation) + hardware + addresses[0] + bytes(6) + addresses[1]


@pytest.mark.parametrize(
    ("target", "mac"),
    [(EVERYBODY, TO_ALL), ("10.0.1.255", TO_ALL), ("224.0.0.251", "01:00:5e:00:00:fb")],
)
@pytest.mark.parametrize("name", LEFT)
def test_all_others_on_the_network_and_nobody_else(world: Scene, name: str, target: str, mac: str) -> None:
    """Each gets one copy, also on another host; the sender and the other tenant, with the same addresses, none."""
    sender = world.machine(name)
    assert heard(world, sender, [said(sender, target, mac)]) == [f"{one}.blue" for one in LEFT if one != name]


def test_what_is_not_addressed_to_many_in_frame_and_packet_alike(world: Scene) -> None:
    sender = world.machine("a1")
    frames = [
        said(sender, "10.0.1.12", TO_ALL),
        said(sender, "10.0.2.255", TO_ALL),
        said(sender, "224.0.0.251", TO_ALL),
        said(sender, "224.0.0.251", "01:00:5e:00:00:fc"),
        said(sender, "224.0.0.251", "01:00:5e:80:00:fb"),
        said(sender, EVERYBODY, "01:00:5e:7f:ff:ff"),
        said(sender, "224.0.0.251", world.machine("a2").mac),
        said(sender, EVERYBODY, world.machine("a2").mac),
        said(sender, EVERYBODY, world.blue.segments["left"].gateway_mac),
        said(sender, EVERYBODY, TO_ALL, source="10.0.1.12"),
        said(sender, EVERYBODY, TO_ALL, source="0.0.0.0"),
        ethernet(sender.mac, TO_ALL, 0x88CC, MARK * 3),
    ]
    assert heard(world, sender, frames) == []


@pytest.mark.parametrize("operation", [1, 2])
def test_gratuitous_arp(world: Scene, operation: int) -> None:
    sender, other = world.machine("a1"), world.machine("a2")
    true = ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, sender.mac, sender.address, sender.address))
    lies = [
        ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, sender.mac, other.address, other.address)),
        ethernet(sender.mac, TO_ALL, ETH_P_ARP, arp(operation, other.mac, sender.address, sender.address)),
        ethernet(sender.mac, other.mac, ETH_P_ARP, arp(operation, sender.mac, sender.address, sender.address)),
    ]
    assert heard(world, sender, [true], true[14:28]) == ["a2.blue", "a3.blue"]
    assert heard(world, sender, lies, lies[0][14:20]) == []


def test_a_real_broadcast(world: Scene) -> None:
    """From a socket to sockets; the answer, to the sender alone, is a connection of its own."""
    sender, others = world.machine("a1"), [world.machine(name) for name in ("a2", "a3")]
    listening = []
    for machine in others:
        with inside(machine.namespace):
            listening.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listening[-1].bind(("", 7000))
        listening[-1].settimeout(2)
    with inside(sender.namespace):
        speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    speaker.settimeout(2)
    speaker.sendto(MARK, ("10.0.1.255", 7000))
    for one in listening:
        data, where = one.recvfrom(100)
        assert data == MARK
        one.sendto(b"answer", where)
    assert {speaker.recvfrom(100)[1][0] for _ in others} == {machine.address for machine in others}
    for one in (*listening, speaker):
        one.close()


GROUPS = ("239.1.2.3", "ff15::77")


@pytest.mark.parametrize("group", GROUPS)
def test_only_members_hear_a_group(world: Scene, group: str) -> None:
    """On the sender's host and on another; who leaves is out at once."""
    sender, near, far = (world.machine(name) for name in ("a1", "a2", "a3"))
    with Listener(far, group) as away:
        until("one is in", lambda: read_members(world, group) == [far.mac], 5)
        with Listener(near, group) as here, Capture(world.machine("b1").namespace) as other:
            both = sorted((near.mac, far.mac))
            until("both are in", lambda: read_members(world, group) == both, 5)
            speak(sender, group, 5)
            assert (here.hears(), away.hears()) == (5, 5)
            speak(far, group, 2)
            # The sender's own kernel gives its own socket a copy.
            assert (here.hears(), away.hears()) == (2, 2)
            assert other.received(containing(MARK)) == []
            here.leave()
            until("one is out", lambda: read_members(world, group) == [far.mac], 5)
            with Capture(near.namespace) as capture:
                speak(sender, group, 3)
                assert (capture.received(containing(MARK)), away.hears()) == ([], 3)
    until("nobody is in", lambda: read_members(world, group) == [], 5)
    with Capture(near.namespace) as capture, Capture(far.namespace) as other:
        speak(sender, group, 3)
        assert capture.received(containing(MARK)) == other.received(containing(MARK)) == []


def test_members_outlive_the_agent_and_are_asked_again(world: Scene) -> None:
    """Without an agent groups go on; what a host has lost of them its machines tell when they are asked."""
    sender, far, group = world.machine("a1"), world.machine("a3"), "239.5.5.5"
    host = far.host
    assert host.agent is not None
    with Listener(far, group) as away:
        until("it is in", lambda: read_members(world, group) == [far.mac], 5)
        host.agent.stop()
        speak(sender, group, 3)
        assert away.hears() == 3
        with libbpf.closing(libbpf.pinned(host.pins / MEMBER.name)) as pinned:
            table = KernelTable(MEMBER, pinned)
            table.delete(table.read())
        speak(sender, group, 3)
        assert away.hears() == 0
        world.lab.start_agent(host)
        world.lab.wait_alive([host])
        until("it has told", lambda: read_members(world, group) == [far.mac], 10)
        speak(sender, group, 3)
        assert away.hears() == 3


def test_rules_of_both_ends(world: Scene) -> None:
    """A receiver whose groups let nothing in hears nothing, and a sender whose groups let nothing out is not heard."""
    blue, sender = world.blue, world.machine("a1")
    default = blue.api.show("port", sender.plug.port)["security_groups"]
    mute = blue.api.create("security_group", name="mute")["id"]
    for rule in blue.api.show("security_group", mute)["security_group_rules"]:
        blue.api.delete("security_group_rule", rule["id"])
    frame = said(sender, "10.0.1.255", TO_ALL)
    try:
        put_in(world, "a2", [mute])
        assert heard(world, sender, [frame]) == ["a3.blue"]
        blue.api.create(
            "security_group_rule", security_group_id=mute, direction="ingress", remote_ip_prefix="10.0.1.11/32"
        )
        blue.api.settle()
        assert heard(world, sender, [frame]) == ["a2.blue", "a3.blue"]
        put_in(world, "a1", [mute])
        assert heard(world, sender, [frame]) == []
        everybody = {"security_group_id": mute, "direction": "egress", "protocol": "udp"}
        blue.api.create("security_group_rule", remote_ip_prefix="10.0.1.0/25", **everybody)
        blue.api.settle()
        assert heard(world, sender, [frame]) == []
        blue.api.create("security_group_rule", remote_ip_prefix="10.0.1.255/32", **everybody)
        blue.api.settle()
        assert heard(world, sender, [frame]) == ["a2.blue"]
    finally:
        for name in ("a1", "a2"):
            put_in(world, name, default)
        blue.api.delete("security_group", mute)


def put_in(world: Scene, machine: str, groups: list[str]) -> None:
    """Put a machine's port in these groups."""
    world.blue.api.update("port", world.machine(machine).plug.port, security_groups=groups)
    world.blue.api.settle()


def test_a_broadcast_ping_is_heard_by_all(world: Scene) -> None:
    sender = world.machine("a1")
    captures = [Capture(world.machine(name).namespace) for name in ("a2", "a3")]
    packet = ipv4(sender.address, "10.0.1.255", 1, echo_request(77, MARK))
    send(sender.namespace, [ethernet(sender.mac, TO_ALL, ETH_P_IP, packet)])
    time.sleep(SETTLE)
    for capture in captures:
        with capture:
            assert len(capture.received(containing(MARK))) == 1


def test_a_storm_is_stopped_where_it_begins(world: Scene) -> None:
    """Of copies no more leave than the machine's pace allows; the rest is counted, and it passes soon after."""
    sender, near, pace = world.machine("a1"), world.machine("a2"), PACES[Cost.COPIES]
    frame, times = said(sender, EVERYBODY, TO_ALL), 60_000
    before = dropped(world, sender)
    with Capture(near.namespace) as capture:
        began = time.monotonic()
        send(sender.namespace, [frame] * times)
        lasted = time.monotonic() - began
        time.sleep(SETTLE)
        assert 0 < len(capture.received(containing(MARK))) <= times
    passed = times - (dropped(world, sender) - before)
    assert passed < times
    # Two copies each: one to the neighbour, one to the other host.
    assert 2 * passed <= (pace.burst + lasted * 1e9) / pace.pause * 1.1 + 4
    assert heard(world, sender, [frame]) == ["a2.blue", "a3.blue"]


def dropped(world: Scene, machine: Machine) -> int:
    """Packets of a machine that were too many."""
    lines = scene.read_all_tables(world.lab)[machine.host.name]["counter"]
    found = [line for line in lines if f"mac={machine.mac} " in line and "DROPPED:STORM" in line]
    return sum(int(line.rpartition("packets=")[2].split()[0]) for line in found)


def test_lists_go_with_the_machines(world: Scene) -> None:
    """A machine more is heard and hears; without it the lists are as before."""
    blue, host = world.blue, world.lab.host_list[2]
    names = ("spread", "crowd", "member", "broadcast")

    def lists() -> list[list[str]]:
        return [host[name] for host in scene.read_all_tables(world.lab).values() for name in names]

    before = lists()
    machine = blue.add_machines({"brief": ("left", "10.0.1.77", host)})[0]
    machine.obtain()
    with Listener(machine, "239.9.9.9"):
        until("it is in", lambda: read_members(world, "239.9.9.9") == [machine.mac], 5)
        frame = said(world.machine("a1"), "239.9.9.9", "01:00:5e:09:09:09")
        assert heard(world, world.machine("a1"), [frame]) == ["brief.blue"]
        assert heard(world, machine, [said(machine, EVERYBODY, TO_ALL)]) == [f"{name}.blue" for name in LEFT]
    world.lab.remove_machine(blue.machines.pop("brief"))
    blue.admin.delete("port", machine.plug.port)
    until("the lists are as before", lambda: lists() == before, 10)
