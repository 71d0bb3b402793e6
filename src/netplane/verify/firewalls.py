"""What firewalls on routers' ports say of a connection, from their groups, policies and rules (OpenStack's FWaaS)."""

from enum import Enum
from ipaddress import ip_network
from typing import NamedTuple

from netplane.model import FirewallGroup, FirewallPolicy, FirewallRule, Port
from netplane.verify.datagram import Address
from netplane.verify.rules import Opening
from netplane.verify.world import World

NUMBERS = {"tcp": (6, 6), "udp": (17, 17), "icmp": (1, 58)}
"""Protocols by name, in IPv4 and IPv6."""


class Answer(Enum):
    """What a firewall does with a connection."""

    ALLOW = "allow"
    DENY = "deny"
    REJECT = "reject"


class Crossing(NamedTuple):
    """A router's port that a packet comes in by, or leaves by."""

    interface: Port
    is_left: bool


class End(NamedTuple):
    """An end of a connection."""

    address: Address
    port: int


def guards(world: World, interface: Port) -> FirewallGroup | None:
    """The group that is on a router's port and does something."""
    groups = [group for group in world.all(FirewallGroup) if interface.id in group.ports]
    group = min(groups, key=lambda one: one.id, default=None)
    return group if group is not None and group.is_applied else None


def asked(world: World, crossings: tuple[Crossing, ...], source: End, destination: End, opening: Opening) -> Answer:
    """What the first firewall on the way that does not allow a connection does with it."""
    for interface, is_left in crossings:
        group = guards(world, interface)
        if group is not None:
            # Into the networks behind an interface goes what leaves the router by it.
            policy = group.ingress_firewall_policy_id if is_left else group.egress_firewall_policy_id
            answer = decided(world, group, policy, source, destination, opening)
            if answer is not Answer.ALLOW:
                return answer
    return Answer.ALLOW


def decided(
    world: World, group: FirewallGroup, policy: str | None, source: End, destination: End, opening: Opening
) -> Answer:
    """What a policy of a group says: its first rule that speaks of the connection, or no."""
    found = None if policy is None or not group.admin_state_up else world.get(FirewallPolicy, policy)
    for id in found.firewall_rules if found is not None else ():
        rule = world.get(FirewallRule, id)
        if rule is not None and rule.enabled and is_about(rule, source, destination, opening):
            return Answer(rule.action)
    return Answer.DENY


def is_about(rule: FirewallRule, source: End, destination: End, opening: Opening) -> bool:
    """Whether a rule speaks of a connection."""
    if rule.ip_version != source.address.version:
        return False
    if rule.protocol is not None and NUMBERS[rule.protocol][rule.ip_version == 6] != opening.protocol:
        return False
    ranges = ((rule.source_ip_address, source.address), (rule.destination_ip_address, destination.address))
    ports = ((rule.source_port, source.port), (rule.destination_port, opening.first))
    return all(range is None or address in ip_network(range) for range, address in ranges) and all(
        span is None or in_span(span, port) for span, port in ports
    )


def in_span(span: str, port: int) -> bool:
    """Whether a port is the one or among those that a rule names."""
    first, _, last = span.partition(":")
    return int(first) <= port <= int(last or first)


def turned(crossings: tuple[Crossing, ...]) -> tuple[Crossing, ...]:
    """The same, for who goes the other way: it comes in where the other leaves."""
    return tuple(Crossing(interface, not is_left) for interface, is_left in crossings)
