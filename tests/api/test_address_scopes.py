"""Address scopes: pools in them, networks that show them, and routers that join one only."""

from typing import Any

import pytest

from tests.api.support import Json, World


def make_pool(world: World, *prefixes: str, token: str = "blue", **fields: Any) -> Json:
    return world.make("subnetpool", token, prefixes=list(prefixes), **fields)


def cut(world: World, pool: Json, network: str | None = None, **fields: Any) -> Json:
    """A subnet of a pool, on a network of its own unless one is named."""
    network = network or world.make("network")["id"]
    return world.make("subnet", network_id=network, subnetpool_id=pool["id"], **fields)


def join(world: World, router: str, subnet: Json) -> Any:
    return world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet["id"]})


def test_a_scope(world: World) -> None:
    scope = world.make("address_scope", name="s", ip_version=4)
    assert (scope["shared"], scope["project_id"], scope["ip_version"]) == (False, "blue", 4)
    assert world.get("address-scopes?ip_version=4")["address_scopes"] == [scope]
    assert world.change("address_scope", scope["id"], name="t")["name"] == "t"
    pool = make_pool(world, "10.0.0.0/16", address_scope_id=scope["id"])
    assert world.get(f"subnetpools?address_scope_id={scope['id']}")["subnetpools"] == [pool]
    assert world.refused("DELETE", f"address-scopes/{scope['id']}") == (409, "AddressScopeInUse")
    assert world.change("subnetpool", pool["id"], address_scope_id=None)["address_scope_id"] is None
    world.remove("address_scope", scope["id"])


@pytest.mark.parametrize("fields", [{}, {"ip_version": 5}, {"ip_version": 4, "prefixes": []}])
def test_scopes_that_make_no_sense(world: World, fields: Json) -> None:
    assert world.refused("POST", "address-scopes", {"address_scope": fields})[0] == 400


def test_pools_of_a_scope(world: World) -> None:
    scope = world.make("address_scope", ip_version=4)["id"]
    first = make_pool(world, "10.0.0.0/16", address_scope_id=scope)

    def refused(*prefixes: str, of: str = scope) -> Any:
        body = {"subnetpool": {"prefixes": prefixes, "address_scope_id": of}}
        return world.refused("POST", "subnetpools", body)

    assert refused("10.1.0.0/16", "10.0.9.0/24") == (409, "AddressScopePrefixConflict")
    assert refused("10.0.0.0/8") == (409, "AddressScopePrefixConflict")
    assert refused("2001:db8::/48") == (400, "IllegalSubnetPoolIpVersionAssociationToAddressScope")
    assert refused("10.1.0.0/16", of="none") == (404, "AddressScopeNotFound")
    second = make_pool(world, "10.1.0.0/16", address_scope_id=scope)
    apart = make_pool(world, "10.0.0.0/16")
    path = f"subnetpools/{second['id']}"
    body = {"prefixes": ["10.0.9.0/24"]}
    assert world.refused("PUT", f"{path}/add_prefixes", body) == (409, "AddressScopePrefixConflict")
    wish: Json = {"subnetpool": {"address_scope_id": scope}}
    assert world.refused("PUT", f"subnetpools/{apart['id']}", wish) == (409, "AddressScopePrefixConflict")
    assert world.change("subnetpool", first["id"], prefixes=["10.0.0.0/16", "10.7.0.0/16"])["address_scope_id"] == scope


def test_networks_tell_their_scopes(world: World) -> None:
    four, six = (world.make("address_scope", ip_version=version)["id"] for version in (4, 6))
    network = world.make("network")["id"]

    def scopes() -> tuple[Any, Any]:
        shown = world.get(f"networks/{network}")["network"]
        return shown["ipv4_address_scope"], shown["ipv6_address_scope"]

    assert scopes() == (None, None)
    pool = make_pool(world, "10.0.0.0/16", address_scope_id=four)
    cut(world, pool, network, prefixlen=24)
    assert scopes() == (four, None)
    cut(world, make_pool(world, "2001:db8::/48", address_scope_id=six), network)
    assert scopes() == (four, six)
    other = make_pool(world, "10.9.0.0/16", address_scope_id=four)
    cut(world, other, network, prefixlen=24)
    apart = make_pool(world, "10.8.0.0/16")
    body = {"subnet": {"network_id": network, "subnetpool_id": apart["id"], "prefixlen": 24}}
    assert world.refused("POST", "subnets", body) == (400, "NetworkAddressScopeAffinityError")
    body = {"subnet": {"network_id": network, "cidr": "172.16.0.0/24"}}
    assert world.refused("POST", "subnets", body) == (400, "NetworkSubnetPoolAffinityError")
    body = {"subnetpool": {"address_scope_id": None}}
    assert world.refused("PUT", f"subnetpools/{pool['id']}", body) == (400, "NetworkAddressScopeAffinityError")


def test_a_router_joins_subnets_of_one_scope(world: World) -> None:
    scope = world.make("address_scope", ip_version=4)["id"]
    first, second = (make_pool(world, f"10.{n}.0.0/16", address_scope_id=scope) for n in (1, 2))
    free = make_pool(world, "10.3.0.0/16")
    one, two, apart = (cut(world, pool, prefixlen=24) for pool in (first, second, free))
    router, other = world.make("router")["id"], world.make("router")["id"]
    assert join(world, router, one).status == join(world, router, two).status == 200
    assert join(world, router, apart).error == (400, "BadRequest")
    assert join(world, other, apart).status == 200
    assert join(world, other, cut(world, first, prefixlen=24)).error == (400, "BadRequest")
    six = world.make("subnet", network_id=apart["network_id"], ip_version=6, cidr="2001:db8::/64")
    assert join(world, router, six).status == 200
    body = {"subnetpool": {"address_scope_id": None}}
    assert world.refused("PUT", f"subnetpools/{first['id']}", body) == (400, "BadRequest")
    assert world.change("subnetpool", free["id"], address_scope_id=scope)["address_scope_id"] == scope
    world.ask("PUT", f"/v2.0/routers/{other}/remove_router_interface", {"subnet_id": apart["id"]})
    assert join(world, router, apart).status == 200


def test_subnets_on_board_are_not_routed_between_scopes(world: World) -> None:
    router = world.make("router")["id"]
    plain = world.make("subnet", network_id=world.make("network")["id"], cidr="192.168.1.0/24")
    beside = world.make("subnet", network_id=world.make("network")["id"], cidr="192.168.2.0/24")
    assert join(world, router, plain).status == join(world, router, beside).status == 200
    pool = make_pool(world, "10.0.0.0/16", address_scope_id=world.make("address_scope", ip_version=4)["id"])
    path, body = f"subnetpools/{pool['id']}/onboard_network_subnets", {"network_id": plain["network_id"]}
    assert world.refused("PUT", path, body) == (400, "BadRequest")


def test_scopes_for_all(world: World) -> None:
    body = {"address_scope": {"ip_version": 4, "shared": True}}
    assert world.refused("POST", "address-scopes", body) == (403, "PolicyNotAuthorized")
    lent, own = (
        world.make("address_scope", "admin", ip_version=4, shared=True),
        world.make("address_scope", ip_version=4),
    )
    assert {scope["id"] for scope in world.get("address-scopes")["address_scopes"]} == {lent["id"], own["id"]}
    assert [scope["id"] for scope in world.get("address-scopes", "red")["address_scopes"]] == [lent["id"]]
    pool = make_pool(world, "10.0.0.0/16", address_scope_id=lent["id"])
    body = {"subnetpool": {"max_prefixlen": 30}}
    assert world.refused("PUT", f"subnetpools/{pool['id']}", body) == (400, "IllegalSubnetPoolUpdate")
    path = f"address-scopes/{lent['id']}"
    assert world.refused("PUT", path, {"address_scope": {"shared": False}}, "admin") == (400, "AddressScopeUpdateError")
    assert world.refused("PUT", path, {"address_scope": {"name": "mine"}}) == (403, "PolicyNotAuthorized")
    wish: Json = {"subnetpool": {"prefixes": ["10.2.0.0/16"], "address_scope_id": own["id"]}}
    assert world.refused("POST", "subnetpools", wish, "red") == (404, "AddressScopeNotFound")
