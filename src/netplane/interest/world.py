"""All records by kind and id, and the few reverse look-ups that slices need."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from netplane.interest.sharing import share
from netplane.model import (
    WORLD,
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
    on = ("machines_on", port.network_id)
    return (on, ("machines_with", port.identity_id)) if port.identity_id else (on,)


def _index_machine(port: Port) -> Iterable[Key]:
    """For logs, which few have: kept from the first time that it is asked for."""
    if port.is_router_interface:
        return ()
    groups = dict.fromkeys(port.security_groups)
    return [("machines_of", port.project_id), *(("machines_in", group) for group in groups)]


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
        self._records: dict[type[Record], dict[str, Any]] = {kind: {} for kind in WORLD}
        self._named = {kind_of(kind): records for kind, records in self._records.items()}
        self._found: dict[str, dict[str, dict[str, None]]] = defaultdict(dict)
        self._knows_machines = False

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of a kind with this id, or None."""
        found: R | None = self._records[kind].get(id)
        return found

    def at(self, key: Key) -> Record | None:
        """The record with this key, or None."""
        records = self._named.get(key[0])
        return records.get(key[1]) if records else None

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        return self._records[kind]

    def find(self, look_up: str, target: str) -> Iterable[str]:
        """The ids that a look-up gives; do not change the world while iterating."""
        found = self._found.get(look_up)
        return found.get(target, ()) if found else ()

    def found(self, look_up: str) -> Mapping[str, Iterable[str]]:
        """All that a look-up gives, by what it is looked up by; do not change the world while iterating."""
        return self._found.get(look_up, {})

    def machines(self, look_up: str, target: str) -> Iterable[str]:
        """The same for `machines_of` a project and `machines_in` a group; the first time looks at all ports."""
        if not self._knows_machines:
            self._knows_machines = True
            for port in self._records[Port].values():
                self._enter(port.id, _index_machine(port))
        return self.find(look_up, target)

    def put(self, key: Key, record: Record) -> None:
        """Add or replace a record."""
        self.remove(key)
        share(type(record), (record,), self)
        self._records[type(record)][record.id] = record
        self._enter(record.id, self._places(record))

    def fill(self, kind: type[Record], records: Sequence[Record]) -> None:
        """Add records of a kind of which none is there yet, all at once: the same as to put each of them."""
        share(kind, records, self)
        self._records[kind].update({record.id: record for record in records})
        known, index = self._found, self._places if self._knows_machines else _INDEXES.get(kind)
        if index is None:
            return
        for record in records:
            for look_up, target in index(record):
                ids = known[look_up].get(target)
                if ids is None:
                    known[look_up][target] = {record.id: None}
                else:
                    ids[record.id] = None

    def remove(self, key: Key) -> None:
        """Take a record out, if it is there."""
        record = self._named[key[0]].pop(key[1], None)
        if record is None:
            return
        for look_up, target in self._places(record):
            found = self._found[look_up]
            ids = found[target]
            del ids[record.id]
            if not ids:
                del found[target]

    def _enter(self, id: str, places: Iterable[Key]) -> None:
        for look_up, target in places:
            found = self._found[look_up]
            ids = found.get(target)
            if ids is None:
                found[target] = {id: None}
            else:
                ids[id] = None

    def _places(self, record: Record) -> Iterable[Key]:
        index = _INDEXES.get(type(record))
        places = index(record) if index else ()
        if self._knows_machines and isinstance(record, Port):
            return (*places, *_index_machine(record))
        return places
