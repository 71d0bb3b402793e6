"""What a caller may use that belongs to another project.

A shared network is there for those it is shared with: they see it and its subnets, and plug ports and routers into it.
Its owner sees who is on it, and may take them off. Nobody changes what is another's.
"""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from netplane.api.context import Context
from netplane.model import (
    EVERY_PROJECT,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Network,
    Port,
    RbacPolicy,
    Record,
    Subnet,
    shared_with,
)
from netplane.model.resource import Resource
from netplane.store import Reader

T = TypeVar("T", bound=Record)

FIREWALLS = (FirewallRule, FirewallPolicy, FirewallGroup)


class Look(Protocol):
    """What a reader and a transaction can both be asked."""

    def get(self, kind: type[T], id: str) -> T | None:
        """The record with this id, or None."""
        ...

    def find(self, kind: type[T], field: str, target: str) -> list[T]:
        """The records of a kind that refer to `target` by `field`."""
        ...

    def holder(self, space: str, value: str) -> str | None:
        """The id of the record that claims a value, or None."""
        ...


def sees(look: Look, context: Context, record: Resource) -> bool:
    """Whether a record exists for this caller."""
    if context.may_see(record.project_id):
        return True
    match record:
        case Network():
            return is_shared(look, record.id, context.project)
        case Subnet():
            return is_shared(look, record.network_id, context.project)
        case Port():
            return _owns_network(look, context, record)
        case FirewallRule() | FirewallPolicy() | FirewallGroup():
            return record.shared
    return False


def may_delete(look: Look, context: Context, record: Resource) -> bool:
    """Whether a caller may delete what it sees: its own, and what others plug into its networks."""
    return context.may_see(record.project_id) or (isinstance(record, Port) and _owns_network(look, context, record))


def is_shared(look: Look, network: str, project: str) -> bool:
    """Whether a network may be used by a project, whoever owns it."""
    return any(look.holder(shared_with(target), network) is not None for target in (EVERY_PROJECT, project))


def shared_among(reader: Reader, project: str, networks: Collection[str]) -> set[str]:
    """Which of some networks a project, or each, may use."""
    return {network for network in networks if is_shared(reader, network, project)}


def of_others(reader: Reader, context: Context, kind: type[Resource]) -> Sequence[Resource]:
    """The records of a kind that a caller sees although they belong to other projects."""
    if context.is_admin:
        return ()
    if kind is Port:
        own = [network.id for network in reader.list(Network, context.project)]
        lent = [id for id, policies in reader.group(RbacPolicy, "object_id", own).items() if policies]
        on_own = reader.group(Port, "network_id", lent).values()
        return [port for ports in on_own for port in ports if port.project_id != context.project]
    if kind in FIREWALLS:
        everybody = reader.list(kind, None, set(reader.claimed(f"shared-{kind.collection}")))
        return [record for record in everybody if record.project_id != context.project]
    if kind not in (Network, Subnet):
        return ()
    ids = {network for target in (EVERY_PROJECT, context.project) for network in reader.claimed(shared_with(target))}
    shared = [network for network in reader.list(Network, None, ids) if network.project_id != context.project]
    if kind is Network:
        return shared
    found = reader.group(Subnet, "network_id", [network.id for network in shared]).values()
    return [subnet for subnets in found for subnet in subnets if subnet.project_id != context.project]


def _owns_network(look: Look, context: Context, port: Port) -> bool:
    network = look.get(Network, port.network_id)
    if network is None or network.project_id != context.project:
        return False
    return bool(look.find(RbacPolicy, "object_id", network.id))
