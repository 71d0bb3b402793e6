"""What a firewall lets pass a router's port: its group's policies, rule by rule, as one record for a domain's hosts."""

from collections.abc import Callable

from netplane.model import FirewallGroup, FirewallPolicy, FirewallRule, Wall, WallRule

Policies = Callable[[str], FirewallPolicy | None]
Rules = Callable[[str], FirewallRule | None]


def wall(port: str, group: FirewallGroup, policies: Policies, rules: Rules) -> Wall | None:
    """The wall that a group puts on a port; None for a group that does nothing. While it is down nothing passes."""
    if not group.is_applied:
        return None
    ingress = _rules(group, group.ingress_firewall_policy_id, policies, rules)
    return Wall(id=port, ingress=ingress, egress=_rules(group, group.egress_firewall_policy_id, policies, rules))


def _rules(group: FirewallGroup, policy: str | None, policies: Policies, rules: Rules) -> tuple[WallRule, ...]:
    found = None if policy is None or not group.admin_state_up else policies(policy)
    records = [rules(id) for id in found.firewall_rules] if found is not None else []
    return tuple(_short(rule) for rule in records if rule is not None and rule.enabled)


def _short(rule: FirewallRule) -> WallRule:
    return WallRule(
        id=rule.id,
        action=rule.action,
        ip_version=rule.ip_version,
        protocol=rule.protocol,
        source=rule.source_ip_address,
        destination=rule.destination_ip_address,
        source_port=rule.source_port,
        destination_port=rule.destination_port,
    )
