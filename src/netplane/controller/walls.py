"""Which firewall refuses a packet that was dropped at a machine's port, and by which of its rules, as they are now.

Known is the way by the router that is the gateway of the machine's subnet: the router's port there, and that on the
other side's subnet. What lies behind further routers is not followed.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from netplane.api import Context
from netplane.api.policy import sees
from netplane.model import Decision, FirewallGroup, FirewallPolicy, FirewallRule, Port, Subnet
from netplane.model.firewall import ALLOW, DENY, REJECT
from netplane.model.port import address_claim
from netplane.store import Reader
from netplane.verify.firewalls import Crossing, End, is_about
from netplane.verify.rules import Opening

REASONS = ("FIREWALL", "FIREWALL_REJECTED")
VERBS = {DENY: "denies", REJECT: "rejects"}
ICMP = (1, 58)
"""Of IPv4 and IPv6: what has no ports."""


class Refusal(NamedTuple):
    """What refuses it."""

    group: FirewallGroup
    policy: FirewallPolicy | None
    """None if the group has none for this direction."""
    rule: FirewallRule | None
    """None if none of the policy's rules speaks of it."""


def refusal(reader: Reader, decision: Decision) -> Refusal | None:
    """The first firewall on its way that refuses a packet; None if it is not known, or does so no more."""
    for crossing in _crossings(reader, decision):
        held = reader.holder("firewall-port", crossing.interface.id)
        group = None if held is None else reader.get(FirewallGroup, held)
        if group is not None and group.is_applied:
            found = _asked(reader, group, crossing, decision)
            if found.rule is None or found.rule.action != ALLOW:
                return found
    return None


def said(reader: Reader, context: Context, found: Refusal) -> dict[str, str | None]:
    """What a caller is told of it: of another project's firewall nothing but that it is one."""
    if not all(sees(reader, context, part) for part in found if part is not None):
        return {"firewall_group_id": None, "firewall_rule_id": None, "text": "a firewall of another project"}
    rule = None if found.rule is None else found.rule.id
    return {"firewall_group_id": found.group.id, "firewall_rule_id": rule, "text": _text(found)}


def _text(found: Refusal) -> str:
    group = f"firewall group {found.group.id}"
    if not found.group.admin_state_up:
        return f"{group} is down, so nothing passes it"
    if found.policy is None:
        return f"{group} has no policy for this direction, so nothing passes it"
    if found.rule is None:
        return f"no rule of policy {found.policy.id} of {group} allows it"
    return f"rule {found.rule.id} of policy {found.policy.id} of {group} {VERBS[found.rule.action]} it"


def _crossings(reader: Reader, decision: Decision) -> Iterator[Crossing]:
    """The routers' ports that the packet passes, in its order."""
    is_sent = decision.direction == "egress"
    own, other = (decision.source, decision.destination)[:: 1 if is_sent else -1]
    near = _gateway(reader, decision.port_id, own)
    if near is None:
        return
    far = _facing(reader, near, other)
    ways = [(near, False), (far, True)] if is_sent else [(far, False), (near, True)]
    yield from (Crossing(interface, is_left) for interface, is_left in ways if interface is not None)


def _gateway(reader: Reader, port: str, own: str) -> Port | None:
    """The router's port that is the gateway of a machine's port with an address."""
    machine = reader.get(Port, port)
    for fixed in () if machine is None else machine.fixed_ips:
        subnet = reader.get(Subnet, fixed.subnet_id)
        if subnet is not None and subnet.gateway_ip is not None and _holds(subnet, own):
            held = reader.holder(f"address:{subnet.id}", address_claim(subnet.gateway_ip))
            found = None if held is None else reader.get(Port, held)
            return found if found is not None and found.is_router_interface else None
    return None


def _facing(reader: Reader, near: Port, other: str) -> Port | None:
    """The port of the same router on the other side's subnet."""
    for interface in reader.find(Port, "device_id", near.device_id):
        for fixed in interface.fixed_ips:
            subnet = reader.get(Subnet, fixed.subnet_id)
            if subnet is not None and _holds(subnet, other):
                return interface
    return None


def _holds(subnet: Subnet, address: str) -> bool:
    return ip_address(address) in ip_network(subnet.cidr)


def _asked(reader: Reader, group: FirewallGroup, crossing: Crossing, decision: Decision) -> Refusal:
    """What a group says of a packet: into the networks behind a port goes what leaves the router by it."""
    id = group.ingress_firewall_policy_id if crossing.is_left else group.egress_firewall_policy_id
    policy = None if id is None or not group.admin_state_up else reader.get(FirewallPolicy, id)
    source, destination = ip_address(decision.source), ip_address(decision.destination)
    asked = decision.destination_port
    first, second = (asked >> 8, asked & 0xFF) if decision.protocol in ICMP else (asked, 0)
    opening = Opening(source.version == 6, decision.protocol, first, second)
    ends = End(source, decision.source_port), End(destination, first)
    ids = () if policy is None else policy.firewall_rules
    known = {rule.id: rule for rule in reader.list(FirewallRule, None, ids)}
    rules = (known[id] for id in ids if id in known)
    about = (rule for rule in rules if rule.enabled and is_about(rule, *ends, opening))
    return Refusal(group, policy, next(about, None))
