"""What a caller sees that belongs to another project.

A shared network is there for those it is shared with: they see it and its subnets, and plug ports and routers into it.
Its owner sees who is on it, and may take them off. Nobody changes what is another's.
"""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from netplane.api.context import Context
from netplane.model import (
    EVERY_PROJECT,
    AddressScope,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Network,
    Port,
    RbacPolicy,
    Record,
    Subnet,
    SubnetPool,
    shared_with,
)
from netplane.model.resource import Resource
from netplane.store import Reader

T = TypeVar("T", bound=Record)

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
    return {object for object in objects if is_shared(reader, object, project)}


def is_lent(look: Look, context: Context, record: Record) -> bool:
    """Whether somebody else's record is shared with a caller's project."""
    match record:
        case Network():
            return is_shared(look, record.id, context.project)
        case Subnet():
            return is_shared(look, record.network_id, context.project)
        case FirewallRule() | FirewallPolicy() | FirewallGroup() | SubnetPool() | AddressScope():
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


def of_others(reader: Reader, context: Context, kind: type[Resource]) -> Sequence[Resource]:
    """The records of a kind that a caller sees although they belong to other projects."""
    if kind is Port:
        own = [network.id for network in reader.list(Network, context.project)]
        lent = [id for id, policies in reader.group(RbacPolicy, "object_id", own).items() if policies]
        on_own = reader.group(Port, "network_id", lent).values()
        return [port for ports in on_own for port in ports if port.project_id != context.project]
    if kind in SHOWN:
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
