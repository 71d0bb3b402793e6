"""What security groups allow, rule by rule (OpenStack Networking: everything that no rule allows is dropped)."""

from ipaddress import IPv4Address, ip_network
from typing import NamedTuple

from netplane.model import Port, SecurityGroupRule
from netplane.verify.datagram import ICMP, TCP, UDP, Datagram
from netplane.verify.world import World

PROTOCOLS = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": ICMP,
    "igmp": 2,
    "ipip": 4,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": TCP,
    "udp": UDP,
    "udplite": 136,
    "vrrp": 112,
}
"""IANA's numbers of the protocols, by the names that OpenStack Networking has for them."""


class Opening(NamedTuple):
    """A packet that opens a connection, as rules see it."""

    protocol: int
    first: int
    """ICMP's type; the destination port of others."""
    second: int
    """ICMP's code."""


def opening(datagram: Datagram) -> Opening:
    """What rules see of a packet that opens a connection or stands for itself."""
    if datagram.protocol == ICMP:
        return Opening(ICMP, *datagram.icmp)
    return Opening(datagram.protocol, datagram.ports[1], 0)


def answered_opening(datagram: Datagram) -> Opening:
    """What rules saw of the packet that a reply answers."""
    if datagram.protocol == ICMP:
        return Opening(ICMP, 8, 0)
    return Opening(datagram.protocol, datagram.ports[0], 0)


def permits(world: World, port: Port, direction: str, remote: tuple[IPv4Address, Port | None], packet: Opening) -> bool:
    """Whether a port's rules of one direction permit it; `remote` is an address and whose it is, if a machine's."""
    return any(speaks_of(rule, packet) and reaches(rule, *remote) for rule in world.rules(port, direction))


def speaks_of(rule: SecurityGroupRule, packet: Opening) -> bool:
    """Whether a rule is about such packets."""
    if rule.protocol is None:
        return True
    if protocol_number(rule.protocol) != packet.protocol:
        return False
    if packet.protocol == ICMP:
        return rule.port_range_min in (None, packet.first) and rule.port_range_max in (None, packet.second)
    if rule.port_range_min is None or rule.port_range_max is None:
        return True
    return rule.port_range_min <= packet.first <= rule.port_range_max


def reaches(rule: SecurityGroupRule, address: IPv4Address, owner: Port | None) -> bool:
    """Whether a rule speaks of that other side."""
    if rule.remote_ip_prefix is not None:
        return address in ip_network(rule.remote_ip_prefix)
    if rule.remote_group_id is not None:
        return owner is not None and rule.remote_group_id in owner.security_groups
    return True


def protocol_number(name: str) -> int:
    """The number of a protocol given by name or number."""
    return int(name) if name.isdigit() else PROTOCOLS[name]
