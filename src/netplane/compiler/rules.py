"""What rules say, compiled without the names and numbers in it: nearly all identities' rules say the same as others'.

    says of an identity's rules ──▶ template ──▶ fill in: its own number, numbers of groups' identities, rules' numbers

A `policy` key is the `bits` of its prefix, the profile, who is at the other end, and the `service` asked for there; a
template has what comes before the profile, and what comes after it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from netplane.base.addresses import MAPPED_BITS, NO_ADDRESS, is_ipv4, pack_prefix
from netplane.compiler.feature import Malformed, bits_before
from netplane.compiler.protocols import End, ends
from netplane.tables.decisions import Direction, Remote
from netplane.tables.pipeline import POLICY, PREFIX

BEFORE_PREFIX = bits_before(PREFIX, "address")
_OFFSETS = POLICY.key.offsets()
_FAR_BEGINS, _FAR_ENDS = _OFFSETS["direction"], _OFFSETS["protocol"]
assert _OFFSETS["profile"] == 4, "a policy key is its bits, the profile, the far end, and what is said of protocols"
assert PREFIX.key.offsets()["profile"] == 4, "a prefix's is its bits, the profile, and the rest"
_KIND = _OFFSETS["remote"] - _OFFSETS["direction"]
"""How much of the far end comes before `remote`."""
_AFTER_NUMBER = bytes(len(NO_ADDRESS) - 4)
"""What follows an identity's number in `remote`."""
# Plain numbers here and below: those of an enumeration are hashed in Python.
DIRECTIONS = {"egress": int(Direction.EGRESS), "ingress": int(Direction.INGRESS)}
ANY = int(Remote.ANY), int(Remote.ANY_IPV6)
IDENTITY = int(Remote.IDENTITY), int(Remote.IDENTITY_IPV6)
PREFIXED = int(Remote.PREFIX)

Prefix = tuple[bytes, int]
"""16 bytes and a length in 128 bits."""
Words = tuple[str, str, str | None, int | None, int | None, str | None]
"""A rule's direction, ethertype, protocol, first and last port, and range."""
Say = tuple[Words, bool, tuple[Prefix, ...] | None]
"""A rule's words, whether it names a group, and the ranges of the address group that it names, if it does."""


class Terms(NamedTuple):
    """What a rule says."""

    direction: int
    ipv6: bool
    ends: tuple[End, ...]
    prefixes: tuple[Prefix, ...] | None


class Key(NamedTuple):
    """A `policy` key but for its profile, of which of the rules."""

    rule: int
    bits: bytes
    rest: bytes


class Among(NamedTuple):
    """The `policy` keys that a rule with a remote group has with each identity of it."""

    rule: int
    bits: bytes
    before: bytes
    """What stands between the profile and the identity's number."""
    after: bytes


class Named(NamedTuple):
    """A `prefix` entry but for its profile."""

    bits: bytes
    rest: bytes
    value: bytes


class Template(NamedTuple):
    """What some rules come to, by their places. Of those that allow the same, the first is named."""

    prefixes: list[Named]
    keys: list[Key]
    groups: list[Among]
    problems: list[tuple[int, str]]
    """What makes no sense: the rule, and why."""


def template(says: Sequence[Say]) -> Template:
    """What rules come to, for whomever."""
    made = Template([], [], [], [])
    ranged: dict[int, list[tuple[int, tuple[End, ...], tuple[Prefix, ...]]]] = {}
    allowed: dict[tuple[bytes, bytes], int] = {}
    for rule, say in enumerate(says):
        try:
            way, ipv6, own, prefixes = parse(say)
        except Malformed as error:
            made.problems.append((rule, str(error)))
            continue
        if prefixes is not None:
            ranged.setdefault(way, []).append((rule, own, prefixes))
        elif say[1]:
            before = pack_far(way, IDENTITY[ipv6], 0, NO_ADDRESS)[:_KIND]
            made.groups.extend(Among(rule, bits, before, _AFTER_NUMBER + service) for bits, service in own)
        else:
            far = pack_far(way, ANY[ipv6], 0, NO_ADDRESS)
            for bits, service in own:
                allowed.setdefault((bits, far + service), rule)
    for way, named in ranged.items():
        inside = nested([prefix for _, _, prefixes in named for prefix in prefixes])
        made.prefixes.extend(_named(way, prefix, length) for prefix, length in inside)
        for rule, own, prefixes in named:
            for prefix, length in dict.fromkeys(each for outer in prefixes for each in inside[outer]):
                far = pack_far(way, PREFIXED, length, prefix)
                for bits, service in own:
                    allowed.setdefault((bits, far + service), rule)
    made.keys.extend(Key(rule, bits, rest) for (bits, rest), rule in allowed.items())
    return made


known = lru_cache(maxsize=1024)(template)
"""The same, remembered: for `FEW` rules at most, since a group that grows rule by rule leaves one of each length."""

FEW = 32
"""Rules that many identities may have alike. Larger sets are compiled each time, so that none of them is held."""


def parse(say: Say) -> Terms:
    """What a rule says; ValueError if it makes no sense."""
    words, is_group, prefixes = say
    if is_group + (prefixes is not None) + (words[-1] is not None) > 1:
        raise ValueError("a rule has one remote group, prefix or address group")
    terms = parse_words(*words)
    return terms if prefixes is None else terms._replace(prefixes=prefixes)


@lru_cache(maxsize=65_536)
def parse_words(
    direction: str, ethertype: str, protocol: str | None, low: int | None, high: int | None, prefix: str | None
) -> Terms:
    """What a rule says but for what it refers to; ValueError if it makes no sense."""
    if ethertype not in ("IPv4", "IPv6"):
        raise ValueError(f"unknown ethertype {ethertype!r}")
    if direction not in DIRECTIONS:
        raise ValueError(f"unknown direction {direction!r}")
    ipv6 = ethertype == "IPv6"
    packed = None if prefix is None else pack_prefix(prefix)
    if packed is not None and is_ipv4(packed[0]) == ipv6:
        raise ValueError(f"{prefix} is not {ethertype}")
    prefixes = None if packed is None else (packed,)
    return Terms(DIRECTIONS[direction], ipv6, ends(protocol, low, high, ipv6=ipv6), prefixes)


def _named(way: int, prefix: bytes, length: int) -> Named:
    key = PREFIX.pack_key(BEFORE_PREFIX + length, 0, way, prefix)
    return Named(key[:4], key[8:], PREFIX.pack_value(prefix, length))


@lru_cache(maxsize=4096)
def pack_far(way: int, kind: int, length: int, remote: bytes) -> bytes:
    """What stands between `profile` and `protocol` in a policy key."""
    return POLICY.pack_key(0, 0, way, kind, length, remote, 0, bytes(2))[_FAR_BEGINS:_FAR_ENDS]


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
