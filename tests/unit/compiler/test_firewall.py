"""Firewalls on routers' ports: numbers made of rules, and walls that make no sense."""

import pytest
from msgspec.structs import replace

from netplane.compiler import Compiler, compile_slice
from netplane.compiler.firewall import guarded
from netplane.model import ROUTER_INTERFACE, FixedIP, Network, Port, Record, Router, Subnet, Wall, WallRule
from netplane.tables.decisions import Limit
from netplane.tables.pipeline import FIREWALL, GATEWAY, ROUTE

RULE = WallRule(id="0badcafe-0000", action="allow", ip_version=4)
WALL = Wall(id="port", ingress=(RULE,), egress=())
PORT = Port(
    id="port",
    network_id="net",
    mac_address="02:00:00:00:00:01",
    fixed_ips=(FixedIP("sub", "10.0.0.1"),),
    device_id="router",
    device_owner=ROUTER_INTERFACE,
)
SLICE: tuple[Record, ...] = (
    Network(id="net", vni=7),
    Subnet(id="sub", network_id="net", cidr="10.0.0.0/24"),
    Router(id="router", number=5),
    PORT,
)


def numbers(*records: Record) -> set[int]:
    """By what numbers gateways and routes speak of firewalls."""
    tables = compile_slice(records)
    values = [GATEWAY.unpack_value(value) for value in tables["gateway"].values()]
    values += [ROUTE.unpack_value(value) for value in tables["route"].values()]
    return {value["firewall"] for value in values}


def test_where_there_is_none() -> None:
    assert numbers(*SLICE) == {0}
    assert compile_slice(SLICE)["firewall"] == {}


def test_gateway_and_route_name_it() -> None:
    assert numbers(*SLICE, WALL) == {guarded(WALL)} != {0}
    [key] = compile_slice([*SLICE, WALL])["firewall"]
    assert FIREWALL.unpack_key(key) == {"firewall": guarded(WALL), "direction": 1, "index": 0}


def test_other_rules_have_another_number_and_the_same_rules_the_same() -> None:
    others = [
        replace(WALL, ingress=(replace(RULE, action="deny"),)),
        replace(WALL, ingress=(RULE, RULE)),
        replace(WALL, ingress=(), egress=(RULE,)),
        replace(WALL, ingress=()),
    ]
    assert len({guarded(wall) for wall in (WALL, *others)}) == 5
    assert guarded(replace(WALL, id="elsewhere")) == guarded(WALL)
    assert 0 not in {guarded(wall) for wall in others}, "a wall without rules lets nothing pass"


@pytest.mark.parametrize(
    "rule",
    [
        replace(RULE, action="perhaps"),
        replace(RULE, ip_version=5),
        replace(RULE, source="somewhere"),
        replace(RULE, protocol="nonsense"),
        replace(RULE, destination_port="http"),
    ],
)
def test_a_wall_that_makes_no_sense_lets_nothing_pass(rule: WallRule) -> None:
    wall = replace(WALL, ingress=(RULE, rule))
    assert numbers(*SLICE, wall) == {guarded(replace(WALL, ingress=()))}
    compiler = Compiler()
    compiler.load([*SLICE, wall])
    assert [(problem.kind, problem.id) for problem in compiler.problems] == [("wall", "port")]
    assert compiler.desired["firewall"] == {}


def test_too_many_rules() -> None:
    assert compile_slice([replace(WALL, ingress=(RULE,) * (Limit.FIREWALL_RULES + 1))])["firewall"] == {}
