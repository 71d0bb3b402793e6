"""All records by kind and id, and the few reverse look-ups that slices need."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from netplane.model import (
    Announcement,
    Binding,
    FirewallGroup,
    FirewallPolicy,
    LogResource,
    Port,
    Record,
    SecurityGroupRule,
    Subnet,
    kind_of,
)

Key = tuple[str, str]
"""The kind and the id of a record."""

R = TypeVar("R", bound=Record)


def _index_port(port: Port) -> Iterable[Key]:
    if port.is_router_interface:
        return (("interfaces_on", port.network_id), ("interfaces_of", port.device_id))
    own = [("machines_on", port.network_id), ("machines_of", port.project_id)]
    own += [("machines_in", group) for group in dict.fromkeys(port.security_groups)]
    return [*own, ("machines_with", port.identity_id)] if port.identity_id else own


def _index_log(log: LogResource) -> Iterable[Key]:
    if log.target_id is not None:
        return (("logs_at", log.target_id),)
    return (("logs_by", log.resource_id),) if log.resource_id is not None else (("logs_of", log.project_id),)


def _index_subnet(subnet: Subnet) -> Iterable[Key]:
    return (("subnets_on", subnet.network_id),)


def _index_rule(rule: SecurityGroupRule) -> Iterable[Key]:
    if rule.remote_address_group_id is not None:
        about = ("rules_about", rule.security_group_id)
        return (("rules_of", rule.security_group_id), about, ("rules_naming", rule.remote_address_group_id))
    return (("rules_of", rule.security_group_id),)


def _index_group(group: FirewallGroup) -> Iterable[Key]:
    policies = {group.ingress_firewall_policy_id, group.egress_firewall_policy_id} - {None}
    return [*(("walled_by", port) for port in group.ports), *(("groups_with", policy or "") for policy in policies)]


def _index_policy(policy: FirewallPolicy) -> Iterable[Key]:
    return [("policies_with", rule) for rule in dict.fromkeys(policy.firewall_rules)]


def _index_binding(binding: Binding) -> Iterable[Key]:
    return (("bound_to", binding.host_id),)


def _index_announcement(announcement: Announcement) -> Iterable[Key]:
    return (("announced_by", announcement.port_id),)


_INDEXES: Mapping[type[Record], Callable[..., Iterable[Key]]] = {
    Port: _index_port,
    Subnet: _index_subnet,
    SecurityGroupRule: _index_rule,
    Binding: _index_binding,
    Announcement: _index_announcement,
    LogResource: _index_log,
    FirewallGroup: _index_group,
    FirewallPolicy: _index_policy,
}
"""Where each kind is to be found again: (name of the look-up, what it is looked up by)."""


class World:
    """The records. Look-ups by name give ids in the order in which they came."""

    def __init__(self) -> None:
        self._records: dict[Key, Record] = {}
        self._found: dict[Key, dict[str, None]] = {}

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of a kind with this id, or None."""
        record = self._records.get((kind_of(kind), id))
        return record if isinstance(record, kind) else None

    def at(self, key: Key) -> Record | None:
        """The record with this key, or None."""
        return self._records.get(key)

    def find(self, look_up: str, target: str) -> Iterable[str]:
        """The ids that a look-up gives; do not change the world while iterating."""
        return self._found.get((look_up, target), ())

    def put(self, key: Key, record: Record) -> None:
        """Add or replace a record."""
        self.remove(key)
        self._records[key] = record
        for place in _places(record):
            self._found.setdefault(place, {})[record.id] = None

    def remove(self, key: Key) -> None:
        """Take a record out, if it is there."""
        record = self._records.pop(key, None)
        if record is None:
            return
        for place in _places(record):
            ids = self._found[place]
            del ids[record.id]
            if not ids:
                del self._found[place]


def _places(record: Record) -> Iterable[Key]:
    index = _INDEXES.get(type(record))
    return index(record) if index else ()
