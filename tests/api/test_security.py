"""Security groups and rules."""

from typing import Any

import pytest

from netplane.base.protocols import PROTOCOLS
from netplane.model import Identity, Port
from tests.api.support import Json, World


def says(rule: Json, group: str) -> tuple[str, str, bool]:
    return rule["direction"], rule["ethertype"], rule["remote_group_id"] == group


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "security-groups", None),
        ("POST", "networks", {"network": {}}),
        ("POST", "security-groups", {"security_group": {"name": "web"}}),
    ],
)
def test_a_project_gets_its_default_group(world: World, method: str, path: str, body: Any) -> None:
    assert world.ask(method, f"/v2.0/{path}", body).status in (200, 201)
    groups = world.get("security-groups?name=default")["security_groups"]
    assert [group["project_id"] for group in groups] == ["blue"]
    group = groups[0]
    assert {says(rule, group["id"]) for rule in group["security_group_rules"]} == {
        ("egress", "IPv4", False),
        ("egress", "IPv6", False),
        ("ingress", "IPv4", True),
        ("ingress", "IPv6", True),
    }
    assert len(group["security_group_rules"]) == 4


def test_an_administrator_who_looks_around_makes_nothing(world: World) -> None:
    assert world.get("security-groups", "admin") == {"security_groups": []}
    assert world.store.revision == 0


def test_the_default_group_stays_until_an_administrator_removes_it(world: World) -> None:
    group = world.get("security-groups")["security_groups"][0]["id"]
    assert world.refused("DELETE", f"security-groups/{group}") == (409, "SecurityGroupCannotRemoveDefault")
    rename = {"security_group": {"name": "other"}}
    assert world.refused("PUT", f"security-groups/{group}", rename) == (409, "SecurityGroupCannotUpdateDefault")
    assert world.change("security_group", group, description="ours")["description"] == "ours"
    world.remove("security_group", group, "admin")
    assert world.counts() == {}


def test_a_group_lets_everything_out(world: World) -> None:
    group = world.make("security_group", name="web")
    assert (group["name"], group["stateful"], group["shared"]) == ("web", True, False)
    assert {says(rule, "") for rule in group["security_group_rules"]} == {
        ("egress", "IPv4", False),
        ("egress", "IPv6", False),
    }


def test_a_stateless_group(world: World) -> None:
    group = world.make("security_group", name="quick", stateful=False)
    assert group["stateful"] is False
    assert world.change("security_group", group["id"], stateful="true")["stateful"] is True
    assert world.change("security_group", group["id"], stateful=False)["stateful"] is False
    bad = {"security_group": {"stateful": "perhaps"}}
    assert world.refused("PUT", f"security-groups/{group['id']}", bad)[0] == 400
    aliases = {extension["alias"] for extension in world.get("extensions")["extensions"]}
    assert "stateful-security-group" in aliases


def test_a_group_in_use_stays_stateful_or_stateless(world: World) -> None:
    group = world.make("security_group", name="quick", stateful=False)["id"]
    network = world.make("network")["id"]
    port = world.make("port", network_id=network, security_groups=[group])["id"]
    change = {"security_group": {"stateful": True}}
    assert world.refused("PUT", f"security-groups/{group}", change) == (409, "SecurityGroupInUse")
    same = world.change("security_group", group, stateful=False, name="quicker")
    assert (same["stateful"], same["name"]) == (False, "quicker")
    world.remove("port", port)
    assert world.change("security_group", group, stateful=True)["stateful"] is True


@pytest.mark.parametrize(
    ("kept", "stateless"), [((False,), True), ((False, False), True), ((True,), False), ((False, True), False)]
)
def test_one_stateful_group_keeps_connections_for_the_whole_port(
    world: World, kept: tuple[bool, ...], stateless: bool
) -> None:
    groups = [world.make("security_group", name="web", stateful=stateful)["id"] for stateful in kept]
    port = world.make("port", network_id=world.make("network")["id"], security_groups=groups)["id"]
    with world.store.read() as reader:
        found = reader.get(Port, port)
        assert found is not None
        identity = reader.get(Identity, found.identity_id)
    assert identity is not None
    assert identity.stateless is stateless


RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"ethertype": "IPv4", "protocol": None, "remote_ip_prefix": None, "port_range_min": None}),
    ({"protocol": "any"}, {"protocol": None}),
    ({"protocol": "TCP", "port_range_min": 1, "port_range_max": 65535}, {"protocol": "tcp", "port_range_max": 65535}),
    ({"protocol": "tcp", "port_range_min": "22", "port_range_max": "22"}, {"port_range_min": 22}),
    ({"protocol": "47"}, {"protocol": "47"}),
    ({"protocol": "vrrp"}, {"protocol": "vrrp"}),
    ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, {"port_range_min": 8, "port_range_max": 0}),
    ({"protocol": "icmp", "port_range_min": 8}, {"port_range_max": None}),
    ({"remote_ip_prefix": "10.0.0.1/8"}, {"remote_ip_prefix": "10.0.0.0/8"}),
    ({"remote_ip_prefix": "10.0.0.1"}, {"remote_ip_prefix": "10.0.0.1/32"}),
    ({"protocol": "0"}, {"protocol": "0"}),
    ({"protocol": "hopopt"}, {"protocol": "hopopt"}),
    ({"protocol": "ICMP"}, {"protocol": "icmp"}),
    ({"protocol": 6, "port_range_min": 5, "port_range_max": 5}, {"protocol": "6"}),
    ({"protocol": "132", "port_range_min": 5, "port_range_max": 5}, {"protocol": "132", "port_range_max": 5}),
    ({"protocol": "udplite", "port_range_min": 5, "port_range_max": 6}, {"port_range_min": 5, "port_range_max": 6}),
    ({"protocol": "1", "port_range_min": 255, "port_range_max": 255}, {"protocol": "1", "port_range_max": 255}),
    ({"ethertype": "ipv4"}, {"ethertype": "IPv4"}),
    ({"ethertype": "IPv6", "protocol": "icmp"}, {"protocol": "ipv6-icmp"}),
    ({"ethertype": "IPv6", "protocol": "icmpv6", "port_range_min": 128}, {"protocol": "ipv6-icmp"}),
    ({"ethertype": "IPv6", "protocol": "1"}, {"protocol": "58"}),
    ({"ethertype": "IPv6", "protocol": "ipv6-route"}, {"protocol": "ipv6-route"}),
    ({"ethertype": "IPv6", "remote_ip_prefix": "fd00::/8"}, {"ethertype": "IPv6", "remote_ip_prefix": "fd00::/8"}),
]


@pytest.mark.parametrize(("asked", "got"), RULES)
def test_rules(world: World, asked: dict[str, Any], got: dict[str, Any]) -> None:
    group = world.make("security_group", name="web")["id"]
    rule = world.make("security_group_rule", security_group_id=group, direction="ingress", **asked)
    assert {name: rule[name] for name in got} == got
    assert rule["project_id"] == "blue"
    assert world.get(f"security-group-rules/{rule['id']}")["security_group_rule"] == rule
    again = {"security_group_rule": {"security_group_id": group, "direction": "ingress"} | asked}
    assert world.refused("POST", "security-group-rules", again) == (409, "SecurityGroupRuleExists")
    assert world.change("security_group_rule", rule["id"], description="why")["description"] == "why"
    world.remove("security_group_rule", rule["id"])
    assert world.ask("POST", "/v2.0/security-group-rules", again).status == 201


@pytest.mark.parametrize("ethertype", ["IPv4", "IPv6"])
def test_every_protocol_has_its_name_and_its_number(world: World, ethertype: str) -> None:
    """A name and its number say the same; what only IPv6 has makes no sense in rules about IPv4."""
    group = world.make("security_group", name="web")["id"]
    for name, number in PROTOCOLS.items():
        asked = {"security_group_id": group, "direction": "ingress", "ethertype": ethertype}
        bodies = [{"security_group_rule": asked | {"protocol": text}} for text in (name, name.upper(), str(number))]
        if ethertype == "IPv4" and number in (41, 43, 44, 58, 59, 60):
            for body in bodies:
                assert world.refused("POST", "security-group-rules", body) == (
                    400,
                    "SecurityGroupEthertypeConflictWithProtocol",
                )
            continue
        rule = world.ask("POST", "/v2.0/security-group-rules", bodies[0]).json["security_group_rule"]
        kept = "ipv6-icmp" if ethertype == "IPv6" and number in (1, 58) else name
        assert rule["protocol"] == kept
        for body in bodies:
            assert world.refused("POST", "security-group-rules", body) == (409, "SecurityGroupRuleExists")
        world.remove("security_group_rule", rule["id"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"remote_ip_prefix": "0.0.0.0/0"}),
        ({}, {"protocol": "any"}),
        ({"protocol": "ip"}, {"protocol": "0"}),
        ({"protocol": "tcp"}, {"protocol": "6"}),
        ({"protocol": "006"}, {"protocol": "6"}),
        ({"ethertype": "IPv6", "protocol": "icmpv6"}, {"ethertype": "IPv6", "protocol": "58"}),
    ],
)
def test_the_same_in_other_words(world: World, one: dict[str, Any], other: dict[str, Any]) -> None:
    group = world.make("security_group", name="web")["id"]
    same = {"security_group_id": group, "direction": "ingress"}
    world.make("security_group_rule", **same, **one)
    body = {"security_group_rule": same | other}
    assert world.refused("POST", "security-group-rules", body) == (409, "SecurityGroupRuleExists")


def test_rules_go_with_the_group_that_they_name(world: World) -> None:
    web, db = world.make("security_group", name="web")["id"], world.make("security_group", name="db")["id"]
    rule = world.make("security_group_rule", security_group_id=db, direction="ingress", remote_group_id=web)["id"]
    world.remove("security_group", web)
    assert world.refused("GET", f"security-group-rules/{rule}") == (404, "SecurityGroupRuleNotFound")
    assert len(world.get(f"security-group-rules?security_group_id={db}")["security_group_rules"]) == 2
