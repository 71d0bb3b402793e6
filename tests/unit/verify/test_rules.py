"""Which packets a single rule speaks of."""

from ipaddress import IPv4Address

import pytest

from netplane.model import AddressGroup, Port
from netplane.verify.rules import Opening, reaches, speaks_of
from netplane.verify.world import World
from tests.unit.verify.records import rule

TCP_80, UDP_80, GRE = Opening(False, 6, 80, 0), Opening(False, 17, 80, 0), Opening(False, 47, 0, 0)
PING, ODD_PING, UNREACHABLE = Opening(False, 1, 8, 0), Opening(False, 1, 8, 5), Opening(False, 1, 3, 0)
TCP6_80, PING6, ICMP_IN_IPV6 = Opening(True, 6, 80, 0), Opening(True, 58, 128, 0), Opening(True, 1, 0, 0)
IPV6 = {TCP6_80, PING6, ICMP_IN_IPV6}
ALL = {TCP_80, UDP_80, GRE, PING, ODD_PING, UNREACHABLE}


@pytest.mark.parametrize(
    ("fields", "packets"),
    [
        ({}, ALL),
        ({"protocol": "any"}, ALL),
        ({"protocol": "ip"}, ALL),
        ({"protocol": "hopopt"}, ALL),
        ({"protocol": "0"}, ALL),
        ({"protocol": "icmpv6"}, set()),
        ({"protocol": "icmp", "port_range_max": 0}, set()),
        ({"port_range_min": 80, "port_range_max": 80}, set()),
        ({"protocol": "gre", "port_range_min": 0, "port_range_max": 0}, set()),
        ({"protocol": "tcp", "port_range_min": 80}, set()),
        ({"protocol": "tcp"}, {TCP_80}),
        ({"protocol": "17"}, {UDP_80}),
        ({"protocol": "gre"}, {GRE}),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}, {TCP_80}),
        ({"protocol": "tcp", "port_range_min": 81, "port_range_max": 90}, set()),
        ({"protocol": "icmp"}, {PING, ODD_PING, UNREACHABLE}),
        ({"protocol": "icmp", "port_range_min": 8}, {PING, ODD_PING}),
        ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, {PING}),
        ({"ethertype": "IPv6"}, IPV6),
        ({"ethertype": "IPv6", "protocol": "tcp"}, {TCP6_80}),
        ({"ethertype": "IPv6", "protocol": "icmp"}, {PING6}),
        ({"ethertype": "IPv6", "protocol": "1"}, {PING6}),
        ({"ethertype": "IPv6", "protocol": "ipv6-icmp", "port_range_min": 128}, {PING6}),
        ({"ethertype": "IPv6", "protocol": "icmpv6", "port_range_min": 129}, set()),
    ],
)
def test_packets(fields: dict[str, object], packets: set[Opening]) -> None:
    assert {packet for packet in ALL | IPV6 if speaks_of(rule(1, "g", "ingress", **fields), packet)} == packets


@pytest.mark.parametrize(
    ("fields", "reached"),
    [
        ({}, (True, True)),
        ({"remote_ip_prefix": "10.0.0.0/24"}, (True, True)),
        ({"remote_ip_prefix": "10.0.0.8/29"}, (False, False)),
        ({"remote_group_id": "friends"}, (True, False)),
        ({"remote_group_id": "strangers"}, (False, False)),
        ({"remote_address_group_id": "near"}, (True, True)),
        ({"remote_address_group_id": "far"}, (False, False)),
        ({"remote_address_group_id": "missing"}, (False, False)),
    ],
)
def test_remotes(fields: dict[str, object], reached: tuple[bool, bool]) -> None:
    friend = Port(id="p", network_id="n", mac_address="02:00:00:00:00:01", security_groups=("friends",))
    address = IPv4Address("10.0.0.1")
    near = AddressGroup(id="near", addresses=("fd00::/8", "192.0.2.0/24", "10.0.0.0/31"))
    world = World([near, AddressGroup(id="far", addresses=("10.0.0.2/32",))])
    made = rule(1, "g", "ingress", **fields)
    assert (reaches(world, made, address, friend), reaches(world, made, address, None)) == reached
