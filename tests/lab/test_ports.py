"""Port security, address pairs, addresses that move, and stateless groups, with real packets.

               host 1                host 2
    left       first  free  peer     second  far
    right                            routed
    (green)    stranger

`first` and `second` share an address by their pairs, `free` has no port security, `stranger` is another tenant's.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo.scene import add_tenant
from netplane.lab.demo.tenant import Tenant
from netplane.lab.traffic.frames import ETH_P_IP, Capture, containing, ethernet, ipv4, mac, send, udp
from netplane.lab.traffic.ping import Pinging
from netplane.lab.wait import until
from tests import frames
from tests.lab.keepalived import keepalived
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tports")
SHARED, RANGE = "10.0.1.100", "10.9.0.0/24"
NOBODYS = "192.0.2.77"
SETTLE = 0.3
ARP, UDP = 0x0806, 17
INTERVAL = 0.02
FAILOVER = 2.0
"""Seconds, on a busy machine."""


@pytest.fixture(scope="module")
def tenants() -> Iterator[tuple[Tenant, Tenant]]:
    with Lab(PREFIX, 2, ("blue", "green")) as lab:
        lab.start()
        blue, green = add_tenant(lab, "blue"), add_tenant(lab, "green")
        build(blue, green)
        yield blue, green
        for tenant in (blue, green):
            tenant.delete()
    assert read_leftovers(PREFIX) == []


def build(blue: Tenant, green: Tenant) -> None:
    """The machines, with their addresses."""
    one, two = blue.lab.host_list
    pairs = [{"ip_address": SHARED}, {"ip_address": RANGE}]
    sharing = {"first": ("left", "10.0.1.11", one), "second": ("left", "10.0.1.12", two)}
    blue.add_machines(sharing, allowed_address_pairs=pairs)
    blue.add_machines({"free": ("left", "10.0.1.13", one)}, port_security_enabled=False)
    others = {"peer": ("left", "10.0.1.14", one), "far": ("left", "10.0.1.15", two)}
    blue.add_machines(others | {"routed": ("right", "10.0.2.11", two)})
    green.add_machines({"stranger": ("left", "10.0.1.21", one)})
    for tenant in (blue, green):
        tenant.api.settle()
        tenant.admin.settle()
        for machine in tenant.machines.values():
            machine.obtain()


@pytest.fixture(scope="module")
def blue(tenants: tuple[Tenant, Tenant]) -> Tenant:
    return tenants[0]


def ip(machine: Machine, *words: str) -> str:
    """What `ip` says in a machine."""
    command = ["ip", "-n", machine.namespace, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def take(machine: Machine, address: str) -> None:
    """Bring an address up and say so, as keepalived does."""
    ip(machine, "address", "add", f"{address}/32", "dev", "eth0")
    said = frames.arp(1, mac(machine.mac), address, address)
    send(machine.namespace, [frames.ethernet(b"\xff" * 6, mac(machine.mac), ARP, said)])


def leave(machine: Machine, address: str) -> None:
    """Take it down without a word."""
    ip(machine, "address", "delete", f"{address}/32", "dev", "eth0")


def arrives(sender: Machine, receiver: Machine, source: str, target: str, *, to: str = "") -> bool:
    """Whether a datagram gets to a machine; `to` is the MAC address that it is sent to, the receiver's if empty."""
    mark = f"<{sender.name} {receiver.name} {time.monotonic()}>".encode()
    packet = ipv4(source, target, UDP, udp(mark, 5000, 6000))
    with Capture(receiver.namespace) as capture:
        send(sender.namespace, [ethernet(sender.mac, to or receiver.mac, ETH_P_IP, packet)])
        time.sleep(SETTLE)
        return bool(capture.received(containing(mark)))


def answers(observer: Machine, address: str) -> bool:
    """Whether an address answers a machine's ping."""
    return observer.ping(address, count=1, wait=0.2).received > 0


def reach(observers: Sequence[Machine], address: str) -> float:
    """Seconds until all of them have had an answer from an address."""
    began = time.monotonic()
    for observer in observers:
        until(f"{observer.name} reaches {address}", partial(answers, observer, address), 10)
    return time.monotonic() - began


def test_a_shared_address_is_reached_where_it_was_said_to_be_last(blue: Tenant) -> None:
    """From both hosts, and through the router."""
    first, second = blue.machines["first"], blue.machines["second"]
    observers = [blue.machines[name] for name in ("peer", "far", "routed")]
    took = []
    for taker, loser in ((second, None), (first, second), (second, first)):
        if loser is not None:
            leave(loser, SHARED)
        take(taker, SHARED)
        took.append(reach(observers, SHARED))
        known = [ip(observer, "neigh", "show", SHARED) for observer in observers[:2]]
        assert all(taker.mac in text for text in known), known
    leave(second, SHARED)
    print(f"reached by three machines after {', '.join(f'{one:.3f} s' for one in took)}")
    assert max(took) < FAILOVER


def test_keepalived_moves_an_address_when_a_machine_fails(blue: Tenant, tmp_path: Path) -> None:
    """By VRRP's own multicast advertisements; pinged from both hosts and through the router all the time."""
    first, second = blue.machines["first"], blue.machines["second"]
    observers = [blue.machines[name] for name in ("peer", "far", "routed")]
    with keepalived(first, tmp_path, SHARED, 200), keepalived(second, tmp_path, SHARED, 100):
        reach(observers, SHARED)
        assert SHARED in ip(first, "address", "show", "eth0")
        asking = [Pinging(observer.namespace, SHARED, INTERVAL) for observer in observers]
        time.sleep(1)
        ip(first, "link", "set", "eth0", "down")
        until("the other machine has the address", lambda: SHARED in ip(second, "address", "show", "eth0"), 10)
        time.sleep(1.5)
        lost = [pinging.stop().lost * INTERVAL for pinging in asking]
        ip(first, "link", "set", "eth0", "up")
    print(f"keepalived's address was away for {', '.join(f'{one:.2f} s' for one in lost)}")
    assert max(lost) < FAILOVER
    first.obtain()


def test_an_address_goes_back_when_its_announcer_may_no_longer_have_it(blue: Tenant) -> None:
    first, second, peer = (blue.machines[name] for name in ("first", "second", "peer"))
    take(second, SHARED)
    reach([peer], SHARED)
    pairs = blue.api.show("port", second.plug.port)["allowed_address_pairs"]
    blue.api.update("port", second.plug.port, allowed_address_pairs=[])
    blue.api.settle()
    assert not arrives(second, peer, SHARED, peer.address)
    take(first, SHARED)
    reach([peer], SHARED)
    for machine in (first, second):
        leave(machine, SHARED)
    blue.api.update("port", second.plug.port, allowed_address_pairs=pairs)
    blue.api.settle()


def test_a_port_sends_from_its_pairs_and_nothing_else(blue: Tenant) -> None:
    first, second, peer, far = (blue.machines[name] for name in ("first", "second", "peer", "far"))
    for sender in (first, second):
        for receiver in (peer, far):
            assert arrives(sender, receiver, SHARED, receiver.address)
            assert arrives(sender, receiver, "10.9.0.7", receiver.address)
            for source in (NOBODYS, "10.9.1.7", "10.0.1.13", "10.0.1.1"):
                assert not arrives(sender, receiver, source, receiver.address), source
    assert arrives(peer, first, peer.address, "10.9.0.7")
    assert not arrives(peer, far, NOBODYS, far.address)


def test_without_port_security_any_address_may_be_sent_from_and_no_rule_asks(blue: Tenant) -> None:
    free, peer, far = (blue.machines[name] for name in ("free", "peer", "far"))
    group = blue.api.create("security_group", name="anybody")
    blue.api.create("security_group_rule", security_group_id=group["id"], direction="ingress")
    groups = blue.api.show("port", peer.plug.port)["security_groups"]
    for machine in (peer, far):
        blue.api.update("port", machine.plug.port, security_groups=[*groups, group["id"]])
    blue.api.settle()
    for receiver in (peer, far):
        assert arrives(free, receiver, NOBODYS, receiver.address)
        assert arrives(free, receiver, free.address, receiver.address)
        # Addresses of others stay theirs, or it could speak by their rights.
        assert not arrives(free, receiver, "10.0.1.11", receiver.address)
        assert not arrives(free, receiver, "10.0.1.1", receiver.address)
        # It is a way for whoever sends by it.
        assert arrives(receiver, free, receiver.address, NOBODYS)
        assert arrives(receiver, free, receiver.address, free.address)
    for machine in (peer, far):
        blue.api.update("port", machine.plug.port, security_groups=groups)
    blue.api.settle()
    # The others' rules still ask.
    assert not arrives(free, peer, NOBODYS, peer.address)
    blue.api.delete("security_group", group["id"])


def test_without_port_security_no_other_network_is_reached(tenants: tuple[Tenant, Tenant]) -> None:
    """Whatever is claimed, and whoever is addressed: by the other's MAC address, by the router's, or by all."""
    blue, green = tenants
    free, stranger = blue.machines["free"], green.machines["stranger"]
    gateways = [segment.gateway_mac for tenant in tenants for segment in tenant.segments.values()]
    for source in (free.address, stranger.address, NOBODYS, green.segments["left"].gateway):
        for to in (stranger.mac, *gateways, "ff:ff:ff:ff:ff:ff"):
            assert not arrives(free, stranger, source, stranger.address, to=to), (source, to)
    for source in ("fa:16:3e:00:00:99", stranger.mac):
        forged = ipv4(free.address, blue.machines["peer"].address, UDP, udp(b"forged", 5000, 6000))
        with Capture(blue.machines["peer"].namespace) as capture:
            send(free.namespace, [ethernet(source, blue.machines["peer"].mac, ETH_P_IP, forged)])
            time.sleep(SETTLE)
            assert not capture.received(containing(b"forged"))


@pytest.mark.parametrize("receiver", ["peer", "far"])
def test_stateless_groups_let_no_reply_pass_without_a_rule(blue: Tenant, receiver: str) -> None:
    sender, answerer = blue.machines["first"], blue.machines[receiver]
    quick = blue.api.create("security_group", name="quick", stateful=False)["id"]
    for rule in blue.api.show("security_group", quick)["security_group_rules"]:
        blue.api.delete("security_group_rule", rule["id"])
    ask = {"security_group_id": quick, "direction": "egress", "protocol": "icmp", "port_range_min": 8}
    blue.api.create("security_group_rule", **ask)
    groups = blue.api.show("port", sender.plug.port)["security_groups"]
    blue.api.update("port", sender.plug.port, security_groups=[quick])
    blue.api.create("security_group_rule", security_group_id=groups[0], direction="ingress", protocol="icmp")
    blue.api.settle()
    with Capture(answerer.namespace) as capture:
        assert sender.ping(answerer.address, count=2, wait=0.3).received == 0
        assert capture.received(lambda frame: frame[23:24] == b"\1" and frame[34:35] == b"\x08")
    answer = {"security_group_id": quick, "direction": "ingress", "protocol": "icmp", "port_range_min": 0}
    blue.api.create("security_group_rule", **answer)
    blue.api.settle()
    assert sender.ping(answerer.address, count=2).lost == 0
    blue.api.update("port", sender.plug.port, security_groups=groups)
    blue.api.settle()
    for rule in blue.api.show("security_group", groups[0])["security_group_rules"]:
        if rule["protocol"] == "icmp":
            blue.api.delete("security_group_rule", rule["id"])
    blue.api.delete("security_group", quick)
    blue.api.settle()
