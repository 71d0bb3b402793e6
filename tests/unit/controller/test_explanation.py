"""Which rules came closest, and what they missed by."""

from typing import Any

import pytest
from msgspec.structs import replace

from netplane.controller.explanation import closest, summary
from netplane.model import AddressGroup, SecurityGroupRule
from tests.unit.agent.decisions.decision import ONE

LISTS = {"list": AddressGroup(id="list", addresses=("192.0.2.0/24",))}


def rule(id: str = "r", **fields: Any) -> SecurityGroupRule:
    return SecurityGroupRule(**{"id": id, "security_group_id": "group", "direction": "ingress"} | fields)


@pytest.mark.parametrize(
    ("fields", "misses"),
    [
        ({}, []),
        ({"protocol": "udp"}, ["it is for udp, not tcp"]),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 90}, ["it is for ports 80 to 90, not port 22"]),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}, ["it is for port 80, not port 22"]),
        ({"protocol": "6", "port_range_min": 1, "port_range_max": 22}, []),
        ({"remote_ip_prefix": "192.0.2.0/24"}, ["it is for 192.0.2.0/24, and 10.0.0.5 is not in it"]),
        ({"remote_ip_prefix": "10.0.0.0/8"}, []),
        ({"remote_group_id": "mine"}, ["it is for members of group mine, and 10.0.0.5 is none"]),
        ({"remote_group_id": "other"}, []),
        ({"remote_address_group_id": "list"}, ["it is for address group list, and 10.0.0.5 is not in it"]),
        (
            {"protocol": "icmp", "remote_group_id": "mine"},
            ["it is for icmp, not tcp", "it is for members of group mine, and 10.0.0.5 is none"],
        ),
    ],
)
def test_misses(fields: dict[str, Any], misses: list[str]) -> None:
    [near] = closest(ONE, [rule(**fields)], LISTS)
    assert list(near.misses) == misses


def test_types_of_icmp() -> None:
    ping = replace(ONE, protocol=1, source_port=0, destination_port=8 << 8)
    [near] = closest(ping, [rule(protocol="icmp", port_range_min=3, port_range_max=4)], {})
    assert near.misses == ("it is for type 3 code 4, not type 8 code 0",)
    [near] = closest(ping, [rule(protocol="icmp", port_range_min=8)], {})
    assert near.misses == ()


def test_the_closest_come_first_and_others_are_not_asked() -> None:
    rules = [
        rule("far", protocol="udp", remote_group_id="mine"),
        rule("near", remote_group_id="mine"),
        rule("out", direction="egress"),
        rule("six", ethertype="IPv6"),
    ]
    assert [near.rule.id for near in closest(ONE, rules, {})] == ["near", "far"]


def test_in_one_sentence() -> None:
    near = closest(ONE, [rule(protocol="udp")], {})
    assert summary(ONE, near) == "no ingress rule of its groups allows it; the closest: it is for udp, not tcp"
    assert summary(ONE, closest(ONE, [rule()], {})) == "rule r allows it now; none did then"
    assert summary(ONE, []) == "none of its 1 groups has an ingress rule of this IP version"
    assert summary(replace(ONE, security_groups=()), []) == "the port is in no security group, so nothing is allowed"
    assert summary(replace(ONE, reason="REVOKED", text="it is over"), []) == "it is over"
