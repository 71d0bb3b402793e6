"""Bindings of ports: where one is, where it may be moved to, and moving it."""

from typing import Any

import pytest

from netplane.model import Binding
from netplane.store.bindings import claim_port
from tests.api.support import Json, World
from tests.api.test_agents import come


@pytest.fixture
def port(world: World) -> Json:
    """A port that is bound to `h1`; `h2` and `h3` are there too."""
    for number, host in enumerate(("h1", "h2", "h3"), 1):
        come(world, host, number)
    network = world.make("network")["id"]
    return world.make("port", "admin", network_id=network, project_id="blue", binding__host_id="h1")


def act(world: World, port: Json, method: str, path: str = "", body: Json = None, token: str = "admin") -> Any:
    return world.ask(method, f"/v2.0/ports/{port['id']}/bindings{path}", body, token)


def bindings(world: World, port: Json, query: str = "") -> list[tuple[str, str]]:
    found = act(world, port, "GET", query).json["bindings"]
    return [(binding["host"], binding["status"]) for binding in found]


def carrier(world: World, port: Json) -> str | None:
    with world.store.read() as reader:
        binding = reader.get(Binding, port["id"])
    return None if binding is None else binding.host_id


def test_a_port_is_moved(world: World, port: Json) -> None:
    assert bindings(world, port) == [("h1", "ACTIVE")]
    made = act(world, port, "POST", body={"binding": {"host": "h2", "profile": {"migrating": True}}})
    assert (made.status, made.json["binding"]) == (
        201,
        {
            "host": "h2",
            "vif_type": "tap",
            "vif_details": {"port_filter": True},
            "vnic_type": "normal",
            "profile": {"migrating": True},
            "status": "INACTIVE",
        },
    )
    assert bindings(world, port) == [("h1", "ACTIVE"), ("h2", "INACTIVE")]
    assert bindings(world, port, "?host=h2&status=INACTIVE") == [("h2", "INACTIVE")]
    assert act(world, port, "GET", "/h2").json["binding"]["profile"] == {"migrating": True}
    assert carrier(world, port) == "h1"
    moved = act(world, port, "PUT", "/h2/activate")
    assert (moved.status, moved.json["binding"]["status"]) == (200, "ACTIVE")
    assert bindings(world, port) == [("h2", "ACTIVE"), ("h1", "INACTIVE")]
    assert carrier(world, port) == "h2"
    shown = world.get(f"ports/{port['id']}", "admin")["port"]
    assert (shown["binding:host_id"], shown["binding:profile"]) == ("h2", {"migrating": True})
    assert act(world, port, "DELETE", "/h1").status == 204
    assert bindings(world, port) == [("h2", "ACTIVE")]
    world.remove("port", port["id"], "admin")
    assert "inactive_binding" not in world.counts()


def test_it_may_move_back(world: World, port: Json) -> None:
    act(world, port, "POST", body={"binding": {"host": "h2"}})
    act(world, port, "PUT", "/h2/activate")
    act(world, port, "PUT", "/h1/activate")
    assert (bindings(world, port), carrier(world, port)) == ([("h1", "ACTIVE"), ("h2", "INACTIVE")], "h1")
    world.remove("port", port["id"], "admin")
    assert "inactive_binding" not in world.counts()


def test_profiles(world: World, port: Json) -> None:
    act(world, port, "POST", body={"binding": {"host": "h2"}})
    for host in ("h1", "h2"):
        answer = act(world, port, "PUT", f"/{host}", {"binding": {"profile": {"of": host}}})
        assert (answer.status, answer.json["binding"]["profile"]) == (200, {"of": host})
    assert world.get(f"ports/{port['id']}", "admin")["port"]["binding:profile"] == {"of": "h1"}
    changed = world.change("port", port["id"], "admin", binding__profile={"a": [1, {"b": None}]})
    assert changed["binding:profile"] == {"a": [1, {"b": None}]}
    assert "binding:profile" not in world.get(f"ports/{port['id']}")["port"]
    body = {"port": {"binding:profile": {"long": "x" * 5000}}}
    assert world.refused("PUT", f"ports/{port['id']}", body, "admin") == (400, "InvalidInput")
    assert world.refused("PUT", f"ports/{port['id']}", {"port": {"binding:profile": {}}}) == (
        403,
        "PolicyNotAuthorized",
    )


def test_there_is_one_way_to_plug_in(world: World, port: Json) -> None:
    network = port["network_id"]
    assert world.make("port", network_id=network, binding__vnic_type="normal")["binding:vnic_type"] == "normal"
    body = {"port": {"network_id": network, "binding:vnic_type": "direct"}}
    assert world.refused("POST", "ports", body) == (400, "InvalidInput")
    body = {"port": {"binding:vnic_type": "macvtap"}}
    assert world.refused("PUT", f"ports/{port['id']}", body) == (400, "InvalidInput")


def test_the_first_is_active_and_without_it_the_port_is_free(world: World, port: Json) -> None:
    assert act(world, port, "DELETE", "/h1").status == 204
    assert (bindings(world, port), carrier(world, port)) == ([], None)
    made = act(world, port, "POST", body={"binding": {"host": "h3"}})
    assert made.json["binding"]["status"] == "ACTIVE"
    assert (bindings(world, port), carrier(world, port)) == ([("h3", "ACTIVE")], "h3")


def test_a_port_that_is_where_its_device_appeared(world: World, port: Json) -> None:
    world.change("port", port["id"], "admin", binding__host_id="")
    with world.store.write("host:h3") as transaction:
        claim_port(transaction, port["id"], "h3")
    assert bindings(world, port) == [("h3", "ACTIVE")]
    act(world, port, "POST", body={"binding": {"host": "h2"}})
    assert act(world, port, "PUT", "/h2/activate").status == 200
    assert (bindings(world, port), carrier(world, port)) == ([("h2", "ACTIVE"), ("h3", "INACTIVE")], "h2")
    act(world, port, "DELETE", "/h2")
    assert (bindings(world, port), carrier(world, port)) == ([("h3", "INACTIVE")], None)


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "", {"binding": {"host": "h1"}}, (409, "PortBindingAlreadyExists")),
        ("POST", "", {"binding": {"host": "h2"}}, (409, "PortBindingAlreadyExists")),
        ("POST", "", {"binding": {"host": "mars"}}, (400, "PortBindingError")),
        ("POST", "", {"binding": {}}, (400, "InvalidInput")),
        ("POST", "", {"binding": {"host": "h3", "vnic_type": "direct"}}, (400, "InvalidInput")),
        ("POST", "", {"binding": {"host": "h3", "profile": {"x": "y" * 5000}}}, (400, "InvalidInput")),
        ("POST", "", {"binding": {"host": "h3", "colour": "red"}}, (400, "InvalidInput")),
        ("POST", "", {}, (400, "InvalidInput")),
        ("PUT", "/h2", {"binding": {"host": "h3"}}, (400, "InvalidInput")),
        ("PUT", "/h3", {"binding": {}}, (404, "PortBindingNotFound")),
        ("PUT", "/h1/activate", None, (409, "PortBindingAlreadyActive")),
        ("PUT", "/h3/activate", None, (404, "PortBindingNotFound")),
        ("DELETE", "/h3", None, (404, "PortBindingNotFound")),
        ("GET", "/h3", None, (404, "PortBindingNotFound")),
        ("GET", "?colour=red", None, (400, "HTTPBadRequest")),
    ],
)
def test_what_is_refused(world: World, port: Json, method: str, path: str, body: Json, error: tuple[int, str]) -> None:
    act(world, port, "POST", body={"binding": {"host": "h2"}})
    assert world.refused(method, f"ports/{port['id']}/bindings{path}", body, "admin") == error


def test_they_are_operators(world: World, port: Json) -> None:
    path = f"ports/{port['id']}/bindings"
    body = {"binding": {"host": "h2"}}
    assert world.refused("GET", path) == (403, "PolicyNotAuthorized")
    assert world.refused("POST", path, body) == (403, "PolicyNotAuthorized")
    assert world.refused("PUT", f"{path}/h1/activate") == (403, "PolicyNotAuthorized")
    assert world.refused("DELETE", f"{path}/h1") == (403, "PolicyNotAuthorized")
    assert world.refused("POST", path, body, "red") == (404, "PortNotFound")


def test_what_no_order_has_is_not_sorted(world: World) -> None:
    for field in ("binding:profile", "netplane:metadata", "fixed_ips"):
        assert world.refused("GET", f"ports?sort_key={field}", token="admin") == (400, "HTTPBadRequest")
