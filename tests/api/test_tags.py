"""Tags: on every kind, by calls of their own, as filters; and changes of what one has seen only."""

from typing import Any

import pytest

from netplane.api.rules import RULES
from netplane.model import kind_of
from tests.api.support import World, collection_of

WISHES: dict[str, dict[str, Any]] = {
    "network": {},
    "router": {},
    "security_group": {},
    "address_group": {},
    "firewall_rule": {},
    "firewall_policy": {},
    "firewall_group": {},
    "log": {"resource_type": "security_group"},
}
"""Kinds that need nothing else."""


def made(world: World, **more: Any) -> str:
    """The path of a network's tags."""
    return f"networks/{world.make('network', **more)['id']}/tags"


@pytest.mark.parametrize("kind", WISHES)
def test_every_kind_has_tags(world: World, kind: str) -> None:
    one = world.make(kind, **WISHES[kind])
    assert one["tags"] == []
    path = f"{collection_of(kind)}/{one['id']}"
    assert world.ask("PUT", f"/v2.0/{path}/tags", {"tags": ["red", "blue"]}).json == {"tags": ["blue", "red"]}
    shown = world.get(path)[kind]
    assert (shown["tags"], shown["revision_number"]) == (["blue", "red"], one["revision_number"] + 1)
    assert world.ask("DELETE", f"/v2.0/{path}/tags").status == 204
    assert world.get(f"{path}/tags") == {"tags": []}


def test_every_kind_has_the_calls(world: World) -> None:
    for rules in RULES:
        path = f"{rules.kind.collection}/none/tags"
        assert world.refused("GET", path) == (404, f"{rules.kind.__name__}NotFound"), kind_of(rules.kind)
        assert world.refused("PUT", f"{path}/t") == (404, f"{rules.kind.__name__}NotFound")


def test_tags_one_by_one(world: World) -> None:
    path = made(world)
    for tag in ("red", "a/b", "red", "so%20said"):
        reply = world.ask("PUT", f"/v2.0/{path}/{tag}")
        assert reply.status == 201
    assert world.get(path)["tags"] == ["a/b", "red", "so%20said"]  # a server unquotes a path before it comes here
    reply = world.ask("GET", f"/v2.0/{path}/red")
    assert (reply.status, reply.content) == (204, b"")
    assert world.refused("GET", f"{path}/blue") == (404, "TagNotFound")
    assert world.refused("DELETE", f"{path}/blue") == (404, "TagNotFound")
    reply = world.ask("DELETE", f"/v2.0/{path}/red")
    assert (reply.status, reply.content) == (204, b"")
    assert world.get(path)["tags"] == ["a/b", "so%20said"]


def test_tags_are_added(world: World) -> None:
    path = made(world, tags=["b", "a"])
    assert world.get(path)["tags"] == ["a", "b"]
    reply = world.ask("POST", f"/v2.0/{path}", {"tags": ["c", "a"]})
    assert (reply.status, reply.json) == (201, {"tags": ["a", "b", "c"]})
    before = world.store.revision
    assert world.ask("POST", f"/v2.0/{path}", {"tags": ["c"]}).status == 201
    assert world.store.revision == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": "red"},
        {"tags": None},
        {"tags": [1]},
        {"tags": ["a", "a"]},
        {"tags": [""]},
        {"tags": ["x" * 256]},
        {"tags": [str(number) for number in range(51)]},
        [],
        b"{",
    ],
)
def test_bad_tags(world: World, body: Any) -> None:
    path = made(world)
    for method in ("PUT", "POST"):
        assert world.refused(method, path, body)[0] == 400
    if isinstance(body, dict) and "tags" in body:
        assert world.refused("POST", "networks", {"network": body})[0] == 400


def test_too_many_in_time(world: World) -> None:
    path = made(world, tags=[str(number) for number in range(50)])
    assert world.refused("PUT", f"{path}/one_more") == (400, "InvalidInput")
    assert world.refused("PUT", f"{path}/{'x' * 256}") == (400, "InvalidInput")
    assert world.refused("POST", path, {"tags": ["one_more"]}) == (400, "InvalidInput")


def test_tags_are_not_changed_with_the_rest(world: World) -> None:
    id = world.make("network")["id"]
    assert world.refused("PUT", f"networks/{id}", {"network": {"tags": ["a"]}}) == (400, "HTTPBadRequest")


def test_tags_of_others(world: World) -> None:
    id = world.make("network", "admin", shared=True, tags=["t"])["id"]
    assert world.get(f"networks/{id}/tags") == {"tags": ["t"]}
    assert world.refused("PUT", f"networks/{id}/tags", {"tags": []})[0] == 403
    mine = world.make("network")["id"]
    for method, path in (("GET", "tags"), ("DELETE", "tags"), ("PUT", "tags/a")):
        assert world.refused(method, f"networks/{mine}/{path}", token="red") == (404, "NetworkNotFound")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tags=red", "ac"),
        ("tags=red,blue", "c"),
        ("tags=red&tags=blue", "c"),
        ("tags-any=red,blue", "abc"),
        ("not-tags=red,blue", "abd"),
        ("not-tags-any=red,blue", "d"),
        ("tags=red&not-tags=blue", "a"),
        ("tags=red&name=c", "c"),
        ("tags=none", ""),
        ("tags=red&limit=1&sort_key=name", "a"),
    ],
)
def test_filters(world: World, query: str, expected: str) -> None:
    for name, tags in {"a": ["red"], "b": ["blue"], "c": ["red", "blue"], "d": []}.items():
        world.make("network", name=name, tags=tags)
    found = world.get(f"networks?{query}")["networks"]
    assert "".join(sorted(network["name"] for network in found)) == expected


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("2020-01-01T00:00:00Z", 1),
        ("2020-01-01T00:00:00", 1),
        ("2020-01-01", 1),
        ("2999-01-01T00:00:00Z", 0),
        ("2999-01-01T00:00:00%2B02:00", 0),
    ],
)
def test_changed_since(world: World, query: str, count: int) -> None:
    world.make("network")
    assert len(world.get(f"networks?changed_since={query}")["networks"]) == count


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00:00%2B14:00", "5"])
def test_changed_since_when(world: World, text: str) -> None:
    assert world.refused("GET", f"networks?changed_since={text}") == (400, "InvalidInput")


def asked(world: World, method: str, path: str, if_match: str, body: Any = None) -> tuple[int, str]:
    reply = world.ask(method, f"/v2.0/{path}", body, if_match=if_match)
    return reply.status, "" if reply.status < 400 else reply.json["NeutronError"]["type"]


STALE = (412, "RevisionNumberConstraintFailed")


def test_only_what_one_has_seen_is_changed(world: World) -> None:
    network = world.make("network")
    path, number = f"networks/{network['id']}", network["revision_number"]
    body = {"network": {"name": "n"}}
    assert asked(world, "PUT", path, f"revision_number={number + 1}", body) == STALE
    assert asked(world, "PUT", path, f"revision_number={number}", body) == (200, "")
    assert asked(world, "PUT", path, f'"revision_number={number}"', body) == STALE
    assert asked(world, "PUT", f"{path}/tags", f"revision_number={number}", {"tags": ["a"]}) == STALE
    assert asked(world, "DELETE", path, f"revision_number={number}") == STALE
    assert asked(world, "GET", path, f"revision_number={number}") == (200, "")
    assert asked(world, "PUT", path, '"something", *', body) == (200, "")
    assert asked(world, "DELETE", path, f"revision_number={number + 1}") == (204, "")


@pytest.mark.parametrize(
    "text",
    [
        "revision_number=",
        "revision_number=x",
        "revision_number=1, revision_number=2",
        pytest.param("revision_number=" + "9" * 5000, id="thousands of digits"),
    ],
)
def test_bad_preconditions(world: World, text: str) -> None:
    id = world.make("network")["id"]
    assert asked(world, "PUT", f"networks/{id}", text, {"network": {}}) == (400, "BadRequest")


def test_what_belongs_to_a_resource_counts_as_its_change(world: World) -> None:
    """As in Neutron: a subnet is part of its network, a rule of its group, an interface of its router."""
    network, router = world.make("network")["id"], world.make("router")["id"]
    group = world.make("security_group")["id"]
    paths = {
        "network": f"networks/{network}",
        "router": f"routers/{router}",
        "security_group": f"security-groups/{group}",
    }

    def numbers() -> dict[str, int]:
        return {kind: world.get(path)[kind]["revision_number"] for kind, path in paths.items()}

    assert numbers() == {"network": 0, "router": 0, "security_group": 0}
    subnet = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    rule = world.make("security_group_rule", security_group_id=group, direction="ingress")["id"]
    world.ask("PUT", f"/v2.0/{paths['router']}/add_router_interface", {"subnet_id": subnet})
    assert numbers() == {"network": 1, "router": 1, "security_group": 1}
    world.change("subnet", subnet, name="s")
    world.change("subnet", subnet, name="s")
    world.make("port", network_id=network, device_owner="compute:nova")
    assert numbers() == {"network": 2, "router": 1, "security_group": 1}
    world.ask("PUT", f"/v2.0/{paths['router']}/remove_router_interface", {"subnet_id": subnet})
    world.remove("security_group_rule", rule)
    assert numbers() == {"network": 2, "router": 2, "security_group": 2}
    many = [{"security_group_id": group, "direction": "egress", "protocol": str(number)} for number in range(200, 205)]
    world.ask("POST", "/v2.0/security-group-rules", {"security_group_rules": many})
    assert numbers()["security_group"] == 3
