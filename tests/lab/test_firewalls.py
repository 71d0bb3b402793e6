"""Firewalls on routers' ports with real packets: what passes, in which order of rules, who is told, and until when.

              host 1            host 2
    left      client
    right     near              far

Machines allow everything themselves; the firewall stands on the router's port in the network `right`.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo.forgery import count_arrivals
from netplane.lab.demo.scene import OF_TRAFFIC, read_all_tables
from netplane.lab.demo.tenant import Tenant
from netplane.lab.traffic.frames import ETH_P_IP, ethernet, ipv4, send_vxlan, udp
from netplane.lab.traffic.tcp import Stream
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tfwall")
WEB, OTHER = 80, 81
QUIET = 0.4
REFUSED_AT_ONCE = "No route to host"
"""What Linux says of "communication administratively prohibited"."""


class Scene(NamedTuple):
    """A tenant with two networks, and short ways to its firewalls."""

    tenant: Tenant
    port: str
    """The router's port in the network `right`."""

    def machine(self, name: str) -> Machine:
        return self.tenant.machines[name]

    def make(self, kind: str, **fields: object) -> str:
        path = "firewall_policies" if kind == "firewall_policy" else f"{kind}s"
        made = self.tenant.api.call("POST", f"/v2.0/fwaas/{path}", {kind: fields}).body[kind]["id"]
        return str(made)

    def change(self, kind: str, id: str, **fields: object) -> None:
        path = "firewall_policies" if kind == "firewall_policy" else f"{kind}s"
        self.tenant.api.call("PUT", f"/v2.0/fwaas/{path}/{id}", {kind: fields})
        self.tenant.api.settle()

    def act(self, policy: str, action: str, rule: str) -> None:
        path = f"/v2.0/fwaas/firewall_policies/{policy}/{action}"
        self.tenant.api.call("PUT", path, {"firewall_rule_id": rule})
        self.tenant.api.settle()

    def opens(self, source: str, target: str, port: int) -> bool:
        """Whether a TCP connection comes about."""
        return self.machine(source).exchange(self.machine(target).address, port, 256, seconds=0.3).ok

    def pings(self, source: str, target: str) -> bool:
        return self.machine(source).ping(self.machine(target).address, count=1, wait=0.3).lost == 0


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Three machines on two hosts; in the end all is deleted and the tables are as before."""
    with Lab(PREFIX, 2, ["blue"]) as lab:
        lab.start()
        before = lasting(lab)
        tenant = Tenant(lab, "blue")
        tenant.add_router()
        for name, prefix in (("left", "10.0.1"), ("right", "10.0.2")):
            tenant.add_segment(name, prefix)
        one, two = lab.host_list
        tenant.add_machines({"client": ("left", "10.0.1.11", one)})
        tenant.add_machines({"near": ("right", "10.0.2.11", one), "far": ("right", "10.0.2.12", two)})
        for machine in tenant.machines.values():
            machine.obtain()
        network = tenant.segments["right"].network
        query = f"?network_id={network}&device_owner=network:router_interface"
        yield Scene(tenant, tenant.admin.find("port", query)[0]["id"])
        tenant.delete()
        tenant.admin.settle()
        until("the tables are as before", lambda: lasting(lab) == before, 10)
    assert read_leftovers(PREFIX) == []


def lasting(lab: Lab) -> dict[str, dict[str, list[str]]]:
    """Each host's tables, but for those that fill and empty with what passes."""
    return {
        host: {name: lines for name, lines in tables.items() if name not in OF_TRAFFIC}
        for host, tables in read_all_tables(lab).items()
    }


class Firewall(NamedTuple):
    """A group with a policy for what comes in, whose machines may open what they like."""

    group: str
    ingress: str
    web: str
    """The rule that lets TCP to port 80 in."""


@pytest.fixture
def firewall(scene: Scene) -> Iterator[Firewall]:
    """A firewall on the network `right`, which in the end is taken away, after which everything passes."""
    before = lasting(scene.tenant.lab)
    web = scene.make("firewall_rule", protocol="tcp", destination_port=str(WEB), action="allow")
    every = scene.make("firewall_rule", action="allow")
    ingress, egress = (scene.make("firewall_policy", firewall_rules=[rule]) for rule in (web, every))
    policies = {"ingress_firewall_policy_id": ingress, "egress_firewall_policy_id": egress}
    group = scene.make("firewall_group", **policies, ports=[scene.port])
    scene.tenant.api.settle()
    yield Firewall(group, ingress, web)
    scene.change("firewall_group", group, ports=[])
    for path in (f"firewall_groups/{group}", f"firewall_policies/{ingress}", f"firewall_policies/{egress}"):
        scene.tenant.api.call("DELETE", f"/v2.0/fwaas/{path}")
    for rule in scene.tenant.api.call("GET", "/v2.0/fwaas/firewall_rules").body["firewall_rules"]:
        if not rule["name"].startswith("default"):
            scene.tenant.api.call("DELETE", f"/v2.0/fwaas/firewall_rules/{rule['id']}")
    scene.tenant.api.settle()
    until("the tables are as before", lambda: lasting(scene.tenant.lab) == before, 5)
    assert scene.pings("client", "near")
    assert scene.pings("client", "far")


@pytest.mark.parametrize("target", ["near", "far"])
def test_what_comes_in_and_what_goes_out(scene: Scene, firewall: Firewall, target: str) -> None:
    machine, client = scene.machine(target), scene.machine("client")
    with machine.serve(WEB), machine.serve(OTHER), client.serve(OTHER):
        assert scene.opens("client", target, WEB)
        assert not scene.opens("client", target, OTHER)
        assert not scene.pings("client", target)
        assert scene.opens(target, "client", OTHER), "answers pass without a rule of their own"
        assert scene.pings(target, "client")
    assert scene.pings("near", "far"), "nothing stands between machines of one network"
    assert client.ping("10.0.2.1", count=1).lost == 0, "the router itself is not behind the firewall"


def test_the_first_rule_decides(scene: Scene, firewall: Firewall) -> None:
    deny = scene.make("firewall_rule", protocol="tcp", source_ip_address="10.0.1.0/24", action="deny")
    with scene.machine("far").serve(WEB):
        scene.act(firewall.ingress, "insert_rule", deny)
        assert not scene.opens("client", "far", WEB)
        scene.change("firewall_policy", firewall.ingress, firewall_rules=[firewall.web, deny])
        assert scene.opens("client", "far", WEB)
        scene.change("firewall_rule", firewall.web, enabled=False)
        assert not scene.opens("client", "far", WEB)
        scene.change("firewall_rule", firewall.web, enabled=True)
        assert scene.opens("client", "far", WEB)
        scene.change("firewall_rule", firewall.web, source_ip_address="10.0.1.12")
        assert not scene.opens("client", "far", WEB)
    scene.act(firewall.ingress, "remove_rule", deny)


@pytest.mark.parametrize("target", ["near", "far"])
def test_who_is_rejected_is_told_at_once(scene: Scene, firewall: Firewall, target: str) -> None:
    reject = scene.make("firewall_rule", protocol="tcp", destination_port=f"{OTHER}:90", action="reject")
    scene.act(firewall.ingress, "insert_rule", reject)
    came = scene.machine("client").exchange(scene.machine(target).address, OTHER, 256, seconds=3)
    assert REFUSED_AT_ONCE in came.error
    scene.act(firewall.ingress, "remove_rule", reject)


def test_a_group_that_is_down_lets_nothing_pass(scene: Scene, firewall: Firewall) -> None:
    with scene.machine("far").serve(WEB), scene.machine("client").serve(OTHER):
        scene.change("firewall_group", firewall.group, admin_state_up=False)
        assert not scene.opens("client", "far", WEB)
        assert not scene.opens("far", "client", OTHER)
        scene.change("firewall_group", firewall.group, admin_state_up=True)
        assert scene.opens("client", "far", WEB)
        scene.change("firewall_group", firewall.group, egress_firewall_policy_id=None)
        assert not scene.opens("far", "client", OTHER)


def test_a_rule_that_goes_ends_connections_within_a_second_and_harms_no_other(scene: Scene, firewall: Firewall) -> None:
    client, far = scene.machine("client"), scene.machine("far")
    other = scene.make("firewall_rule", protocol="tcp", destination_port=str(OTHER), action="allow")
    scene.act(firewall.ingress, "insert_rule", other)
    with far.serve(WEB), far.serve(OTHER) as echo:
        doomed, spared = (Stream(client.namespace, far.address, port) for port in (WEB, OTHER))
        time.sleep(QUIET)
        assert doomed.rounds
        removed = time.monotonic()
        scene.act(firewall.ingress, "remove_rule", firewall.web)
        until("the connection rests", lambda: time.monotonic() - doomed.last > QUIET, 3)
        assert doomed.last - removed < 1.0
        doomed.abandon()
        flow = spared.stop(echo)
        assert flow.ok, flow


def test_a_host_that_asks_no_firewall_gains_nothing(scene: Scene, firewall: Firewall) -> None:
    """Packets that the sender's host sends all the same are refused where they arrive."""
    client, far = scene.machine("client"), scene.machine("far")
    left = scene.tenant.segments["left"]

    def arrivals(name: str, port: int, wanted: int) -> int:
        mark = name.encode()
        packet = ipv4(client.address, far.address, 17, udp(mark, 4000, port))
        frames = [ethernet(client.mac, left.gateway_mac, ETH_P_IP, packet)] * 5

        def forge() -> None:
            send_vxlan(client.host.namespace, far.host.address, left.vni, frames)

        return count_arrivals(far, mark, forge, wanted)

    assert arrivals("forced: other", OTHER, 0) == 0
    assert arrivals("forced: web by UDP", WEB, 0) == 0
    let_in = scene.make("firewall_rule", protocol="udp", action="allow")
    scene.act(firewall.ingress, "insert_rule", let_in)
    assert arrivals("forced: control", OTHER, 5) == 5
    scene.act(firewall.ingress, "remove_rule", let_in)


def test_drops_are_logged(scene: Scene, firewall: Firewall) -> None:
    api, port = scene.tenant.api, scene.machine("client").plug.port
    body = {"log": {"resource_type": "security_group", "event": "DROP", "target_id": port}}
    log = api.call("POST", "/v2.0/log/logs", body).body["log"]["id"]
    api.settle()
    try:
        assert not scene.opens("client", "near", OTHER)

        def walls() -> list[Any]:
            found = api.call("GET", f"/netplane/v1/decisions?port={port}&explain=true").body["decisions"]
            return [one["why"]["firewall"] for one in found if one["reason"] == "FIREWALL"]

        until("it is told", lambda: bool(walls()), 5)
        assert walls()[-1]["text"].startswith("no rule of policy ")
    finally:
        api.call("DELETE", f"/v2.0/log/logs/{log}")
        api.settle()


def test_firewalls_in_series(scene: Scene, firewall: Firewall) -> None:
    """A second router behind the first, with a firewall of its own: what passes must be allowed by both, both ways."""
    tenant, api = scene.tenant, scene.tenant.api
    router, deep = tenant.router, api.create("router", name="second")["id"]
    tenant.router = ""
    inner = tenant.add_segment("deep", "10.0.3")
    tenant.router = router
    port = api.create(
        "port",
        network_id=tenant.segments["right"].network,
        fixed_ips=[{"subnet_id": tenant.segments["right"].subnet, "ip_address": "10.0.2.2"}],
    )
    api.call("PUT", f"/v2.0/routers/{deep}/add_router_interface", {"port_id": port["id"]})
    api.add_interface(deep, inner.subnet)
    for id, there, by in ((router, "10.0.3.0/24", "10.0.2.2"), (deep, "10.0.1.0/24", "10.0.2.1")):
        routes = {"router": {"routes": [{"destination": there, "nexthop": by}]}}
        api.call("PUT", f"/v2.0/routers/{id}/add_extraroutes", routes)
    guarded = tenant.admin.find("port", f"?network_id={inner.network}&device_owner=network:router_interface")[0]["id"]
    only = scene.make("firewall_rule", protocol="tcp", destination_port=f"{WEB}:{OTHER}", action="allow")
    every = scene.make("firewall_rule", action="allow")
    ingress, egress = (scene.make("firewall_policy", firewall_rules=[rule]) for rule in (only, every))
    policies = {"ingress_firewall_policy_id": ingress, "egress_firewall_policy_id": egress}
    group = scene.make("firewall_group", **policies, ports=[guarded])
    tenant.add_machines({"last": ("deep", "10.0.3.11", tenant.lab.host_list[1])})
    scene.machine("last").obtain()
    tenant.admin.settle()
    client, last = scene.machine("client"), scene.machine("last")
    with last.serve(WEB), last.serve(OTHER), client.serve(OTHER):
        assert scene.opens("client", "last", WEB)
        assert not scene.opens("client", "last", OTHER), "the first firewall denies it"
        scene.change("firewall_group", firewall.group, ports=[])
        assert scene.opens("client", "last", OTHER)
        assert not scene.pings("client", "last"), "the second firewall denies it"
        assert scene.opens("last", "client", OTHER)
        scene.change("firewall_group", firewall.group, ports=[scene.port])
        scene.change("firewall_group", group, ports=[])
        assert scene.opens("client", "last", WEB)
        assert not scene.opens("client", "last", OTHER)
    tenant.lab.remove_machine(tenant.machines.pop("last"))
    tenant.admin.delete("port", last.plug.port)
    for id, there, by in ((router, "10.0.3.0/24", "10.0.2.2"), (deep, "10.0.1.0/24", "10.0.2.1")):
        routes = {"router": {"routes": [{"destination": there, "nexthop": by}]}}
        api.call("PUT", f"/v2.0/routers/{id}/remove_extraroutes", routes)
    for kind, id in (("groups", group), ("policies", ingress), ("policies", egress)):
        api.call("DELETE", f"/v2.0/fwaas/firewall_{kind}/{id}")
    api.call("PUT", f"/v2.0/routers/{deep}/remove_router_interface", {"port_id": port["id"]})
    api.remove_interface(deep, inner.subnet)
    api.delete("router", deep)
    api.delete("network", tenant.segments.pop("deep").network)
