"""Rules of security groups: what can be meant, and in which words."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, invalid
from netplane.api.ids import new_id
from netplane.api.policy import allowed, visible
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.rules.ranges import loose_range
from netplane.api.views import View
from netplane.base.protocols import ICMP, ICMPV6, IPV6_ONLY, PROTOCOLS, WITH_PORTS, WITH_TYPES, protocol_number
from netplane.model import AddressGroup, SecurityGroup, SecurityGroupRule
from netplane.store import Reader, Transaction

DIRECTIONS = ("ingress", "egress")
ETHERTYPES = {"ipv4": "IPv4", "ipv6": "IPv6"}
REMOTES = {
    "remote_ip_prefix": None,
    "remote_group_id": SecurityGroup,
    "remote_address_group_id": AddressGroup,
}
"""Who the other side can be said to be, and the kind of what says it."""


def create_rule(transaction: Transaction, context: Context, wish: Wish) -> SecurityGroupRule:
    """A rule that can be meant; 409 if its group says it already."""
    group = allowed(transaction, context, "update", SecurityGroup, wish["security_group_id"])
    check_terms(transaction, context, wish)
    return transaction.add(SecurityGroupRule(id=new_id(), **(wish | {"project_id": group.project_id})))


def update_rule(transaction: Transaction, _context: Context, rule: SecurityGroupRule, wish: Wish) -> SecurityGroupRule:
    """Only what people read can be changed."""
    return transaction.put(replace(rule, **wish))


def show_rules(
    _reader: Reader, _services: Services, _context: Context, rules: Sequence[SecurityGroupRule]
) -> list[View]:
    """Nothing besides."""
    return [{} for _ in rules]


def check_terms(transaction: Transaction, context: Context, wish: Wish, parent: str | None = None) -> None:
    """Put what a rule says in the words that are kept; 400 if it cannot be meant, 404 for what the caller sees not.

    `parent` may stand for the id of a group.
    """
    _check_words(wish)
    _check_ports(wish)
    _check_remote(transaction, context, wish, parent)


def _check_words(wish: Wish) -> None:
    if wish["direction"] not in DIRECTIONS:
        raise invalid(f"direction '{wish['direction']}' is neither 'ingress' nor 'egress'")
    ethertype = ETHERTYPES.get(wish.get("ethertype", "IPv4").lower())
    if ethertype is None:
        raise invalid(f"ethertype '{wish['ethertype']}' is neither 'IPv4' nor 'IPv6'")
    wish["ethertype"] = ethertype
    if wish.get("protocol") is not None:
        wish["protocol"] = _check_protocol(str(wish["protocol"]).lower(), ethertype)


def _check_protocol(protocol: str, ethertype: str) -> str | None:
    """The protocol as it is kept: ICMP of IPv6 has one name and one number, whatever it was called."""
    try:
        number = protocol_number(protocol)
    except ValueError as error:
        text = f"Security group rule protocol {protocol} not supported; a name or a number of 0 to 255 is."
        raise ApiError(400, "SecurityGroupRuleInvalidProtocol", text) from error
    if protocol == "any":
        return None
    if ethertype == "IPv4" and number in IPV6_ONLY:
        text = f"Invalid ethertype {ethertype} for protocol {protocol}."
        raise ApiError(400, "SecurityGroupEthertypeConflictWithProtocol", text)
    is_named = protocol in PROTOCOLS
    if ethertype == "IPv6" and number in (ICMP, ICMPV6):
        return "ipv6-icmp" if is_named else str(ICMPV6)
    return protocol if is_named else str(number or 0)


def _check_ports(wish: Wish) -> None:
    low, high, protocol = wish.get("port_range_min"), wish.get("port_range_max"), wish.get("protocol")
    if low is None and high is None:
        return
    if protocol is None:
        text = "Must also specify protocol if port range is given."
        raise ApiError(400, "SecurityGroupProtocolRequiredWithPorts", text)
    number = protocol_number(protocol)
    if number in WITH_TYPES:
        _check_icmp(low, high)
    elif number in WITH_PORTS:
        _check_range(low, high)
    else:
        text = f"Invalid protocol {protocol} for port range, only supported for DCCP, SCTP, TCP, UDP, UDPLITE."
        raise ApiError(400, "SecurityGroupInvalidProtocolForPort", text)


def _check_range(low: int | None, high: int | None) -> None:
    if low == 0 or high == 0:
        raise ApiError(400, "SecurityGroupInvalidPortValue", "Invalid value for port 0.")
    if low is None or high is None or low > high:
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


def _check_remote(transaction: Transaction, context: Context, wish: Wish, parent: str | None) -> None:
    given = [name for name in REMOTES if wish.get(name) is not None]
    if len(given) > 1:
        text = "Only remote_ip_prefix or remote_group_id or remote_address_group_id may be provided."
        raise ApiError(400, "SecurityGroupRemoteGroupAndRemoteIpPrefix", text)
    for name in given:
        kind = REMOTES[name]
        if kind is None:
            wish[name] = _check_prefix(wish[name], wish["ethertype"])
        elif wish[name] != parent:
            visible(transaction, context, kind, wish[name])


def _check_prefix(text: str, ethertype: str) -> str:
    try:
        prefix = loose_range(text)
    except ValueError as error:
        raise invalid(f"'{text}' is not a valid remote_ip_prefix") from error
    if ethertype != f"IPv{prefix.version}":
        words = f"Conflicting value ethertype {ethertype} for CIDR {text}"
        raise ApiError(400, "SecurityGroupRuleParameterConflict", words)
    return str(prefix)


SECURITY_GROUP_RULES = Rules(
    SecurityGroupRule,
    create_rule,
    update_rule,
    simply_delete,
    (),
    show_rules,
    indexed=("security_group_id",),
)
