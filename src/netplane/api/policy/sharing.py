"""What a caller sees that belongs to another project.

A shared network is there for those it is shared with: they see it and its subnets, and plug ports and routers into it.
Its owner sees who is on it, and may take them off. Their ports may be in a shared security group, and their rules name
it or a shared address group; their subnets are of shared pools, and their pools in shared scopes. Nobody changes what
is another's.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from netplane.api.context import Context
from netplane.model import (
    EVERY_PROJECT,
    AddressGroup,
    AddressScope,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Network,
    Port,
    RbacPolicy,
    Record,
    SecurityGroup,
    Subnet,
    SubnetPool,
    kind_of,
    shared_with,
)
from netplane.model.resource import Resource
from netplane.store import Reader

T = TypeVar("T", bound=Record)

SHAREABLE: Mapping[str, type[Resource]] = {
    kind_of(kind): kind for kind in (Network, SecurityGroup, AddressGroup, SubnetPool, AddressScope)
}
"""What RBAC policies can be about, by the name of its kind."""

FEW = 2
"""Things of which each is looked up; of more, all that is shared is read."""

SHOWN = (FirewallRule, FirewallPolicy, FirewallGroup, SubnetPool, AddressScope)
"""Kinds whose records say themselves whether all projects see them."""


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


def is_shared(look: Look, object: str, project: str) -> bool:
    """Whether a project may use what an RBAC policy is about, whoever owns it."""
    return any(look.holder(shared_with(target), object) is not None for target in (EVERY_PROJECT, project))


def shared_among(reader: Reader, project: str, objects: Collection[str]) -> set[str]:
    """Which of some things a project, or each, may use."""
    if len(objects) <= FEW:
        return {object for object in objects if is_shared(reader, object, project)}
    return _all_shared(reader, project) & set(objects)


def _all_shared(reader: Reader, project: str) -> set[str]:
    """The ids of all that a project, or each, may use."""
    return {object for target in (EVERY_PROJECT, project) for object in reader.claimed(shared_with(target))}


def is_lent(look: Look, context: Context, record: Record) -> bool:
    """Whether somebody else's record is shared with a caller's project."""
    match record:
        case Network() | SecurityGroup() | AddressGroup():
            return is_shared(look, record.id, context.project)
        case Subnet():
            return is_shared(look, record.network_id, context.project)
        case SubnetPool() | AddressScope():
            return record.shared or is_shared(look, record.id, context.project)
        case FirewallRule() | FirewallPolicy() | FirewallGroup():
            return record.shared
    return False


def owns_network(look: Look, context: Context, record: Record) -> bool:
    """Whether somebody else's port is on a network that the caller's project owns and has shared."""
    if not isinstance(record, Port):
        return False
    network = look.get(Network, record.network_id)
    if network is None or network.project_id != context.project:
        return False
    return bool(look.find(RbacPolicy, "object_id", network.id))


def shared_by(reader: Reader, project: str) -> list[str]:
    """The ids of a project's own networks that others may use."""
    own = [network.id for network in reader.list(Network, project)]
    return [id for id, policies in reader.group(RbacPolicy, "object_id", own).items() if policies]


def of_others(reader: Reader, context: Context, kind: type[Resource]) -> Sequence[Resource]:
    """The records of a kind that a caller sees although they belong to other projects."""
    if kind is Port:
        on_own = reader.group(Port, "network_id", shared_by(reader, context.project)).values()
        return [port for ports in on_own for port in ports if port.project_id != context.project]
    lent_kind = Network if kind is Subnet else kind
    ids = _all_shared(reader, context.project) if lent_kind in SHAREABLE.values() else set()
    if kind in SHOWN:
        ids.update(reader.claimed(f"shared-{kind.collection}"))
    shared = [record for record in reader.list(lent_kind, None, ids) if record.project_id != context.project]
    if kind is not Subnet:
        return shared
    found = reader.group(Subnet, "network_id", [network.id for network in shared]).values()
    return [subnet for subnets in found for subnet in subnets if subnet.project_id != context.project]
