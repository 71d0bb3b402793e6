"""Firewalls: rules, policies and groups made, put in order, shared, refused and deleted."""

from typing import Any, NamedTuple

import pytest

from tests.api.support import World

NONE = "00000000-0000-4000-8000-000000000000"


class Scene(NamedTuple):
    """A router of the project blue between a network and nothing, and short ways to its firewalls."""

    world: World
    router: str
    subnet: str
    port: str

    def make(self, kind: str, token: str = "blue", **fields: Any) -> Any:
        reply = self.world.ask("POST", f"/v2.0/fwaas/{plural(kind)}", {kind: fields}, token)
        assert reply.status == 201, reply
        return reply.json[kind]

    def change(self, kind: str, id: str, token: str = "blue", **fields: Any) -> Any:
        reply = self.world.ask("PUT", f"/v2.0/fwaas/{plural(kind)}/{id}", {kind: fields}, token)
        assert reply.status == 200, reply
        return reply.json[kind]

    def show(self, kind: str, id: str, token: str = "blue") -> Any:
        return self.world.get(f"fwaas/{plural(kind)}/{id}", token)[kind]

    def remove(self, kind: str, id: str, token: str = "blue") -> None:
        assert self.world.ask("DELETE", f"/v2.0/fwaas/{plural(kind)}/{id}", token=token).status == 204

    def act(self, policy: str, action: str, **fields: Any) -> Any:
        reply = self.world.ask("PUT", f"/v2.0/fwaas/firewall_policies/{policy}/{action}", fields)
        assert reply.status == 200, reply
        return reply.json

    def refused(self, method: str, path: str, body: Any = None, token: str = "blue") -> tuple[int, str]:
        return self.world.refused(method, f"fwaas/{path}", body, token)


def plural(kind: str) -> str:
    return kind.removesuffix("y") + "ies" if kind.endswith("y") else f"{kind}s"


@pytest.fixture
def scene(world: World) -> Scene:
    network = world.make("network")["id"]
    subnet = world.make("subnet", network_id=network, cidr="10.0.0.0/24", ip_version=4)["id"]
    router = world.make("router")["id"]
    reply = world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    return Scene(world, router, subnet, reply.json["port_id"])


def test_the_life_of_a_firewall(scene: Scene) -> None:
    rule = scene.make(
        "firewall_rule", protocol="TCP", destination_port=80, action="Allow", source_ip_address="10.0.0.1"
    )
    assert (rule["protocol"], rule["destination_port"], rule["action"], rule["ip_version"]) == ("tcp", "80", "allow", 4)
    assert (rule["enabled"], rule["shared"], rule["firewall_policy_id"]) == (True, False, None)
    policy = scene.make("firewall_policy", name="web", firewall_rules=[rule["id"]])
    assert (policy["firewall_rules"], policy["audited"], policy["shared"]) == ([rule["id"]], False, False)
    assert scene.show("firewall_rule", rule["id"])["firewall_policy_id"] == [policy["id"]]
    group = scene.make("firewall_group", ingress_firewall_policy_id=policy["id"], ports=[scene.port])
    assert (group["status"], group["ports"], group["egress_firewall_policy_id"]) == ("ACTIVE", [scene.port], None)
    assert scene.change("firewall_group", group["id"], admin_state_up=False)["status"] == "DOWN"
    assert scene.refused("DELETE", f"firewall_rules/{rule['id']}") == (409, "FirewallRuleInUse")
    assert scene.refused("DELETE", f"firewall_policies/{policy['id']}") == (409, "FirewallPolicyInUse")
    assert scene.refused("DELETE", f"firewall_groups/{group['id']}") == (409, "FirewallGroupInUse")
    assert scene.change("firewall_group", group["id"], ports=[], admin_state_up=True)["status"] == "INACTIVE"
    scene.remove("firewall_group", group["id"])
    scene.remove("firewall_policy", policy["id"])
    scene.remove("firewall_rule", rule["id"])
    assert scene.refused("GET", f"firewall_groups/{group['id']}") == (404, "FirewallGroupNotFound")
    assert scene.refused("GET", f"firewall_policies/{policy['id']}") == (404, "FirewallPolicyNotFound")
    assert scene.refused("GET", f"firewall_rules/{rule['id']}") == (404, "FirewallRuleNotFound")


def test_rules_in_their_order(scene: Scene) -> None:
    a, b, c, d = (scene.make("firewall_rule", name=name)["id"] for name in "abcd")
    policy = scene.make("firewall_policy", firewall_rules=[a], audited=True)["id"]
    assert scene.act(policy, "insert_rule", firewall_rule_id=b)["firewall_rules"] == [b, a]
    assert scene.act(policy, "insert_rule", firewall_rule_id=c, insert_after=b)["firewall_rules"] == [b, c, a]
    changed = scene.act(policy, "insert_rule", firewall_rule_id=d, insert_before=a, insert_after="")
    assert (changed["firewall_rules"], changed["audited"]) == ([b, c, d, a], False)
    assert scene.act(policy, "remove_rule", firewall_rule_id=c)["firewall_rules"] == [b, d, a]
    assert scene.change("firewall_policy", policy, firewall_rules=[a, b], audited=True)["audited"]
    scene.change("firewall_rule", a, action="allow")
    assert not scene.show("firewall_policy", policy)["audited"], "one of its rules has changed"
    insert, remove = f"firewall_policies/{policy}/insert_rule", f"firewall_policies/{policy}/remove_rule"
    for path, body, error in (
        (insert, {}, (400, "FirewallRuleInfoMissing")),
        (insert, {"firewall_rule_id": a}, (409, "FirewallRuleAlreadyAssociated")),
        (insert, {"firewall_rule_id": NONE}, (404, "FirewallRuleNotFound")),
        (insert, {"firewall_rule_id": c, "insert_after": d}, (400, "FirewallRuleNotAssociatedWithPolicy")),
        (remove, {"firewall_rule_id": c}, (400, "FirewallRuleNotAssociatedWithPolicy")),
        (remove, {"rule": c}, (400, "InvalidInput")),
    ):
        assert scene.refused("PUT", path, body) == error, body


def test_the_group_that_comes_with_a_project(scene: Scene) -> None:
    [group] = scene.world.get("fwaas/firewall_groups")["firewall_groups"]
    assert (group["name"], group["status"], group["ports"]) == ("default", "INACTIVE", [])
    ingress = scene.show("firewall_policy", group["ingress_firewall_policy_id"])
    egress = scene.show("firewall_policy", group["egress_firewall_policy_id"])
    assert (ingress["name"], egress["name"]) == ("default ingress", "default egress")
    for policy, action in ((ingress, "deny"), (egress, "allow")):
        rules = [scene.show("firewall_rule", id) for id in policy["firewall_rules"]]
        assert [(rule["ip_version"], rule["action"]) for rule in rules] == [(4, action), (6, action)]
    assert scene.change("firewall_group", group["id"], ports=[scene.port])["status"] == "ACTIVE"
    scene.change("firewall_group", group["id"], ports=[])
    path, restricted = f"firewall_groups/{group['id']}", (409, "FirewallDefaultObjectUpdateRestricted")
    assert scene.refused("PUT", path, {"firewall_group": {"name": "mine"}}) == restricted
    assert scene.refused("PUT", path, {"firewall_group": {"admin_state_up": False}}) == restricted
    assert scene.refused("PUT", path, {"firewall_group": {"name": "mine"}}, "admin") == restricted
    policy_path = f"firewall_policies/{ingress['id']}"
    assert scene.refused("PUT", policy_path, {"firewall_policy": {"firewall_rules": []}}) == restricted
    assert scene.refused("DELETE", path) == (409, "FirewallGroupCannotRemoveDefault")
    before = scene.world.counts()
    scene.remove("firewall_group", group["id"], "admin")
    gone = {"firewall_group": 1, "firewall_policy": 2, "firewall_rule": 4}
    assert {kind: before[kind] - scene.world.counts().get(kind, 0) for kind in gone} == gone


def test_an_interface_that_goes_leaves_its_group(scene: Scene) -> None:
    policy = scene.make("firewall_policy")["id"]
    group = scene.make("firewall_group", egress_firewall_policy_id=policy, ports=[scene.port])["id"]
    path = f"/v2.0/routers/{scene.router}/remove_router_interface"
    assert scene.world.ask("PUT", path, {"subnet_id": scene.subnet}).status == 200
    left = scene.show("firewall_group", group)
    assert (left["ports"], left["status"]) == ([], "INACTIVE")


def test_what_is_shared_is_seen_and_used_but_not_changed_by_others(scene: Scene) -> None:
    rule = scene.make("firewall_rule", "admin", shared=True)["id"]
    policy = scene.make("firewall_policy", "admin", shared=True, firewall_rules=[rule])["id"]
    group = scene.make("firewall_group", ingress_firewall_policy_id=policy)["id"]
    assert policy in [one["id"] for one in scene.world.get("fwaas/firewall_policies")["firewall_policies"]]
    assert scene.show("firewall_rule", rule)["id"] == rule
    body: Any = {"firewall_policy": {"name": "mine"}}
    assert scene.refused("PUT", f"firewall_policies/{policy}", body) == (403, "PolicyNotAuthorized")
    body = {"firewall_policy": {"shared": False}}
    assert scene.refused("PUT", f"firewall_policies/{policy}", body, "admin") == (409, "FirewallPolicyInUse")
    body = {"firewall_rule": {"shared": False}}
    assert scene.refused("PUT", f"firewall_rules/{rule}", body, "admin") == (409, "FirewallRuleInUse")
    scene.remove("firewall_group", group)


RULES: list[tuple[dict[str, Any], int, str]] = [
    ({"protocol": "gre"}, 400, "InvalidInput"),
    ({"action": "perhaps"}, 400, "InvalidInput"),
    ({"ip_version": 5}, 400, "InvalidInput"),
    ({"enabled": "perhaps"}, 400, "InvalidInput"),
    ({"source_ip_address": "somewhere"}, 400, "InvalidInput"),
    ({"source_ip_address": "fd00::1"}, 400, "FirewallIpAddressConflict"),
    ({"source_ip_address": "fe80::1%eth0", "ip_version": 6}, 400, "InvalidInput"),
    ({"source_ip_address": "::ffff:10.0.0.1", "ip_version": 6}, 400, "InvalidInput"),
    ({"destination_ip_address": "::ffff:0:0/96", "ip_version": 6}, 400, "InvalidInput"),
    ({"destination_ip_address": "10.0.0.0/8", "ip_version": 6}, 400, "FirewallIpAddressConflict"),
    ({"destination_port": "80"}, 400, "FirewallRuleWithPortWithoutProtocolInvalid"),
    ({"destination_port": "80", "protocol": "icmp"}, 400, "FirewallRuleInvalidICMPParameter"),
    ({"destination_port": "90:80", "protocol": "tcp"}, 400, "FirewallRuleInvalidPortValue"),
    ({"destination_port": "http", "protocol": "tcp"}, 400, "InvalidInput"),
    ({"source_port": "1:2:3", "protocol": "tcp"}, 400, "InvalidInput"),
    ({"source_port": 65_536, "protocol": "tcp"}, 400, "InvalidInput"),
    ({"shared": True}, 403, "PolicyNotAuthorized"),
    ({"firewall_policy_id": NONE}, 400, "HTTPBadRequest"),
    ({"unknown": 1}, 400, "HTTPBadRequest"),
]


@pytest.mark.parametrize(("fields", "status", "type"), RULES)
def test_bad_rules(scene: Scene, fields: dict[str, Any], status: int, type: str) -> None:
    assert scene.refused("POST", "firewall_rules", {"firewall_rule": fields}) == (status, type)
    rule = scene.make("firewall_rule")["id"]
    assert scene.refused("PUT", f"firewall_rules/{rule}", {"firewall_rule": fields}) == (status, type)


def test_bad_policies(scene: Scene) -> None:
    own, theirs = scene.make("firewall_rule")["id"], scene.make("firewall_rule", "red")["id"]
    for fields, token, error in (
        ({"firewall_rules": [NONE]}, "blue", (404, "FirewallRuleNotFound")),
        ({"firewall_rules": [theirs]}, "blue", (404, "FirewallRuleNotFound")),
        ({"firewall_rules": [own, own]}, "blue", (409, "FirewallRuleAlreadyAssociated")),
        ({"firewall_rules": [own]}, "admin", (409, "FirewallRuleConflict")),
        ({"firewall_rules": [NONE] * 201}, "blue", (400, "InvalidInput")),
        ({"name": "default egress"}, "blue", (409, "FirewallDefaultParameterExists")),
        ({"shared": True}, "blue", (403, "PolicyNotAuthorized")),
        (
            {"firewall_rules": [own], "shared": True, "project_id": "blue"},
            "admin",
            (404, "FirewallRuleSharingConflict"),
        ),
    ):
        assert scene.refused("POST", "firewall_policies", {"firewall_policy": fields}, token) == error, fields
    policy = scene.make("firewall_policy", firewall_rules=[own])["id"]
    body = {"firewall_policy": {"shared": True}}
    assert scene.refused("PUT", f"firewall_policies/{policy}", body, "admin") == (409, "FirewallPolicySharingConflict")


def test_bad_groups(scene: Scene) -> None:
    world = scene.world
    network = world.get("networks")["networks"][0]["id"]
    machine = world.make("port", network_id=network, device_owner="compute:nova")["id"]
    plain = world.make("port", network_id=network)["id"]
    theirs = scene.make("firewall_policy", "red")["id"]
    scene.make("firewall_group", ports=[scene.port])
    for fields, token, error in (
        ({"name": "default"}, "blue", (409, "FirewallDefaultParameterExists")),
        ({"ingress_firewall_policy_id": NONE}, "blue", (404, "FirewallPolicyNotFound")),
        ({"egress_firewall_policy_id": theirs}, "blue", (404, "FirewallPolicyNotFound")),
        ({"egress_firewall_policy_id": theirs}, "admin", (404, "FirewallPolicyConflict")),
        ({"ports": [NONE]}, "blue", (404, "PortNotFound")),
        ({"ports": [machine]}, "blue", (409, "FirewallGroupPortNotSupported")),
        ({"ports": [plain]}, "blue", (409, "FirewallGroupPortInvalid")),
        ({"ports": [scene.port]}, "admin", (409, "FirewallGroupPortInvalidProject")),
        ({"ports": [scene.port]}, "blue", (409, "FirewallGroupPortInUse")),
        ({"shared": True}, "blue", (403, "PolicyNotAuthorized")),
        ({"status": "ACTIVE"}, "blue", (400, "HTTPBadRequest")),
        ({"ports": "all"}, "blue", (400, "InvalidInput")),
    ):
        assert scene.refused("POST", "firewall_groups", {"firewall_group": fields}, token) == error, fields


def test_it_is_advertised(world: World) -> None:
    assert "fwaas_v2" in {one["alias"] for one in world.get("extensions")["extensions"]}
    assert {"firewall_rules", "firewall_policies", "firewall_groups"} <= {
        one["collection"] for one in world.get("")["resources"]
    }
