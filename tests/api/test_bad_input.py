"""What is refused: its status, its type, and that it writes nothing."""

import tracemalloc
from typing import Any
from uuid import uuid4

import pytest

from netplane.api.bodies import LIST_LIMIT
from netplane.api.rules.ranges import MOST_POOLS
from netplane.model import ADDRESS_LIMIT, MOST_ROUTES
from tests.api.support import World

NONE = str(uuid4())


class Place:
    """A project's small network, for requests to go wrong on."""

    def __init__(self, world: World, token: str = "blue") -> None:
        self.network = world.make("network", token)["id"]
        self.subnet = world.make("subnet", token, network_id=self.network, cidr="10.0.0.0/24")["id"]
        self.other = world.make("subnet", token, network_id=self.network, cidr="10.0.1.0/24", gateway_ip=None)["id"]
        self.port = world.make(
            "port",
            token,
            network_id=self.network,
            mac_address="fa:16:3e:00:00:01",
            fixed_ips=[{"subnet_id": self.subnet, "ip_address": "10.0.0.9"}],
        )["id"]
        self.router = world.make("router", token)["id"]
        self.group = world.make("security_group", token, name="web")["id"]
        self.rule = world.make(
            "security_group_rule",
            token,
            security_group_id=self.group,
            direction="ingress",
            protocol="tcp",
            port_range_min=80,
            port_range_max=80,
        )["id"]
        self.addresses = world.make("address_group", token, addresses=["10.0.0.0/8"])["id"]
        world.make(
            "security_group_rule",
            token,
            security_group_id=self.group,
            direction="ingress",
            remote_address_group_id=self.addresses,
        )
        self.ask_add = f"routers/{self.router}/add_router_interface"

    def fill(self, value: Any) -> Any:
        """A request in which `{network}` and the like stand for what was made."""
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value.format(**vars(self), none=NONE) if isinstance(value, str) else value


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


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


def test_bodies_that_are_too_long(world: World) -> None:
    body = b'{"network": {"name": "' + b"x" * (8 * 1024 * 1024) + b'"}}'
    assert world.refused("POST", "networks", body) == (413, "HTTPRequestEntityTooLarge")


def test_lists_that_are_too_long(world: World) -> None:
    reply = world.ask("POST", "/v2.0/address-scopes", {"address_scopes": [{"ip_version": 4}] * (LIST_LIMIT + 1)})
    assert reply.error == (400, "HTTPBadRequest")
    assert str(LIST_LIMIT) in reply.json["NeutronError"]["message"]
    assert world.counts() == {}


HEAVY = {
    "ports": ('{"ports":[', "{}", "]}"),
    "addresses": ('{"ports":[{"fixed_ips":[', "{}", "]}]}"),
    "texts": ('{"ports":[{"security_groups":[', '"a"', "]}]}"),
    "numbers": ('{"ports":[{"binding:profile":{"a":[', "[]", "]}}]}"),
}
"""What stands before, again and again, and after."""


@pytest.mark.parametrize("what", HEAVY)
def test_bodies_that_are_heavier_than_they_look(world: World, what: str) -> None:
    """They are refused by what they have, before anything is made of it."""
    before, item, after = HEAVY[what]
    body = (before + ",".join([item] * (7_000_000 // (len(item) + 1))) + after).encode()
    world.get("ports")
    tracemalloc.start()
    reply = world.ask("POST", "/v2.0/ports", body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reply.error == (413, "HTTPRequestEntityTooLarge")
    assert peak < 3 * len(body)


def test_bodies_of_many_values(world: World) -> None:
    """What a list may have, with what each of its resources may, is not too many."""
    world.lift_quota("subnetpool")
    pools = [
        {
            "name": f"p{number}",
            "prefixes": [f"10.{number >> 8}.{number & 255}.{part}/32" for part in range(0, 40, 2)],
            "description": "a, " * 10,
        }
        for number in range(1000)
    ]
    assert world.ask("POST", "/v2.0/subnetpools", {"subnetpools": pools}).status == 201


def test_lists_that_are_too_long_for_what_they_are_in(world: World, place: Place) -> None:
    pools = [{"start": f"2001:db8::{n:x}:1", "end": f"2001:db8::{n:x}:2"} for n in range(MOST_POOLS + 1)]
    subnet = {"network_id": place.network, "cidr": "2001:db8::/64", "ip_version": 6, "allocation_pools": pools}
    assert world.refused("POST", "subnets", {"subnet": subnet}) == (400, "InvalidInput")
    routes = [{"destination": "10.0.0.0/8", "nexthop": "no address"}] * (MOST_ROUTES + 1)
    assert world.refused("PUT", f"routers/{place.router}", {"router": {"routes": routes}}) == (400, "RoutesExhausted")


LONG = {
    "address-groups/{addresses}/add_addresses": {"addresses": ["10.0.0.0/8"] * (ADDRESS_LIMIT + 1)},
    "address-groups/{addresses}/remove_addresses": {"addresses": ["10.0.0.0/8"] * (ADDRESS_LIMIT + 1)},
    "routers/{router}/add_extraroutes": {"router": {"routes": [{"destination": "::/0", "nexthop": "::1"}] * 1001}},
    "routers/{router}/remove_extraroutes": {"router": {"routes": [{"destination": "::/0", "nexthop": "::1"}] * 1001}},
}
"""Calls that work through a list while other writers wait."""


@pytest.mark.parametrize("path", LONG)
def test_lists_that_are_longer_than_what_they_change(world: World, place: Place, path: str) -> None:
    assert world.refused("PUT", place.fill(path), LONG[path]) == (400, "InvalidInput")


def test_queries_that_would_cost_much(world: World, place: Place) -> None:
    assert world.get("ports?" + "&".join(["sort_key=name&sort_dir=desc"] * 2000))["ports"]
    parts = "&".join(f"fixed_ips=ip_address_substr%3D{number}" for number in range(21))
    assert world.refused("GET", f"ports?{parts}") == (400, "HTTPBadRequest")


def test_a_key_of_sorting_counts_when_it_is_said_first(world: World) -> None:
    for name in ("a", "b"):
        world.make("network", name=name)
    found = world.get("networks?sort_key=name&sort_dir=desc&sort_key=name&sort_dir=asc")["networks"]
    assert [network["name"] for network in found] == ["b", "a"]


@pytest.mark.parametrize("name", [r"\u0000", r"a\u0000b", r"\\\u0000", r"\\\\\u0000"])
def test_texts_with_nul(world: World, name: str) -> None:
    """PostgreSQL has no such texts."""
    body = b'{"network": {"name": "%s"}}' % name.encode()
    assert world.ask("POST", "/v2.0/networks", body).error == (400, "HTTPBadRequest")
    assert world.counts() == {}


def test_nul_in_addresses(world: World) -> None:
    for path in ("networks?name=%00", "networks?name=a%00b&limit=1", "networks?marker=%00"):
        assert world.refused("GET", path) == (400, "HTTPBadRequest")
    assert world.refused("GET", "networks/\0") == (400, "HTTPBadRequest")


@pytest.mark.parametrize("name", [r"\\u0000", r"\\\\u0000", "0000"])
def test_texts_that_only_look_as_if_they_had_nul(world: World, name: str) -> None:
    body = b'{"network": {"name": "%s"}}' % name.encode()
    assert world.ask("POST", "/v2.0/networks", body).json["network"]["name"] == name.replace("\\\\", "\\")


def test_more_host_routes_than_there_may_be(world: World, place: Place) -> None:
    routes = [{"destination": f"10.{number}.0.0/16", "nexthop": "10.0.0.1"} for number in range(21)]
    path = f"subnets/{place.subnet}"
    assert world.refused("PUT", path, {"subnet": {"host_routes": routes}}) == (400, "HostRoutesExhausted")
    assert len(world.change("subnet", place.subnet, host_routes=routes[1:])["host_routes"]) == 20
    assert world.get("subnets")["subnets"]


@pytest.mark.parametrize(("field", "value"), [("prefixlen", 24), ("use_default_subnetpool", False)])
def test_what_only_a_create_asks_for(world: World, place: Place, field: str, value: int) -> None:
    reply = world.ask("PUT", f"/v2.0/subnets/{place.subnet}", {"subnet": {field: value}})
    assert reply.error == (400, "HTTPBadRequest")
    assert reply.json["NeutronError"]["message"] == f"Attribute '{field}' not allowed in PUT"


@pytest.mark.parametrize("depth", [16, 17])
def test_profiles_that_are_nested(world: World, place: Place, depth: int) -> None:
    profile: Any = {}
    for _ in range(depth - 1):
        profile = {"a": [profile]} if depth % 2 else {"a": profile}
    body = {"port": {"network_id": place.network, "binding:profile": profile}}
    reply = world.ask("POST", "/v2.0/ports", body, "admin")
    assert (reply.status, b"nested too deeply" in reply.content) == ((201, False) if depth == 16 else (400, True))


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
