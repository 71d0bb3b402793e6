"""Equal strings of several records are kept once: a port repeats what its network, subnets and identity are called.

Records stay what they are, but for where their strings are. Of many ports this is half of the memory.
"""

from collections.abc import Callable, Iterable, Mapping
from sys import intern
from typing import Any, Protocol, TypeVar

from msgspec.structs import force_setattr

from netplane.model import Binding, Host, Identity, Network, Port, Record, SecurityGroupRule, Subnet

R = TypeVar("R", bound=Record)


class Known(Protocol):
    """Where records are found."""

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        ...


def share(kind: type[Record], records: Iterable[Record], known: Known) -> None:
    """Let records of a kind name others by the very strings that they are called themselves."""
    found = _SHARING.get(kind)
    if found is not None:
        found(records, known)


def _share_ports(ports: Iterable[Port], known: Known) -> None:
    networks, subnets = known.all(Network), known.all(Subnet)
    identities, bindings = known.all(Identity), known.all(Binding)
    for port in ports:
        network, identity = networks.get(port.network_id), identities.get(port.identity_id)
        if (binding := bindings.get(port.id)) is not None:
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
            subnet = subnets.get(fixed.subnet_id)
            if subnet is not None:
                force_setattr(fixed, "subnet_id", subnet.id)


def _share_bindings(bindings: Iterable[Binding], known: Known) -> None:
    ports, hosts = known.all(Port), known.all(Host)
    for binding in bindings:
        port, host = ports.get(binding.id), hosts.get(binding.host_id)
        if port is not None:
            force_setattr(binding, "id", port.id)
        if host is not None:
            force_setattr(binding, "host_id", host.id)


def _share_rules(rules: Iterable[SecurityGroupRule], _known: Known) -> None:
    for rule in rules:
        force_setattr(rule, "direction", intern(rule.direction))
        force_setattr(rule, "ethertype", intern(rule.ethertype))
        if rule.updated_at == rule.created_at:
            force_setattr(rule, "updated_at", rule.created_at)
        if rule.remote_group_id == rule.security_group_id:
            force_setattr(rule, "remote_group_id", rule.security_group_id)


_SHARING: Mapping[type[Record], Callable[[Iterable[Any], Known], None]] = {
    Port: _share_ports,
    Binding: _share_bindings,
    SecurityGroupRule: _share_rules,
}
