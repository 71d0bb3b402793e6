"""Tokens, discovery, unknown paths: what is the same for all calls."""

import pytest

from tests.api.support import World

UNAUTHORIZED = {
    "error": {
        "code": 401,
        "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }
}


@pytest.mark.parametrize("token", [None, "", "wrong", "agent", "Blue"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2.0/"), ("GET", "/v2.0/networks"), ("POST", "/v2.0/networks"), ("GET", "/unknown"), ("GET", "/v2.0")],
)
def test_without_a_token_nothing_is_told(world: World, method: str, path: str, token: str | None) -> None:
    reply = world.ask(method, path, {"network": {}} if method == "POST" else None, token)
    assert (reply.status, reply.json) == (401, UNAUTHORIZED)
    assert reply.headers["www-authenticate"].startswith("Keystone uri=")
    assert reply.headers["x-openstack-request-id"].startswith("req-")
    assert world.store.revision == 0


def test_the_root_needs_no_token(world: World) -> None:
    reply = world.ask("GET", "/", token=None)
    versions = reply.json["versions"]["values"]
    found = {one["id"]: (one["status"], one["links"][0]["href"]) for one in versions}
    assert reply.status == 300
    assert found == {"v3.14": ("stable", "http://net.example/v3/"), "v2.0": ("CURRENT", "http://net.example/v2.0/")}


@pytest.mark.parametrize("path", ["/networking", "/networking/"])
def test_the_network_api_has_a_root_of_its_own(world: World, path: str) -> None:
    reply = world.ask("GET", path, token=None)
    link = {"rel": "self", "href": "http://net.example/networking/v2.0/"}
    assert (reply.status, reply.json) == (200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})
    listed = world.ask("GET", "/networking/v2.0/networks?limit=1").json
    assert listed == {"networks": []}
    assert world.ask("GET", "/networking/v2.0/networks", token=None).status == 401


@pytest.mark.parametrize("path", ["/v2.0/", "/v2.0"])
def test_the_collections_are_told(world: World, path: str) -> None:
    resources = world.ask("GET", path).json["resources"]
    assert {resource["collection"] for resource in resources} == {
        "networks",
        "subnets",
        "subnetpools",
        "address_scopes",
        "default_security_group_rules",
        "flavors",
        "service_profiles",
        "service_providers",
        "segments",
        "agents",
        "availability_zones",
        "network_ip_availabilities",
        "ports",
        "routers",
        "trunks",
        "security_groups",
        "security_group_rules",
        "address_groups",
        "rbac_policies",
        "logs",
        "firewall_rules",
        "firewall_policies",
        "firewall_groups",
    }
    assert resources[0]["links"] == [{"rel": "self", "href": "http://net.example/v2.0/networks"}]


def test_extensions_show_as_they_are_listed(world: World) -> None:
    listed = world.get("extensions")["extensions"]
    assert all(set(one) == {"alias", "name", "description", "updated", "links"} for one in listed)
    for one in listed:
        assert world.get(f"extensions/{one['alias']}") == {"extension": one}
    assert world.refused("GET", "extensions/none") == (404, "ExtensionNotFound")


@pytest.mark.parametrize("path", ["", "networks/1/2", "network", "routers/1/unknown", "../etc"])
def test_unknown_paths(world: World, path: str) -> None:
    assert world.refused("GET", f"unknown/{path}") == (404, "HTTPNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "networks"), ("DELETE", "networks"), ("POST", "networks/1"), ("GET", "routers/1/add_router_interface")],
)
def test_methods_that_do_not_exist(world: World, method: str, path: str) -> None:
    assert world.refused(method, path) == (405, "HTTPMethodNotAllowed")


def test_old_clients_add_json_to_the_path(world: World) -> None:
    assert world.get("networks.json") == {"networks": []}


def test_every_write_tells_its_revision(world: World) -> None:
    reply = world.ask("POST", "/v2.0/networks", {"network": {}})
    assert int(reply.headers["x-netplane-revision"]) == world.store.revision == 6
    id = reply.json["network"]["id"]
    reply = world.ask("PUT", f"/v2.0/networks/{id}", {"network": {"name": "n"}})
    assert reply.headers["x-netplane-revision"] == "7"
    assert world.ask("DELETE", f"/v2.0/networks/{id}").headers["x-netplane-revision"] == "8"
    assert "x-netplane-revision" not in world.ask("GET", "/v2.0/networks").headers


def test_the_log_tells_who_wrote(world: World) -> None:
    reply = world.ask("POST", "/v2.0/networks", {"network": {}})
    written = world.store.journal(0)
    assert {entry.actor for entry in written} == {"ann"}
    assert {entry.request for entry in written} == {reply.headers["x-openstack-request-id"]}


def test_head_is_get_without_its_body(world: World) -> None:
    assert world.ask("HEAD", "/v2.0/networks").status == 200
