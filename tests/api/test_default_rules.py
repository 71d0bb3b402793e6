"""Default security group rules: what new groups begin with."""

from typing import Any

import pytest

from tests.api.support import World

Json = dict[str, Any]


def said(rule: Json) -> tuple[Any, ...]:
    return rule["direction"], rule["ethertype"], rule["protocol"], rule["port_range_min"], rule["remote_group_id"]


def templates(world: World, query: str = "", token: str = "admin") -> list[Json]:
    found: list[Json] = world.get(f"default-security-group-rules{query}", token)["default_security_group_rules"]
    return found


def rules_of_default(world: World, token: str) -> tuple[str, set[Any]]:
    [group] = world.get("security-groups?name=default", token)["security_groups"]
    return group["id"], {said(rule) for rule in group["security_group_rules"]}


EGRESS = {("egress", "IPv4", None, None, None), ("egress", "IPv6", None, None, None)}


def test_the_first_templates(world: World) -> None:
    id, rules = rules_of_default(world, "blue")
    assert rules == EGRESS | {("ingress", "IPv4", None, None, id), ("ingress", "IPv6", None, None, id)}
    assert "seed" not in world.counts()
    shown = templates(world, token="red")
    assert {(*said(rule), rule["used_in_default_sg"], rule["used_in_non_default_sg"]) for rule in shown} == {
        *((*rule, True, True) for rule in EGRESS),
        *((("ingress", kind, None, None, "PARENT", True, False)) for kind in ("IPv4", "IPv6")),
    }
    assert templates(world) == shown
    assert len(templates(world, "?used_in_non_default_sg=True")) == 2
    id, rules = rules_of_default(world, "red")
    assert rules == EGRESS | {("ingress", "IPv4", None, None, id), ("ingress", "IPv6", None, None, id)}
    other = world.make("security_group", name="web")
    assert {said(rule) for rule in other["security_group_rules"]} == EGRESS


def test_others(world: World) -> None:
    fields = {"direction": "ingress", "protocol": "TCP", "port_range_min": 22, "port_range_max": 22}
    ssh = world.make("default_security_group_rule", "admin", description="ssh", **fields)
    assert (ssh["used_in_default_sg"], ssh["used_in_non_default_sg"], ssh["protocol"]) == (False, True, "tcp")
    assert world.get(f"default-security-group-rules/{ssh['id']}")["default_security_group_rule"] == ssh
    web = world.make("security_group", name="web")
    assert ("ingress", "IPv4", "tcp", 22, None) in {said(rule) for rule in web["security_group_rules"]}
    assert len(rules_of_default(world, "blue")[1]) == 4
    for rule in templates(world):
        world.remove("default_security_group_rule", rule["id"], "admin")
    assert templates(world) == []
    assert world.make("security_group", name="closed")["security_group_rules"] == []
    assert rules_of_default(world, "red")[1] == set()
    assert len(world.get(f"security-group-rules?security_group_id={web['id']}")["security_group_rules"]) == 3


def test_what_says_the_same(world: World) -> None:
    def make(**fields: Any) -> Any:
        body = {"direction": "ingress", "protocol": "udp", "port_range_min": 53, "port_range_max": 53, **fields}
        return world.ask("POST", "/v2.0/default-security-group-rules", {"default_security_group_rule": body}, "admin")

    first = make()
    assert first.status == 201
    again = make(protocol=17, used_in_default_sg=True, description="the same")
    assert again.error == (409, "DefaultSecurityGroupRuleExists")
    assert first.json["default_security_group_rule"]["id"] in again.json["NeutronError"]["message"]
    assert make(used_in_default_sg=True, used_in_non_default_sg=False).status == 201
    assert make(used_in_default_sg=True, used_in_non_default_sg=False).error[0] == 409
    assert make(remote_group_id="PARENT").status == 201


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"direction": "sideways"}, (400, "InvalidInput")),
        ({"direction": "ingress", "ethertype": "IPX"}, (400, "InvalidInput")),
        ({"direction": "ingress", "port_range_min": 80}, (400, "SecurityGroupProtocolRequiredWithPorts")),
        ({"direction": "ingress", "protocol": "tcp", "port_range_min": 9}, (400, "SecurityGroupInvalidPortRange")),
        ({"direction": "ingress", "remote_ip_prefix": "ten"}, (400, "InvalidInput")),
        (
            {"direction": "ingress", "remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "PARENT"},
            (400, "SecurityGroupRemoteGroupAndRemoteIpPrefix"),
        ),
        ({"direction": "ingress", "remote_group_id": "none"}, (404, "SecurityGroupNotFound")),
        ({"direction": "ingress", "remote_address_group_id": "none"}, (404, "AddressGroupNotFound")),
        ({}, (400, "HTTPBadRequest")),
        ({"direction": "ingress", "security_group_id": "x"}, (400, "HTTPBadRequest")),
    ],
)
def test_what_makes_no_sense(world: World, fields: Json, error: tuple[int, str]) -> None:
    body = {"default_security_group_rule": fields}
    assert world.refused("POST", "default-security-group-rules", body, "admin") == error


def test_only_administrators_change_them(world: World) -> None:
    body = {"default_security_group_rule": {"direction": "ingress"}}
    assert world.refused("POST", "default-security-group-rules", body) == (403, "PolicyNotAuthorized")
    path = f"default-security-group-rules/{templates(world)[0]['id']}"
    assert world.refused("DELETE", path) == (403, "PolicyNotAuthorized")
    assert world.refused("PUT", path, {"default_security_group_rule": {"description": "mine"}})[0] == 403


def test_groups_that_templates_name(world: World) -> None:
    group, addresses = world.make("security_group", name="jump"), world.make("address_group", addresses=["10.0.0.0/8"])
    for fields in ({"remote_group_id": group["id"]}, {"remote_address_group_id": addresses["id"]}):
        world.make("default_security_group_rule", "admin", direction="ingress", **fields)
    web = world.make("security_group", name="web")["security_group_rules"]
    assert {group["id"]} == {rule["remote_group_id"] for rule in web} - {None}
    assert {addresses["id"]} == {rule["remote_address_group_id"] for rule in web} - {None}
    assert world.refused("DELETE", f"address-groups/{addresses['id']}") == (409, "AddressGroupInUse")
    world.remove("security_group", group["id"])
    assert len(templates(world)) == 5
