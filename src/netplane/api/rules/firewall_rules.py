"""Rules of firewalls: what can be meant, as OpenStack's FWaaS has it."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, invalid
from netplane.api.ids import new_id
from netplane.api.rules.kind import Extra, Rules, Services, simply_delete
from netplane.api.rules.ranges import loose_range
from netplane.api.views import View
from netplane.model import FirewallPolicy, FirewallRule
from netplane.model.firewall import ACTIONS, DENY
from netplane.store import Reader, Transaction

PROTOCOLS = ("tcp", "udp", "icmp")
WITH_PORTS = ("tcp", "udp")
HIGHEST = 65_535


def create(transaction: Transaction, _context: Context, wish: Wish) -> FirewallRule:
    """A rule that can be meant."""
    return transaction.add(FirewallRule(id=new_id(), **_checked(wish)))


def update(transaction: Transaction, _context: Context, rule: FirewallRule, wish: Wish) -> FirewallRule:
    """Anything; policies that have it are no longer audited."""
    names = ("protocol", "ip_version", "source_ip_address", "destination_ip_address", "source_port", "destination_port")
    before = {name: getattr(rule, name) for name in (*names, "action")}
    checked = _checked(before | wish)
    after = transaction.put(replace(rule, **wish | {name: checked[name] for name in before}))
    if after != rule:
        for policy in transaction.find(FirewallPolicy, "firewall_rules", rule.id):
            _check_still_shared(policy, after)
            transaction.put(replace(policy, audited=False))
    return after


def show(reader: Reader, _services: Services, _context: Context, rules: Sequence[FirewallRule]) -> list[View]:
    """The policies that each is in; null for none."""
    policies = reader.group(FirewallPolicy, "firewall_rules", [rule.id for rule in rules])
    return [{"firewall_policy_id": [policy.id for policy in policies[rule.id]] or None} for rule in rules]


def _check_still_shared(policy: FirewallPolicy, rule: FirewallRule) -> None:
    if not rule.shared and (policy.shared or policy.project_id != rule.project_id):
        raise ApiError(409, "FirewallRuleInUse", f"Firewall rule {rule.id} is being used.")


def _checked(wish: Wish) -> Wish:
    """The wish in one notation."""
    wish = {**wish, "action": str(wish.get("action", DENY)).lower()}
    if wish["action"] not in ACTIONS:
        raise invalid(f"action '{wish['action']}' is not one of {', '.join(ACTIONS)}")
    version = wish.setdefault("ip_version", 4)
    if version not in (4, 6):
        raise invalid(f"ip_version '{version}' is neither 4 nor 6")
    wish["protocol"] = _check_protocol(wish.get("protocol"))
    for name in ("source_ip_address", "destination_ip_address"):
        wish[name] = _check_address(name, wish.get(name), version)
    for name in ("source_port", "destination_port"):
        wish[name] = _check_ports(name, wish.get(name))
    if (wish["source_port"] or wish["destination_port"]) and wish["protocol"] not in WITH_PORTS:
        if wish["protocol"] is None:
            text = "Source/destination port requires a protocol."
            raise ApiError(400, "FirewallRuleWithPortWithoutProtocolInvalid", text)
        text = "Source, destination port are not allowed when protocol is set to ICMP."
        raise ApiError(400, "FirewallRuleInvalidICMPParameter", text)
    return wish


def _check_protocol(protocol: str | None) -> str | None:
    if protocol is None or protocol.lower() == "any":
        return None
    if protocol.lower() not in PROTOCOLS:
        raise invalid(f"protocol '{protocol}' is not one of {', '.join(PROTOCOLS)} or null")
    return protocol.lower()


def _check_address(name: str, text: str | None, version: int) -> str | None:
    if text is None:
        return None
    try:
        range = loose_range(text)
    except ValueError as error:
        raise invalid(f"{name} '{text}' is neither a valid IP address, nor is it a valid IP subnet") from error
    if range.version != version:
        words = "Invalid input - IP addresses do not agree with IP Version."
        raise ApiError(400, "FirewallIpAddressConflict", words)
    return text if "/" not in text else str(range)


def _check_ports(name: str, given: str | int | None) -> str | None:
    """`first:last`, or one port as it is."""
    if given is None or given == "":
        return None
    ends = str(given).split(":")
    if len(ends) > 2 or not all(end.isascii() and end.isdecimal() and int(end) <= HIGHEST for end in ends):
        raise invalid(f"{name} '{given}' is neither a port of 0 to {HIGHEST} nor two of them with a colon between")
    first, last = int(ends[0]), int(ends[-1])
    if first > last:
        raise ApiError(400, "FirewallRuleInvalidPortValue", f"Invalid value for port {given}.")
    return str(first) if first == last else f"{first}:{last}"


FIREWALL_RULES = Rules(FirewallRule, create, update, simply_delete, (Extra("firewall_policy_id"),), show)
