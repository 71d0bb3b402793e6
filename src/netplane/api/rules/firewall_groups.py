"""Groups of firewalls: policies on routers' ports, and the group that comes with every project."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict
from netplane.api.ids import new_id
from netplane.api.policy import may, sees_all, sees_own, visible
from netplane.api.rules.firewall_policies import reserved, restricted
from netplane.api.rules.kind import Extra, Rules, Services
from netplane.api.views import View
from netplane.model import FirewallGroup, FirewallPolicy, FirewallRule, Port
from netplane.model.firewall import ALLOW, DEFAULT_GROUP, DEFAULT_POLICIES, DENY
from netplane.store import Reader, Transaction

POLICIES = ("ingress_firewall_policy_id", "egress_firewall_policy_id")
MACHINES = "compute:"


def create(transaction: Transaction, context: Context, wish: Wish) -> FirewallGroup:
    """A group on ports that no other group is on."""
    if wish.get("name") == DEFAULT_GROUP:
        raise reserved("Firewall Group", DEFAULT_GROUP)
    default_group(transaction, wish["project_id"])
    _check_policies(transaction, context, wish["project_id"], wish)
    wish["ports"] = _check_ports(transaction, context, wish["project_id"], wish.get("ports", ()))
    return transaction.add(FirewallGroup(id=new_id(), **wish))


def update(transaction: Transaction, context: Context, group: FirewallGroup, wish: Wish) -> FirewallGroup:
    """Anything; of the default group, its ports."""
    if group.name == DEFAULT_GROUP:
        may_more = may(transaction, context, "update:default", group)
        fixed = ("name",) if may_more else ("name", "description", "admin_state_up", *POLICIES)
        if any(name in wish for name in fixed):
            raise restricted("Firewall Group", group.id)
    elif wish.get("name") == DEFAULT_GROUP:
        raise reserved("Firewall Group", DEFAULT_GROUP)
    _check_policies(transaction, context, group.project_id, wish)
    if "ports" in wish:
        wish["ports"] = _check_ports(transaction, context, group.project_id, wish["ports"])
    return transaction.put(replace(group, **wish))


def delete(transaction: Transaction, context: Context, group: FirewallGroup) -> None:
    """One that is on no port; only administrators delete a default group, and with it what it came with."""
    if group.ports:
        raise conflict("FirewallGroupInUse", f"Firewall group {group.id} is still active.")
    if group.name == DEFAULT_GROUP and not may(transaction, context, "delete:default", group):
        raise conflict("FirewallGroupCannotRemoveDefault", "Deleting default firewall group not allowed.")
    transaction.delete(group)
    if group.name == DEFAULT_GROUP:
        for name in POLICIES:
            _delete_default(transaction, getattr(group, name))


def show(_reader: Reader, _services: Services, _context: Context, groups: Sequence[FirewallGroup]) -> list[View]:
    """Whether it is at work."""
    return [{"status": _status(group)} for group in groups]


def leave_firewall(transaction: Transaction, port: Port) -> None:
    """Take a port that goes out of its group."""
    for group in transaction.find(FirewallGroup, "ports", port.id):
        transaction.put(replace(group, ports=tuple(id for id in group.ports if id != port.id)))


def default_group(transaction: Transaction, project: str) -> None:
    """The group of a project that lets its networks out and nothing in, made when it is first needed."""
    if transaction.holder("default-firewall", project) is not None:
        return
    ingress, egress = DEFAULT_POLICIES
    transaction.add(
        FirewallGroup(
            id=new_id(),
            project_id=project,
            name=DEFAULT_GROUP,
            description="Default firewall group",
            ingress_firewall_policy_id=_default_policy(transaction, project, ingress, DENY),
            egress_firewall_policy_id=_default_policy(transaction, project, egress, ALLOW),
        )
    )


def _default_policy(transaction: Transaction, project: str, name: str, action: str) -> str:
    rules = [
        transaction.add(
            FirewallRule(
                id=new_id(),
                project_id=project,
                name=f"{name} ipv{version}",
                description=f"{name} rule for IPv{version}",
                ip_version=version,
                action=action,
            )
        ).id
        for version in (4, 6)
    ]
    description = f"{name.removeprefix('default ').capitalize()} firewall policy"
    policy = FirewallPolicy(
        id=new_id(), project_id=project, name=name, description=description, firewall_rules=tuple(rules)
    )
    return transaction.add(policy).id


def _delete_default(transaction: Transaction, id: str | None) -> None:
    policy = None if id is None else transaction.get(FirewallPolicy, id)
    if policy is None or policy.name not in DEFAULT_POLICIES:
        return
    if any(transaction.is_referred(FirewallGroup, name, policy.id) for name in POLICIES):
        return
    transaction.delete(policy)
    for rule in policy.firewall_rules:
        record = transaction.get(FirewallRule, rule)
        if record is not None and not transaction.is_referred(FirewallPolicy, "firewall_rules", rule):
            transaction.delete(record)


def _check_policies(transaction: Transaction, context: Context, project: str, wish: Wish) -> None:
    for name in POLICIES:
        if wish.get(name) is not None:
            policy = visible(transaction, context, FirewallPolicy, wish[name])
            if policy.project_id != project and not policy.shared:
                text = (
                    f"Operation cannot be performed since firewall policy {policy.id} for your project could not be "
                    "found. Please confirm if the firewall policy exists and is shared."
                )
                raise ApiError(404, "FirewallPolicyConflict", text)


def _check_ports(transaction: Transaction, context: Context, project: str, ids: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(sorted(set(ids)))
    for id in chosen:
        port = visible(transaction, context, Port, id)
        if port.project_id != project:
            text = f"Operation cannot be performed as port {id} is in an invalid project {port.project_id}."
            raise conflict("FirewallGroupPortInvalidProject", text)
        if port.device_owner.startswith(MACHINES):
            text = f"Port {id} is not supported by firewall driver 'netplane': security groups guard machines."
            raise conflict("FirewallGroupPortNotSupported", text)
        if not port.is_router_interface:
            raise conflict("FirewallGroupPortInvalid", f"Port {id} of firewall group is invalid.")
    return chosen


def _status(group: FirewallGroup) -> str:
    if not group.admin_state_up:
        return "DOWN"
    return "ACTIVE" if group.ports and group.is_applied else "INACTIVE"


def _is_ready(reader: Reader, context: Context) -> bool:
    """Who looks around in all projects makes no groups."""
    if sees_all(context, FirewallGroup) or not sees_own(context, FirewallGroup):
        return True
    return reader.holder("default-firewall", context.project) is not None


FIREWALL_GROUPS = Rules(
    FirewallGroup,
    create,
    update,
    delete,
    (Extra("status"),),
    show,
    before_list=lambda transaction, context: default_group(transaction, context.project),
    is_ready=_is_ready,
)
