"""RBAC policies: what other projects may use, and what is not taken away from whoever does."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import check_given, may, visible
from netplane.api.policy.sharing import SHAREABLE, is_shared
from netplane.api.rules.kind import Rules, Services
from netplane.api.views import View
from netplane.model import (
    EVERY_PROJECT,
    AddressGroup,
    AddressScope,
    Identity,
    Network,
    Port,
    RbacPolicy,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
    kind_of,
    shared_with,
)
from netplane.model.resource import Resource
from netplane.store import Reader, Transaction

ACTION = "access_as_shared"


def create(transaction: Transaction, context: Context, wish: Wish) -> RbacPolicy:
    """A policy on something of the caller's own; only administrators share with all projects."""
    kind = SHAREABLE.get(wish["object_type"].strip().lower())
    if kind is None:
        raise invalid(f"'{wish['object_type']}' is not a valid RBAC object type")
    name = kind_of(kind)
    if wish["action"] != ACTION:
        raise invalid(f"'{wish['action']}' is not a valid action for object type '{name}': there is '{ACTION}'")
    if wish["target_project"] == EVERY_PROJECT:
        check_given(transaction, context, RbacPolicy, "create", "target_tenant:*", wish)
    _check_share(transaction, context, kind, wish["object_id"], wish["target_project"])
    return transaction.add(RbacPolicy(id=new_id(), **wish | {"object_type": name}))


def update(transaction: Transaction, context: Context, policy: RbacPolicy, wish: Wish) -> RbacPolicy:
    """Another target, if the caller may share with it and the former one does not use what the policy is about."""
    target = wish.get("target_project", policy.target_project)
    if target != policy.target_project:
        if target == EVERY_PROJECT:
            check_given(transaction, context, RbacPolicy, "update", "target_tenant:*", policy)
        _check_share(transaction, context, SHAREABLE[policy.object_type], policy.object_id, target)
        if target != EVERY_PROJECT:
            _check_unused(transaction, policy)
    return transaction.put(replace(policy, **wish))


def delete(transaction: Transaction, _context: Context, policy: RbacPolicy) -> None:
    """Only if nobody needs it."""
    _check_unused(transaction, policy)
    transaction.delete(policy)


def show(_reader: Reader, _services: Services, _context: Context, policies: Sequence[RbacPolicy]) -> list[View]:
    """Nothing besides."""
    return [{} for _ in policies]


def share(transaction: Transaction, network: Network) -> None:
    """Let all projects use a network."""
    if transaction.holder(shared_with(EVERY_PROJECT), network.id) is None:
        transaction.add(
            RbacPolicy(
                id=new_id(),
                project_id=network.project_id,
                object_type=kind_of(Network),
                object_id=network.id,
                action=ACTION,
                target_project=EVERY_PROJECT,
            )
        )


def unshare(transaction: Transaction, network: Network) -> None:
    """Let only those projects use it that it is shared with by name; 409 if others do."""
    held = transaction.holder(shared_with(EVERY_PROJECT), network.id)
    policy = None if held is None else transaction.get(RbacPolicy, held)
    if policy is None:
        return
    if _dependants(transaction, policy):
        text = f"Unable to reconfigure sharing settings for network {network.id}. Multiple projects are using it."
        raise conflict("InvalidSharedSetting", text)
    transaction.delete(policy)


def _check_share(transaction: Transaction, context: Context, kind: type[Resource], id: str, target: str) -> None:
    """Whose a policy is says nothing about whose its object is: refused unless the caller may share that one."""
    record = visible(transaction, context, kind, id)
    if not may(transaction, context, "share", record):
        raise invalid("Only admins can manipulate policies on objects they do not own")
    if isinstance(record, SubnetPool):
        _check_scope(transaction, record, target)


def _check_scope(transaction: Transaction, pool: SubnetPool, target: str) -> None:
    """Who may use a pool must see the scope that it is in."""
    scope = None if pool.address_scope_id is None else transaction.get(AddressScope, pool.address_scope_id)
    if scope is not None and not scope.shared and not is_shared(transaction, scope.id, target):
        text = (
            f"Failed to create RBAC policy on object {pool.id} because its address scope {scope.id} is not shared with "
            f"the target project {target}."
        )
        raise ApiError(400, "RbacPolicyInitError", text)


def _check_unused(transaction: Transaction, policy: RbacPolicy) -> None:
    if _dependants(transaction, policy):
        raise _in_use(policy)


def _dependants(transaction: Transaction, policy: RbacPolicy) -> set[str]:
    """The projects that use what a policy is about and may do so by nothing but this policy."""
    record = transaction.get(SHAREABLE[policy.object_type], policy.object_id)
    if isinstance(record, SubnetPool | AddressScope) and record.shared:
        return set()
    users = USERS[policy.object_type](transaction, policy.object_id)
    others = transaction.find(RbacPolicy, "object_id", policy.object_id)
    targets = {other.target_project for other in others if other.id != policy.id}
    lost = users - targets - {record.project_id if record else ""}
    if EVERY_PROJECT in targets:
        return set()
    return lost if policy.target_project == EVERY_PROJECT else lost & {policy.target_project}


def _of_network(transaction: Transaction, id: str) -> set[str]:
    """Whose ports are on it."""
    return {port.project_id for port in transaction.find(Port, "network_id", id)}


def _of_group(transaction: Transaction, id: str) -> set[str]:
    """Whose ports are in it, and whose rules let its machines pass."""
    identities = transaction.find(Identity, "groups", id)
    ports = [port for one in identities for port in transaction.find(Port, "identity_id", one.id)]
    rules = transaction.find(SecurityGroupRule, "remote_group_id", id)
    return {record.project_id for record in (*ports, *rules)}


def _of_addresses(transaction: Transaction, id: str) -> set[str]:
    """Whose rules name it."""
    return {rule.project_id for rule in transaction.find(SecurityGroupRule, "remote_address_group_id", id)}


def _of_pool(transaction: Transaction, id: str) -> set[str]:
    """Whose subnets are of it."""
    return {subnet.project_id for subnet in transaction.find(Subnet, "subnetpool_id", id)}


def _of_scope(transaction: Transaction, id: str) -> set[str]:
    """Whose pools are in it."""
    return {pool.project_id for pool in transaction.find(SubnetPool, "address_scope_id", id)}


USERS: Mapping[str, Callable[[Transaction, str], set[str]]] = {
    kind_of(Network): _of_network,
    kind_of(SecurityGroup): _of_group,
    kind_of(AddressGroup): _of_addresses,
    kind_of(SubnetPool): _of_pool,
    kind_of(AddressScope): _of_scope,
}
"""The projects that use something, by its kind."""


def _in_use(policy: RbacPolicy) -> ApiError:
    text = (
        f"RBAC policy on object {policy.object_id} cannot be removed because other objects depend on it. "
        "Details: the project's ports or rules use it."
    )
    return conflict("RbacPolicyInUse", text)


RBAC_POLICIES = Rules(RbacPolicy, create, update, delete, (), show, indexed=("object_id",))
