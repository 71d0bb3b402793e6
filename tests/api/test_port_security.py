"""Port security of networks and ports, and allowed address pairs."""

from typing import Any

import pytest

from tests.api.support import Json, World

MAC = "02:00:00:00:00:0a"
VRRP = {"ip_address": "10.0.0.100", "mac_address": "00:00:5e:00:01:01"}
SECURITY_NEEDED = (409, "AddressPairAndPortSecurityRequired")


@pytest.fixture
def network(world: World) -> str:
    made = world.make("network")
    world.make("subnet", network_id=made["id"], cidr="10.0.0.0/24", ip_version=4)
    return str(made["id"])


def port(world: World, network: str, **fields: Json) -> Json:
    return world.make("port", network_id=network, **fields)


def test_a_port_is_secured_unless_somebody_says_otherwise(world: World, network: str) -> None:
    assert world.get(f"networks/{network}")["network"]["port_security_enabled"] is True
    made = port(world, network)
    assert (made["port_security_enabled"], made["allowed_address_pairs"]) == (True, [])
    assert len(made["security_groups"]) == 1
    made = port(world, network, port_security_enabled=False)
    assert (made["port_security_enabled"], made["security_groups"]) == (False, [])
    aliases = {extension["alias"] for extension in world.get("extensions")["extensions"]}
    assert {"port-security", "allowed-address-pairs"} <= aliases


def test_ports_begin_as_their_network_has_it(world: World) -> None:
    network = world.make("network", port_security_enabled=False)["id"]
    assert port(world, network)["port_security_enabled"] is False
    assert port(world, network, port_security_enabled=True)["port_security_enabled"] is True
    world.make("subnet", network_id=network, cidr="10.0.0.0/24", ip_version=4)
    group = world.make("security_group", name="web")["id"]
    assert port(world, network, security_groups=[group])["port_security_enabled"] is True
    assert world.change("network", network, port_security_enabled=True)["port_security_enabled"] is True
    assert port(world, network)["port_security_enabled"] is True


def test_groups_and_pairs_need_port_security(world: World, network: str) -> None:
    group = world.make("security_group", name="web")["id"]

    def refused(**fields: Json) -> tuple[int, str]:
        body = {"port": {"network_id": network, "port_security_enabled": False} | fields}
        return world.refused("POST", "ports", body)

    assert refused(security_groups=[group]) == (400, "PortSecurityAndIPRequiredForSecurityGroups")
    assert refused(allowed_address_pairs=[VRRP]) == SECURITY_NEEDED
    assert port(world, network, port_security_enabled=False, security_groups=[], allowed_address_pairs=[])


def test_port_security_goes_only_when_groups_and_pairs_have_gone(world: World, network: str) -> None:
    made = port(world, network, allowed_address_pairs=[VRRP])
    path = f"ports/{made['id']}"

    def refused(**fields: Json) -> tuple[int, str]:
        return world.refused("PUT", path, {"port": fields})

    off: dict[str, Json] = {"port_security_enabled": False}
    assert refused(**off) == SECURITY_NEEDED
    assert refused(**off, security_groups=[]) == SECURITY_NEEDED
    assert refused(**off, allowed_address_pairs=[]) == (409, "PortSecurityPortHasSecurityGroup")
    assert refused(**off, allowed_address_pairs=[], security_groups=made["security_groups"]) == (
        400,
        "PortSecurityAndIPRequiredForSecurityGroups",
    )
    after = world.change("port", made["id"], **off, security_groups=[], allowed_address_pairs=None)
    assert (after["port_security_enabled"], after["security_groups"], after["allowed_address_pairs"]) == (False, [], [])
    assert refused(allowed_address_pairs=[VRRP]) == SECURITY_NEEDED
    assert refused(security_groups=made["security_groups"]) == (400, "PortSecurityAndIPRequiredForSecurityGroups")
    back = world.change("port", made["id"], port_security_enabled=True, security_groups=made["security_groups"])
    assert back["security_groups"] == made["security_groups"]


def test_pairs(world: World, network: str) -> None:
    wished = [VRRP, {"ip_address": "10.9.0.0/16"}, {"ip_address": "fd00::5"}, {"ip_address": "10.0.0.7/24"}]
    made = port(world, network, mac_address=MAC, allowed_address_pairs=wished)
    assert made["allowed_address_pairs"] == [VRRP, *(one | {"mac_address": MAC} for one in wished[1:])]
    assert port(world, network, allowed_address_pairs=[VRRP])["allowed_address_pairs"] == [VRRP]
    after = world.change("port", made["id"], allowed_address_pairs=[{"ip_address": "10.0.0.9"}])
    assert after["allowed_address_pairs"] == [{"ip_address": "10.0.0.9", "mac_address": MAC}]


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([{"ip_address": "10.0.0.300"}], "InvalidInput"),
        ([{"ip_address": "10.0.0.0/33"}], "InvalidInput"),
        ([{"ip_address": "224.0.0.18"}], "InvalidInput"),
        ([{"ip_address": "0.0.0.0"}], "InvalidInput"),
        ([{"ip_address": "::ffff:10.0.0.9"}], "InvalidInput"),
        ([{"ip_address": "::ffff:0:0/96"}], "InvalidInput"),
        ([{"ip_address": "fe80::9%eth0"}], "InvalidInput"),
        ([{"mac_address": MAC}], "HTTPBadRequest"),
        ([{"ip_address": "10.0.0.9", "mac_address": "01:00:5e:00:00:12"}], "InvalidInput"),
        ([{"ip_address": "10.0.0.9", "mac_address": "no"}], "InvalidInput"),
        ([{"ip_address": "10.0.0.9", "colour": "blue"}], "HTTPBadRequest"),
        ("10.0.0.9", "InvalidInput"),
        ([{"ip_address": "10.0.0.9"}] * 2, "DuplicateAddressPairInRequest"),
        ([{"ip_address": f"10.0.0.{n}"} for n in range(11)], "AllowedAddressPairExhausted"),
    ],
)
def test_bad_pairs(world: World, network: str, pairs: Any, error: str) -> None:
    before = world.counts()
    body = {"port": {"network_id": network, "allowed_address_pairs": pairs}}
    assert world.refused("POST", "ports", body) == (400, error)
    assert world.counts() == before
    made = port(world, network)["id"]
    assert world.refused("PUT", f"ports/{made}", {"port": {"allowed_address_pairs": pairs}}) == (400, error)


def test_on_another_projects_network_a_port_stays_secured(world: World, network: str) -> None:
    rule = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": "red"}
    assert world.ask("POST", "/v2.0/rbac-policies", {"rbac_policy": rule}).status == 201
    made = world.make("port", "red", network_id=network)["id"]
    for fields in ({"port_security_enabled": False, "security_groups": []}, {"allowed_address_pairs": [VRRP]}):
        body = {"port": {"network_id": network} | fields}
        assert world.ask("POST", "/v2.0/ports", body, "red").error == (403, "PolicyNotAuthorized")
        assert world.ask("PUT", f"/v2.0/ports/{made}", {"port": fields}, "red").error == (403, "PolicyNotAuthorized")


def test_a_routers_port_is_not_secured_and_stays_so(world: World, network: str) -> None:
    router = world.make("router")["id"]
    subnet = world.get(f"subnets?network_id={network}")["subnets"][0]["id"]
    reply = world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    interface = reply.json["port_id"]
    assert world.get(f"ports/{interface}")["port"]["port_security_enabled"] is False
    body = {"port": {"port_security_enabled": True}}
    assert world.refused("PUT", f"ports/{interface}", body) == (409, "L3PortInUse")
