"""IPv6: modes of subnets, the addresses that machines make themselves, dual stack, routers' interfaces."""

from itertools import product
from typing import Any

import pytest

from netplane.base.addresses import eui64, pack_address, pack_mac, unpack_address
from tests.api.support import Json, World
from tests.api.test_ports import addresses
from tests.api.test_routers import add, remove

MODES = (None, "slaac", "dhcpv6-stateless", "dhcpv6-stateful")
PREFIX = "2001:db8:1"


def modes(ra_mode: str | None, address_mode: str | None) -> dict[str, str]:
    given = {"ipv6_ra_mode": ra_mode, "ipv6_address_mode": address_mode}
    return {name: mode for name, mode in given.items() if mode is not None}


def slaac(world: World, network: str, prefix: str = PREFIX, mode: str = "slaac", **more: Json) -> str:
    made = world.make("subnet", network_id=network, ip_version=6, cidr=f"{prefix}::/64", **modes(mode, mode), **more)
    return str(made["id"])


def own(port: Json, prefix: str = PREFIX) -> str:
    """The address that a port's machine makes itself."""
    return unpack_address(eui64(pack_address(f"{prefix}::"), pack_mac(port["mac_address"])))


@pytest.fixture
def network(world: World) -> str:
    return str(world.make("network")["id"])


def test_a_subnet(world: World, network: str) -> None:
    """Defaults: the first address for the gateway, and everything after it to give."""
    subnet = world.make("subnet", network_id=network, ip_version=6, cidr="2001:DB8:0:1::/64")
    assert (subnet["cidr"], subnet["gateway_ip"]) == ("2001:db8:0:1::/64", "2001:db8:0:1::1")
    assert subnet["allocation_pools"] == [{"start": "2001:db8:0:1::2", "end": "2001:db8:0:1:ffff:ffff:ffff:ffff"}]
    assert (subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"], subnet["enable_dhcp"]) == (None, None, True)
    assert world.get("subnets?ip_version=6")["subnets"] == [subnet]
    assert world.get("subnets?ipv6_ra_mode=slaac")["subnets"] == []


@pytest.mark.parametrize(("ra_mode", "address_mode"), list(product(MODES, MODES)))
def test_modes(world: World, network: str, ra_mode: str | None, address_mode: str | None) -> None:
    """Either may be left open; both must be the same."""
    wish: Json = {"network_id": network, "ip_version": 6, "cidr": "2001:db8::/64", **modes(ra_mode, address_mode)}
    if None in (ra_mode, address_mode) or ra_mode == address_mode:
        subnet = world.make("subnet", **wish)
        assert (subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"]) == (ra_mode, address_mode)
    else:
        assert world.refused("POST", "subnets", {"subnet": wish}) == (400, "InvalidInput")


BAD: list[Any] = [
    ({"ipv6_ra_mode": "radvd"}, 400, "InvalidInput"),
    ({"ipv6_ra_mode": 7}, 400, "InvalidInput"),
    ({"ipv6_ra_mode": "slaac", "enable_dhcp": False}, 400, "InvalidInput"),
    ({"ipv6_address_mode": "dhcpv6-stateful", "enable_dhcp": False}, 400, "InvalidInput"),
    ({"ipv6_ra_mode": "slaac", "cidr": "2001:db8::/65"}, 400, "InvalidInput"),
    ({"ipv6_address_mode": "dhcpv6-stateless", "cidr": "2001:db8::/56"}, 400, "InvalidInput"),
    ({"ip_version": 4}, 400, "InvalidInput"),
    ({"cidr": "2001:db8::1/64"}, 400, "InvalidInput"),
    ({"cidr": "2001:db8::/129"}, 400, "InvalidInput"),
    ({"cidr": "::/0"}, 400, "InvalidInput"),
    ({"cidr": "::/1"}, 400, "InvalidInput"),
    ({"cidr": "::1/128", "enable_dhcp": False}, 400, "InvalidInput"),
    ({"cidr": "::ffff:10.0.0.0/120"}, 400, "InvalidInput"),
    ({"cidr": "fe80::/64"}, 400, "InvalidInput"),
    ({"cidr": "ff05::/64"}, 400, "InvalidInput"),
    ({"cidr": "2001:db8::/127"}, 400, "InvalidInput"),
    ({"cidr": "10.9.0.0/24"}, 400, "InvalidInput"),
    ({"cidr": "2001:db8:ffff::/80"}, 400, "InvalidInput"),
    ({"gateway_ip": "2001:db8:1::1"}, 400, "InvalidInput"),
    ({"gateway_ip": "10.0.0.1"}, 400, "InvalidInput"),
    ({"gateway_ip": "ff02::1"}, 400, "InvalidInput"),
    ({"dns_nameservers": ["192.0.2.1"]}, 400, "InvalidInput"),
    ({"dns_nameservers": ["2001:db8::53", "2001:DB8::0:53"]}, 400, "InvalidInput"),
    ({"host_routes": [{"destination": "10.0.0.0/8", "nexthop": "2001:db8::9"}]}, 400, "InvalidInput"),
    ({"host_routes": [{"destination": "2001:db8:7::/64", "nexthop": "10.0.0.1"}]}, 400, "InvalidInput"),
    (
        {"allocation_pools": [{"start": "2001:db8::1", "end": "2001:db8::9"}]},
        409,
        "GatewayConflictWithAllocationPools",
    ),
    ({"allocation_pools": [{"start": "2001:db8::9", "end": "2001:db8:1::9"}]}, 409, "OutOfBoundsAllocationPool"),
    ({"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}]}, 409, "OutOfBoundsAllocationPool"),
]


@pytest.mark.parametrize(("wish", "status", "type"), BAD)
def test_subnets_that_are_refused(world: World, network: str, wish: dict[str, Any], status: int, type: str) -> None:
    world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:ffff::/64")
    subnet = {"network_id": network, "ip_version": 6, "cidr": "2001:db8::/64"} | wish
    assert world.refused("POST", "subnets", {"subnet": subnet}) == (status, type)


def test_modes_stay_and_keep_dhcp(world: World, network: str) -> None:
    subnet = slaac(world, network)
    for wish in ({"enable_dhcp": False}, {"ipv6_ra_mode": None}, {"ipv6_address_mode": "dhcpv6-stateful"}):
        status, _ = world.refused("PUT", f"subnets/{subnet}", {"subnet": wish})
        assert status == 400
    plain = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:2::/64")["id"]
    assert world.change("subnet", plain, enable_dhcp=False)["enable_dhcp"] is False


def test_gateways(world: World, network: str) -> None:
    """A router's on the link, the subnet's first address, none."""
    for number, gateway in enumerate(("fe80::1", "2001:db8:2::", None), 1):
        subnet = world.make(
            "subnet", network_id=network, ip_version=6, cidr=f"2001:db8:{number}::/64", gateway_ip=gateway
        )
        assert subnet["gateway_ip"] == gateway
        assert subnet["allocation_pools"][0]["start"] == f"2001:db8:{number}::1"


def test_networks_with_ipv6_have_an_mtu_for_it(world: World, network: str) -> None:
    small = world.make("network", mtu=1279)["id"]
    wish = {"network_id": small, "ip_version": 6, "cidr": "2001:db8::/64"}
    assert world.refused("POST", "subnets", {"subnet": wish}) == (409, "NetworkMTUSubnetConflict")
    slaac(world, network)
    assert world.refused("PUT", f"networks/{network}", {"network": {"mtu": 1279}}) == (409, "NetworkMTUSubnetConflict")
    assert world.change("network", network, mtu=1280)["mtu"] == 1280


def test_huge_pools_give_one_after_the_other(world: World, network: str) -> None:
    world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8::/32", ipv6_address_mode="dhcpv6-stateful")
    ports = [world.make("port", network_id=network) for _ in range(3)]
    assert [addresses(port) for port in ports] == [["2001:db8::2"], ["2001:db8::3"], ["2001:db8::4"]]
    chosen = world.make("port", network_id=network, fixed_ips=[{"ip_address": "2001:db8:ffff::ABCD"}])
    assert addresses(chosen) == ["2001:db8:ffff::abcd"]


def test_a_dual_stack_port_has_one_of_each(world: World, network: str) -> None:
    four = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    other = world.make("subnet", network_id=network, cidr="10.0.1.0/24")["id"]
    full = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:9::/64")["id"]
    auto, less = slaac(world, network), slaac(world, network, "2001:db8:2", "dhcpv6-stateless")
    port = world.make("port", network_id=network)
    found = {fixed["subnet_id"]: fixed["ip_address"] for fixed in port["fixed_ips"]}
    assert (four in found) != (other in found)
    assert (found[full], found[auto], found[less]) == ("2001:db8:9::2", own(port), own(port, "2001:db8:2"))
    assert len(found) == 4


def test_wishes_where_machines_make_their_addresses(world: World, network: str) -> None:
    """Wished for or not, a port has exactly the one."""
    four = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    auto = slaac(world, network)
    port = world.make("port", network_id=network, fixed_ips=[])
    assert addresses(port) == [own(port)]
    port = world.make("port", network_id=network, fixed_ips=[{"subnet_id": auto}])
    assert addresses(port) == [own(port)]
    port = world.make("port", network_id=network, fixed_ips=[{"subnet_id": four, "ip_address": "10.0.0.9"}])
    assert addresses(port) == ["10.0.0.9", own(port)]
    for wish in ({"subnet_id": auto, "ip_address": f"{PREFIX}::9"}, {"ip_address": f"{PREFIX}::9"}):
        bad = (400, "AllocationOnAutoAddressSubnet")
        assert world.refused("POST", "ports", {"port": {"network_id": network, "fixed_ips": [wish]}}) == bad
        assert world.refused("PUT", f"ports/{port['id']}", {"port": {"fixed_ips": [wish]}}) == bad
    again = world.change("port", port["id"], fixed_ips=port["fixed_ips"])
    assert addresses(again) == ["10.0.0.9", own(port)]
    assert addresses(world.change("port", port["id"], fixed_ips=[])) == [own(port)]


def test_a_new_mac_address_makes_new_addresses(world: World, network: str) -> None:
    world.make("subnet", network_id=network, cidr="10.0.0.0/24")
    slaac(world, network)
    port = world.make("port", network_id=network)
    moved = world.change("port", port["id"], "admin", mac_address="fa:16:3e:00:00:99")
    assert addresses(moved) == [addresses(port)[0], f"{PREFIX}:0:f816:3eff:fe00:99"]
    both = world.change("port", port["id"], "admin", mac_address="fa:16:3e:00:00:98", fixed_ips=moved["fixed_ips"])
    assert addresses(both) == [addresses(port)[0], f"{PREFIX}:0:f816:3eff:fe00:98"]


def test_ports_get_the_address_of_a_new_subnet_and_lose_it_with_it(world: World, network: str) -> None:
    """Routers' ports do not."""
    four = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    router = world.make("router")["id"]
    interface = add(world, router, subnet_id=four)["port_id"]
    port, bare = world.make("port", network_id=network), world.make("port", network_id=network, fixed_ips=[])
    before = world.counts()
    subnet = slaac(world, network)
    now = [world.get(f"ports/{one['id']}")["port"] for one in (port, bare)]
    assert [addresses(one) for one in now] == [[*addresses(port), own(port)], [own(bare)]]
    assert addresses(world.get(f"ports/{interface}")["port"]) == ["10.0.0.1"]
    world.remove("subnet", subnet)
    now = [world.get(f"ports/{one['id']}")["port"] for one in (port, bare)]
    assert [addresses(one) for one in now] == [addresses(port), []]
    assert world.counts() == before


def test_subnets_that_gave_addresses_or_have_a_router_stay(world: World, network: str) -> None:
    full = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:9::/64")["id"]
    auto = slaac(world, network)
    world.make("port", network_id=network)
    router = world.make("router")["id"]
    add(world, router, subnet_id=auto)
    for subnet in (full, auto):
        assert world.refused("DELETE", f"subnets/{subnet}") == (409, "SubnetInUse")
    remove(world, router, subnet_id=auto)
    world.remove("subnet", auto)


def test_a_router_has_one_port_for_all_ipv6_of_a_network(world: World, network: str) -> None:
    four = world.make("subnet", network_id=network, cidr="10.0.0.0/24")["id"]
    auto = slaac(world, network)
    first = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:9::/64", gateway_ip="2001:db8:9::")
    router = world.make("router")["id"]
    of_four = add(world, router, subnet_id=four)["port_id"]
    answer = add(world, router, subnet_id=auto)
    second = add(world, router, subnet_id=first["id"])
    assert answer["port_id"] == second["port_id"] != of_four
    assert (second["subnet_id"], second["subnet_ids"]) == (first["id"], [first["id"]])
    assert addresses(world.get(f"ports/{answer['port_id']}")["port"]) == [f"{PREFIX}::1", "2001:db8:9::"]
    again = world.refused("PUT", f"routers/{router}/add_router_interface", {"subnet_id": auto})
    assert again == (400, "BadRequest")
    removed = remove(world, router, subnet_id=auto)
    assert (removed["port_id"], removed["subnet_ids"]) == (answer["port_id"], [auto])
    assert addresses(world.get(f"ports/{answer['port_id']}")["port"]) == ["2001:db8:9::"]
    remove(world, router, subnet_id=first["id"])
    assert world.ask("GET", f"/v2.0/ports/{answer['port_id']}").status == 404
    remove(world, router, port_id=of_four)
    world.remove("router", router)


def test_what_routers_do_not_join(world: World, network: str) -> None:
    """Subnets that hear of another router, a second port with IPv6 on a network, two IPv4 subnets by one port."""
    router = world.make("router")["id"]
    others = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:5::/64", ipv6_address_mode="slaac")[
        "id"
    ]
    on_link = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8:6::/64", gateway_ip="fe80::1")["id"]
    fours = [world.make("subnet", network_id=network, cidr=f"10.0.{number}.0/24")["id"] for number in range(2)]
    add(world, router, subnet_id=slaac(world, network))
    both = world.make("port", network_id=network, fixed_ips=[{"subnet_id": four} for four in fours])["id"]
    six = world.make("port", network_id=network, fixed_ips=[{"subnet_id": on_link}])["id"]
    bad = (400, "BadRequest")
    for wish, error in (
        ({"subnet_id": others}, bad),
        ({"subnet_id": on_link}, (400, "InvalidIpForSubnet")),
        ({"port_id": six}, bad),
        ({"port_id": both}, bad),
    ):
        assert world.refused("PUT", f"routers/{router}/add_router_interface", wish) == error


def test_rules_of_ipv6(world: World) -> None:
    """The default group lets its members talk by both versions."""
    group = world.make("security_group", name="web")
    assert {rule["ethertype"] for rule in group["security_group_rules"]} == {"IPv4", "IPv6"}
    default = world.get("security-groups?name=default")["security_groups"][0]
    ingress = [rule for rule in default["security_group_rules"] if rule["direction"] == "ingress"]
    assert {(rule["ethertype"], rule["remote_group_id"]) for rule in ingress} == {
        ("IPv4", default["id"]),
        ("IPv6", default["id"]),
    }
    wish = {"security_group_id": group["id"], "direction": "ingress", "ethertype": "IPv6"}
    rule = world.make("security_group_rule", **wish, protocol="tcp", remote_ip_prefix="2001:DB8::/32")
    assert rule["remote_ip_prefix"] == "2001:db8::/32"
    partners = world.make("address_group", addresses=["2001:db8:7::/64", "192.0.2.0/24"])["id"]
    world.make("security_group_rule", **wish, remote_address_group_id=partners)
    bad = world.refused(
        "POST", "security-group-rules", {"security_group_rule": wish | {"remote_ip_prefix": "10.0.0.0/8"}}
    )
    assert bad == (400, "SecurityGroupRuleParameterConflict")


@pytest.mark.parametrize("address", ["2001:db8::5%eth0", "::ffff:10.0.0.5"])
def test_addresses_have_one_name(world: World, network: str, address: str) -> None:
    """Neither a zone nor IPv4 in IPv6's form: who has the address by its own name would share it."""
    subnet = world.make("subnet", network_id=network, ip_version=6, cidr="2001:db8::/64")["id"]
    router, group = world.make("router")["id"], world.make("security_group")["id"]
    assert world.ask("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet}).status == 200
    port = {"network_id": network, "fixed_ips": [{"subnet_id": subnet, "ip_address": address}]}
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv6",
        "remote_ip_prefix": f"{address}/104",
    }
    for kind, wish in (
        ("port", port),
        ("security_group_rule", rule),
        ("security_group_rule", rule | {"remote_ip_prefix": address}),
        ("address_group", {"addresses": [f"{address}/104"]}),
    ):
        assert world.refused("POST", f"{kind.replace('_', '-')}s", {kind: wish}) == (400, "InvalidInput"), kind
    for route in (
        {"destination": f"{address}/128", "nexthop": "2001:db8::9"},
        {"destination": "::/0", "nexthop": address},
    ):
        status, _ = world.refused("PUT", f"routers/{router}", {"router": {"routes": [route]}})
        assert status == 400
    wish = {"dns_nameservers": [address]}
    assert world.refused("PUT", f"subnets/{subnet}", {"subnet": wish}) == (400, "InvalidInput")
