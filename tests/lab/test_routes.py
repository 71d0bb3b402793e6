"""Routes of routers with real packets: three in series, shared ways, machines that lead on, two projects that meet."""

import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from netplane.lab import Host, Lab, Machine
from netplane.lab.api import Api, Body, Refused
from netplane.lab.demo.tenant import to_plug
from netplane.lab.namespace import batch, inside
from netplane.lab.traffic.frames import Capture, containing
from netplane.lab.traffic.ping import traceroute
from netplane.lab.traffic.tcp import Stream
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("troutes")
PORT = 7400
FAR, BEHIND = "203.0.113.7", "198.51.100.7"
MARK = b"whither this way"
IPV6 = {"left": "fd00:1::", "near": "fd00:2::", "far": "fd00:3::", "right": "fd00:4::"}
"""Networks that also have IPv6, with addresses that end like those of IPv4."""


class Region:
    """What one project makes: networks with a subnet each, routers on them, machines."""

    def __init__(self, lab: Lab, project: str) -> None:
        self.lab, self.project = lab, project
        self.api: Api = lab.controller.api(project)
        self.admin: Api = lab.controller.api()
        self.networks: dict[str, str] = {}
        self.subnets: dict[str, str] = {}
        self.subnets6: dict[str, str] = {}
        self.routers: dict[str, str] = {}
        self.machines: dict[str, Machine] = {}

    def add_network(self, name: str, cidr: str) -> None:
        self.networks[name] = self.api.create("network", name=name)["id"]
        subnet = self.api.create("subnet", network_id=self.networks[name], ip_version=4, cidr=cidr)
        self.subnets[name] = subnet["id"]
        if name in IPV6:
            fields = {"ip_version": 6, "cidr": f"{IPV6[name]}/64", "gateway_ip": f"{IPV6[name]}1"}
            self.subnets6[name] = self.api.create("subnet", network_id=self.networks[name], **fields)["id"]

    def fixed_ips(self, network: str, address: str) -> list[Body]:
        """An address on a network, and one of IPv6 where there is any."""
        fixed: list[Body] = [{"subnet_id": self.subnets[network], "ip_address": address}]
        if network in self.subnets6:
            ipv6 = IPV6[network] + address.rpartition(".")[2]
            fixed.append({"subnet_id": self.subnets6[network], "ip_address": ipv6})
        return fixed

    def add_router(self, name: str, **places: str) -> None:
        """A router at an address on each of some networks."""
        self.routers[name] = self.api.create("router", name=name)["id"]
        for network, address in places.items():
            fixed = self.fixed_ips(network, address)
            port = self.api.create("port", network_id=self.networks[network], fixed_ips=fixed)
            self.join(name, port["id"])

    def join(self, router: str, port: str) -> None:
        self.api.call("PUT", f"/v2.0/routers/{self.routers[router]}/add_router_interface", {"port_id": port})

    def route(self, router: str, destination: str, *nexthops: str, action: str = "add") -> None:
        routes = [{"destination": destination, "nexthop": nexthop} for nexthop in nexthops]
        path = f"/v2.0/routers/{self.routers[router]}/{action}_extraroutes"
        self.api.call("PUT", path, {"router": {"routes": routes}})

    def add_machine(self, name: str, network: str, address: str, host: Host) -> Machine:
        port = self.admin.create(
            "port",
            network_id=self.networks[network],
            project_id=self.project,
            fixed_ips=self.fixed_ips(network, address),
            binding__host_id=host.name,
        )
        self.machines[name] = self.lab.add_machines({f"{self.project}-{name}": (host, to_plug(port))})[0]
        return self.machines[name]

    def remove_machine(self, name: str) -> None:
        machine = self.machines.pop(name)
        self.lab.remove_machine(machine)
        self.admin.delete("port", machine.plug.port)

    def settle(self) -> None:
        self.admin.revision = max(self.admin.revision, self.api.revision)
        self.admin.settle()


@pytest.fixture(scope="module")
def blue() -> Iterator[Region]:
    """Three routers in series between two networks of machines, and a fourth beside the second."""
    with Lab(PREFIX, 3, ("blue", "red")) as lab:
        lab.start()
        made = Region(lab, "blue")
        for name, cidr in (("left", "10.1.1.0/24"), ("near", "10.9.1.0/24"), ("far", "10.9.2.0/24")):
            made.add_network(name, cidr)
        made.add_network("right", "10.1.2.0/24")
        made.add_router("one", left="10.1.1.1", near="10.9.1.1")
        made.add_router("two", near="10.9.1.2", far="10.9.2.2")
        made.add_router("other", near="10.9.1.4", far="10.9.2.4")
        made.add_router("three", far="10.9.2.3", right="10.1.2.1")
        made.route("one", "10.1.2.0/24", "10.9.1.2")
        made.route("one", "fd00:4::/64", "fd00:2::2")
        made.route("two", "fd00:4::/64", "fd00:3::3")
        made.route("two", "fd00:1::/64", "fd00:2::1")
        made.route("three", "fd00:1::/64", "fd00:3::2")
        for router in ("two", "other"):
            made.route(router, "10.1.2.0/24", "10.9.2.3")
            made.route(router, "10.1.1.0/24", "10.9.1.1")
        made.route("three", "10.1.1.0/24", "10.9.2.2")
        first, second, third = lab.host_list
        for name, network, address, host in (
            ("a1", "left", "10.1.1.11", first),
            ("a2", "left", "10.1.1.12", second),
            ("b1", "right", "10.1.2.11", second),
            ("b2", "right", "10.1.2.12", first),
            ("f1", "near", "10.9.1.11", first),
            ("f2", "near", "10.9.1.12", second),
            ("f3", "near", "10.9.1.13", third),
        ):
            made.add_machine(name, network, address, host)
        for machine in made.machines.values():
            machine.obtain()
            prefix = machine.ipv6.rpartition("::")[0]
            route = f"route add default via {prefix}::1 dev eth0"
            batch((f"addr add {machine.ipv6}/64 dev eth0 nodad", route), machine.namespace)
        made.settle()
        yield made
        for router in made.routers.values():
            made.api.update("router", router, routes=[])
        made.settle()
        for host in lab.host_list:
            tables = made.admin.read_tables(host.name)
            assert not tables["hop"]
            assert not [line for line in tables["route"] if "hops=" in line]
        go_down(made)
    assert read_leftovers(PREFIX) == []


def go_down(region: Region) -> None:
    """Without its routes and machines everything of a project can go."""
    for router in region.routers.values():
        region.api.update("router", router, routes=[])
    region.settle()
    for name in list(region.machines):
        region.remove_machine(name)
    for router in region.routers.values():
        for port in region.api.find("port", f"?device_id={router}"):
            path = f"/v2.0/routers/{router}/remove_router_interface"
            region.api.call("PUT", path, {"port_id": port["id"]})
        region.api.delete("router", router)
    for network in region.networks.values():
        region.api.delete("network", network)
    for kind in ("port", "network", "router"):
        assert region.api.find(kind, f"?project_id={region.project}") == []


@pytest.mark.parametrize(("source", "target"), [("a1", "b1"), ("a1", "b2"), ("b1", "a1"), ("a2", "b1"), ("b2", "a2")])
def test_three_routers_in_series(blue: Region, source: str, target: str) -> None:
    one, other = blue.machines[source], blue.machines[target]
    came = one.ping(other.address, count=3)
    assert (came.lost, came.ttl) == (0, 61)
    with other.serve(PORT):
        assert one.exchange(other.address, PORT, 200_000 // 256 * 256).error == ""


@pytest.mark.parametrize(("source", "target"), [("a1", "b1"), ("a1", "b2"), ("b1", "a2")])
def test_three_routers_in_series_by_ipv6(blue: Region, source: str, target: str) -> None:
    one, other = blue.machines[source], blue.machines[target]
    came = one.ping(other.ipv6, count=3)
    assert (came.lost, came.ttl) == (0, 61)
    with other.serve(PORT):
        assert one.exchange(other.ipv6, PORT, 200_000 // 256 * 256).error == ""


def test_traceroute_shows_each_router_by_ipv6(blue: Region) -> None:
    a1, b1 = blue.machines["a1"], blue.machines["b1"]
    assert traceroute(a1.namespace, b1.ipv6) == ["fd00:1::1", "fd00:2::2", "fd00:3::3", b1.ipv6]


def test_traceroute_shows_each_router(blue: Region) -> None:
    a1, b1, b2 = (blue.machines[name] for name in ("a1", "b1", "b2"))
    forth, back = ["10.1.1.1", "10.9.1.2", "10.9.2.3"], ["10.1.2.1", "10.9.2.2", "10.9.1.1"]
    assert traceroute(a1.namespace, b1.address) == [*forth, b1.address]
    assert traceroute(a1.namespace, b2.address) == [*forth, b2.address]
    assert traceroute(b1.namespace, a1.address) == [*back, a1.address]


@pytest.mark.parametrize("address", ["10.1.1.1", "10.9.1.1", "10.9.1.2", "10.1.2.1"])
def test_every_router_on_the_way_answers_pings(blue: Region, address: str) -> None:
    assert blue.machines["a1"].ping(address, count=2).lost == 0


def test_nobody_behind_the_last_router(blue: Region) -> None:
    """The one that knows says so: the third that nobody has the address, the first that it knows no way."""
    a1 = blue.machines["a1"]
    assert traceroute(a1.namespace, "10.1.2.99", 6)[:3] == ["10.1.1.1", "10.9.1.2", "10.9.2.3"]
    assert traceroute(a1.namespace, FAR, 3)[0] == "10.1.1.1"


def test_a_circle_of_routes_ends(blue: Region) -> None:
    blue.route("one", "198.18.0.0/15", "10.9.1.2")
    blue.route("two", "198.18.0.0/15", "10.9.1.1")
    blue.settle()
    a1 = blue.machines["a1"]
    shown = traceroute(a1.namespace, "198.18.0.1", 10)
    # The first router is entered from the machine's network, and from then on from the other's.
    assert shown == ["10.1.1.1", *("10.9.1.2", "10.9.1.1") * 3, "10.9.1.2", "*", "*"]
    assert a1.ping("198.18.0.1", count=2, wait=0.2).received == 0
    counters = blue.admin.read_tables(a1.host.name)["counter"]
    assert [line for line in counters if "DROPPED:TOO_MANY_ROUTERS" in line]
    for router, hop in (("one", "10.9.1.2"), ("two", "10.9.1.1")):
        blue.route(router, "198.18.0.0/15", hop, action="remove")
    blue.settle()


def sent_where(blue: Region, source: Machine, ports: range) -> dict[int, str]:
    """Which of the machines that lead on gets the datagrams of each flow, told apart by source port."""
    captures = {name: Capture(blue.machines[name].namespace) for name in ("f1", "f2", "f3")}
    for port in ports:
        with inside(source.namespace):
            here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with here:
            here.bind((source.address, port))
            for _ in range(3):
                here.sendto(MARK, (FAR, 9000))
    time.sleep(0.5)
    found: dict[int, list[str]] = {}
    for name, capture in captures.items():
        for seen in capture.received(containing(MARK)):
            found.setdefault(int.from_bytes(seen.frame[34:36], "big"), []).append(name)
        capture.close()
    assert all(len(names) == 3 and len(set(names)) == 1 for names in found.values()), "a flow takes one way"
    return {port: names[0] for port, names in found.items()}


def test_flows_are_shared_among_next_hops(blue: Region) -> None:
    """Whoever sends, all go somewhere; nearly equally many to each; who goes takes only his own along."""
    hops = {name: blue.machines[name].address for name in ("f1", "f2", "f3")}
    blue.route("one", "203.0.113.0/24", *hops.values())
    blue.settle()
    flows = range(20_000, 20_300)
    before = {name: sent_where(blue, blue.machines[name], flows) for name in ("a1", "a2")}
    for shares in before.values():
        assert sorted(shares) == list(flows)
        counted = Counter(shares.values())
        assert all(70 <= counted[name] <= 130 for name in hops), counted
    blue.route("one", "203.0.113.0/24", hops["f2"], action="remove")
    blue.settle()
    after = sent_where(blue, blue.machines["a1"], flows)
    assert all(after[port] == name for port, name in before["a1"].items() if name != "f2")
    assert set(after.values()) == {"f1", "f3"}
    # One that is not there any more is left out, although its route stands.
    blue.api.update("port", blue.machines["f1"].plug.port, admin_state_up=False)
    blue.route("one", "203.0.113.0/24", hops["f2"])
    blue.route("one", "203.0.113.0/24", "10.9.1.99")
    blue.settle()
    blue.api.update("port", blue.machines["f1"].plug.port, admin_state_up=True)
    blue.settle()
    assert sent_where(blue, blue.machines["a1"], flows) == before["a1"]
    blue.route("one", "203.0.113.0/24", *hops.values(), "10.9.1.99", action="remove")
    blue.settle()


def test_a_stream_goes_on_by_another_router(blue: Region) -> None:
    """From one way to two and back to the other, in both directions, and not a packet is lost."""
    a1, b1 = blue.machines["a1"], blue.machines["b1"]
    with b1.serve(PORT) as server:
        stream = Stream(a1.namespace, b1.address, PORT)
        time.sleep(0.3)
        for router, destination, new, old in (
            ("one", "10.1.2.0/24", "10.9.1.4", "10.9.1.2"),
            ("three", "10.1.1.0/24", "10.9.2.4", "10.9.2.2"),
            ("one", "10.1.2.0/24", "10.9.1.2", "10.9.1.4"),
            ("three", "10.1.1.0/24", "10.9.2.2", "10.9.2.4"),
        ):
            blue.route(router, destination, new)
            blue.settle()
            blue.route(router, destination, old, action="remove")
            blue.settle()
            time.sleep(0.2)
            assert b1.ping(a1.address, count=1).lost == 0
        flow = stream.stop(server)
    assert flow.ok, str(flow)


def test_a_stream_ends_with_its_route_and_goes_on_with_it(blue: Region) -> None:
    a1, b1 = blue.machines["a1"], blue.machines["b1"]
    with b1.serve(PORT) as server:
        stream = Stream(a1.namespace, b1.address, PORT)
        time.sleep(0.3)
        blue.route("one", "10.1.2.0/24", "10.9.1.2", action="remove")
        blue.settle()
        gone = time.monotonic()
        time.sleep(0.5)
        assert stream.last - gone < 0.2
        assert traceroute(a1.namespace, b1.address, 3)[0] == "10.1.1.1"
        blue.route("one", "10.1.2.0/24", "10.9.1.2")
        blue.settle()
        until("the stream goes on", lambda: stream.last > gone + 0.5, 10)
        assert stream.stop(server).error == ""


def test_a_router_that_is_down_is_passed_by(blue: Region) -> None:
    """One of two equal ways leads through a router that is switched off: everything takes the other."""
    a1, b1 = blue.machines["a1"], blue.machines["b1"]
    blue.route("one", "10.1.2.0/24", "10.9.1.4")
    blue.api.update("router", blue.routers["two"], admin_state_up=False)
    blue.route("three", "10.1.1.0/24", "10.9.2.4")
    blue.settle()
    with b1.serve(PORT):
        for _ in range(8):
            assert a1.exchange(b1.address, PORT, 1024).error == ""
    blue.api.update("router", blue.routers["two"], admin_state_up=True)
    blue.route("one", "10.1.2.0/24", "10.9.1.4", action="remove")
    blue.route("three", "10.1.1.0/24", "10.9.2.4", action="remove")
    blue.settle()


def test_a_machine_is_the_way_to_addresses_behind_it(blue: Region) -> None:
    """It needs no port security to answer from them; with port security nothing comes back."""
    a1, host = blue.machines["a1"], blue.lab.host_list[2]
    gate = blue.add_machine("gate", "near", "10.9.1.50", host)
    batch([f"address add {BEHIND}/32 dev lo"], gate.namespace)
    blue.route("one", f"{BEHIND}/32", "10.9.1.50")
    blue.settle()
    assert a1.ping(BEHIND, count=3, wait=0.2).received == 0
    blue.api.update("port", gate.plug.port, security_groups=[], port_security_enabled=False)
    blue.settle()
    assert a1.ping(BEHIND, count=3).lost == 0
    with gate.serve(PORT):
        assert a1.exchange(BEHIND, PORT, 1 << 20).error == ""
    assert traceroute(a1.namespace, BEHIND, 3)[:2] == ["10.1.1.1", BEHIND]
    blue.route("one", f"{BEHIND}/32", "10.9.1.50", action="remove")
    blue.settle()
    assert a1.ping(BEHIND, count=1, wait=0.2).received == 0
    blue.remove_machine("gate")
    blue.settle()


def test_a_trace_names_every_router(blue: Region) -> None:
    wish = {"port_id": blue.machines["a1"].plug.port, "packet": "icmp dst=10.1.2.11"}
    said = blue.api.call("POST", "/netplane/v1/trace", wish).body
    for part in (said, said["then"]):
        routed = [step["text"].split()[2] for step in part["steps"] if step["stage"] == "ROUTING"]
        assert routed == ["one", "two", "three"], part
    assert said["then"]["verdict"] == "DELIVER"


def test_two_projects_meet_on_a_shared_network(blue: Region) -> None:
    """Their routers are each other's next hops; rules between them speak of prefixes; both go down again."""
    blue.add_network("shared", "10.8.1.0/24")
    fixed = [{"subnet_id": blue.subnets["shared"], "ip_address": "10.8.1.1"}]
    port = blue.api.create("port", network_id=blue.networks["shared"], fixed_ips=fixed)
    blue.join("one", port["id"])
    wanted = {
        "object_type": "network",
        "object_id": blue.networks["shared"],
        "action": "access_as_shared",
        "target_tenant": "red",
    }
    policy: Body = blue.api.call("POST", "/v2.0/rbac-policies", {"rbac_policy": wanted}).body["rbac_policy"]
    red = Region(blue.lab, "red")
    red.add_network("home", "10.2.1.0/24")
    red.add_router("gate", home="10.2.1.1")
    meeting = red.api.create("port", network_id=blue.networks["shared"])
    red.join("gate", meeting["id"])
    red.route("gate", "10.1.1.0/24", "10.8.1.1")
    blue.route("one", "10.2.1.0/24", meeting["fixed_ips"][0]["ip_address"])
    r1 = red.add_machine("r1", "home", "10.2.1.11", blue.lab.host_list[2])
    r1.obtain()
    blue.settle()
    red.settle()
    a1 = blue.machines["a1"]
    # Who may send may ask; nobody of another project is let in unasked.
    assert a1.ping(r1.address, count=1, wait=0.2).received == 0
    group = next(one["id"] for one in red.api.find("security_group") if one["name"] == "default")
    rule = red.api.create(
        "security_group_rule",
        security_group_id=group,
        direction="ingress",
        ethertype="IPv4",
        remote_ip_prefix="10.1.1.0/24",
    )
    red.settle()
    came = a1.ping(r1.address, count=3)
    assert (came.lost, came.ttl) == (0, 62)
    assert traceroute(a1.namespace, r1.address) == ["10.1.1.1", meeting["fixed_ips"][0]["ip_address"], r1.address]
    with r1.serve(PORT):
        assert a1.exchange(r1.address, PORT).error == ""
    assert r1.ping(a1.address, count=1, wait=0.2).received == 0
    with pytest.raises(Refused, match="RbacPolicyInUse"):
        blue.api.call("DELETE", f"/v2.0/rbac-policies/{policy['id']}")
    red.api.delete("security_group_rule", rule["id"])
    go_down(red)
    blue.route("one", "10.2.1.0/24", meeting["fixed_ips"][0]["ip_address"], action="remove")
    blue.api.call("DELETE", f"/v2.0/rbac-policies/{policy['id']}")
    blue.api.call("PUT", f"/v2.0/routers/{blue.routers['one']}/remove_router_interface", {"port_id": port["id"]})
    blue.api.delete("network", blue.networks.pop("shared"))
    blue.settle()
    # Nothing of the other project is left with hosts that have no part in it any more.
    endpoints = blue.admin.read_tables(a1.host.name)["endpoint"]
    assert not [line for line in endpoints if "address=10.2.1." in line]
