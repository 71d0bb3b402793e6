"""Security groups with real packets: what each rule lets through, of which protocol and to or from whom, up and down.

               host 1                       host 2
    left       server  caller  near         far
    right                                   routed

The rules of one group are tried on what comes to `server` and on what `caller` sends; the other three may send and
receive anything.
"""

import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo.scene import OF_TRAFFIC, Tables, add_tenant, read_all_tables
from netplane.lab.demo.tenant import Tenant
from netplane.lab.traffic.frames import ETH_P_IP, Capture, ethernet, ipv4, send, udp
from netplane.lab.traffic.tcp import Stream
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tgroups")
SETTLE = 0.2
QUIET = 0.4
PORT = 7300
MARK = re.compile(rb"<(\w+) (\w+) (\d+)>")
SERIALS = count(20_000)
"""Source ports and ICMP identifiers, so that every try makes connections of its own."""

Fields = Mapping[str, Any]
Seen = set[tuple[str, str]]
"""Which machine's packet of which kind has arrived."""


def tcp_syn(port: int) -> Callable[[int, bytes], tuple[int, bytes]]:
    """The packet that opens a connection."""
    return lambda serial, mark: (6, struct.pack("!HHIIBBHHH", serial, port, 1, 0, 0x50, 2, 1000, 0, 0) + mark)


def datagram(port: int) -> Callable[[int, bytes], tuple[int, bytes]]:
    """UDP to a port."""
    return lambda serial, mark: (17, udp(mark, serial, port))


def icmp(type_: int, code: int) -> Callable[[int, bytes], tuple[int, bytes]]:
    """ICMP with an identifier; one of its own for an odd code, or it would belong to the other's connection."""
    return lambda serial, mark: (1, struct.pack("!BBHHH", type_, code, 0, serial ^ code << 12, 1) + mark)


def plain(protocol: int, head: bytes = bytes(4)) -> Callable[[int, bytes], tuple[int, bytes]]:
    """A protocol without ports."""
    return lambda _serial, mark: (protocol, head + mark)


KINDS: dict[str, Callable[[int, bytes], tuple[int, bytes]]] = {
    "tcp80": tcp_syn(80),
    "tcp90": tcp_syn(90),
    "udp53": datagram(53),
    "udp5000": datagram(5000),
    "sctp80": lambda serial, mark: (132, struct.pack("!HHII", serial, 80, 0, 0) + mark),
    "ping": icmp(8, 0),
    "oddping": icmp(8, 5),
    "timestamp": icmp(13, 0),
    "gre": plain(47),
    "esp": plain(50, bytes(8)),
    "vrrp": plain(112, bytes(8)),
    "test253": plain(253),
}
"""What is sent each time: the IP protocol and its payload, by a source port or identifier and a mark."""

ALL = tuple(KINDS)
ICMP = ("ping", "oddping", "timestamp")
PEERS = ("near", "far", "routed")
NEAR, FAR, ROUTED = "10.0.1.11", "10.0.1.12", "10.0.2.11"


@dataclass
class Scene:
    """One tenant, its groups by name, and what each host's tables were when there was nothing but them."""

    blue: Tenant
    groups: dict[str, str]
    addresses: str
    tables: Tables

    def machine(self, name: str) -> Machine:
        return self.blue.machines[name]

    def change_addresses(self, action: str, addresses: Sequence[str]) -> None:
        """Add to the address group, or remove from it."""
        self.blue.api.call("PUT", f"/v2.0/address-groups/{self.addresses}/{action}_addresses", {"addresses": addresses})

    def make_rule(self, direction: str, fields: Fields, group: str = "tried") -> str:
        """A rule of a group; groups in it are named as here."""
        named = {"remote_group_id": self.groups, "remote_address_group_id": {"listed": self.addresses}}
        real = {name: named[name][value] if name in named else value for name, value in fields.items()}
        rule = self.blue.api.create(
            "security_group_rule", security_group_id=self.groups[group], direction=direction, **real
        )
        return str(rule["id"])

    def join(self, machine: str, groups: Sequence[str]) -> None:
        """Put a machine's port in these groups and no others."""
        ids = [self.groups[name] for name in groups]
        self.blue.api.update("port", self.machine(machine).plug.port, security_groups=ids)

    def read_rules(self) -> list[dict[str, list[str]]]:
        """Each host's tables of what rules allow."""
        found = read_all_tables(self.blue.lab)
        return [{name: tables[name] for name in ("prefix", "policy", "profile")} for tables in found.values()]


@pytest.fixture(scope="module")
def world() -> Iterator[Scene]:
    with Lab(PREFIX, 2, ("blue",)) as lab:
        lab.start()
        made = build(add_tenant(lab, "blue"))
        yield made
        tear_down(made)
    assert read_leftovers(PREFIX) == []


def build(blue: Tenant) -> Scene:
    """Groups without rules, but for one that allows everything, and the machines."""
    groups = {
        name: blue.api.create("security_group", name=name)["id"] for name in ("tried", "second", "open", "friends")
    }
    for name in ("tried", "second", "friends"):
        for rule in blue.api.show("security_group", groups[name])["security_group_rules"]:
            blue.api.delete("security_group_rule", rule["id"])
    addresses = blue.api.create("address_group", addresses=[f"{FAR}/32", "10.0.2.0/24", "fd00::/8"])["id"]
    made = Scene(blue, groups, addresses, read_all_tables(blue.lab))
    made.make_rule("ingress", {}, "open")
    one, two = blue.lab.host_list
    places = {"server": ("left", "10.0.1.21", one), "caller": ("left", "10.0.1.22", one)}
    blue.add_machines(places, security_groups=[groups["tried"]])
    blue.add_machines({"far": ("left", FAR, two)}, security_groups=[groups["open"]])
    both = [groups["open"], groups["friends"]]
    blue.add_machines({"near": ("left", NEAR, one), "routed": ("right", ROUTED, two)}, security_groups=both)
    blue.api.settle()
    blue.admin.settle()
    for machine in blue.machines.values():
        machine.obtain()
    return made


def tear_down(made: Scene) -> None:
    """Everything goes through the API, and the tables are as before."""
    made.blue.delete()
    for group in made.groups.values():
        made.blue.api.delete("security_group", group)
    made.blue.api.delete("address_group", made.addresses)
    until("the tables are as before", lambda: stable(read_all_tables(made.blue.lab)) == stable(made.tables), 10)


def stable(tables: Tables) -> list[dict[str, list[str]]]:
    """What does not depend on the traffic there has been."""
    return [{name: lines for name, lines in host.items() if name not in OF_TRAFFIC} for host in tables.values()]


def frames(world: Scene, source: str, target: str) -> list[bytes]:
    """A packet of every kind from one machine to another."""
    here, there, serial = world.machine(source), world.machine(target), next(SERIALS)
    away = here.address.rpartition(".")[0] != there.address.rpartition(".")[0]
    segment = world.blue.segments["right" if source == "routed" else "left"]
    made = []
    for kind, build_packet in KINDS.items():
        protocol, payload = build_packet(serial, f"<{source} {kind} {serial}>".encode())
        packet = ipv4(here.address, there.address, protocol, payload)
        made.append(ethernet(here.mac, segment.gateway_mac if away else there.mac, ETH_P_IP, packet))
    return made


def arriving(world: Scene, sources: Sequence[str], targets: Sequence[str]) -> Seen:
    """What arrives of everything that is sent; named after whichever of the two ends is one of the three peers."""
    captures = {target: Capture(world.machine(target).namespace) for target in targets}
    for source in sources:
        send(world.machine(source).namespace, [frame for target in targets for frame in frames(world, source, target)])
    time.sleep(SETTLE)
    found: Seen = set()
    for target, capture in captures.items():
        with capture:
            for seen in capture.received(lambda frame: MARK.search(frame) is not None and frame[23] in PROTOCOLS):
                source, kind, _ = (part.decode() for part in MARK.findall(seen.frame)[0])
                if (source in sources) and source != target:
                    found.add((source if target in TRIED else target, kind))
    return found


PROTOCOLS = {1, 6, 17, 47, 50, 112, 132, 253}
TRIED = ("server", "caller")


def product(peers: Sequence[str], kinds: Sequence[str]) -> Seen:
    return {(peer, kind) for peer in peers for kind in kinds}


RULES: list[tuple[Fields, Sequence[str], Sequence[str]]] = [
    ({}, PEERS, ALL),
    ({"protocol": "0"}, PEERS, ALL),
    ({"protocol": "tcp"}, PEERS, ("tcp80", "tcp90")),
    ({"protocol": "6", "port_range_min": 80, "port_range_max": 80}, PEERS, ("tcp80",)),
    ({"protocol": "tcp", "port_range_min": 81, "port_range_max": 65535}, PEERS, ("tcp90",)),
    ({"protocol": "udp", "port_range_min": 1, "port_range_max": 4999}, PEERS, ("udp53",)),
    ({"protocol": "132", "port_range_min": 79, "port_range_max": 81}, PEERS, ("sctp80",)),
    ({"protocol": "47"}, PEERS, ("gre",)),
    ({"protocol": "gre"}, PEERS, ("gre",)),
    ({"protocol": "esp"}, PEERS, ("esp",)),
    ({"protocol": "vrrp"}, PEERS, ("vrrp",)),
    ({"protocol": "253"}, PEERS, ("test253",)),
    ({"protocol": "icmp"}, PEERS, ICMP),
    ({"protocol": "1", "port_range_min": 8}, PEERS, ("ping", "oddping")),
    ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, PEERS, ("ping",)),
    ({"protocol": "icmp", "port_range_min": 13, "port_range_max": 0}, PEERS, ("timestamp",)),
    ({"remote_ip_prefix": f"{NEAR}/32"}, ("near",), ALL),
    ({"remote_ip_prefix": "10.0.1.0/24", "protocol": "47"}, ("near", "far"), ("gre",)),
    ({"remote_ip_prefix": "10.0.0.0/22"}, PEERS, ALL),
    ({"remote_ip_prefix": "192.0.2.0/24"}, (), ()),
    ({"remote_group_id": "friends"}, ("near", "routed"), ALL),
    (
        {"remote_group_id": "friends", "protocol": "udp", "port_range_min": 53, "port_range_max": 53},
        ("near", "routed"),
        ("udp53",),
    ),
    ({"remote_group_id": "tried"}, (), ()),
    ({"remote_address_group_id": "listed"}, ("far", "routed"), ALL),
    ({"remote_address_group_id": "listed", "protocol": "icmp", "port_range_min": 8}, ("far", "routed"), ICMP[:2]),
    ({"ethertype": "IPv6"}, (), ()),
]
"""Each rule alone in its group: whose packets pass, and which."""


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(
    ("fields", "peers", "kinds"), RULES, ids=lambda value: None if isinstance(value, tuple) else str(value)
)
def test_a_rule(world: Scene, direction: str, fields: Fields, peers: Sequence[str], kinds: Sequence[str]) -> None:
    sources, targets = (PEERS, ("server",)) if direction == "ingress" else (("caller",), PEERS)
    before = world.read_rules()
    rule = world.make_rule(direction, fields)
    world.blue.api.settle()
    assert arriving(world, sources, targets) == product(peers, kinds)
    world.blue.api.delete("security_group_rule", rule)
    world.blue.api.settle()
    assert arriving(world, sources, targets) == set()
    assert world.read_rules() == before


def test_several_groups_allow_what_any_of_them_allows(world: Scene) -> None:
    api = world.blue.api
    rules = [
        world.make_rule("ingress", {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}),
        world.make_rule("ingress", {"protocol": "47"}),
        world.make_rule("ingress", {"protocol": "47"}, "second"),
        world.make_rule("ingress", {"protocol": "udp", "remote_group_id": "friends"}, "second"),
    ]
    datagrams = product(("near", "routed"), ("udp53", "udp5000"))
    world.join("server", ["tried", "second"])
    api.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("tcp80", "gre")) | datagrams
    api.delete("security_group_rule", rules.pop(1))
    api.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("tcp80", "gre")) | datagrams
    world.join("server", ["second"])
    api.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("gre",)) | datagrams
    world.join("server", ["tried"])
    api.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("tcp80",))
    for rule in rules:
        api.delete("security_group_rule", rule)
    api.settle()


def test_a_group_that_another_project_shares(world: Scene) -> None:
    """Its owner's rules guard the machine, also those that come later."""
    owner = world.blue.admin
    world.groups["lent"] = group = owner.create("security_group", name="lent")["id"]
    shared = {"object_type": "security_group", "object_id": group, "action": "access_as_shared"}
    owner.call("POST", "/v2.0/rbac-policies", {"rbac_policy": shared | {"target_tenant": "blue"}})
    web = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}
    owner.create("security_group_rule", security_group_id=group, direction="ingress", **web)
    world.join("server", ["lent"])
    world.blue.api.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("tcp80",))
    owner.create("security_group_rule", security_group_id=group, direction="ingress", protocol="47")
    owner.settle()
    assert arriving(world, PEERS, ["server"]) == product(PEERS, ("tcp80", "gre"))
    world.join("server", ["tried"])
    owner.delete("security_group", world.groups.pop("lent"))
    world.blue.api.settle()


def test_a_port_in_no_group_sends_and_receives_nothing(world: Scene) -> None:
    """Whatever others allow."""
    for direction in ("ingress", "egress"):
        world.make_rule(direction, {}, "second")
    for groups in ([], ["tried"]):
        world.join("near", groups)
        world.blue.api.settle()
        assert arriving(world, ("near",), ("far", "routed")) == set()
        assert arriving(world, ("far", "routed"), ("near",)) == set()
    world.join("near", ["open", "friends"])
    world.blue.api.settle()
    assert {kind for _, kind in arriving(world, ("near",), ("far", "routed"))} == set(ALL)
    for rule in world.blue.api.show("security_group", world.groups["second"])["security_group_rules"]:
        world.blue.api.delete("security_group_rule", rule["id"])


def test_a_change_of_an_address_group_ends_connections_within_a_second_and_harms_no_other(world: Scene) -> None:
    server, far, near = (world.machine(name) for name in ("server", "far", "near"))
    rule = world.make_rule("ingress", {"protocol": "tcp", "remote_address_group_id": "listed"})
    world.change_addresses("add", [NEAR])
    world.blue.api.settle()
    with server.serve(PORT) as echo:
        doomed, spared = (Stream(machine.namespace, server.address, PORT) for machine in (far, near))
        time.sleep(0.3)
        assert doomed.rounds
        # A range around it comes first: what is allowed in other words goes on.
        world.change_addresses("add", ["10.0.1.0/28"])
        world.change_addresses("remove", [FAR])
        world.blue.api.settle()
        time.sleep(QUIET)
        assert time.monotonic() - doomed.last < QUIET
        removed = time.monotonic()
        world.change_addresses("remove", ["10.0.1.0/28"])
        until("the connection rests", lambda: time.monotonic() - doomed.last > QUIET, 3)
        assert doomed.last - removed < 1.0
        doomed.abandon()
        assert not far.exchange(server.address, PORT, seconds=0.3).ok
        flow = spared.stop(echo)
        assert flow.ok, flow
        world.change_addresses("add", [FAR])
        world.blue.api.settle()
        assert far.exchange(server.address, PORT).error == ""
    world.change_addresses("remove", [NEAR])
    world.blue.api.delete("security_group_rule", rule)
    world.blue.api.settle()
