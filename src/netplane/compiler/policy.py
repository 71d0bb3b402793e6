"""Security: what each identity's rules allow, once for each identity however many ports have it.

The datapath asks at most three questions for a packet: is it allowed from anybody, from the other side's identity,
or from the longest prefix named in this identity's rules that the other side's address lies in? Longer prefixes hide
shorter ones from the last question, so every prefix in use is given the rules of all prefixes that contain it.

A rule is about one family of addresses, and so are its entries: IPv4's stand in the tables as a part of IPv6's
(`::ffff:0:0/96`), but what is allowed to all of IPv6 is not allowed to them.

Rules name groups, packets carry identities: a remote group stands for every identity in the view that contains it.
A remote address group stands for its prefixes: when it changes, the identities whose rules name it are compiled again.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from netplane.base.addresses import MAPPED_BITS, NO_ADDRESS, is_ipv4, pack_prefix
from netplane.base.incremental import Entry, Item
from netplane.base.problem import Problem
from netplane.base.world import View
from netplane.compiler.feature import Malformed, bits_before, feature, problem
from netplane.compiler.protocols import Match, matches
from netplane.model import AddressGroup, Identity, SecurityGroupRule
from netplane.tables.decisions import Direction, Remote
from netplane.tables.pipeline import POLICY, PREFIX, PROFILE

BEFORE_PREFIX = bits_before(PREFIX, "address")
DIRECTIONS = {"egress": Direction.EGRESS, "ingress": Direction.INGRESS}

NUMBERS = range(1, 1 << 32)
"""What identities may be numbered by; 0 is everybody without one."""

Prefix = tuple[bytes, int]
"""16 bytes and a length in 128 bits."""


class Terms(NamedTuple):
    """What the words of a rule mean."""

    direction: Direction
    ipv6: bool
    matches: tuple[Match, ...]
    prefixes: tuple[Prefix, ...] | None


class Allowed(NamedTuple):
    """What one rule allows. At most one of `group` and `prefixes` is set; neither means anybody."""

    terms: Terms
    group: str | None
    prefixes: tuple[Prefix, ...] | None
    rule: int


class Far(NamedTuple):
    """The fields of a policy key that say who is at the other end."""

    kind: Remote
    length: int
    remote: bytes


ANYBODY = {False: Far(Remote.ANY, 0, NO_ADDRESS), True: Far(Remote.ANY_IPV6, 0, NO_ADDRESS)}
"""By whether it is by IPv6."""


@feature
def policy(identity: Identity, view: View) -> list[Item]:
    """The `prefix` and `policy` entries of an identity, and its `profile`, which vouches for them."""
    if identity.number not in NUMBERS:
        raise ValueError(f"{identity.number} is no number for an identity")
    problems: list[Item] = []
    allowed: list[Allowed] = []
    for rule in rules_of(identity, view):
        try:
            allowed.append(parse_rule(rule, view, problems))
        except Malformed as error:
            problems.append(problem(rule, error))
    entries = [entry for direction in Direction for entry in _entries(identity, direction, allowed, view)]
    return [*problems, *entries, PROFILE.entry((identity.number,), (stamp(entries),))]


def rules_of(identity: Identity, view: View) -> list[SecurityGroupRule]:
    """The rules of all groups of an identity, by id."""
    groups = dict.fromkeys(identity.groups)
    rules = [rule for group in groups for rule in view.find(SecurityGroupRule, "security_group_id", group)]
    return sorted(rules, key=lambda rule: rule.id)


def parse_rule(rule: SecurityGroupRule, view: View, problems: list[Item]) -> Allowed:
    """What a rule allows; adds what is wrong with its addresses. ValueError if it makes no sense."""
    group, named = rule.remote_group_id, rule.remote_address_group_id
    if (group is not None) + (named is not None) + (rule.remote_ip_prefix is not None) > 1:
        raise ValueError("a rule has one remote group, prefix or address group")
    ends = rule.protocol, rule.port_range_min, rule.port_range_max
    said = parse_terms(rule.direction, rule.ethertype, *ends, rule.remote_ip_prefix)
    prefixes = said.prefixes
    if named is not None:
        parsed = list(_parse_addresses(_address_group(named, view), ipv6=said.ipv6))
        problems += (each for each in parsed if isinstance(each, Problem))
        prefixes = tuple(each for each in parsed if not isinstance(each, Problem))
    return Allowed(said, group, prefixes, rule_number(rule.id))


@lru_cache(maxsize=65536)
def parse_terms(
    direction: str, ethertype: str, protocol: str | None, low: int | None, high: int | None, prefix: str | None
) -> Terms:
    """What a rule says without its names; most rules say the same as many others. ValueError if it makes no sense."""
    if ethertype not in ("IPv4", "IPv6"):
        raise ValueError(f"unknown ethertype {ethertype!r}")
    if direction not in DIRECTIONS:
        raise ValueError(f"unknown direction {direction!r}")
    ipv6 = ethertype == "IPv6"
    prefixes = None if prefix is None else (_prefix_of(prefix, ethertype),)
    return Terms(DIRECTIONS[direction], ipv6, matches(protocol, low, high, ipv6=ipv6), prefixes)


def _address_group(id: str, view: View) -> AddressGroup:
    group = view.get(AddressGroup, id)
    if group is None:
        raise ValueError(f"address group {id} is missing")
    return group


def _parse_addresses(group: AddressGroup, *, ipv6: bool) -> Iterator[Prefix | Problem]:
    """The prefixes of a group that are of one family."""
    for text in group.addresses:
        try:
            prefix = pack_prefix(text)
        except ValueError as error:
            yield problem(group, error)
        else:
            if is_ipv4(prefix[0]) != ipv6:
                yield prefix


def _prefix_of(text: str, ethertype: str) -> Prefix:
    prefix = pack_prefix(text)
    if is_ipv4(prefix[0]) != (ethertype == "IPv4"):
        raise ValueError(f"{text} is not {ethertype}")
    return prefix


def rule_number(id: str) -> int:
    """The first 4 bytes of a UUID; 0 for an id that is none."""
    try:
        return int.from_bytes(bytes.fromhex(id[:8]), "big")
    except ValueError:
        return 0


def _entries(identity: Identity, direction: Direction, allowed: list[Allowed], view: View) -> list[Entry]:
    """One direction's entries. Of rules that allow the same, the one with the smallest id is named."""
    rules = [rule for rule in allowed if rule.terms.direction is direction]
    inside = nested(prefix for rule in rules for prefix in rule.prefixes or ())
    entries: dict[bytes, Entry] = {}
    number, way, name, pack_key = identity.number, int(direction), POLICY.name, POLICY.pack_key
    for prefix, length in inside:
        key = PREFIX.pack_key(BEFORE_PREFIX + length, number, way, prefix)
        entries[key] = (PREFIX.name, key, PREFIX.pack_value(prefix, length))
    for rule in rules:
        value = POLICY.pack_value(rule.rule)
        for kind, length, remote in _far(rule, inside, view):
            for bits, protocol, port in rule.terms.matches:
                key = pack_key(bits, number, way, kind, length, remote, protocol, port)
                if key not in entries:
                    entries[key] = (name, key, value)
    return list(entries.values())


def _far(rule: Allowed, inside: dict[Prefix, list[Prefix]], view: View) -> list[Far]:
    ipv6 = rule.terms.ipv6
    if rule.group is not None:
        others = view.find(Identity, "groups", rule.group)
        return [identity_far(other.number, ipv6) for other in others if other.number in NUMBERS]
    if rule.prefixes is not None:
        named = dict.fromkeys(nested for prefix in rule.prefixes for nested in inside[prefix])
        return [Far(Remote.PREFIX, length, prefix) for prefix, length in named]
    return [ANYBODY[ipv6]]


@lru_cache(maxsize=4096)
def identity_far(number: int, ipv6: bool = False) -> Far:
    """An identity at the other end."""
    return Far(Remote.IDENTITY_IPV6 if ipv6 else Remote.IDENTITY, 0, number.to_bytes(4, "big") + bytes(12))


def nested(prefixes: Iterable[Prefix]) -> dict[Prefix, list[Prefix]]:
    """For each prefix all those of its family that lie in it, itself among them."""
    inside: dict[Prefix, list[Prefix]] = {prefix: [] for prefix in sorted(set(prefixes))}
    lengths = sorted({length for _, length in inside})
    for packed, length in inside:
        number = int.from_bytes(packed, "big")
        for shorter in lengths:
            if shorter <= length and (shorter >= MAPPED_BITS or not is_ipv4(packed)):
                outer = (number >> (128 - shorter) << (128 - shorter)).to_bytes(16, "big")
                if (outer, shorter) in inside:
                    inside[outer, shorter].append((packed, length))
    return inside


def stamp(entries: Iterable[Entry]) -> int:
    """A fingerprint of entries, whatever their order."""
    text = b"".join(table.encode() + key + value for table, key, value in sorted(entries))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
