"""Security: what each identity's rules allow, once for each identity however many ports have it.

The datapath asks at most three questions for a packet: is it allowed from anybody, from the other side's identity,
or from the longest prefix named in this identity's rules that the other side's address lies in? Longer prefixes hide
shorter ones from the last question, so every prefix in use is given the rules of all prefixes that contain it.

A rule is about one family of addresses, and so are its entries: IPv4's stand in the tables as a part of IPv6's
(`::ffff:0:0/96`), but what is allowed to all of IPv6 is not allowed to them.

Rules name groups, packets carry identities: a remote group stands for every identity in the view that contains it.
A remote address group stands for its prefixes: when it changes, the identities whose rules name it are compiled again.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from operator import add, attrgetter
from struct import Struct

from netplane.base.addresses import is_ipv4, pack_prefix
from netplane.base.desired import Entries
from netplane.base.incremental import Item
from netplane.base.problem import Problem
from netplane.base.world import View
from netplane.compiler.feature import feature, problem
from netplane.compiler.rules import FEW, Prefix, known, template
from netplane.model import AddressGroup, Identity, Port, SecurityGroupRule
from netplane.tables.pipeline import POLICY, PREFIX, PROFILE

NUMBERS = range(1, 1 << 32)
"""What identities may be numbered by; 0 is everybody without one."""

_NUMBER = Struct("=I").pack
_address_group = attrgetter("remote_address_group_id")
_words = attrgetter("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix")


@feature
def policy(identity: Identity, view: View) -> list[Item]:
    """The `prefix` and `policy` entries of an identity, and its `profile`, which vouches for them.

    Of rules that allow the same, the one with the smallest id is named.
    """
    if not view.find(Port, "identity_id", identity.id):
        return []  # Nobody here asks: the machines that have it are on other hosts, which ask for them.
    if identity.number not in NUMBERS:
        raise ValueError(f"{identity.number} is no number for an identity")
    items: list[Item] = []
    rules = rules_of(identity, view)
    # Some address groups are large, and what names one hardly says the same as anything else.
    compile = template if len(rules) > FEW or any(map(_address_group, rules)) else known
    says = [
        (
            _words(rule),
            rule.remote_group_id is not None,
            None if rule.remote_address_group_id is None else ranges_of(rule, view, items),
        )
        for rule in rules
    ]
    named, keys, groups, problems = compile(tuple(says))
    items += [problem(rules[index], text) for index, text in problems]
    profile, values = _NUMBER(identity.number), [_NUMBER(rule_number(rule.id)) for rule in rules]
    prefixes = {bits + profile + rest: value for bits, rest, value in named}
    policies = {bits + profile + rest: values[index] for index, bits, rest in keys}
    members = {group: numbers(group, view) for group in {rules[index].remote_group_id for index, *_ in groups}}
    for index, bits, before, after in groups:
        first, value = bits + profile + before, values[index]
        for number in members[rules[index].remote_group_id]:
            policies.setdefault(first + number + after, value)
    if prefixes:
        items.append(Entries(PREFIX.name, prefixes))
    if policies:
        items.append(Entries(POLICY.name, policies))
    items.append((PROFILE.name, profile, PROFILE.pack_value(stamp(prefixes, policies))))
    return items


def rules_of(identity: Identity, view: View) -> list[SecurityGroupRule]:
    """The rules of all groups of an identity, by id."""
    if len(identity.groups) == 1:
        return view.find(SecurityGroupRule, "security_group_id", identity.groups[0])
    groups = dict.fromkeys(identity.groups)
    rules = [rule for group in groups for rule in view.find(SecurityGroupRule, "security_group_id", group)]
    return sorted(rules, key=attrgetter("id"))


def ranges_of(rule: SecurityGroupRule, view: View, problems: list[Item]) -> tuple[Prefix, ...]:
    """The prefixes of a rule's address group that are of its family; adds what is wrong with them."""
    if rule.remote_group_id is not None or rule.remote_ip_prefix is not None:
        return ()  # It names two, and comes to nothing in any case.
    group = view.get(AddressGroup, rule.remote_address_group_id or "")
    if group is None:
        problems.append(problem(rule, f"address group {rule.remote_address_group_id} is missing"))
        return ()
    parsed = list(_parse_addresses(group, ipv6=rule.ethertype == "IPv6"))
    problems += (each for each in parsed if isinstance(each, Problem))
    return tuple(each for each in parsed if not isinstance(each, Problem))


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


def numbers(group: str | None, view: View) -> list[bytes]:
    """The numbers of a group's identities, as keys have them."""
    members = view.find(Identity, "groups", group) if group is not None else ()
    return [each.number.to_bytes(4, "big") for each in members if each.number in NUMBERS]


def rule_number(id: str) -> int:
    """The first 4 bytes of a UUID; 0 for an id that is none."""
    try:
        return int.from_bytes(bytes.fromhex(id[:8]), "big")
    except ValueError:
        return 0


def stamp(*tables: Mapping[bytes, bytes]) -> int:
    """A fingerprint of entries, whatever their order."""
    digest = blake2b(digest_size=8)
    for entries in tables:
        digest.update(b"".join(sorted(map(add, entries, entries.values()))))
    return int.from_bytes(digest.digest(), "little")
