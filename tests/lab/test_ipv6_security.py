"""What machines may do by IPv6, and what they hear of it: real kernels, real packets.

host 1             host 2
left       a1  a2             a3            2001:db8:1::/64 (slaac)
right      b1                               2001:db8:2::/64 (slaac), by a router
"""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from netplane.agent.answers.frames import ETHERTYPE_IPV6, ICMPV6, UDP, ethernet, group_mac, icmpv6, ipv6, udp
from netplane.base.addresses import link_local, pack_address, pack_mac, unpack_address
from netplane.lab import Lab, Machine
from netplane.lab.autoconfiguration import read_addresses, read_routers
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.demo.tenant import Tenant
from netplane.lab.namespace import batch, inside
from netplane.lab.traffic.frames import Capture, containing, send
from netplane.lab.traffic.ping import ping, traceroute
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tsec6")
MARK = b"said by IPv6"
NAMES = ("a1", "a2", "a3", "b1")
PORT = 7800


@pytest.fixture(scope="module")
def blue() -> Iterator[Tenant]:
    """Four machines that have their addresses; all are in the default group."""
    with Lab(PREFIX, 2, ["blue"]) as lab:
        lab.start()
        empty = read_all_tables(lab)
        blue = Tenant(lab, "blue")
        blue.add_router()
        blue.add_segment("left", "10.0.1", ipv6="2001:db8:1")
        blue.add_segment("right", "10.0.2", ipv6="2001:db8:2")
        one, other = lab.host_list
        blue.add_machines({"a1": ("left", "10.0.1.11", one), "a2": ("left", "10.0.1.12", one)})
        blue.add_machines({"a3": ("left", "10.0.1.13", other), "b1": ("right", "10.0.2.11", one)})
        blue.admin.settle()
        for name in NAMES:
            configure(blue.machines[name])
        yield blue
        blue.delete()
        blue.admin.settle()
        until("the tables are as before", lambda: read_all_tables(lab) == empty, 20, 0.1)
    assert read_leftovers(PREFIX) == []


def configure(machine: Machine) -> None:
    machine.obtain()
    until(f"{machine.name} has its address", lambda: read_addresses(machine.namespace) == [machine.ipv6], 15)


@pytest.fixture
def group(blue: Tenant) -> Iterator[Callable[..., None]]:
    """Puts machines in a group that has only these rules; afterwards they are where they were."""
    made: list[str] = []
    moved: list[Machine] = []

    def become(name: str, *rules: dict[str, object]) -> None:
        machine = blue.machines[name]
        given = blue.api.create("security_group", name=f"{name} alone")
        for rule in given["security_group_rules"]:
            blue.api.delete("security_group_rule", rule["id"])
        for rule in rules:
            blue.api.create("security_group_rule", security_group_id=given["id"], **rule)
        blue.api.update("port", machine.plug.port, security_groups=[given["id"]])
        blue.api.settle()
        made.append(given["id"])
        moved.append(machine)

    yield become
    (default,) = (one["id"] for one in blue.api.find("security_group") if one["name"] == "default")
    for machine in moved:
        blue.api.update("port", machine.plug.port, security_groups=[default])
    for id in made:
        blue.api.delete("security_group", id)
    blue.api.settle()


def rule(direction: str, ethertype: str = "IPv6", **fields: object) -> dict[str, object]:
    return {"direction": direction, "ethertype": ethertype, **fields}


def on_link(machine: Machine) -> str:
    return unpack_address(link_local(pack_mac(machine.mac)))


def from_machine(machine: Machine, destination: bytes, protocol: int, payload: bytes, source: str, to: bytes) -> bytes:
    """A frame of a machine's, from an address that need not be its own."""
    packet = ipv6(pack_address(source), destination, protocol, payload, hops=255)
    return ethernet(to, pack_mac(machine.mac), ETHERTYPE_IPV6, packet)


@pytest.mark.parametrize("target", ["a2", "a3"])
def test_link_local_addresses_reach_neighbours_on_every_host(blue: Tenant, target: str) -> None:
    one, other = blue.machines["a1"], blue.machines[target]
    assert one.ping(f"{on_link(other)}%eth0").lost == 0


def test_link_local_addresses_are_not_routed(blue: Tenant) -> None:
    """The machine is told: the address means nothing beyond (RFC 4443, code 2 of type 1)."""
    one, other = blue.machines["a1"], blue.machines["b1"]
    with inside(one.namespace):
        argv = ["ping", "-n", "-c", "1", "-W", "1", "-I", f"{on_link(one)}%eth0", other.ipv6]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    assert "Beyond scope" in done.stdout


def states(machine: Machine, address: str) -> set[str]:
    """What the machine's kernel says of an address of its own."""
    text = subprocess.check_output(["ip", "-n", machine.namespace, "-6", "-j", "address", "show", "dev", "eth0"])
    infos = [info for link in json.loads(text) for info in link.get("addr_info", ()) if info.get("local") == address]
    return {name for info in infos for name in ("tentative", "dadfailed") if info.get(name)}


def test_duplicate_addresses_are_detected(blue: Tenant) -> None:
    """Another's address is refused by the machine's own kernel; one that nobody has it may keep, but not use."""
    one, other = blue.machines["a1"], blue.machines["a3"]
    free = "2001:db8:1::face"
    batch([f"address add {address}/64 dev eth0" for address in (other.ipv6, free)], one.namespace)
    try:
        until("the duplicate is found", lambda: "dadfailed" in states(one, other.ipv6), 5)
        until("the free one is taken", lambda: not states(one, free), 5)
        assert ping(one.namespace, other.ipv6, count=1, wait=0.3, options=("-I", free)).received == 0
    finally:
        batch([f"address del {address}/64 dev eth0" for address in (other.ipv6, free)], one.namespace)


def test_spoofed_sources_reach_nobody(blue: Tenant) -> None:
    one, other, third = (blue.machines[name] for name in ("a1", "a2", "a3"))
    for target in (other, third):
        with Capture(target.namespace) as capture:
            for source in (one.ipv6, third.ipv6, "2001:db8:1::1", "fe80::1", "::1", "::ffff:10.0.1.12"):
                told = udp(pack_address(source), pack_address(target.ipv6), 5000, 6000, MARK)
                to = pack_mac(target.mac)
                send(one.namespace, [from_machine(one, pack_address(target.ipv6), UDP, told, source, to)])
            time.sleep(0.3)
            assert len(capture.received(containing(MARK))) == 1


def test_no_machine_plays_router_or_neighbour(blue: Tenant) -> None:
    """Neither advertisements nor redirects of machines reach others, to all or to one."""
    liar, victim = blue.machines["a1"], blue.machines["a2"]
    before = read_routers(victim.namespace)
    everybody, source = pack_address("ff02::1"), on_link(liar)
    option = b"\2\1" + pack_mac(liar.mac)
    with Capture(victim.namespace) as capture:
        for destination, to in (
            (everybody, group_mac(everybody)),
            (link_local(pack_mac(victim.mac)), pack_mac(victim.mac)),
        ):
            for kind, body in (
                (134, b"\x40\0\x07\x08" + bytes(8)),
                (136, b"\xa0\0\0\0" + pack_address("2001:db8:1::1") + option),
                (137, bytes(4) + pack_address("2001:db8:1::1") * 2),
            ):
                message = icmpv6(pack_address(source), destination, kind, 0, body + MARK.ljust(16, b"\0"))
                send(liar.namespace, [from_machine(liar, destination, ICMPV6, message, source, to)])
        time.sleep(0.5)
        assert capture.received(containing(MARK)) == []
    assert read_routers(victim.namespace) == before


def test_rules_about_ipv6_are_asked(blue: Tenant, group: Callable[..., None]) -> None:
    """A machine whose group has rules about IPv4 alone hears nothing by IPv6, and the reverse."""
    one, other = blue.machines["a1"], blue.machines["a3"]
    group("a3", rule("ingress", "IPv4"), rule("egress", "IPv4"))
    assert (one.ping(other.ipv6, count=1, wait=0.3).received, one.ping(other.address).lost) == (0, 0)
    group("a3", rule("ingress", protocol="icmp"), rule("egress", protocol="ipv6-icmp"))
    assert (one.ping(other.ipv6).lost, one.ping(other.address, count=1, wait=0.3).received) == (0, 0)
    with other.serve(PORT):
        assert one.exchange(other.ipv6, PORT).error


def test_remote_prefixes_and_types(blue: Tenant, group: Callable[..., None]) -> None:
    one, routed, other = blue.machines["a1"], blue.machines["b1"], blue.machines["a3"]
    group(
        "a3",
        rule("ingress", protocol="ipv6-icmp", port_range_min=128, remote_ip_prefix=f"{one.ipv6}/128"),
        rule("ingress", protocol="tcp", port_range_min=PORT, port_range_max=PORT, remote_ip_prefix="2001:db8:2::/64"),
        rule("ingress", remote_ip_prefix="2001:db8:3::/48"),
    )
    assert one.ping(other.ipv6).lost == 0
    assert routed.ping(other.ipv6, count=1, wait=0.3).received == 0
    with other.serve(PORT):
        assert routed.exchange(other.ipv6, PORT).error == ""
        assert one.exchange(other.ipv6, PORT).error


def test_replies_pass_without_a_rule(blue: Tenant, group: Callable[..., None]) -> None:
    one, other = blue.machines["a1"], blue.machines["b1"]
    group("a1", rule("egress"))
    group("b1", rule("ingress"), rule("egress"))
    assert one.ping(other.ipv6).lost == 0
    assert other.ping(one.ipv6, count=1, wait=0.3).received == 0
    with other.serve(PORT):
        assert one.exchange(other.ipv6, PORT, 1_000_000).error == ""


@pytest.mark.parametrize("server", ["a2", "a3", "b1"])
def test_errors_of_a_real_kernel_pass_as_part_of_a_connection(
    blue: Tenant, group: Callable[..., None], server: str
) -> None:
    """The client may only ask by UDP and the server only hear it; no rule speaks of ICMPv6."""
    client, target = blue.machines["a1"], blue.machines[server]
    group("a1", rule("egress", protocol="udp"))
    group(server, rule("ingress", protocol="udp"))
    assert client.ping(target.ipv6, count=1, wait=0.2).received == 0
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with here:
        here.connect((target.ipv6, 7801))
        here.settimeout(1)
        here.send(MARK)
        with pytest.raises(ConnectionRefusedError):
            here.recv(100)
    hops = ["2001:db8:1::1"] if server == "b1" else []
    assert traceroute(client.namespace, target.ipv6) == [*hops, target.ipv6]


@pytest.mark.parametrize("server", ["a2", "a3", "b1"])
def test_packets_in_fragments(blue: Tenant, server: str) -> None:
    client, target = blue.machines["a1"], blue.machines[server]
    assert ping(client.namespace, target.ipv6, options=("-s", "4000")).lost == 0
    assert ping(client.namespace, "2001:db8:1::1", options=("-s", "4000")).lost == 0
    with inside(target.namespace):
        there = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with inside(client.namespace):
        here = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with here, there:
        there.bind((target.ipv6, 7802))
        there.settimeout(1)
        here.settimeout(1)
        here.sendto(bytes(range(250)) * 32, (target.ipv6, 7802))
        there.sendto(*there.recvfrom(65536)[:2])
        assert here.recv(65536) == bytes(range(250)) * 32


def test_what_a_trace_says(blue: Tenant) -> None:
    one, other = blue.machines["a1"], blue.machines["a3"]
    body = {"port_id": one.plug.port, "packet": f"tcp dst={other.ipv6} dport=80"}
    found = blue.admin.call("POST", "/netplane/v1/trace", body).body
    assert (found["verdict"], found["then"]["verdict"]) == ("TUNNEL", "DELIVER")
    assert any("IPv6 tcp" in step["text"] for step in found["then"]["steps"])
