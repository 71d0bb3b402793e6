"""Log resources: made, switched, deleted, and gone with what they are about; and what cannot be asked for."""

from typing import Any

import pytest

from tests.api.support import World

NONE = "00000000-0000-4000-8000-000000000000"


def make(world: World, token: str = "blue", **fields: Any) -> Any:
    body = {"log": {"resource_type": "security_group", **fields}}
    reply = world.ask("POST", "/v2.0/log/logs", body, token)
    assert reply.status == 201, reply
    return reply.json["log"]


def port_in(world: World, group: str) -> str:
    network = world.make("network")["id"]
    world.make("subnet", network_id=network, cidr="10.0.0.0/24", ip_version=4)
    id: str = world.make("port", network_id=network, security_groups=[group])["id"]
    return id


def test_the_life_of_a_log(world: World) -> None:
    group = world.make("security_group", name="web")["id"]
    log = make(world, name="drops", event="DROP", resource_id=group)
    assert (log["event"], log["resource_id"], log["target_id"], log["enabled"]) == ("DROP", group, None, True)
    assert (log["resource_type"], log["project_id"], log["revision_number"]) == ("security_group", "blue", 0)
    assert world.get(f"log/logs/{log['id']}")["log"] == log
    reply = world.ask("PUT", f"/v2.0/log/logs/{log['id']}", {"log": {"enabled": False, "name": "off"}})
    assert (reply.json["log"]["enabled"], reply.json["log"]["name"]) == (False, "off")
    assert [one["id"] for one in world.get("log/logs?enabled=false")["logs"]] == [log["id"]]
    assert world.get(f"log/logs?resource_id={NONE}")["logs"] == []
    assert world.ask("DELETE", f"/v2.0/log/logs/{log['id']}").status == 204
    assert world.refused("GET", f"log/logs/{log['id']}") == (404, "LogResourceNotFound")
    assert "log" not in world.counts()


def test_what_can_be_logged(world: World) -> None:
    assert world.get("log/loggable-resources") == {"loggable_resources": [{"type": "security_group"}]}
    assert "logging" in {one["alias"] for one in world.get("extensions")["extensions"]}


def test_it_goes_with_its_group_and_with_its_port(world: World) -> None:
    group, other = (world.make("security_group", name=name)["id"] for name in ("a", "b"))
    port = port_in(world, group)
    make(world, target_id=port)
    make(world, resource_id=other)
    kept = make(world)["id"]
    world.remove("port", port)
    world.remove("security_group", other)
    assert [log["id"] for log in world.get("log/logs")["logs"]] == [kept]


def test_who_sees_it(world: World) -> None:
    log = make(world)["id"]
    assert world.get("log/logs", "red")["logs"] == []
    assert world.refused("GET", f"log/logs/{log}", token="red") == (404, "LogResourceNotFound")
    assert world.refused("DELETE", f"log/logs/{log}", token="red") == (404, "LogResourceNotFound")
    assert [one["id"] for one in world.get("log/logs", "admin")["logs"]] == [log]


def test_what_cannot_be_logged_says_what_can(world: World) -> None:
    body = {"log": {"resource_type": "firewall_group"}}
    text = world.ask("POST", "/v2.0/log/logs", body).json["NeutronError"]["message"]
    assert text == "Invalid log resource_type: firewall_group. What can be logged is: security_group."


@pytest.mark.parametrize(
    ("fields", "status", "type"),
    [
        ({"resource_type": "network"}, 400, "InvalidLogResourceType"),
        ({"resource_type": None}, 400, "InvalidInput"),
        ({"event": "SOMETIMES"}, 400, "InvalidInput"),
        ({"event": "drop"}, 400, "InvalidInput"),
        ({"event": 7}, 400, "InvalidInput"),
        ({"enabled": "perhaps"}, 400, "InvalidInput"),
        ({"resource_id": NONE}, 404, "ResourceNotFound"),
        ({"resource_id": "{theirs}"}, 404, "ResourceNotFound"),
        ({"target_id": NONE}, 404, "TargetResourceNotFound"),
        ({"target_id": "{port}", "resource_id": "{other}"}, 400, "InvalidResourceConstraint"),
        ({"target_id": "{interface}"}, 409, "LoggingTypeNotSupported"),
        ({"unknown": 1}, 400, "HTTPBadRequest"),
        ({"project_id": "red"}, 400, "HTTPBadRequest"),
    ],
)
def test_bad_input(world: World, fields: dict[str, Any], status: int, type: str) -> None:
    group, other = (world.make("security_group", name=name)["id"] for name in ("a", "b"))
    port = port_in(world, group)
    subnet = world.get("subnets")["subnets"][0]["id"]
    router = world.make("router")["id"]
    world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    interface = world.get("ports?device_owner=network:router_interface")["ports"][0]["id"]
    names = {"port": port, "other": other, "interface": interface}
    names["theirs"] = world.make("security_group", "red", name="theirs")["id"]
    meant = {
        name: value.format(**names) if isinstance(value, str) and value.startswith("{") else value
        for name, value in fields.items()
    }
    body = {"log": {"resource_type": "security_group"} | meant}
    assert world.refused("POST", "log/logs", body) == (status, type)
    assert "log" not in world.counts()


@pytest.mark.parametrize("field", ["resource_type", "resource_id", "target_id", "event", "project_id"])
def test_what_cannot_be_changed(world: World, field: str) -> None:
    log = make(world)["id"]
    assert world.refused("PUT", f"log/logs/{log}", {"log": {field: "ALL"}}) == (400, "HTTPBadRequest")


def test_a_log_needs_a_type(world: World) -> None:
    assert world.refused("POST", "log/logs", {"log": {}}) == (400, "HTTPBadRequest")
