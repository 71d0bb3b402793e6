"""Service providers, service profiles, and flavors, which stand for profiles."""

from typing import Any

import pytest

from netplane.model.flavor import MOST_PROFILES
from tests.api.support import World

Json = dict[str, Any]

ABSENT = "00000000-0000-4000-a000-000000000000"


def profile(world: World, **fields: Any) -> str:
    id: str = world.make("service_profile", "admin", **({"driver": "netplane"} | fields))["id"]
    return id


def flavor(world: World, **fields: Any) -> Json:
    made: Json = world.make("flavor", "admin", **({"service_type": "L3_ROUTER_NAT"} | fields))
    return made


def test_providers(world: World) -> None:
    listed = world.get("service-providers")["service_providers"]
    assert {"service_type": "L3_ROUTER_NAT", "name": "netplane", "default": True} in listed
    assert {"service_type": "FIREWALL_V2", "name": "netplane", "default": True} in listed
    [one] = world.get("service-providers?service_type=L3_ROUTER_NAT&fields=name")["service_providers"]
    assert one == {"name": "netplane"}
    assert world.get("service-providers?name=other")["service_providers"] == []
    assert world.get("service-providers?default=False")["service_providers"] == []
    assert world.refused("GET", "service-providers?driver=x") == (400, "HTTPBadRequest")
    assert world.refused("POST", "service-providers", {}, "admin") == (405, "HTTPMethodNotAllowed")


def test_a_profile_comes_and_goes(world: World) -> None:
    made = world.make("service_profile", "admin", name="fast", driver="netplane", description="d" * 1024, metainfo="{}")
    assert made.items() >= {"driver": "netplane", "metainfo": "{}", "enabled": True, "project_id": ""}.items()
    id = made["id"]
    changed = world.change("service_profile", id, "admin", enabled=False, driver="")
    assert (changed["enabled"], changed["driver"]) == (False, "")
    [found] = world.get("service_profiles?name=fast&enabled=False", "admin")["service_profiles"]
    assert found == changed == world.get(f"service_profiles/{id}", "admin")["service_profile"]
    assert world.get("service_profiles?driver=netplane", "admin")["service_profiles"] == []
    world.remove("service_profile", id, "admin")
    assert world.counts() == {}


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({}, (400, "ServiceProfileEmpty")),
        ({"driver": "other"}, (404, "ServiceProfileDriverNotFound")),
        ({"driver": "d" * 1025}, (400, "InvalidInput")),
        ({"metainfo": "d" * 4097}, (400, "InvalidInput")),
        ({"driver": "netplane", "colour": "red"}, (400, "HTTPBadRequest")),
        ({"driver": "netplane", "enabled": "often"}, (400, "InvalidInput")),
    ],
)
def test_profiles_that_cannot_be(world: World, wish: Json, refusal: tuple[int, str]) -> None:
    assert world.refused("POST", "service_profiles", {"service_profile": wish}, "admin") == refusal


def test_a_profile_that_would_say_nothing(world: World) -> None:
    id = profile(world)
    body = {"service_profile": {"driver": ""}}
    assert world.refused("PUT", f"service_profiles/{id}", body, "admin") == (400, "ServiceProfileEmpty")
    assert world.refused("GET", f"service_profiles/{id}") == (404, "ServiceProfileNotFound")
    assert world.get("service_profiles")["service_profiles"] == []


def test_a_flavor_comes_and_goes(world: World) -> None:
    first, second = profile(world), profile(world)
    made = flavor(world, name="gold", description="quick", service_profiles=[first])
    assert made.items() >= {"service_profiles": [first], "enabled": True, "project_id": "", "name": "gold"}.items()
    assert world.get(f"flavors/{made['id']}")["flavor"] == made
    assert world.get("flavors?name=gold&service_type=L3_ROUTER_NAT&enabled=True")["flavors"] == [made]
    assert world.get(f"flavors?service_profiles={second}")["flavors"] == []
    assert world.get(f"flavors?service_profiles={first}&service_profiles={second}")["flavors"] == [made]
    changed = world.change("flavor", made["id"], "admin", service_profiles=[second, first], enabled=False, name="old")
    assert (changed["service_profiles"], changed["enabled"]) == ([second, first], False)
    world.remove("flavor", made["id"], "admin")
    for id in (first, second):
        world.remove("service_profile", id, "admin")
    assert world.counts() == {}


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({}, (400, "HTTPBadRequest")),
        ({"service_type": "VPN"}, (400, "InvalidServiceType")),
        ({"service_type": "FLAVORS", "service_profiles": [ABSENT]}, (404, "ServiceProfileNotFound")),
        ({"service_type": "FLAVORS", "service_profiles": "x"}, (400, "InvalidInput")),
        ({"service_type": "FLAVORS", "service_profiles": [ABSENT] * (MOST_PROFILES + 1)}, (400, "InvalidInput")),
        ({"service_type": "FLAVORS", "name": "n" * 256}, (400, "InvalidInput")),
        ({"service_type": "FLAVORS", "colour": "red"}, (400, "HTTPBadRequest")),
    ],
)
def test_flavors_that_cannot_be(world: World, wish: Json, refusal: tuple[int, str]) -> None:
    assert world.refused("POST", "flavors", {"flavor": wish}, "admin") == refusal


def test_what_it_is_of_and_doubles_are_refused(world: World) -> None:
    one, id = profile(world), flavor(world)["id"]
    body: Json = {"flavor": {"service_profiles": [one, one]}}
    assert world.refused("PUT", f"flavors/{id}", body, "admin") == (400, "InvalidInput")
    body = {"flavor": {"service_type": "FLAVORS"}}
    assert world.refused("PUT", f"flavors/{id}", body, "admin") == (400, "HTTPBadRequest")


def test_profiles_are_associated_and_no_more(world: World) -> None:
    one, id = profile(world), flavor(world)["id"]
    path, body = f"flavors/{id}/service_profiles", {"service_profile": {"id": one}}
    assert world.ask("POST", f"/v2.0/{path}", body, "admin").json == {"service_profile": {"id": one}}
    assert world.refused("POST", path, body, "admin") == (409, "FlavorServiceProfileBindingExists")
    assert world.get(path)["service_profiles"] == [{"id": one}]
    assert world.get(f"{path}/{one}")["service_profile"] == {"id": one}
    assert world.get(f"flavors/{id}")["flavor"]["service_profiles"] == [one]
    for wish in ({"enabled": False}, {"description": "x"}):
        changed: Json = {"service_profile": wish}
        assert world.refused("PUT", f"service_profiles/{one}", changed, "admin") == (409, "ServiceProfileInUse")
    assert world.refused("DELETE", f"service_profiles/{one}", None, "admin") == (409, "ServiceProfileInUse")
    assert world.refused("PUT", f"{path}/{one}", body, "admin") == (405, "HTTPMethodNotAllowed")
    assert world.ask("DELETE", f"/v2.0/{path}/{one}", token="admin").status == 204
    for method, token in (("DELETE", "admin"), ("GET", "blue")):
        assert world.refused(method, f"{path}/{one}", None, token) == (404, "FlavorServiceProfileBindingNotFound")
    world.remove("service_profile", one, "admin")
    assert world.refused("POST", path, body, "admin") == (404, "ServiceProfileNotFound")
    wrongs: list[Json] = [{}, {"service_profile": {}}, {"service_profile": {"id": 7}}]
    for wrong in wrongs:
        assert world.refused("POST", path, wrong, "admin") == (400, "InvalidInput")
    assert world.refused("POST", f"flavors/{ABSENT}/service_profiles", body, "admin") == (404, "FlavorNotFound")


def test_a_flavor_stands_for_so_many_profiles(world: World) -> None:
    ids = [profile(world) for _ in range(MOST_PROFILES + 1)]
    id = flavor(world, service_profiles=ids[:-1])["id"]
    body = {"service_profile": {"id": ids[-1]}}
    assert world.refused("POST", f"flavors/{id}/service_profiles", body, "admin") == (400, "InvalidInput")


def test_who_would_provide(world: World) -> None:
    one = profile(world)
    id = flavor(world, service_profiles=[one])["id"]
    path = f"flavors/{id}/next_providers"
    assert world.get(path)["next_providers"] == [{"driver": "netplane", "provider": "netplane"}]
    world.change("flavor", id, "admin", service_profiles=[profile(world, enabled=False)])
    assert world.refused("GET", path) == (503, "ServiceProfileDisabled")
    world.change("flavor", id, "admin", service_profiles=[profile(world, driver="", metainfo="words")])
    assert world.refused("GET", path) == (404, "ServiceProfileDriverNotFound")
    world.change("flavor", id, "admin", service_profiles=[])
    assert world.refused("GET", path) == (404, "FlavorServiceProfileBindingNotFound")
