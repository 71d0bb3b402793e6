"""Firewalls on routers' ports: their rules in order, under a number that is made of them.

Whoever writes a firewall's number elsewhere (a gateway, a route) needs no more than the wall: the same rules always
have the same number, and others have another. A wall that makes no sense lets nothing pass.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

from netplane.base.addresses import MAPPED, MAPPED_BITS, NO_ADDRESS, pack_prefix
from netplane.base.incremental import Item
from netplane.base.protocols import ICMP, ICMPV6, protocol_number
from netplane.base.world import View
from netplane.compiler.feature import Malformed, feature, problem
from netplane.compiler.policy import rule_number
from netplane.model import Wall, WallRule
from netplane.model.firewall import ALLOW, DENY, REJECT
from netplane.tables.decisions import Action, Direction, Family, Limit
from netplane.tables.pipeline import FIREWALL

ACTIONS = {ALLOW: Action.ALLOW, DENY: Action.DENY, REJECT: Action.REJECT}
FAMILIES = {4: Family.IPV4, 6: Family.IPV6}
ANYWHERE = {4: (MAPPED + bytes(4), MAPPED_BITS), 6: (NO_ADDRESS, 0)}
ANY_PORT = (0, 65_535)


@feature
def firewall(wall: Wall, view: View) -> Iterator[Item]:
    """A `firewall` entry for each rule."""
    try:
        number, rules = compiled(wall.ingress, wall.egress)
    except Malformed as error:
        yield problem(wall, error)
        return
    for direction, values in rules:
        for index, value in enumerate(values):
            yield FIREWALL.name, FIREWALL.pack_key(number, direction, index), value


def guarded(wall: Wall | None) -> int:
    """The number by which tables speak of a wall; 0 for none."""
    if wall is None:
        return 0
    try:
        return compiled(wall.ingress, wall.egress)[0]
    except Malformed:
        return compiled((), ())[0]


Rules = tuple[tuple[Direction, tuple[bytes, ...]], ...]


@lru_cache(maxsize=1024)
def compiled(ingress: tuple[WallRule, ...], egress: tuple[WallRule, ...]) -> tuple[int, Rules]:
    """A wall's number, and the values of its entries by direction; ValueError if it makes no sense."""
    sides = ((Direction.EGRESS, egress), (Direction.INGRESS, ingress))
    rules = tuple((direction, tuple(_pack(rule) for rule in own)) for direction, own in sides)
    digest = blake2b(digest_size=8)
    for direction, values in rules:
        if len(values) > Limit.FIREWALL_RULES:
            raise ValueError(f"a firewall asks at most {Limit.FIREWALL_RULES} rules, not {len(values)}")
        digest.update(bytes((direction,)) + len(values).to_bytes(4, "big") + b"".join(values))
    return int.from_bytes(digest.digest(), "little") or 1, rules


def _pack(rule: WallRule) -> bytes:
    if rule.action not in ACTIONS or rule.ip_version not in FAMILIES:
        raise ValueError(f"rule {rule.id} says {rule.action!r} of IPv{rule.ip_version}")
    protocol = protocol_number(rule.protocol) or 0
    if protocol == ICMP and rule.ip_version == 6:
        protocol = ICMPV6
    ends = (*_range(rule.source, rule.ip_version), *_range(rule.destination, rule.ip_version))
    ports = (*_ports(rule.source_port), *_ports(rule.destination_port))
    family = FAMILIES[rule.ip_version]
    return FIREWALL.pack_value(*ends, *ports, protocol, family, ACTIONS[rule.action], rule_number(rule.id))


def _range(text: str | None, version: int) -> tuple[bytes, bytes]:
    """A range, and the bits of it that count."""
    address, length = ANYWHERE[version] if text is None else pack_prefix(text)
    return address, ((1 << length) - 1 << 128 - length).to_bytes(16, "big")


def _ports(text: str | None) -> tuple[int, int]:
    if text is None:
        return ANY_PORT
    first, _, last = text.partition(":")
    return int(first), int(last or first)
