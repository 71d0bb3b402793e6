"""Routers and their interfaces."""

from tests.api.support import Json, World
from tests.api.test_ports import addresses, identities, make_network


def add(world: World, router: str, **wish: str) -> Json:
    reply = world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", wish)
    assert reply.status == 200, reply
    assert int(reply.headers["x-netplane-revision"]) == world.store.revision
    return reply.json


def remove(world: World, router: str, **wish: str) -> Json:
    reply = world.ask("PUT", f"/v2.0/routers/{router}/remove_router_interface", wish)
    assert reply.status == 200, reply
    return reply.json


def test_a_router(world: World) -> None:
    router = world.make("router", name="r")
    for name in ("id", "created_at", "updated_at"):
        assert router.pop(name)
    assert router == {
        "project_id": "blue",
        "tenant_id": "blue",
        "name": "r",
        "description": "",
        "revision_number": 0,
        "tags": [],
        "admin_state_up": True,
        "status": "ACTIVE",
        "external_gateway_info": None,
        "availability_zone_hints": [],
        "availability_zones": [],
        "routes": [],
    }


def test_an_interface_by_subnet(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    router = world.make("router")["id"]
    answer = add(world, router, subnet_id=subnet)
    assert answer == {
        "id": router,
        "tenant_id": "blue",
        "project_id": "blue",
        "port_id": answer["port_id"],
        "network_id": network,
        "subnet_id": subnet,
        "subnet_ids": [subnet],
    }
    port = world.get(f"ports/{answer['port_id']}")["port"]
    assert (port["device_id"], port["device_owner"]) == (router, "network:router_interface")
    assert (addresses(port), port["security_groups"], port["status"]) == (["10.0.0.1"], [], "ACTIVE")
    assert identities(world) == {}
    assert remove(world, router, subnet_id=subnet) == answer
    assert world.get("ports") == {"ports": []}


def test_an_interface_by_port(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    router = world.make("router")["id"]
    port = world.make("port", network_id=network, fixed_ips=[{"ip_address": "10.0.0.77"}])["id"]
    assert add(world, router, port_id=port)["port_id"] == port
    shown = world.get(f"ports/{port}")["port"]
    assert (shown["device_id"], addresses(shown), shown["security_groups"]) == (router, ["10.0.0.77"], [])
    assert identities(world) == {}
    assert remove(world, router, subnet_id=subnet, port_id=port)["port_id"] == port


def test_what_cannot_be_joined(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    _, (twin,) = make_network(world, "10.0.0.128/25")
    router, other = world.make("router")["id"], world.make("router")["id"]
    used = world.make("port", network_id=network, device_id="vm")["id"]
    bare = world.make("port", network_id=network, fixed_ips=[])["id"]
    add(world, router, subnet_id=subnet)
    path = f"routers/{router}/add_router_interface"
    assert world.refused("PUT", path, {"subnet_id": subnet}) == (400, "BadRequest")
    assert world.refused("PUT", path, {"subnet_id": twin}) == (400, "BadRequest")
    assert world.refused("PUT", path, {"port_id": used}) == (409, "PortInUse")
    assert world.refused("PUT", path, {"port_id": bare}) == (400, "BadRequest")
    path = f"routers/{other}/add_router_interface"
    assert world.refused("PUT", path, {"subnet_id": subnet}) == (409, "IpAddressInUse")


def test_a_routers_port_is_the_routers(world: World) -> None:
    _, (subnet,) = make_network(world, "10.0.0.0/24")
    router = world.make("router")["id"]
    port = add(world, router, subnet_id=subnet)["port_id"]
    assert world.refused("DELETE", f"ports/{port}") == (409, "L3PortInUse")
    assert world.refused("DELETE", f"routers/{router}") == (409, "RouterInUse")
    assert world.refused("DELETE", f"subnets/{subnet}") == (409, "SubnetInUse")
    assert world.refused("PUT", f"subnets/{subnet}", {"subnet": {"gateway_ip": None}}) == (409, "GatewayIpInUse")
    for field, value in (("fixed_ips", []), ("device_id", ""), ("security_groups", []), ("device_owner", "x")):
        assert world.refused("PUT", f"ports/{port}", {"port": {field: value}}) == (409, "L3PortInUse")
    assert world.change("port", port, name="inner")["name"] == "inner"
    remove(world, router, port_id=port)
    world.remove("router", router)
    world.remove("subnet", subnet)


def test_many_subnets_on_one_router(world: World) -> None:
    _, subnets = make_network(world, "10.0.0.0/24", "10.0.1.0/24")
    _, more = make_network(world, "10.0.2.0/24")
    router = world.make("router")["id"]
    for subnet in (*subnets, *more):
        add(world, router, subnet_id=subnet)
    interfaces = world.get(f"ports?device_id={router}&device_owner=network:router_interface")["ports"]
    assert sorted(addresses(port) for port in interfaces) == [["10.0.0.1"], ["10.0.1.1"], ["10.0.2.1"]]
