"""Subnets that are for ports of certain owners."""

import pytest

from tests.api.support import Json, World


def address(world: World, network: str, **fields: Json) -> str:
    port = world.make("port", "admin", network_id=network, project_id="blue", **fields)
    return str(port["fixed_ips"][0]["ip_address"])


def test_ports_get_addresses_where_their_owner_may(world: World) -> None:
    network = world.make("network")["id"]
    own = world.make("subnet", network_id=network, cidr="10.1.0.0/24", service_types=["compute:nova"])
    assert own["service_types"] == ["compute:nova"]
    body = {"port": {"network_id": network}}
    assert world.refused("POST", "ports", body) == (409, "IpAddressGenerationFailureNoMatchingSubnet")
    assert address(world, network, device_owner="compute:nova").startswith("10.1.")
    assert address(world, network, fixed_ips=[{"subnet_id": own["id"]}]).startswith("10.1.")
    world.make("subnet", network_id=network, cidr="10.2.0.0/24")
    assert address(world, network).startswith("10.2.")
    assert address(world, network, device_owner="network:dhcp").startswith("10.2.")
    assert world.change("subnet", own["id"], service_types=[])["service_types"] == []
    assert world.make("subnet", network_id=network, cidr="10.3.0.0/24")["service_types"] == []


def test_a_network_without_subnets_refuses_nobody(world: World) -> None:
    assert world.make("port", network_id=world.make("network")["id"])["fixed_ips"] == []


@pytest.mark.parametrize(
    ("types", "error"),
    [
        (["nova"], "InvalidSubnetServiceType"),
        (["compute:a", "compute:a"], "InvalidInput"),
        ([1], "InvalidInput"),
        ("compute:nova", "InvalidInput"),
        ([f"compute:{number}" for number in range(21)], "InvalidInput"),
    ],
)
def test_types_that_make_no_sense(world: World, types: Json, error: str) -> None:
    body = {"subnet": {"network_id": world.make("network")["id"], "cidr": "10.1.0.0/24", "service_types": types}}
    assert world.refused("POST", "subnets", body) == (400, error)
