"""Security groups, their rules, and the identities that ports get from them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, conflict, invalid
from netplane.api.rules.kind import Extra, Rules, Services, new_id, simply_delete, visible
from netplane.api.views import View, view
from netplane.model import Identity, SecurityGroup, SecurityGroupRule, identity_id
from netplane.store import Reader, Transaction
from netplane.store.bindings import NUMBERS

DEFAULT = "default"
DIRECTIONS = ("ingress", "egress")
ETHERTYPES = {"IPv4": 4, "IPv6": 6}
ICMP = frozenset({"icmp", "icmpv6", "ipv6-icmp", "1", "58"})
WITH_PORTS = frozenset({"tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136"})
PROTOCOLS = (ICMP | WITH_PORTS) | {
    *("ah", "egp", "esp", "gre", "igmp", "ip", "ipip", "ipv6-encap", "ipv6-frag", "ipv6-nonxt"),
    *("ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "vrrp"),
}
"""The names of OpenStack Networking; any number of 0 to 255 will do as well."""


def default_group(transaction: Transaction, project: str) -> str:
    """The id of a project's default group, made when it is first needed."""
    known = transaction.holder("default-group", project)
    if known is not None:
        return known
    text = "Default security group"
    group = transaction.add(SecurityGroup(id=new_id(), project_id=project, name=DEFAULT, description=text))
    _add_first_rules(transaction, group)
    for ethertype in ETHERTYPES:
        _add_rule(transaction, group, direction="ingress", ethertype=ethertype, remote_group_id=group.id)
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
        transaction.add(Identity(id=id, number=transaction.allocate("identity", *NUMBERS), groups=groups))
    return id


def release_identity(transaction: Transaction, id: str) -> None:
    """A port has left an identity: it goes with the last one."""
    identity = transaction.get(Identity, id) if id else None
    if identity is not None and not transaction.is_referred(id):
        transaction.delete(identity)


def create_group(transaction: Transaction, _context: Context, wish: Wish) -> SecurityGroup:
    """A group whose machines may send anything and receive nothing."""
    default_group(transaction, wish["project_id"])
    group = transaction.add(SecurityGroup(id=new_id(), **wish))
    _add_first_rules(transaction, group)
    return group


def update_group(transaction: Transaction, _context: Context, group: SecurityGroup, wish: Wish) -> SecurityGroup:
    """The default group keeps its name, or one would never find it again."""
    if group.name == DEFAULT and wish.get("name", DEFAULT) != DEFAULT:
        raise conflict("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
    return transaction.put(replace(group, **wish))


def delete_group(transaction: Transaction, context: Context, group: SecurityGroup) -> None:
    """Rules go with it, those of other groups that name it too. Only administrators delete a default group."""
    if group.name == DEFAULT and not context.is_admin:
        raise conflict("SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group.")
    transaction.delete(group)


def show_groups(reader: Reader, _services: Services, context: Context, groups: Sequence[SecurityGroup]) -> list[View]:
    """Each group's rules."""
    rules = reader.group(SecurityGroupRule, "security_group_id", [group.id for group in groups])
    return [
        {"security_group_rules": [view(rule, is_admin=context.is_admin) for rule in rules[group.id]], "shared": False}
        for group in groups
    ]


def create_rule(transaction: Transaction, context: Context, wish: Wish) -> SecurityGroupRule:
    """A rule that can be meant; 409 if its group says it already."""
    group = visible(transaction, context, SecurityGroup, wish["security_group_id"])
    _check_words(wish)
    _check_ports(wish)
    _check_remote(transaction, context, wish)
    return transaction.add(SecurityGroupRule(id=new_id(), **(wish | {"project_id": group.project_id})))


def update_rule(transaction: Transaction, _context: Context, rule: SecurityGroupRule, wish: Wish) -> SecurityGroupRule:
    """Only what people read can be changed."""
    return transaction.put(replace(rule, **wish))


def show_rules(
    _reader: Reader, _services: Services, _context: Context, rules: Sequence[SecurityGroupRule]
) -> list[View]:
    """Nothing besides."""
    return [{} for _ in rules]


@lru_cache(maxsize=4096)
def _identity_id(groups: tuple[str, ...]) -> str:
    return identity_id(groups)


def _add_first_rules(transaction: Transaction, group: SecurityGroup) -> None:
    for ethertype in ETHERTYPES:
        _add_rule(transaction, group, direction="egress", ethertype=ethertype)


def _add_rule(
    transaction: Transaction,
    group: SecurityGroup,
    *,
    direction: str,
    ethertype: str,
    remote_group_id: str | None = None,
) -> None:
    transaction.add(
        SecurityGroupRule(
            id=new_id(),
            project_id=group.project_id,
            security_group_id=group.id,
            direction=direction,
            ethertype=ethertype,
            remote_group_id=remote_group_id,
        )
    )


def _check_words(wish: Wish) -> None:
    if wish["direction"] not in DIRECTIONS:
        raise invalid(f"direction '{wish['direction']}' is neither 'ingress' nor 'egress'")
    if wish.get("ethertype", "IPv4") not in ETHERTYPES:
        raise invalid(f"ethertype '{wish['ethertype']}' is neither 'IPv4' nor 'IPv6'")
    protocol = wish.get("protocol")
    if protocol is not None:
        wish["protocol"] = _check_protocol(protocol.lower())


def _check_protocol(protocol: str) -> str | None:
    if protocol == "any":
        return None
    if protocol in PROTOCOLS or (protocol.isdecimal() and protocol.isascii() and int(protocol) <= 255):
        return protocol
    text = f"Security group rule protocol {protocol} not supported; a name or a number of 0 to 255 is."
    raise ApiError(400, "SecurityGroupRuleInvalidProtocol", text)


def _check_ports(wish: Wish) -> None:
    low, high, protocol = wish.get("port_range_min"), wish.get("port_range_max"), wish.get("protocol")
    if low is None and high is None:
        return
    if protocol in ICMP:
        _check_icmp(low, high)
    elif protocol not in WITH_PORTS:
        raise bad_request("Port range can be given for a protocol with ports only")
    elif low is None or high is None or low > high:
        text = "For TCP/UDP protocols, port_range_min must be <= port_range_max, and both given."
        raise ApiError(400, "SecurityGroupInvalidPortRange", text)


def _check_icmp(type_: int | None, code: int | None) -> None:
    if type_ is None:
        text = "ICMP code (port-range-max) is provided but ICMP type (port-range-min) is missing."
        raise ApiError(400, "SecurityGroupMissingIcmpType", text)
    for field, value in (("type", type_), ("code", code)):
        if value is not None and value > 255:
            text = f"Invalid value for ICMP {field}: {value}. It must be 0 to 255."
            raise ApiError(400, "SecurityGroupInvalidIcmpValue", text)


def _check_remote(transaction: Transaction, context: Context, wish: Wish) -> None:
    prefix, group = wish.get("remote_ip_prefix"), wish.get("remote_group_id")
    if prefix is not None and group is not None:
        text = "Only remote_ip_prefix or remote_group_id may be provided."
        raise ApiError(400, "SecurityGroupRemoteGroupAndRemoteIpPrefix", text)
    if group is not None:
        visible(transaction, context, SecurityGroup, group)
    if prefix is not None:
        wish["remote_ip_prefix"] = _check_prefix(prefix, wish.get("ethertype", "IPv4"))


def _check_prefix(text: str, ethertype: str) -> str:
    try:
        prefix = ip_network(text, strict=False)
    except ValueError as error:
        raise invalid(f"'{text}' is not a valid remote_ip_prefix") from error
    if prefix.version != ETHERTYPES[ethertype]:
        words = f"Conflicting value ethertype {ethertype} for CIDR {text}"
        raise ApiError(400, "SecurityGroupRuleParameterConflict", words)
    return str(prefix)


def _is_ready(reader: Reader, context: Context) -> bool:
    """An administrator who looks around makes no groups."""
    return context.is_admin or reader.holder("default-group", context.project) is not None


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

SECURITY_GROUP_RULES = Rules(
    SecurityGroupRule,
    create_rule,
    update_rule,
    simply_delete,
    (),
    show_rules,
    indexed=("security_group_id",),
)
