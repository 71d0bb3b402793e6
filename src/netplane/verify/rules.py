"""What security groups allow, rule by rule (OpenStack Networking: everything that no rule allows is dropped)."""

from ipaddress import ip_network
from typing import NamedTuple

from netplane.base.protocols import WITH_PORTS, protocol_number
from netplane.model import Port, SecurityGroupRule
from netplane.verify.datagram import ICMP, ICMPV6, Address, Datagram
from netplane.verify.world import World


class Opening(NamedTuple):
    """A packet that opens a connection, as rules see it."""

    ipv6: bool
    protocol: int
    first: int
    """ICMP's type; the destination port of others."""
    second: int
    """ICMP's code."""


def opening(datagram: Datagram) -> Opening:
    """What rules see of a packet that opens a connection or stands for itself."""
    if datagram.is_icmp:
        return Opening(datagram.is_ipv6, datagram.protocol, *datagram.icmp)
    return Opening(datagram.is_ipv6, datagram.protocol, datagram.ports[1], 0)


def continued(datagram: Datagram, port: int) -> Opening:
    """What rules saw of the packet that opened a packet's connection, to a port; an echo's code is not remembered."""
    asked = 128 if datagram.is_ipv6 else 8
    return Opening(datagram.is_ipv6, datagram.protocol, asked if datagram.is_icmp else port, 0)


def permits(world: World, port: Port, direction: str, remote: tuple[Address, Port | None], packet: Opening) -> bool:
    """Whether a port's rules of one direction permit it; `remote` is an address and whose it is, if a machine's."""
    return any(speaks_of(rule, packet) and reaches(world, rule, *remote) for rule in world.rules(port, direction))


def speaks_of(rule: SecurityGroupRule, packet: Opening) -> bool:
    """Whether a rule is about such packets; one that the API would refuse is about none.

    Either family has an ICMP of its own, which rules about it may call `icmp`.
    """
    number, low, high = protocol_number(rule.protocol), rule.port_range_min, rule.port_range_max
    icmp = ICMPV6 if packet.ipv6 else ICMP
    if number == ICMP:
        number = icmp
    if rule.ethertype != ("IPv6" if packet.ipv6 else "IPv4") or number not in (None, packet.protocol):
        return False
    if low is None and high is None:
        return True
    if number == icmp:
        return low == packet.first and high in (None, packet.second)
    return number in WITH_PORTS and low is not None and high is not None and low <= packet.first <= high


def reaches(world: World, rule: SecurityGroupRule, address: Address, owner: Port | None) -> bool:
    """Whether a rule speaks of that other side."""
    if rule.remote_ip_prefix is not None:
        return address in ip_network(rule.remote_ip_prefix)
    if rule.remote_address_group_id is not None:
        return world.lists(rule.remote_address_group_id, address)
    if rule.remote_group_id is not None:
        return owner is not None and rule.remote_group_id in owner.security_groups
    return True
