"""Equal strings of several records are kept once: a port repeats what its network, subnets and identity are called.

Records stay what they are, but for where their strings are. Of many ports this is half of the memory.
"""

from sys import intern
from typing import Protocol, TypeVar

from msgspec.structs import force_setattr

from netplane.model import Binding, Host, Identity, Network, Port, Record, SecurityGroupRule, Subnet

R = TypeVar("R", bound=Record)


class Known(Protocol):
    """Where records are found."""

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of a kind with this id, or None."""
        ...


def share(record: Record, known: Known) -> None:
    """Let a record name others by the very strings that they are called themselves."""
    match record:
        case Port():
            _share_port(record, known)
        case Binding():
            port, host = known.get(Port, record.id), known.get(Host, record.host_id)
            if port is not None:
                force_setattr(record, "id", port.id)
            if host is not None:
                force_setattr(record, "host_id", host.id)
        case SecurityGroupRule():
            _share_rule(record)


def _share_port(port: Port, known: Known) -> None:
    network, identity = known.get(Network, port.network_id), known.get(Identity, port.identity_id)
    if (binding := known.get(Binding, port.id)) is not None:
        force_setattr(port, "id", binding.id)
    force_setattr(port, "device_owner", intern(port.device_owner))
    if port.updated_at == port.created_at:
        force_setattr(port, "updated_at", port.created_at)
    if network is not None:
        force_setattr(port, "network_id", network.id)
        if network.project_id == port.project_id:
            force_setattr(port, "project_id", network.project_id)
    if identity is not None:
        force_setattr(port, "identity_id", identity.id)
        if identity.groups == port.security_groups:
            force_setattr(port, "security_groups", identity.groups)
    for fixed in port.fixed_ips:
        subnet = known.get(Subnet, fixed.subnet_id)
        if subnet is not None:
            force_setattr(fixed, "subnet_id", subnet.id)


def _share_rule(rule: SecurityGroupRule) -> None:
    force_setattr(rule, "direction", intern(rule.direction))
    force_setattr(rule, "ethertype", intern(rule.ethertype))
    if rule.updated_at == rule.created_at:
        force_setattr(rule, "updated_at", rule.created_at)
    if rule.remote_group_id == rule.security_group_id:
        force_setattr(rule, "remote_group_id", rule.security_group_id)
