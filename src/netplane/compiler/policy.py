"""Security: what each identity's rules allow, once for each identity however many ports have it.

The datapath asks at most three questions for a packet: is it allowed from anybody, from the other side's identity,
or from the longest prefix named in this identity's rules that the other side's address lies in? Longer prefixes hide
shorter ones from the last question, so every prefix in use is given the rules of all prefixes that contain it.

A rule is about one family of addresses, and so are its entries: IPv4's stand in the tables as a part of IPv6's
(`::ffff:0:0/96`), but what is allowed to all of IPv6 is not allowed to them.

Rules name groups, packets carry identities: a remote group stands for every identity in the view that contains it.
A remote address group stands for its prefixes: when it changes, the identities whose rules name it are compiled again.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

from netplane.base.addresses import MAPPED_BITS, NO_ADDRESS, is_ipv4, pack_prefix
from netplane.base.incremental import Entry, Item
from netplane.base.problem import Problem
from netplane.base.world import View
from netplane.compiler.feature import Malformed, bits_before, feature, problem
from netplane.compiler.protocols import End, ends
from netplane.model import AddressGroup, Identity, SecurityGroupRule
from netplane.tables.decisions import Direction, Remote
from netplane.tables.pipeline import POLICY, PREFIX, PROFILE

BEFORE_PREFIX = bits_before(PREFIX, "address")
_NUMBER = Struct("=I").pack
_NAMES = {table.name: table.name.encode() for table in (PREFIX, POLICY)}
_OFFSETS = POLICY.key.offsets()
_FAR = slice(_OFFSETS["direction"], _OFFSETS["protocol"])
assert _OFFSETS["profile"] == 4, "a policy key is its bits, the profile, the far end, and what is said of protocols"
# Plain numbers here and below: those of an enumeration are hashed in Python.
DIRECTIONS = {"egress": int(Direction.EGRESS), "ingress": int(Direction.INGRESS)}
ANY = int(Remote.ANY), int(Remote.ANY_IPV6)
IDENTITY = int(Remote.IDENTITY), int(Remote.IDENTITY_IPV6)
PREFIXED = int(Remote.PREFIX)

NUMBERS = range(1, 1 << 32)
"""What identities may be numbered by; 0 is everybody without one."""

Prefix = tuple[bytes, int]
"""16 bytes and a length in 128 bits."""


class Terms(NamedTuple):
    """What the words of a rule mean."""

    direction: int
    ipv6: bool
    ends: tuple[End, ...]
    anybody: tuple[bytes, ...]
    """Who is at the other end, as `pack_far` says it, if the rule does not say who."""
    prefixes: tuple[Prefix, ...] | None


class Allowed(NamedTuple):
    """What one rule allows. At most one of `group` and `prefixes` is set; neither means anybody."""

    terms: Terms
    group: str | None
    prefixes: tuple[Prefix, ...] | None
    value: bytes
    """As in `policy`."""


@feature
def policy(identity: Identity, view: View) -> list[Item]:
    """The `prefix` and `policy` entries of an identity, and its `profile`, which vouches for them."""
    if identity.number not in NUMBERS:
        raise ValueError(f"{identity.number} is no number for an identity")
    items: list[Item] = []
    ways: dict[int, list[Allowed]] = {}
    for rule in rules_of(identity, view):
        try:
            allowed = parse_rule(rule, view, items)
            ways.setdefault(allowed.terms.direction, []).append(allowed)
        except Malformed as error:
            items.append(problem(rule, error))
    entries: list[Entry] = []
    for direction, rules in ways.items():
        entries += _entries(identity.number, direction, rules, view)
    items += entries
    items.append((PROFILE.name, PROFILE.pack_key(identity.number), PROFILE.pack_value(stamp(entries))))
    return items


def rules_of(identity: Identity, view: View) -> list[SecurityGroupRule]:
    """The rules of all groups of an identity, by id."""
    if len(identity.groups) == 1:
        return view.find(SecurityGroupRule, "security_group_id", identity.groups[0])
    groups = dict.fromkeys(identity.groups)
    rules = [rule for group in groups for rule in view.find(SecurityGroupRule, "security_group_id", group)]
    return sorted(rules, key=attrgetter("id"))


def parse_rule(rule: SecurityGroupRule, view: View, problems: list[Item]) -> Allowed:
    """What a rule allows; adds what is wrong with its addresses. ValueError if it makes no sense."""
    group, named, prefix = rule.remote_group_id, rule.remote_address_group_id, rule.remote_ip_prefix
    if (group is not None) + (named is not None) + (prefix is not None) > 1:
        raise ValueError("a rule has one remote group, prefix or address group")
    low, high = rule.port_range_min, rule.port_range_max
    said = parse_terms(rule.direction, rule.ethertype, rule.protocol, low, high, prefix)
    prefixes = said.prefixes
    if named is not None:
        parsed = list(_parse_addresses(_address_group(named, view), ipv6=said.ipv6))
        problems += (each for each in parsed if isinstance(each, Problem))
        prefixes = tuple(each for each in parsed if not isinstance(each, Problem))
    return Allowed(said, group, prefixes, POLICY.pack_value(rule_number(rule.id)))


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
    way = DIRECTIONS[direction]
    anybody = (pack_far(way, ANY[ipv6], 0, NO_ADDRESS),)
    return Terms(way, ipv6, ends(protocol, low, high, ipv6=ipv6), anybody, prefixes)


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


def _entries(number: int, direction: int, rules: list[Allowed], view: View) -> Iterable[Entry]:
    """One direction's entries. Of rules that allow the same, the one with the smallest id is named."""
    inside = nested([prefix for rule in rules if rule.prefixes for prefix in rule.prefixes])
    entries: dict[bytes, Entry] = {}
    name, profile = POLICY.name, _NUMBER(number)
    for prefix, length in inside:
        key = PREFIX.pack_key(BEFORE_PREFIX + length, number, direction, prefix)
        entries[key] = (PREFIX.name, key, PREFIX.pack_value(prefix, length))
    for rule in rules:
        value, parts = rule.value, rule.terms.ends
        is_named = rule.group is not None or rule.prefixes is not None
        for far in _far(rule, inside, view) if is_named else rule.terms.anybody:
            middle = profile + far
            for start, end in parts:
                key = start + middle + end
                if key not in entries:
                    entries[key] = (name, key, value)
    return entries.values()


def _far(rule: Allowed, inside: dict[Prefix, list[Prefix]], view: View) -> list[bytes]:
    """Those at the other end that a rule names."""
    way = rule.terms.direction
    if rule.group is not None:
        kind, others = IDENTITY[rule.terms.ipv6], view.find(Identity, "groups", rule.group)
        return [identity_far(way, kind, other.number) for other in others if other.number in NUMBERS]
    named = dict.fromkeys(nested for prefix in rule.prefixes or () for nested in inside[prefix])
    return [pack_far(way, PREFIXED, length, prefix) for prefix, length in named]


@lru_cache(maxsize=4096)
def pack_far(direction: int, kind: int, length: int, remote: bytes) -> bytes:
    """What stands between `profile` and `protocol` in a policy key."""
    return POLICY.pack_key(0, 0, direction, kind, length, remote, 0, bytes(2))[_FAR]


@lru_cache(maxsize=16384)
def identity_far(direction: int, kind: int, number: int) -> bytes:
    """The same with an identity at the other end."""
    return pack_far(direction, kind, 0, number.to_bytes(4, "big") + bytes(12))


def nested(prefixes: Sequence[Prefix]) -> dict[Prefix, list[Prefix]]:
    """For each prefix all those of its family that lie in it, itself among them."""
    if len(prefixes) < 2:
        return {prefix: [prefix] for prefix in prefixes}
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
    text = b"".join(sorted([_NAMES[table] + key + value for table, key, value in entries]))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
