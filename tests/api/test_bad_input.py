"""What is refused: its status, its type, and that it writes nothing."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.place import NONE, Place
from tests.api.support import World

Case = tuple[dict[str, Any], int, str]
"""What a request says besides, and the status and type that it is refused with."""


def cases(*listed: Case) -> tuple[Case, ...]:
    """Tells the type checker what they are."""
    return listed


BODIES = [
    pytest.param(b"", 400, "HTTPBadRequest", id="nothing"),
    pytest.param(b"{", 400, "HTTPBadRequest", id="cut off"),
    pytest.param(b"\xff\xfe{}", 400, "HTTPBadRequest", id="no UTF-8"),
    pytest.param(b'{"network": {"name": "\xff"}}', 400, "HTTPBadRequest", id="no UTF-8 inside"),
    pytest.param(b'{"network": {"name": "\\ud800"}}', 400, "HTTPBadRequest", id="half a surrogate"),
    pytest.param(b"[" * 100_000, 400, "InvalidInput", id="deep"),
    pytest.param(b'{"network": ' + b'{"network": ' * 10_000, 400, "HTTPBadRequest", id="deep objects"),
    pytest.param(b"[]", 400, "InvalidInput", id="a list"),
    pytest.param(b"null", 400, "InvalidInput", id="null"),
    pytest.param(b'"network"', 400, "InvalidInput", id="text"),
    pytest.param(b"{}", 400, "HTTPBadRequest", id="no key"),
    pytest.param(b'{"networks": []}', 400, "HTTPBadRequest", id="empty list"),
    pytest.param(b'{"networks": {}}', 400, "InvalidInput", id="no list"),
    pytest.param(b'{"networks": [1]}', 400, "InvalidInput", id="list of numbers"),
    pytest.param(b'{"network": {}, "networks": [{}]}', 400, "HTTPBadRequest", id="both"),
    pytest.param(b'{"network": {}, "x": 1}', 400, "HTTPBadRequest", id="more"),
    pytest.param(b'{"port": {}}', 400, "HTTPBadRequest", id="another kind"),
    pytest.param(b'{"network": null}', 400, "InvalidInput", id="null inside"),
]


@pytest.mark.parametrize(("body", "status", "type"), BODIES)
def test_bodies(world: World, body: bytes, status: int, type: str) -> None:
    assert world.refused("POST", "networks", body) == (status, type)


CREATES: list[Any] = [
    ("networks", {"network": {"foo": 1}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"id": NONE}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"vni": 7}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"status": "ACTIVE"}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"revision_number": 7}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"name": 7}}, 400, "InvalidInput"),
    ("networks", {"network": {"name": None}}, 400, "InvalidInput"),
    ("networks", {"network": {"name": "x" * 256}}, 400, "InvalidInput"),
    ("networks", {"network": {"admin_state_up": "maybe"}}, 400, "InvalidInput"),
    ("networks", {"network": {"mtu": 67}}, 400, "InvalidInput"),
    ("networks", {"network": {"mtu": 1451}}, 400, "InvalidInput"),
    ("networks", {"network": {"mtu": -1}}, 400, "InvalidInput"),
    ("networks", {"network": {"mtu": 65536}}, 400, "InvalidInput"),
    ("networks", {"network": {"mtu": "big"}}, 400, "InvalidInput"),
    ("networks", {"network": {"project_id": "red"}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"tenant_id": "red"}}, 400, "HTTPBadRequest"),
    ("networks", {"network": {"tenant_id": "blue", "project_id": "red"}}, 400, "HTTPBadRequest"),
    ("networks", {"networks": [{"name": "good"}, {"name": 7}]}, 400, "InvalidInput"),
    ("subnets", {"subnet": {"cidr": "10.9.0.0/24"}}, 400, "HTTPBadRequest"),
    ("subnets", {"subnet": {"network_id": "{network}"}}, 400, "BadRequest"),
    ("subnets", {"subnet": {"network_id": "{none}", "cidr": "10.9.0.0/24"}}, 404, "NetworkNotFound"),
    ("subnets", {"subnet": {"network_id": "no id", "cidr": "10.9.0.0/24"}}, 404, "NetworkNotFound"),
    *(
        ("subnets", {"subnet": {"network_id": "{network}", "cidr": cidr}}, 400, "InvalidInput")
        for cidr in (
            "",
            "x",
            "10.9.0.0",
            "10.9.0.1/24",
            "10.9.0.0/33",
            "10.9/16",
            "0.0.0.0/0",
            "0.0.0.0/1",
            "0.0.0.0/24",
            "127.0.0.0/8",
            "224.0.0.0/24",
            "240.0.0.0/4",
            "fd00::/64",
            "10.9.0.0/-1",
        )
    ),
    *(
        ("subnets", {"subnet": {"network_id": "{network}", "cidr": cidr}}, 400, "InvalidInput")
        for cidr in ("10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/8", "10.0.1.128/30")
    ),
    *(
        ("subnets", {"subnet": {"network_id": "{network}", "cidr": "10.9.0.0/24"} | more}, status, type)
        for more, status, type in cases(
            ({"ip_version": 6}, 400, "InvalidInput"),
            ({"ip_version": 5}, 400, "InvalidInput"),
            ({"gateway_ip": "10.8.0.1"}, 400, "InvalidInput"),
            ({"gateway_ip": "10.9.0.0"}, 400, "InvalidInput"),
            ({"gateway_ip": "10.9.0.255"}, 400, "InvalidInput"),
            ({"gateway_ip": "x"}, 400, "InvalidInput"),
            ({"gateway_ip": "fd00::1"}, 400, "InvalidInput"),
            ({"allocation_pools": [{"start": "10.9.0.5"}]}, 400, "HTTPBadRequest"),
            ({"allocation_pools": [{"start": "10.9.0.9", "end": "10.9.0.5"}]}, 400, "InvalidInput"),
            ({"allocation_pools": [{"start": "10.9.0.9", "end": "10.9.1.5"}]}, 409, "OutOfBoundsAllocationPool"),
            (
                {"allocation_pools": [{"start": "10.9.0.1", "end": "10.9.0.5"}]},
                409,
                "GatewayConflictWithAllocationPools",
            ),
            (
                {
                    "allocation_pools": [
                        {"start": "10.9.0.4", "end": "10.9.0.6"},
                        {"start": "10.9.0.6", "end": "10.9.0.7"},
                    ]
                },
                409,
                "OverlappingAllocationPools",
            ),
            ({"dns_nameservers": ["x"]}, 400, "InvalidInput"),
            ({"dns_nameservers": ["1.1.1.1", "1.1.1.1"]}, 400, "InvalidInput"),
            ({"dns_nameservers": ["fd00::53"]}, 400, "InvalidInput"),
            ({"ipv6_ra_mode": "slaac"}, 400, "InvalidInput"),
            ({"ipv6_address_mode": "slaac"}, 400, "InvalidInput"),
            ({"dns_nameservers": [f"10.0.0.{number}" for number in range(6)]}, 400, "InvalidInput"),
            ({"host_routes": [{"destination": "10.7.0.0/16", "nexthop": "x"}]}, 400, "InvalidInput"),
            ({"host_routes": [{"destination": "10.7.0.1/16", "nexthop": "10.9.0.1"}]}, 400, "InvalidInput"),
            ({"host_routes": [{"destination": "fd00::/64", "nexthop": "fd00::1"}]}, 400, "InvalidInput"),
        )
    ),
    ("ports", {"port": {}}, 400, "HTTPBadRequest"),
    ("ports", {"port": {"network_id": "{none}"}}, 404, "NetworkNotFound"),
    ("ports", {"port": {"network_id": "{subnet}"}}, 404, "NetworkNotFound"),
    *(
        ("ports", {"port": {"network_id": "{network}"} | more}, status, type)
        for more, status, type in cases(
            ({"mac_address": "fa:16:3e:00:00:01"}, 409, "MacAddressInUse"),
            ({"mac_address": "FA-16-3E-00-00-01"}, 409, "MacAddressInUse"),
            ({"mac_address": "fa:16:3e"}, 400, "InvalidInput"),
            ({"mac_address": "01:00:5e:00:00:01"}, 400, "InvalidInput"),
            ({"mac_address": "00:00:00:00:00:00"}, 400, "InvalidInput"),
            ({"mac_address": "ff:ff:ff:ff:ff:ff"}, 400, "InvalidInput"),
            ({"fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.0.0.9"}]}, 409, "IpAddressInUse"),
            ({"fixed_ips": [{"ip_address": "10.0.0.9"}]}, 409, "IpAddressInUse"),
            ({"fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.0.1.9"}]}, 400, "InvalidIpForSubnet"),
            ({"fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.0.0.0"}]}, 400, "InvalidIpForSubnet"),
            ({"fixed_ips": [{"subnet_id": "{subnet}", "ip_address": "10.0.0.255"}]}, 400, "InvalidIpForSubnet"),
            ({"fixed_ips": [{"ip_address": "10.0.0.255"}]}, 400, "InvalidIpForSubnet"),
            ({"fixed_ips": [{"ip_address": "10.77.0.9"}]}, 400, "InvalidIpForNetwork"),
            ({"fixed_ips": [{"ip_address": "10.0.0.300"}]}, 400, "InvalidInput"),
            ({"fixed_ips": [{"ip_address": "fd00::1"}]}, 400, "InvalidIpForNetwork"),
            ({"fixed_ips": [{"subnet_id": "{none}"}]}, 400, "InvalidInput"),
            ({"fixed_ips": [{}]}, 400, "InvalidInput"),
            ({"fixed_ips": [{"x": 1}]}, 400, "HTTPBadRequest"),
            ({"fixed_ips": "10.0.0.5"}, 400, "InvalidInput"),
            ({"fixed_ips": [{"ip_address": "10.0.0.5"}] * 2}, 400, "InvalidInput"),
            ({"fixed_ips": [{"subnet_id": "{subnet}"}] * 17}, 400, "InvalidInput"),
            ({"security_groups": ["{none}"]}, 404, "SecurityGroupNotFound"),
            ({"security_groups": "{group}"}, 400, "InvalidInput"),
            ({"device_owner": "network:router_interface", "device_id": "{router}"}, 400, "InvalidInput"),
            ({"binding:host_id": "h1"}, 403, "PolicyNotAuthorized"),
            ({"identity_id": "x"}, 400, "HTTPBadRequest"),
        )
    ),
    (
        "ports",
        {"ports": [{"network_id": "{network}", "mac_address": "fa:16:3e:00:00:02"}] * 2},
        409,
        "MacAddressInUse",
    ),
    ("routers", {"router": {"number": 7}}, 400, "HTTPBadRequest"),
    ("routers", {"router": {"external_gateway_info": {}}}, 400, "HTTPBadRequest"),
    ("security-groups", {"security_group": {"name": "default"}}, 409, "SecurityGroupDefaultAlreadyExists"),
    ("security-groups", {"security_group": {"stateful": "perhaps"}}, 400, "InvalidInput"),
    *(
        ("security-group-rules", {"security_group_rule": {"security_group_id": "{group}"} | more}, status, type)
        for more, status, type in cases(
            ({}, 400, "HTTPBadRequest"),
            ({"direction": "in"}, 400, "InvalidInput"),
            ({"direction": "ingress", "ethertype": "ARP"}, 400, "InvalidInput"),
            ({"direction": "ingress", "protocol": "smtp"}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": "256"}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": "-1"}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": -1}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": 256}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": 10**30}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": "9" * 40}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": True}, 400, "InvalidInput"),
            ({"direction": "ingress", "protocol": ["tcp"]}, 400, "InvalidInput"),
            ({"direction": "ingress", "protocol": "²"}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": ""}, 400, "SecurityGroupRuleInvalidProtocol"),
            ({"direction": "ingress", "protocol": "x" * 41}, 400, "InvalidInput"),
            *(
                ({"direction": "ingress", "port_range_min": 1, "port_range_max": 2} | more, 400, type)
                for more, type in (
                    ({}, "SecurityGroupProtocolRequiredWithPorts"),
                    ({"protocol": "any"}, "SecurityGroupProtocolRequiredWithPorts"),
                    ({"protocol": "ip"}, "SecurityGroupInvalidProtocolForPort"),
                    ({"protocol": "0"}, "SecurityGroupInvalidProtocolForPort"),
                    ({"protocol": "47"}, "SecurityGroupInvalidProtocolForPort"),
                    ({"protocol": "esp", "ethertype": "IPv6"}, "SecurityGroupInvalidProtocolForPort"),
                )
            ),
            (
                {"direction": "ingress", "protocol": "gre", "port_range_min": 1},
                400,
                "SecurityGroupInvalidProtocolForPort",
            ),
            (
                {"direction": "ingress", "protocol": "tcp", "port_range_min": 0, "port_range_max": 1},
                400,
                "SecurityGroupInvalidPortValue",
            ),
            ({"direction": "ingress", "protocol": "icmp", "port_range_min": -1}, 400, "InvalidInput"),
            (
                {"direction": "ingress", "protocol": "1", "port_range_min": 8, "port_range_max": 256},
                400,
                "SecurityGroupInvalidIcmpValue",
            ),
            (
                {"direction": "ingress", "protocol": "icmp", "ethertype": "IPv6", "port_range_max": 1},
                400,
                "SecurityGroupMissingIcmpType",
            ),
            *(
                ({"direction": "ingress", "protocol": protocol}, 400, "SecurityGroupEthertypeConflictWithProtocol")
                for protocol in ("icmpv6", "ipv6-icmp", "58", "ipv6-encap", "41", "60")
            ),
            ({"direction": "ingress", "protocol": "tcp", "port_range_min": 1}, 400, "SecurityGroupInvalidPortRange"),
            (
                {"direction": "ingress", "protocol": "tcp", "port_range_min": 2, "port_range_max": 1},
                400,
                "SecurityGroupInvalidPortRange",
            ),
            (
                {"direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 65536},
                400,
                "InvalidInput",
            ),
            ({"direction": "ingress", "protocol": "icmp", "port_range_max": 1}, 400, "SecurityGroupMissingIcmpType"),
            ({"direction": "ingress", "protocol": "icmp", "port_range_min": 256}, 400, "SecurityGroupInvalidIcmpValue"),
            ({"direction": "ingress", "remote_ip_prefix": "x"}, 400, "InvalidInput"),
            ({"direction": "ingress", "remote_ip_prefix": "fd00::/8"}, 400, "SecurityGroupRuleParameterConflict"),
            ({"direction": "ingress", "remote_group_id": "{none}"}, 404, "SecurityGroupNotFound"),
            (
                {"direction": "ingress", "remote_group_id": "{group}", "remote_ip_prefix": "10.0.0.0/8"},
                400,
                "SecurityGroupRemoteGroupAndRemoteIpPrefix",
            ),
            *(
                (
                    {"direction": "ingress", "remote_address_group_id": "{addresses}"} | more,
                    400,
                    "SecurityGroupRemoteGroupAndRemoteIpPrefix",
                )
                for more in ({"remote_group_id": "{group}"}, {"remote_ip_prefix": "10.0.0.0/8"})
            ),
            ({"direction": "ingress", "remote_address_group_id": "{none}"}, 404, "AddressGroupNotFound"),
            ({"direction": "ingress", "remote_address_group_id": "{group}"}, 404, "AddressGroupNotFound"),
            ({"direction": "ingress", "remote_address_group_id": "{addresses}"}, 409, "SecurityGroupRuleExists"),
            ({"direction": "ingress", "remote_ip_prefix": "10.0.0.0/33"}, 400, "InvalidInput"),
            (
                {"direction": "ingress", "ethertype": "IPv6", "remote_ip_prefix": "10.0.0.0/8"},
                400,
                "SecurityGroupRuleParameterConflict",
            ),
            (
                {"direction": "ingress", "protocol": "TCP", "port_range_min": 80, "port_range_max": 80},
                409,
                "SecurityGroupRuleExists",
            ),
            ({"direction": "egress"}, 409, "SecurityGroupRuleExists"),
        )
    ),
    *(
        ("address-groups", {"address_group": body}, 400, type)
        for body, type in (
            ({"addresses": ["x"]}, "InvalidInput"),
            ({"addresses": ["10.0.0.0/8", "10.0.0.0/33"]}, "InvalidInput"),
            ({"addresses": ["10.0.0.1-10.0.0.9"]}, "InvalidInput"),
            ({"addresses": "10.0.0.0/8"}, "InvalidInput"),
            ({"addresses": [7]}, "InvalidInput"),
            ({"addresses": ["10.0.0.0/8"] * 4097}, "InvalidInput"),
            ({"id": NONE}, "HTTPBadRequest"),
            ({"foo": 1}, "HTTPBadRequest"),
        )
    ),
    (
        "security-group-rules",
        {"security_group_rule": {"security_group_id": "{none}", "direction": "ingress"}},
        404,
        "SecurityGroupNotFound",
    ),
]


@pytest.mark.parametrize(("path", "body", "status", "type"), CREATES)
def test_creates(world: World, place: Place, path: str, body: Any, status: int, type: str) -> None:
    assert world.refused("POST", path, place.fill(body)) == (status, type)


UPDATES = [
    ("networks/{network}", {"network": {"project_id": "blue"}}, 400, "HTTPBadRequest"),
    ("networks/{network}", {"network": {"tenant_id": "blue"}}, 400, "HTTPBadRequest"),
    ("networks/{network}", {"network": {"foo": 1}}, 400, "HTTPBadRequest"),
    ("networks/{network}", {"network": {"mtu": 1}}, 400, "InvalidInput"),
    ("networks/{network}", {"network": {"mtu": 1451}}, 400, "InvalidInput"),
    ("networks/{network}", {"networks": [{}]}, 400, "HTTPBadRequest"),
    ("networks/{none}", {"network": {"name": "x"}}, 404, "NetworkNotFound"),
    ("subnets/{subnet}", {"subnet": {"cidr": "10.9.0.0/24"}}, 400, "HTTPBadRequest"),
    ("subnets/{subnet}", {"subnet": {"network_id": "{network}"}}, 400, "HTTPBadRequest"),
    ("subnets/{subnet}", {"subnet": {"gateway_ip": "10.0.0.5"}}, 409, "GatewayConflictWithAllocationPools"),
    ("subnets/{subnet}", {"subnet": {"gateway_ip": "10.9.0.5"}}, 400, "InvalidInput"),
    ("ports/{port}", {"port": {"network_id": "{network}"}}, 400, "HTTPBadRequest"),
    ("ports/{port}", {"port": {"mac_address": "x"}}, 403, "PolicyNotAuthorized"),
    ("ports/{port}", {"port": {"fixed_ips": [{"ip_address": "10.8.0.1"}]}}, 400, "InvalidIpForNetwork"),
    ("ports/{port}", {"port": {"security_groups": ["{none}"]}}, 404, "SecurityGroupNotFound"),
    ("ports/{port}", {"port": {"device_owner": "network:router_interface"}}, 400, "InvalidInput"),
    ("ports/{port}", {"port": {"binding:host_id": "h1"}}, 403, "PolicyNotAuthorized"),
    ("security-groups/{group}", {"security_group": {"name": "default"}}, 409, "SecurityGroupDefaultAlreadyExists"),
    ("security-group-rules/{rule}", {"security_group_rule": {"direction": "egress"}}, 400, "HTTPBadRequest"),
    ("address-groups/{addresses}", {"address_group": {"addresses": []}}, 400, "HTTPBadRequest"),
    ("address-groups/{none}", {"address_group": {"name": "x"}}, 404, "AddressGroupNotFound"),
    *(
        (f"address-groups/{{addresses}}/{action}_addresses", body, 400, type)
        for action in ("add", "remove")
        for body, type in (
            ({}, "InvalidInput"),
            ({"addresses": []}, "HTTPBadRequest"),
            ({"addresses": ["10.0.0.0/99"]}, "InvalidInput"),
            ({"addresses": "10.0.0.0/8"}, "InvalidInput"),
            ({"addresses": ["10.1.0.0/16"], "name": "x"}, "InvalidInput"),
            ([], "InvalidInput"),
        )
    ),
    ("address-groups/{addresses}/add_addresses", {"addresses": ["10.3.2.1/8"]}, 400, "AddressesAlreadyExist"),
    (
        "address-groups/{addresses}/add_addresses",
        {"addresses": ["10.9.0.0/16", "10.0.0.0/8"]},
        400,
        "AddressesAlreadyExist",
    ),
    (
        "address-groups/{addresses}/add_addresses",
        {"addresses": [f"10.0.{number >> 8}.{number & 255}" for number in range(4096)]},
        400,
        "InvalidInput",
    ),
    (
        "address-groups/{addresses}/remove_addresses",
        {"addresses": ["10.0.0.0/8", "10.9.0.0/16"]},
        404,
        "AddressesNotFound",
    ),
    ("address-groups/{none}/add_addresses", {"addresses": ["10.0.0.0/8"]}, 404, "AddressGroupNotFound"),
    ("{ask_add}", {}, 400, "HTTPBadRequest"),
    ("{ask_add}", {"subnet_id": "{subnet}", "port_id": "{port}"}, 400, "HTTPBadRequest"),
    ("{ask_add}", {"subnet_id": 7}, 400, "InvalidInput"),
    ("{ask_add}", {"foo": 7}, 400, "InvalidInput"),
    ("{ask_add}", {"subnet_id": "{none}"}, 404, "SubnetNotFound"),
    ("{ask_add}", {"port_id": "{none}"}, 404, "PortNotFound"),
    ("{ask_add}", {"subnet_id": "{other}"}, 400, "BadRequest"),
    ("routers/{none}/add_router_interface", {"subnet_id": "{subnet}"}, 404, "RouterNotFound"),
    ("routers/{router}/remove_router_interface", {}, 400, "HTTPBadRequest"),
    ("routers/{router}/remove_router_interface", {"subnet_id": "{subnet}"}, 404, "RouterInterfaceNotFoundForSubnet"),
    ("routers/{router}/remove_router_interface", {"port_id": "{port}"}, 404, "RouterInterfaceNotFound"),
]


@pytest.mark.parametrize(("path", "body", "status", "type"), UPDATES)
def test_updates(world: World, place: Place, path: str, body: Any, status: int, type: str) -> None:
    assert world.refused("PUT", place.fill(path), place.fill(body)) == (status, type)


def test_an_administrator_too_gives_a_port_a_mac_address_that_is_one(world: World, place: Place) -> None:
    wish = {"port": {"mac_address": "x"}}
    assert world.refused("PUT", place.fill("ports/{port}"), wish, "admin") == (400, "InvalidInput")


DELETES = [
    ("networks/{network}", 409, "NetworkInUse"),
    ("subnets/{subnet}", 409, "SubnetInUse"),
    ("networks/{none}", 404, "NetworkNotFound"),
    ("subnets/{none}", 404, "SubnetNotFound"),
    ("ports/{none}", 404, "PortNotFound"),
    ("ports/{network}", 404, "PortNotFound"),
    ("routers/{none}", 404, "RouterNotFound"),
    ("security-groups/{none}", 404, "SecurityGroupNotFound"),
    ("security-group-rules/{none}", 404, "SecurityGroupRuleNotFound"),
    ("address-groups/{addresses}", 409, "AddressGroupInUse"),
    ("address-groups/{none}", 404, "AddressGroupNotFound"),
]


@pytest.mark.parametrize(("path", "status", "type"), DELETES)
def test_deletes(world: World, place: Place, path: str, status: int, type: str) -> None:
    assert world.refused("DELETE", place.fill(path)) == (status, type)


OTHERS = [
    ("GET", "networks/{network}", None),
    ("PUT", "networks/{network}", {"network": {"name": "mine"}}),
    ("DELETE", "networks/{network}", None),
    ("GET", "subnets/{subnet}", None),
    ("DELETE", "subnets/{subnet}", None),
    ("GET", "ports/{port}", None),
    ("PUT", "ports/{port}", {"port": {"name": "mine"}}),
    ("DELETE", "ports/{port}", None),
    ("GET", "routers/{router}", None),
    ("DELETE", "routers/{router}", None),
    ("PUT", "{ask_add}", {"subnet_id": "{subnet}"}),
    ("GET", "security-groups/{group}", None),
    ("DELETE", "security-groups/{group}", None),
    ("GET", "security-group-rules/{rule}", None),
    ("DELETE", "security-group-rules/{rule}", None),
    ("GET", "address-groups/{addresses}", None),
    ("PUT", "address-groups/{addresses}", {"address_group": {"name": "mine"}}),
    ("PUT", "address-groups/{addresses}/add_addresses", {"addresses": ["10.9.0.0/24"]}),
    ("PUT", "address-groups/{addresses}/remove_addresses", {"addresses": ["10.0.0.0/8"]}),
    ("DELETE", "address-groups/{addresses}", None),
    ("POST", "subnets", {"subnet": {"network_id": "{network}", "cidr": "10.9.0.0/24"}}),
    ("POST", "ports", {"port": {"network_id": "{network}"}}),
    ("POST", "security-group-rules", {"security_group_rule": {"security_group_id": "{group}", "direction": "ingress"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
def test_what_is_another_projects_does_not_exist(world: World, place: Place, method: str, path: str, body: Any) -> None:
    """The very answer of an id that nobody has."""
    ids = {name: value for name, value in vars(place).items() if name != "ask_add"}
    theirs = world.ask(method, f"/v2.0/{place.fill(path)}", place.fill(body), "red")
    nobodys = Place.__new__(Place)
    vars(nobodys).update({name: str(uuid4()) for name in ids})
    nobodys.ask_add = f"routers/{nobodys.router}/add_router_interface"
    missing = world.ask(method, f"/v2.0/{nobodys.fill(path)}", nobodys.fill(body), "red")
    assert theirs.error == missing.error
    assert theirs.status == 404
    text = theirs.content.decode()
    for name, id in ids.items():
        text = text.replace(id, getattr(nobodys, name))
    assert text == missing.content.decode()


def test_anothers_resources_join_nothing_of_mine(world: World, place: Place) -> None:
    mine = Place(world, "red")
    for path, body in [
        ("ports", {"port": {"network_id": mine.network, "security_groups": [place.group]}}),
        (f"routers/{mine.router}/add_router_interface", {"subnet_id": place.subnet}),
        (f"routers/{mine.router}/add_router_interface", {"port_id": place.port}),
        (
            "security-group-rules",
            {
                "security_group_rule": {
                    "security_group_id": mine.group,
                    "direction": "ingress",
                    "remote_group_id": place.group,
                }
            },
        ),
        (
            "security-group-rules",
            {
                "security_group_rule": {
                    "security_group_id": mine.group,
                    "direction": "ingress",
                    "remote_address_group_id": place.addresses,
                }
            },
        ),
    ]:
        assert world.refused("PUT" if path.startswith("routers") else "POST", path, body, "red")[0] == 404
    body = {"port": {"network_id": mine.network, "fixed_ips": [{"subnet_id": place.subnet}]}}
    assert world.refused("POST", "ports", body, "red") == (400, "InvalidInput")


@pytest.mark.parametrize(("field", "value"), [("prefixlen", 24), ("use_default_subnetpool", False)])
def test_what_only_a_create_asks_for(world: World, place: Place, field: str, value: int) -> None:
    reply = world.ask("PUT", f"/v2.0/subnets/{place.subnet}", {"subnet": {field: value}})
    assert reply.error == (400, "HTTPBadRequest")
    assert reply.json["NeutronError"]["message"] == f"Attribute '{field}' not allowed in PUT"


@pytest.mark.parametrize(
    "query",
    ["foo=1", "sort_key=foo", "sort_key=fixed_ips", "sort_key=name&sort_dir=up", "sort_dir=asc"],
)
def test_queries(world: World, query: str) -> None:
    assert world.refused("GET", f"ports?{query}") == (400, "HTTPBadRequest")


@pytest.mark.parametrize("limit", ["x", "-1", "1.5", "%D9%A3"])
def test_limits(world: World, limit: str) -> None:
    assert world.refused("GET", f"ports?limit={limit}") == (400, "BadRequest")


def test_a_marker_that_does_not_exist(world: World) -> None:
    assert world.refused("GET", f"ports?limit=1&marker={NONE}") == (404, "PortNotFound")


def test_ends_of_what_is_used_up(world: World) -> None:
    network = world.make("network")["id"]
    world.make("subnet", network_id=network, cidr="10.0.0.0/30")
    world.make("port", network_id=network)
    body = {"port": {"network_id": network}}
    assert world.refused("POST", "ports", body) == (409, "IpAddressGenerationFailure")
    assert world.refused("POST", "ports", {"ports": [body["port"]] * 3}) == (409, "IpAddressGenerationFailure")
