"""Ports: addresses, MACs, groups, identities, bindings, status."""

import re

from netplane.model import Binding, Identity
from netplane.store.bindings import register_host
from tests.api.support import Json, World


def make_network(world: World, *cidrs: str, token: str = "blue") -> tuple[str, list[str]]:
    network = world.make("network", token)["id"]
    return network, [world.make("subnet", token, network_id=network, cidr=cidr)["id"] for cidr in cidrs]


def addresses(port: Json) -> list[str]:
    return [fixed["ip_address"] for fixed in port["fixed_ips"]]


def identities(world: World) -> dict[tuple[str, ...], int]:
    with world.store.read() as reader:
        return {identity.groups: identity.number for identity in reader.list(Identity)}


def bindings(world: World) -> dict[str, str]:
    with world.store.read() as reader:
        return {binding.id: binding.host_id for binding in reader.list(Binding)}


def test_the_state_of_an_uplink_that_ports_have_not(world: World) -> None:
    network = world.make("network")
    port = world.make("port", network_id=network["id"])
    assert port["propagate_uplink_status"] is True
    assert world.change("port", port["id"], propagate_uplink_status=False)["propagate_uplink_status"] is False
    other = world.make("port", network_id=network["id"], propagate_uplink_status=False)
    assert world.get(f"ports/{other['id']}")["port"]["propagate_uplink_status"] is False
    body = {"port": {"propagate_uplink_status": "perhaps"}}
    assert world.ask("PUT", f"/v2.0/ports/{port['id']}", body).error == (400, "InvalidInput")


def test_a_port(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    port = world.make("port", network_id=network, name="p", device_id="vm", device_owner="compute:nova")
    default = world.get("security-groups")["security_groups"][0]["id"]
    for name in ("id", "created_at", "updated_at"):
        assert port.pop(name)
    assert re.fullmatch("fa:16:3e(:[0-9a-f]{2}){3}", port.pop("mac_address"))
    assert port == {
        "project_id": "blue",
        "propagate_uplink_status": True,
        "tenant_id": "blue",
        "name": "p",
        "description": "",
        "revision_number": 0,
        "tags": [],
        "network_id": network,
        "admin_state_up": True,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": "10.0.0.2"}],
        "extra_dhcp_opts": [],
        "port_security_enabled": True,
        "allowed_address_pairs": [],
        "device_id": "vm",
        "device_owner": "compute:nova",
        "dns_name": "",
        "dns_domain": "",
        "dns_assignment": [
            {"ip_address": "10.0.0.2", "hostname": "host-10-0-0-2", "fqdn": "host-10-0-0-2.openstacklocal."}
        ],
        "netplane:metadata": {},
        "security_groups": [default],
        "status": "DOWN",
        "ip_allocation": "immediate",
        "binding:vnic_type": "normal",
    }


def test_a_network_without_subnets_gives_no_address(world: World) -> None:
    network, _ = make_network(world)
    assert world.make("port", network_id=network)["fixed_ips"] == []


def test_addresses_follow_each_other_and_rest_before_they_return(world: World) -> None:
    network, _ = make_network(world, "10.0.0.0/29")
    ports = [world.make("port", network_id=network) for _ in range(3)]
    assert [addresses(port) for port in ports] == [["10.0.0.2"], ["10.0.0.3"], ["10.0.0.4"]]
    world.remove("port", ports[0]["id"])
    later = [addresses(world.make("port", network_id=network)) for _ in range(3)]
    assert later == [["10.0.0.5"], ["10.0.0.6"], ["10.0.0.2"]]


def test_the_next_subnet_serves_when_one_is_full(world: World) -> None:
    network, (first, second) = make_network(world, "10.0.0.0/30", "10.0.1.0/30")
    got = {world.make("port", network_id=network)["fixed_ips"][0]["subnet_id"] for _ in range(2)}
    assert got == {first, second}


def test_wishes_for_addresses(world: World) -> None:
    network, (one, two) = make_network(world, "10.0.0.0/24", "10.0.1.0/24")
    both = [{"subnet_id": one}, {"subnet_id": two}]
    wishes: list[tuple[Json, list[str]]] = [
        ([], []),
        ([{"subnet_id": two}], ["10.0.1.2"]),
        ([{"ip_address": "10.0.1.77"}], ["10.0.1.77"]),
        ([{"subnet_id": one, "ip_address": "10.0.0.77"}], ["10.0.0.77"]),
        (both, ["10.0.0.2", "10.0.1.3"]),
        ([{"subnet_id": one}, {"subnet_id": one}], ["10.0.0.3", "10.0.0.4"]),
        ([{"ip_address": "10.0.0.1"}], ["10.0.0.1"]),
    ]
    for wish, expected in wishes:
        assert addresses(world.make("port", network_id=network, fixed_ips=wish)) == expected


def test_addresses_out_of_the_pools_are_for_those_who_ask(world: World) -> None:
    network, _ = make_network(world)
    pools = [{"start": "10.0.0.100", "end": "10.0.0.101"}]
    world.make("subnet", network_id=network, cidr="10.0.0.0/24", allocation_pools=pools)
    assert addresses(world.make("port", network_id=network, fixed_ips=[{"ip_address": "10.0.0.5"}])) == ["10.0.0.5"]
    got = [addresses(world.make("port", network_id=network)) for _ in range(2)]
    assert got == [["10.0.0.100"], ["10.0.0.101"]]


def test_macs_are_kept_in_one_form(world: World) -> None:
    network, _ = make_network(world)
    assert world.make("port", network_id=network, mac_address="AA-BB-CC-00-11-22")["mac_address"] == "aa:bb:cc:00:11:22"
    other, _ = make_network(world)
    world.make("port", network_id=other, mac_address="aa:bb:cc:00:11:22")


def test_a_port_changes(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    port = world.make("port", network_id=network)
    wish = {"name": "p", "admin_state_up": False, "mac_address": "aa:bb:cc:00:11:22"}
    changed = world.change("port", port["id"], "admin", **wish)
    assert (changed["name"], changed["admin_state_up"], changed["mac_address"]) == ("p", False, "aa:bb:cc:00:11:22")
    assert changed["fixed_ips"] == port["fixed_ips"]
    more = [{"subnet_id": subnet}, {"ip_address": "10.0.0.50"}]
    assert sorted(addresses(world.change("port", port["id"], fixed_ips=more))) == ["10.0.0.2", "10.0.0.50"]
    assert addresses(world.change("port", port["id"], fixed_ips=[{"ip_address": "10.0.0.50"}])) == ["10.0.0.50"]
    assert world.change("port", port["id"], fixed_ips=[])["fixed_ips"] == []
    world.make("port", network_id=network, fixed_ips=[{"ip_address": "10.0.0.2"}, {"ip_address": "10.0.0.50"}])


def test_identities_live_as_long_as_their_ports(world: World) -> None:
    network, _ = make_network(world)
    default = world.get("security-groups")["security_groups"][0]["id"]
    web = world.make("security_group", name="web")["id"]
    first = world.make("port", network_id=network)["id"]
    second = world.make("port", network_id=network)["id"]
    assert identities(world) == {(default,): 1}
    both = tuple(sorted((default, web)))
    assert world.change("port", first, security_groups=[web, default, web])["security_groups"] == list(both)
    assert identities(world) == {(default,): 1, both: 2}
    world.change("port", second, security_groups=[])
    assert identities(world) == {both: 2}
    assert world.refused("DELETE", f"security-groups/{web}") == (409, "SecurityGroupInUse")
    world.remove("port", first)
    assert identities(world) == {}
    world.remove("security_group", web)
    world.remove("port", second)


def test_a_requested_host_is_a_binding(world: World) -> None:
    network, _ = make_network(world)
    early = world.make("port", "admin", network_id=network, project_id="blue", binding__host_id="h1")
    assert (early["binding:host_id"], early["binding:vif_type"]) == ("h1", "tap")
    assert bindings(world) == {}
    with world.store.write("test") as transaction:
        register_host(transaction, "h1", "192.0.2.1")
        register_host(transaction, "h2", "192.0.2.2")
    late = world.make("port", "admin", network_id=network, project_id="blue", binding__host_id="h1")
    assert bindings(world) == {early["id"]: "h1", late["id"]: "h1"}
    world.change("port", late["id"], "admin", binding__host_id="h2")
    world.change("port", late["id"], "admin", name="kept")
    assert bindings(world) == {early["id"]: "h1", late["id"]: "h2"}
    assert world.change("port", late["id"], "admin", binding__host_id="")["binding:vif_type"] == "unbound"
    world.remove("port", early["id"])
    assert bindings(world) == {}


def test_its_owner_does_not_see_where_a_port_is(world: World) -> None:
    network, _ = make_network(world)
    port = world.make("port", "admin", network_id=network, project_id="blue", binding__host_id="h1")
    shown = world.get(f"ports/{port['id']}")["port"]
    assert not {"binding:host_id", "binding:vif_type", "binding:vif_details", "binding:profile"} & set(shown)
    assert world.refused("GET", "ports?binding:host_id=h1") == (400, "HTTPBadRequest")
    assert len(world.get("ports?binding:host_id=h1", "admin")["ports"]) == 1


def test_status_is_what_hosts_reported(world: World) -> None:
    network, _ = make_network(world)
    one, two = world.make("port", network_id=network)["id"], world.make("port", network_id=network)["id"]
    world.store.report("port_status", {one: "ACTIVE"})
    assert world.get(f"ports/{one}")["port"]["status"] == "ACTIVE"
    assert [port["id"] for port in world.get("ports?status=ACTIVE")["ports"]] == [one]
    assert [port["id"] for port in world.get("ports?status=DOWN")["ports"]] == [two]


def test_a_thousand_ports_in_one_call(world: World) -> None:
    world.lift_quota("port")
    network, _ = make_network(world, "10.0.0.0/16")
    before = world.store.revision
    ports = [{"network_id": network, "name": f"p{number}"} for number in range(1000)]
    made = world.ask("POST", "/v2.0/ports", {"ports": ports}).json["ports"]
    assert [port["name"] for port in made] == [port["name"] for port in ports]
    assert len({port["mac_address"] for port in made}) == len({addresses(port)[0] for port in made}) == 1000
    assert world.store.revision == before + 1001
