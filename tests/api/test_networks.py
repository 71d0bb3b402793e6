"""Networks and subnets."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.support import World


def test_a_network(world: World) -> None:
    network = world.make("network", name="n", description="d")
    id, times = network["id"], (network.pop("created_at"), network.pop("updated_at"))
    assert times[0] == times[1]
    assert network == {
        "id": id,
        "project_id": "blue",
        "tenant_id": "blue",
        "name": "n",
        "description": "d",
        "revision_number": 0,
        "tags": [],
        "admin_state_up": True,
        "port_security_enabled": True,
        "mtu": 1450,
        "dns_domain": "",
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "status": "ACTIVE",
        "subnets": [],
        "shared": False,
        "router:external": False,
        "l2_adjacency": True,
    }


def test_administrators_see_how_it_is_carried(world: World) -> None:
    id = world.make("network")["id"]
    seen = world.get(f"networks/{id}", "admin")["network"]
    assert seen["provider:network_type"] == "vxlan"
    assert seen["provider:physical_network"] is None
    assert seen["provider:segmentation_id"] == 1


def test_networks_have_numbers_of_their_own(world: World) -> None:
    made = world.ask("POST", "/v2.0/networks", {"networks": [{}] * 5}).json["networks"]
    shown = [world.get(f"networks/{network['id']}", "admin")["network"] for network in made]
    assert len({network["provider:segmentation_id"] for network in shown}) == 5


def test_a_network_changes_and_counts(world: World) -> None:
    network = world.make("network")
    changed = world.change("network", network["id"], name="other", mtu=1400, admin_state_up=False)
    assert (changed["name"], changed["mtu"], changed["status"], changed["revision_number"]) == (
        "other",
        1400,
        "DOWN",
        1,
    )
    assert world.get(f"networks/{network['id']}")["network"] == changed


def test_mtu_is_what_the_underlay_leaves(tmp_path: Path) -> None:
    world = World(tmp_path, largest_mtu=8950)
    network = world.make("network", mtu=0)
    assert network["mtu"] == world.make("network")["mtu"] == 8950
    assert world.change("network", network["id"], mtu=1400)["mtu"] == 1400
    assert world.change("network", network["id"], name="n")["mtu"] == 1400
    assert world.change("network", network["id"], mtu=0)["mtu"] == 8950
    refused = world.ask("PUT", f"/v2.0/networks/{network['id']}", {"network": {"mtu": 8951}})
    assert refused.error == (400, "InvalidInput")
    assert "Requested MTU is too big, maximum is 8950" in refused.json["NeutronError"]["message"]
    world.close()


def test_texts_of_numbers_and_truths_are_taken(world: World) -> None:
    network = world.make("network", mtu="1400", admin_state_up="false")
    assert (network["mtu"], network["admin_state_up"]) == (1400, False)


def test_administrators_make_resources_for_others(world: World) -> None:
    for name in ("project_id", "tenant_id"):
        network = world.make("network", "admin", **{name: "red"})
        assert world.get(f"networks/{network['id']}", "red")["network"]["project_id"] == "red"


def test_a_network_takes_its_subnets_along(world: World) -> None:
    network = world.make("network")["id"]
    subnet = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    assert world.get(f"networks/{network}")["network"]["subnets"] == [subnet]
    world.remove("network", network)
    assert world.refused("GET", f"subnets/{subnet}") == (404, "SubnetNotFound")


SUBNETS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"cidr": "10.0.0.0/24"},
        {
            "gateway_ip": "10.0.0.1",
            "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.254"}],
            "enable_dhcp": True,
            "ip_version": 4,
            "dns_nameservers": [],
            "host_routes": [],
        },
    ),
    (
        {"cidr": "10.0.0.0/24", "gateway_ip": None},
        {"gateway_ip": None, "allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.254"}]},
    ),
    (
        {"cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.9"},
        {
            "gateway_ip": "10.0.0.9",
            "allocation_pools": [
                {"start": "10.0.0.1", "end": "10.0.0.8"},
                {"start": "10.0.0.10", "end": "10.0.0.254"},
            ],
        },
    ),
    (
        {"cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.254"},
        {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.253"}]},
    ),
    (
        {"cidr": "10.0.0.0/30"},
        {"gateway_ip": "10.0.0.1", "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.2"}]},
    ),
    (
        {"cidr": "10.0.0.0/31"},
        {"gateway_ip": "10.0.0.0", "allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.1"}]},
    ),
    ({"cidr": "10.0.0.7/32"}, {"gateway_ip": None, "allocation_pools": [{"start": "10.0.0.7", "end": "10.0.0.7"}]}),
    (
        {
            "cidr": "10.0.0.0/24",
            "allocation_pools": [{"start": "10.0.0.20", "end": "10.0.0.29"}, {"start": "10.0.0.5", "end": "10.0.0.9"}],
        },
        {"allocation_pools": [{"start": "10.0.0.5", "end": "10.0.0.9"}, {"start": "10.0.0.20", "end": "10.0.0.29"}]},
    ),
    (
        {
            "cidr": "10.0.0.0/24",
            "enable_dhcp": False,
            "dns_nameservers": ["9.9.9.9", "1.1.1.1"],
            "host_routes": [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.3"}],
        },
        {
            "enable_dhcp": False,
            "dns_nameservers": ["9.9.9.9", "1.1.1.1"],
            "host_routes": [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.3"}],
        },
    ),
]


@pytest.mark.parametrize(("asked", "got"), SUBNETS)
def test_subnets(world: World, asked: dict[str, Any], got: dict[str, Any]) -> None:
    network = world.make("network")["id"]
    subnet = world.make("subnet", network_id=network, **asked)
    assert {name: subnet[name] for name in got} == got
    assert world.get(f"subnets/{subnet['id']}")["subnet"] == subnet


def test_ranges_may_repeat_on_other_networks(world: World) -> None:
    for token in ("blue", "blue", "red"):
        network = world.make("network", token)["id"]
        world.make("subnet", token, network_id=network, cidr="10.0.0.0/24")


def test_subnets_side_by_side(world: World) -> None:
    network = world.make("network")["id"]
    wishes = [{"network_id": network, "cidr": f"10.0.{number}.0/24"} for number in range(3)]
    assert world.ask("POST", "/v2.0/subnets", {"subnets": wishes}).status == 201
    twice = [{"network_id": network, "cidr": "10.1.0.0/24"}] * 2
    assert world.refused("POST", "subnets", {"subnets": twice}) == (400, "InvalidInput")


def test_a_subnet_changes(world: World) -> None:
    network = world.make("network")["id"]
    subnet = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    pools = [{"start": "10.0.0.100", "end": "10.0.0.199"}]
    changed = world.change(
        "subnet", subnet, allocation_pools=pools, gateway_ip="10.0.0.99", dns_nameservers=["1.1.1.1"]
    )
    assert (changed["allocation_pools"], changed["gateway_ip"], changed["dns_nameservers"]) == (
        pools,
        "10.0.0.99",
        ["1.1.1.1"],
    )
    port = world.make("port", network_id=network)
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "10.0.0.100"}]
    assert world.change("subnet", subnet, gateway_ip=None)["gateway_ip"] is None
