"""Routes of routers: what they may be, how they are changed, and what they hold in place."""

import pytest

from tests.api.support import Json, World
from tests.api.test_ports import make_network
from tests.api.test_routers import add


def route(destination: str, nexthop: str) -> Json:
    return {"destination": destination, "nexthop": nexthop}


class Place:
    """A router on 10.0.0.0/24 and 10.0.1.0/24."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.network, (self.left, self.right) = make_network(world, "10.0.0.0/24", "10.0.1.0/24")
        self.router = world.make("router")["id"]
        self.path = f"routers/{self.router}"
        for subnet in (self.left, self.right):
            add(world, self.router, subnet_id=subnet)

    def act(self, action: str, *routes: Json) -> Json:
        reply = self.world.ask("PUT", f"/v2.0/{self.path}/{action}", {"router": {"routes": routes}})
        assert reply.status == 200, reply
        assert reply.json["router"] == self.world.get(self.path)["router"]
        return reply.json["router"]["routes"]

    def refused(self, *routes: Json) -> tuple[int, str]:
        """The answer to a whole set, and to an addition, which must be the same."""
        body = {"router": {"routes": [*routes]}}
        answer = self.world.refused("PUT", self.path, body)
        assert self.world.refused("PUT", f"{self.path}/add_extraroutes", body) == answer
        return answer


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def test_routes_are_set_as_a_whole(world: World, place: Place) -> None:
    assert world.get(place.path)["router"]["routes"] == []
    wanted = [route("0.0.0.0/0", "10.0.1.7"), route("172.16.0.0/12", "10.0.0.9"), route("172.16.0.0/12", "10.0.0.10")]
    shown = world.change("router", place.router, routes=[wanted[2], wanted[1], wanted[0]])
    assert shown["routes"] == wanted
    assert world.get(place.path)["router"]["routes"] == wanted
    assert world.change("router", place.router, name="r")["routes"] == wanted
    assert world.change("router", place.router, routes=None)["routes"] == []
    assert world.change("router", place.router, routes=[])["routes"] == []


def test_routes_are_added_and_removed(place: Place) -> None:
    one, two = route("172.16.0.0/12", "10.0.0.9"), route("172.16.0.0/12", "10.0.0.10")
    assert place.act("add_extraroutes", one) == [one]
    assert place.act("add_extraroutes", one, two) == [one, two]
    assert place.act("remove_extraroutes", one, route("192.0.2.0/24", "10.0.0.9")) == [two]
    assert place.act("remove_extraroutes", two) == []


@pytest.mark.parametrize(
    ("destination", "nexthop", "type"),
    [
        ("172.16.0.0/12", "10.0.2.9", "InvalidRoutes"),
        ("172.16.0.0/12", "10.0.0.1", "InvalidRoutes"),
        ("fd00::/8", "10.0.0.9", "InvalidRoutes"),
        ("172.16.0.0/12", "fd00::9", "InvalidRoutes"),
        ("fd00::/8", "fd00::9", "InvalidRoutes"),
        ("172.16.0.0", "10.0.0.9", "InvalidInput"),
        ("172.16.0.1/12", "10.0.0.9", "InvalidInput"),
        ("172.16.0.0/33", "10.0.0.9", "InvalidInput"),
        ("somewhere", "10.0.0.9", "InvalidInput"),
        ("", "10.0.0.9", "InvalidInput"),
        ("172.16.0.0/12", "somebody", "InvalidInput"),
        ("172.16.0.0/12", "10.0.0.9/24", "InvalidInput"),
        ("172.16.0.0/12", "", "InvalidInput"),
    ],
)
def test_routes_that_make_no_sense(place: Place, destination: str, nexthop: str, type: str) -> None:
    good = route("192.0.2.0/24", "10.0.0.9")
    assert place.refused(good, route(destination, nexthop)) == (400, type)


def test_bodies_that_make_no_sense(world: World, place: Place) -> None:
    good = route("192.0.2.0/24", "10.0.0.9")
    assert world.refused("PUT", place.path, {"router": {"routes": [good, good]}}) == (400, "InvalidInput")
    bads: tuple[Json, ...] = ("all", good, [{"destination": "192.0.2.0/24"}], [good | {"metric": 5}], [7])
    for bad in bads:
        assert world.refused("PUT", place.path, {"router": {"routes": bad}})[0] == 400
    assert world.refused("POST", "routers", {"router": {"routes": [good]}}) == (400, "HTTPBadRequest")
    action = f"{place.path}/remove_extraroutes"
    bodies: tuple[Json, ...] = (
        {},
        {"router": {}},
        {"router": {"routes": None}},
        {"routes": [good]},
        {"router": {"name": "r"}},
    )
    for body in bodies:
        assert world.refused("PUT", action, body) == (400, "InvalidInput")
    assert world.refused("PUT", action, b"{") == (400, "HTTPBadRequest")
    assert world.refused("PUT", action, {"router": {"routes": [good]}}, token="red") == (404, "RouterNotFound")


def test_there_are_not_too_many(place: Place) -> None:
    many = [route(f"192.0.{number}.0/24", "10.0.0.9") for number in range(31)]
    assert place.refused(*many) == (400, "RoutesExhausted")
    assert len(place.act("add_extraroutes", *many[:30])) == 30
    assert place.world.refused("PUT", f"{place.path}/add_extraroutes", {"router": {"routes": many[30:]}}) == (
        400,
        "RoutesExhausted",
    )
    place.act("remove_extraroutes", *many)
    shared = [route("192.0.2.0/24", f"10.0.0.{number}") for number in range(10, 27)]
    assert place.refused(*shared) == (400, "InvalidRoutes")
    assert len(place.act("add_extraroutes", *shared[:16])) == 16


def test_a_route_keeps_the_interface_that_it_needs(world: World, place: Place) -> None:
    place.act("add_extraroutes", route("192.0.2.0/24", "10.0.0.9"))
    path = f"{place.path}/remove_router_interface"
    port = next(
        port["id"]
        for port in world.get(f"ports?device_id={place.router}")["ports"]
        if port["fixed_ips"][0]["subnet_id"] == place.left
    )
    for wish in ({"subnet_id": place.left}, {"port_id": port}):
        assert world.refused("PUT", path, wish) == (409, "RouterInterfaceInUseByRoute")
    assert world.ask("PUT", f"/v2.0/{path}", {"subnet_id": place.right}).status == 200
    place.act("remove_extraroutes", route("192.0.2.0/24", "10.0.0.9"))
    assert world.ask("PUT", f"/v2.0/{path}", {"port_id": port}).status == 200
    world.remove("router", place.router)


def test_a_second_router_on_a_subnet(world: World, place: Place) -> None:
    second = world.make("router")["id"]
    assert world.refused("PUT", f"routers/{second}/add_router_interface", {"subnet_id": place.left}) == (
        409,
        "IpAddressInUse",
    )
    port = world.make("port", network_id=place.network, fixed_ips=[{"ip_address": "10.0.0.254"}])["id"]
    add(world, second, port_id=port)
    # Each may be the other's neighbour.
    assert place.act("add_extraroutes", route("192.0.2.0/24", "10.0.0.254"))
    shown = world.change("router", second, routes=[route("10.0.1.0/24", "10.0.0.1")])
    assert shown["routes"] == [route("10.0.1.0/24", "10.0.0.1")]
