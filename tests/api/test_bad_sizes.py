"""What is refused since it is too long, too deep or would cost too much, and texts that a database does not take."""

import tracemalloc
from typing import Any

import pytest

from netplane.api.bodies import LIST_LIMIT
from netplane.api.rules.ranges import MOST_POOLS
from netplane.model import ADDRESS_LIMIT, MOST_ROUTES
from tests.api.place import Place
from tests.api.support import World


def test_bodies_that_are_too_long(world: World) -> None:
    body = b'{"network": {"name": "' + b"x" * (8 * 1024 * 1024) + b'"}}'
    assert world.refused("POST", "networks", body) == (413, "HTTPRequestEntityTooLarge")


def test_lists_that_are_too_long(world: World) -> None:
    reply = world.ask("POST", "/v2.0/address-scopes", {"address_scopes": [{"ip_version": 4}] * (LIST_LIMIT + 1)})
    assert reply.error == (400, "HTTPBadRequest")
    assert str(LIST_LIMIT) in reply.json["NeutronError"]["message"]
    assert world.counts() == {}


HEAVY = {
    "ports": ('{"ports":[', "{}", "]}"),
    "addresses": ('{"ports":[{"fixed_ips":[', "{}", "]}]}"),
    "texts": ('{"ports":[{"security_groups":[', '"a"', "]}]}"),
    "numbers": ('{"ports":[{"binding:profile":{"a":[', "[]", "]}}]}"),
}
"""What stands before, again and again, and after."""


@pytest.mark.parametrize("what", HEAVY)
def test_bodies_that_are_heavier_than_they_look(world: World, what: str) -> None:
    """They are refused by what they have, before anything is made of it."""
    before, item, after = HEAVY[what]
    body = (before + ",".join([item] * (7_000_000 // (len(item) + 1))) + after).encode()
    world.get("ports")
    tracemalloc.start()
    reply = world.ask("POST", "/v2.0/ports", body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reply.error == (413, "HTTPRequestEntityTooLarge")
    assert peak < 3 * len(body)


def test_bodies_of_many_values(world: World) -> None:
    """What a list may have, with what each of its resources may, is not too many."""
    world.lift_quota("subnetpool")
    pools = [
        {
            "name": f"p{number}",
            "prefixes": [f"10.{number >> 8}.{number & 255}.{part}/32" for part in range(0, 40, 2)],
            "description": "a, " * 10,
        }
        for number in range(1000)
    ]
    assert world.ask("POST", "/v2.0/subnetpools", {"subnetpools": pools}).status == 201


def test_lists_that_are_too_long_for_what_they_are_in(world: World, place: Place) -> None:
    pools = [{"start": f"2001:db8::{n:x}:1", "end": f"2001:db8::{n:x}:2"} for n in range(MOST_POOLS + 1)]
    subnet = {"network_id": place.network, "cidr": "2001:db8::/64", "ip_version": 6, "allocation_pools": pools}
    assert world.refused("POST", "subnets", {"subnet": subnet}) == (400, "InvalidInput")
    routes = [{"destination": "10.0.0.0/8", "nexthop": "no address"}] * (MOST_ROUTES + 1)
    assert world.refused("PUT", f"routers/{place.router}", {"router": {"routes": routes}}) == (400, "RoutesExhausted")


LONG = {
    "address-groups/{addresses}/add_addresses": {"addresses": ["10.0.0.0/8"] * (ADDRESS_LIMIT + 1)},
    "address-groups/{addresses}/remove_addresses": {"addresses": ["10.0.0.0/8"] * (ADDRESS_LIMIT + 1)},
    "routers/{router}/add_extraroutes": {"router": {"routes": [{"destination": "::/0", "nexthop": "::1"}] * 1001}},
    "routers/{router}/remove_extraroutes": {"router": {"routes": [{"destination": "::/0", "nexthop": "::1"}] * 1001}},
}
"""Calls that work through a list while other writers wait."""


@pytest.mark.parametrize("path", LONG)
def test_lists_that_are_longer_than_what_they_change(world: World, place: Place, path: str) -> None:
    assert world.refused("PUT", place.fill(path), LONG[path]) == (400, "InvalidInput")


def test_queries_that_would_cost_much(world: World, place: Place) -> None:
    assert world.get("ports?" + "&".join(["sort_key=name&sort_dir=desc"] * 2000))["ports"]
    parts = "&".join(f"fixed_ips=ip_address_substr%3D{number}" for number in range(21))
    assert world.refused("GET", f"ports?{parts}") == (400, "HTTPBadRequest")


def test_a_key_of_sorting_counts_when_it_is_said_first(world: World) -> None:
    for name in ("a", "b"):
        world.make("network", name=name)
    found = world.get("networks?sort_key=name&sort_dir=desc&sort_key=name&sort_dir=asc")["networks"]
    assert [network["name"] for network in found] == ["b", "a"]


@pytest.mark.parametrize("name", [r"\u0000", r"a\u0000b", r"\\\u0000", r"\\\\\u0000"])
def test_texts_with_nul(world: World, name: str) -> None:
    """PostgreSQL has no such texts."""
    body = b'{"network": {"name": "%s"}}' % name.encode()
    assert world.ask("POST", "/v2.0/networks", body).error == (400, "HTTPBadRequest")
    assert world.counts() == {}


def test_nul_in_addresses(world: World) -> None:
    for path in ("networks?name=%00", "networks?name=a%00b&limit=1", "networks?marker=%00"):
        assert world.refused("GET", path) == (400, "HTTPBadRequest")
    assert world.refused("GET", "networks/\0") == (400, "HTTPBadRequest")


@pytest.mark.parametrize("name", [r"\\u0000", r"\\\\u0000", "0000"])
def test_texts_that_only_look_as_if_they_had_nul(world: World, name: str) -> None:
    body = b'{"network": {"name": "%s"}}' % name.encode()
    assert world.ask("POST", "/v2.0/networks", body).json["network"]["name"] == name.replace("\\\\", "\\")


def test_more_host_routes_than_there_may_be(world: World, place: Place) -> None:
    routes = [{"destination": f"10.{number}.0.0/16", "nexthop": "10.0.0.1"} for number in range(21)]
    path = f"subnets/{place.subnet}"
    assert world.refused("PUT", path, {"subnet": {"host_routes": routes}}) == (400, "HostRoutesExhausted")
    assert len(world.change("subnet", place.subnet, host_routes=routes[1:])["host_routes"]) == 20
    assert world.get("subnets")["subnets"]


@pytest.mark.parametrize("depth", [16, 17])
def test_profiles_that_are_nested(world: World, place: Place, depth: int) -> None:
    profile: Any = {}
    for _ in range(depth - 1):
        profile = {"a": [profile]} if depth % 2 else {"a": profile}
    body = {"port": {"network_id": place.network, "binding:profile": profile}}
    reply = world.ask("POST", "/v2.0/ports", body, "admin")
    assert (reply.status, b"nested too deeply" in reply.content) == ((201, False) if depth == 16 else (400, True))
