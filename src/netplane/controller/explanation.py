"""Why no rule let a packet pass: the rules that were asked, those that came closest first, and what each missed by.

Pure, and of the rules as they are now: one that would let the packet pass today says so.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from netplane.base.protocols import ICMP, ICMPV6, PROTOCOLS, family_protocol_number, protocol_number
from netplane.model import AddressGroup, Decision, SecurityGroupRule

CLOSEST = 3
"""Rules that are told of."""

NAMES: Mapping[int, str] = {number: name for name, number in PROTOCOLS.items()}


class Near(NamedTuple):
    """A rule, and why it does not speak of a packet; nothing if it does."""

    rule: SecurityGroupRule
    misses: tuple[str, ...]


def closest(
    decision: Decision, rules: Iterable[SecurityGroupRule], address_groups: Mapping[str, AddressGroup]
) -> list[Near]:
    """The rules of a decision's port that came closest to letting its packet pass."""
    version = f"IPv{ip_address(decision.source).version}"
    near = [
        Near(rule, tuple(_misses(decision, rule, address_groups)))
        for rule in rules
        if rule.direction == decision.direction and rule.ethertype == version
    ]
    return sorted(near, key=lambda one: (len(one.misses), one.rule.id))[:CLOSEST]


def summary(decision: Decision, near: list[Near]) -> str:
    """One sentence of it."""
    if decision.reason not in ("POLICY_IN", "POLICY_OUT"):
        return decision.text
    if not decision.security_groups:
        return "the port is in no security group, so nothing is allowed"
    if not near:
        return f"none of its {len(decision.security_groups)} groups has an {decision.direction} rule of this IP version"
    if not near[0].misses:
        return f"rule {near[0].rule.id} allows it now; none did then"
    return f"no {decision.direction} rule of its groups allows it; the closest: {near[0].misses[0]}"


def _misses(decision: Decision, rule: SecurityGroupRule, groups: Mapping[str, AddressGroup]) -> Iterable[str]:
    number = family_protocol_number(rule.protocol, ipv6=rule.ethertype == "IPv6")
    if number not in (None, decision.protocol):
        yield f"it is for {rule.protocol}, not {protocol_name(decision.protocol)}"
    elif not _has_service(rule, decision):
        yield f"it is for {_service(rule)}, not {said_service(decision)}"
    yield from _misses_remote(decision, rule, groups)


def _has_service(rule: SecurityGroupRule, decision: Decision) -> bool:
    low, high, asked = rule.port_range_min, rule.port_range_max, decision.destination_port
    if low is None and high is None:
        return True
    if decision.protocol in (ICMP, ICMPV6):
        return low == asked >> 8 and high in (None, asked & 0xFF)
    return low is not None and high is not None and low <= asked <= high


def _misses_remote(decision: Decision, rule: SecurityGroupRule, groups: Mapping[str, AddressGroup]) -> Iterable[str]:
    other = decision.destination if decision.direction == "egress" else decision.source
    if rule.remote_group_id is not None and rule.remote_group_id not in decision.remote_groups:
        yield f"it is for members of group {rule.remote_group_id}, and {other} is none"
    if rule.remote_ip_prefix is not None and ip_address(other) not in ip_network(rule.remote_ip_prefix):
        yield f"it is for {rule.remote_ip_prefix}, and {other} is not in it"
    if rule.remote_address_group_id is not None:
        group = groups.get(rule.remote_address_group_id)
        if group is None or not any(ip_address(other) in ip_network(one) for one in group.addresses):
            yield f"it is for address group {rule.remote_address_group_id}, and {other} is not in it"


def _service(rule: SecurityGroupRule) -> str:
    low, high = rule.port_range_min, rule.port_range_max
    if protocol_number(rule.protocol) in (ICMP, ICMPV6):
        return f"type {low}" + ("" if high is None else f" code {high}")
    return f"port {low}" if low == high else f"ports {low} to {high}"


def protocol_name(number: int) -> str:
    """What people call a protocol."""
    return NAMES.get(number, f"protocol {number}")


def said_service(decision: Decision) -> str:
    """What a packet asked for: a port, or an ICMP type and code."""
    if decision.protocol in (ICMP, ICMPV6):
        return f"type {decision.destination_port >> 8} code {decision.destination_port & 0xFF}"
    return f"port {decision.destination_port}"
