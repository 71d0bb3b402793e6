"""Availability zones and how full networks are: worked out when somebody asks."""

from typing import Any

import pytest

from tests.api.support import World
from tests.api.test_agents import come


def zones(world: World, query: str = "") -> set[tuple[str, str, str]]:
    found = world.get(f"availability_zones{query}")["availability_zones"]
    return {(zone["name"], zone["resource"], zone["state"]) for zone in found}


def test_zones_are_those_of_agents(world: World) -> None:
    assert zones(world) == set()
    first, second = come(world, "h1", 1), come(world, "h2", 2)
    assert zones(world) == {("nova", "network", "available"), ("nova", "router", "available")}
    world.change("agent", second, "admin", availability_zone="east", admin_state_up=False)
    assert zones(world, "?name=east") == {("east", "network", "unavailable"), ("east", "router", "unavailable")}
    assert zones(world, "?resource=router&state=available") == {("nova", "router", "available")}
    world.change("agent", first, "admin", availability_zone="east")
    assert {zone[0::2] for zone in zones(world)} == {("east", "available")}
    assert world.get("availability_zones?fields=name&limit=1")["availability_zones"] == [{"name": "east"}]


@pytest.mark.parametrize("kind", ["network", "router"])
def test_hints(world: World, kind: str) -> None:
    come(world, "h1")
    made = world.make(kind, availability_zone_hints=["nova"])
    assert made["availability_zone_hints"] == made["availability_zones"] == ["nova"]
    assert world.make(kind)["availability_zone_hints"] == []
    for hints, error in ((["mars"], (404, "AvailabilityZoneNotFound")), (["nova", "nova"], (400, "InvalidInput"))):
        body = {kind: {"availability_zone_hints": hints}}
        assert world.refused("POST", f"{kind}s", body) == error
    body = {kind: {"availability_zone_hints": []}}
    assert world.refused("PUT", f"{kind}s/{made['id']}", body) == (400, "HTTPBadRequest")


def available(world: World, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get(f"network-ip-availabilities{query}", "admin")["network_ip_availabilities"]
    return found


def test_how_full_networks_are(world: World) -> None:
    network, empty = world.make("network", name="n"), world.make("network", "red", name="empty")
    four = world.make("subnet", network_id=network["id"], cidr="10.0.0.0/24", name="s")
    six = world.make("subnet", network_id=network["id"], ip_version=6, cidr="2001:db8::/48")
    for _ in range(3):
        world.make("port", network_id=network["id"])
    world.make("port", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.1"}])
    shown = world.get(f"network-ip-availabilities/{network['id']}", "admin")["network_ip_availability"]
    size = 2**80 - 2
    parts = {part["subnet_id"]: part for part in shown.pop("subnet_ip_availability")}
    assert shown == {
        "network_id": network["id"],
        "network_name": "n",
        "project_id": "blue",
        "tenant_id": "blue",
        "total_ips": 253 + size,
        "used_ips": 7,
    }
    assert parts[four["id"]] == {
        "subnet_id": four["id"],
        "subnet_name": "s",
        "cidr": "10.0.0.0/24",
        "ip_version": 4,
        "total_ips": 253,
        "used_ips": 4,
    }
    assert (parts[six["id"]]["total_ips"], parts[six["id"]]["used_ips"]) == (size, 3)
    assert {one["network_id"] for one in available(world)} == {network["id"], empty["id"]}
    assert [one["network_id"] for one in available(world, "?project_id=red")] == [empty["id"]]
    assert [one["used_ips"] for one in available(world, "?network_name=empty")] == [0]
    assert [one["total_ips"] for one in available(world, "?ip_version=4")] == [253]
    assert [one["used_ips"] for one in available(world, f"?network_id={network['id']}&ip_version=6")] == [3]
    assert available(world, "?network_id=none") == []


def test_only_administrators_see_it(world: World) -> None:
    network = world.make("network")
    assert world.get("network-ip-availabilities")["network_ip_availabilities"] == []
    path = f"network-ip-availabilities/{network['id']}"
    assert world.refused("GET", path) == (404, "NetworkAvailabilityNotFound")
    assert world.refused("GET", "network-ip-availabilities/none", token="admin")[0] == 404


@pytest.mark.parametrize(
    "path", ["network-ip-availabilities?colour=red", "availability_zones?used_ips=1", "availability_zones?tags=a"]
)
def test_unknown_filters_are_refused(world: World, path: str) -> None:
    assert world.refused("GET", path, token="admin") == (400, "HTTPBadRequest")


def test_they_are_only_read(world: World) -> None:
    for path in ("network-ip-availabilities", "availability_zones"):
        assert world.refused("POST", path, {}) == (405, "HTTPMethodNotAllowed")
