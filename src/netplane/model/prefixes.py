"""How ranges of addresses are written in claims, so that the order of the texts is that of the ranges."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import NamedTuple

from netplane.model.record import Claim

BEHIND_ALL = "g"
"""What sorts behind every number in hexadecimal."""
SCOPES = "scope:"
"""What the spaces begin with in which ranges of scopes are claimed."""


class Span(NamedTuple):
    """A range of addresses as numbers; both ends belong to it."""

    first: int
    last: int


def prefix_space(pool: str, project: str | None = None) -> str:
    """The space in which the pieces of a pool are claimed: all, or those that a project has."""
    return f"prefix:{pool}" if project is None else f"prefix:{pool}:{project}"


def scope_space(scope: str) -> str:
    """The space in which the ranges of a scope's pools are claimed."""
    return f"{SCOPES}{scope}"


def piece_claims(pool: str, project: str, cidr: str) -> Iterable[Claim]:
    """What a subnet holds of its pool: its range, among all pieces and among those of its project."""
    value = prefix_claim(cidr)
    return Claim(prefix_space(pool), value), Claim(prefix_space(pool, project), value)


def prefix_claim(cidr: str) -> str:
    """A range in a claim: its first address in fixed-width hexadecimal, and the length of its prefix in two digits."""
    network = ip_network(cidr)
    return f"{network.network_address.packed.hex()}{network.prefixlen:02x}"


def span_of(cidr: str) -> Span:
    """The addresses of a range."""
    return claimed_span(prefix_claim(cidr))


def claimed_prefix(claim: str) -> int:
    """The length of the prefix that a claim writes."""
    return int(claim[-2:], 16)


def claimed_span(claim: str) -> Span:
    """The addresses that a claim writes."""
    digits = claim[:-2]
    first = int(digits, 16)
    return Span(first, first + (1 << (4 * len(digits) - claimed_prefix(claim))) - 1)


def span_start(number: int, version: int) -> str:
    """What sorts before every claim of a range that begins at an address or later, and behind all others."""
    digits = 8 if version == 4 else 32
    return f"{number:0{digits}x}" if number < 1 << 4 * digits else BEHIND_ALL
