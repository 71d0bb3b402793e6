"""Security groups, and the identities that ports get from them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import conflict
from netplane.api.ids import new_id
from netplane.api.policy import may, sees_all, sees_own, visible
from netplane.api.policy.sharing import shared_among
from netplane.api.rules.default_rules import DEFAULT, add_first_rules
from netplane.api.rules.kind import Extra, Rules, Services
from netplane.api.views import View, view
from netplane.model import Identity, Port, SecurityGroup, SecurityGroupRule, identity_id
from netplane.store import Reader, Transaction
from netplane.store.bindings import NUMBERS


def default_group(transaction: Transaction, project: str) -> str:
    """The id of a project's default group, made when it is first needed."""
    known = transaction.holder("default-group", project)
    if known is not None:
        return known
    text = "Default security group"
    group = transaction.add(SecurityGroup(id=new_id(), project_id=project, name=DEFAULT, description=text))
    add_first_rules(transaction, group)
    return group.id


def check_groups(transaction: Transaction, context: Context, groups: Iterable[str]) -> tuple[str, ...]:
    """The ids of groups that a port shall be in, sorted, each once; 404 for one that the caller may not see."""
    chosen = tuple(sorted(set(groups)))
    for group in chosen:
        visible(transaction, context, SecurityGroup, group)
    return chosen


def identity_of(transaction: Transaction, groups: tuple[str, ...]) -> str:
    """The id of the identity of a set of groups, which gets a number when its first port comes; empty for no groups."""
    if not groups:
        return ""
    id = _identity_id(groups)
    if transaction.get(Identity, id) is None:
        number = transaction.allocate("identity", *NUMBERS)
        transaction.add(Identity(id=id, number=number, groups=groups, stateless=_is_stateless(transaction, groups)))
    return id


def release_identity(transaction: Transaction, id: str) -> None:
    """A port has left an identity: it goes with the last one."""
    identity = transaction.get(Identity, id) if id else None
    if identity is not None and not transaction.is_referred(Port, "identity_id", id):
        transaction.delete(identity)


def create_group(transaction: Transaction, _context: Context, wish: Wish) -> SecurityGroup:
    """A group with the rules that new groups begin with."""
    default_group(transaction, wish["project_id"])
    group = transaction.add(SecurityGroup(id=new_id(), **wish))
    add_first_rules(transaction, group)
    return group


def update_group(transaction: Transaction, _context: Context, group: SecurityGroup, wish: Wish) -> SecurityGroup:
    """The default group keeps its name, or one would never find it again."""
    if group.name == DEFAULT and wish.get("name", DEFAULT) != DEFAULT:
        raise conflict("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
    if wish.get("stateful", group.stateful) != group.stateful and transaction.find(Identity, "groups", group.id):
        # Its ports would lose their connections, or keep those that no rule lets reply.
        raise conflict("SecurityGroupInUse", f"Security Group {group.id} in use.")
    return transaction.put(replace(group, **wish))


def delete_group(transaction: Transaction, context: Context, group: SecurityGroup) -> None:
    """Rules go with it, those of other groups that name it too. Only administrators delete a default group."""
    if group.name == DEFAULT and not may(transaction, context, "delete:default", group):
        raise conflict("SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group.")
    transaction.delete(group)


def show_groups(reader: Reader, _services: Services, context: Context, groups: Sequence[SecurityGroup]) -> list[View]:
    """Each group's rules, and whether it is shared with all projects or the caller's."""
    ids = [group.id for group in groups]
    rules = reader.group(SecurityGroupRule, "security_group_id", ids)
    shared = shared_among(reader, context.project, ids)
    return [
        {
            "security_group_rules": [view(rule, context) for rule in rules[group.id]],
            "shared": group.id in shared,
        }
        for group in groups
    ]


@lru_cache(maxsize=4096)
def _identity_id(groups: tuple[str, ...]) -> str:
    return identity_id(groups)


def _is_stateless(transaction: Transaction, groups: Iterable[str]) -> bool:
    """A single group that keeps connections keeps them for the whole port."""
    found = [transaction.get(SecurityGroup, group) for group in groups]
    return not any(group is not None and group.stateful for group in found)


def _is_ready(reader: Reader, context: Context) -> bool:
    """Who looks around in all projects makes no groups."""
    if sees_all(context, SecurityGroup) or not sees_own(context, SecurityGroup):
        return True
    return reader.holder("default-group", context.project) is not None


SECURITY_GROUPS = Rules(
    SecurityGroup,
    create_group,
    update_group,
    delete_group,
    (Extra("security_group_rules"), Extra("shared")),
    show_groups,
    before_list=lambda transaction, context: default_group(transaction, context.project),
    is_ready=_is_ready,
)
