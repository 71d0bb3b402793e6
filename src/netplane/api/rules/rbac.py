"""RBAC policies: networks that other projects may use, and that are not taken away from whoever does."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.policy import check_given, may, visible
from netplane.api.rules.kind import Rules, Services, new_id
from netplane.api.views import View
from netplane.model import EVERY_PROJECT, Network, Port, RbacPolicy, shared_with
from netplane.store import Reader, Transaction

NETWORK, ACTION = "network", "access_as_shared"


def create(transaction: Transaction, context: Context, wish: Wish) -> RbacPolicy:
    """A policy on a network of the caller's own; only administrators share with all projects."""
    if wish["object_type"].strip().lower() != NETWORK:
        raise invalid(f"'{wish['object_type']}' is not a valid RBAC object type")
    if wish["action"] != ACTION:
        raise invalid(f"'{wish['action']}' is not a valid action for object type '{NETWORK}': there is '{ACTION}'")
    if wish["target_project"] == EVERY_PROJECT:
        check_given(transaction, context, RbacPolicy, "create", "target_tenant:*", wish)
    network = visible(transaction, context, Network, wish["object_id"])
    if not may(transaction, context, "share", network):
        raise invalid("only admins can manipulate policies on networks they do not own")
    return transaction.add(RbacPolicy(id=new_id(), **wish | {"object_type": NETWORK}))


def update(transaction: Transaction, context: Context, policy: RbacPolicy, wish: Wish) -> RbacPolicy:
    """Another target, if the former one does not use the network."""
    target = wish.get("target_project", policy.target_project)
    if target != policy.target_project:
        if target == EVERY_PROJECT:
            check_given(transaction, context, RbacPolicy, "update", "target_tenant:*", policy)
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
                object_type=NETWORK,
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


def _check_unused(transaction: Transaction, policy: RbacPolicy) -> None:
    if _dependants(transaction, policy):
        raise _in_use(policy)


def _dependants(transaction: Transaction, policy: RbacPolicy) -> set[str]:
    """The projects that have ports on the network and may have them by nothing but this policy."""
    network = transaction.get(Network, policy.object_id)
    users = {port.project_id for port in transaction.find(Port, "network_id", policy.object_id)}
    others = transaction.find(RbacPolicy, "object_id", policy.object_id)
    targets = {other.target_project for other in others if other.id != policy.id}
    lost = users - targets - {network.project_id if network else ""}
    if EVERY_PROJECT in targets:
        return set()
    return lost if policy.target_project == EVERY_PROJECT else lost & {policy.target_project}


def _in_use(policy: RbacPolicy) -> ApiError:
    text = (
        f"RBAC policy on object {policy.object_id} cannot be removed because other objects depend on it. "
        "Details: ports of the project are on the network."
    )
    return conflict("RbacPolicyInUse", text)


RBAC_POLICIES = Rules(RbacPolicy, create, update, delete, (), show, indexed=("object_id",))
