"""Cutting subnets from pools: which ranges are free, and how much a project has.

The pieces of a pool are claims whose order is that of their addresses. So whether a range is free is one look at what
lies before its end, and a new piece is put behind the last one; only when nothing is left there are the gaps before it
looked through.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import IPv4Network, collapse_addresses
from itertools import takewhile
from typing import cast

from netplane.api.errors import ApiError, conflict
from netplane.api.rules.ranges import Range, parse_range
from netplane.model import SubnetPool
from netplane.model.prefixes import BEHIND_ALL, Span, claimed_prefix, claimed_span, prefix_space, span_of, span_start
from netplane.store import Reader, Transaction

QUOTA_UNIT = {4: 32, 6: 64}
"""The prefix length of what quotas count: an address, and in IPv6 what one network has."""


WINDOW = 100
"""Claims that are read at once."""


def collapse(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same addresses in as few ranges as can be, in order; all of one IP version."""
    return tuple(collapse_addresses(cast("list[IPv4Network]", list(ranges))))


def cut(transaction: Transaction, pool: SubnetPool, project: str, length: int) -> Range:
    """A free range with a prefix of this length; 409 if there is none, or the project has its share."""
    _check_length(pool, length)
    reader = transaction.reader
    _check_quota(reader, pool, project, length)
    wide = [range for range in map(parse_range, pool.prefixes) if range.prefixlen <= length]
    for find in (_behind, _between):
        for range in wide:
            first = find(reader, pool, range, length)
            if first is not None:
                return parse_range(f"{type(range.network_address)(first)}/{length}")
    raise _refused(f"Insufficient prefix space to allocate subnet size /{length}")


def cut_certain(transaction: Transaction, pool: SubnetPool, project: str, wanted: Range) -> None:
    """Check that a range may be cut; 409 if it is not in the pool or not free, or the project has its share."""
    _check_length(pool, wanted.prefixlen)
    reader = transaction.reader
    _check_quota(reader, pool, project, wanted.prefixlen)
    ranges = map(parse_range, pool.prefixes)
    if not any(_holds(range, wanted) for range in ranges) or not is_free(reader, pool, wanted):
        raise _refused("Cannot allocate requested subnet from the available set of prefixes")


def is_free(reader: Reader, pool: SubnetPool, range: Range) -> bool:
    """Whether no piece of a pool lies in a range or around it."""
    first, last = _span(range)
    before = reader.claimed_before(prefix_space(pool.id), span_start(last + 1, pool.ip_version))
    return before is None or claimed_span(before).last < first


def is_met(
    reader: Reader, space: str, version: int, prefixes: Sequence[str], own: Collection[str], window: int = WINDOW
) -> bool:
    """Whether a range that is claimed in a space meets one of some prefixes, which are in order and apart.

    What is claimed there is apart too; claims that are `own` do not count. It is read from the end, and what lies
    between two prefixes is leapt over: so it costs at most a statement for each prefix, whatever is claimed.
    """
    claims: list[str] = []
    floor = BEHIND_ALL
    for prefix in reversed(prefixes):
        span = span_of(prefix)
        end = span_start(span.last + 1, version)
        while not claims or claims[-1] >= end or claims[-1] in own:
            if claims:
                floor = claims.pop()
                continue
            claims = reader.claimed_until(space, min(end, floor), window)
            if not claims:
                return False
        if claimed_span(claims[-1]).last >= span.first:
            return True
    return False


def _behind(reader: Reader, pool: SubnetPool, range: Range, length: int) -> int | None:
    """The first address of a range behind all pieces."""
    first, last = _span(range)
    before = reader.claimed_before(prefix_space(pool.id), span_start(last + 1, pool.ip_version))
    start = first if before is None else max(first, claimed_span(before).last + 1)
    return _fit(Span(start, last), range, length)


def _between(reader: Reader, pool: SubnetPool, range: Range, length: int) -> int | None:
    """The first address of a range before the last piece."""
    start, last = _span(range)
    for piece in takewhile(lambda piece: piece.first <= last, _pieces(reader, pool, start)):
        found = _fit(Span(start, piece.first - 1), range, length)
        if found is not None:
            return found
        start = piece.last + 1
    return None


def _pieces(reader: Reader, pool: SubnetPool, start: int) -> Iterator[Span]:
    """The pieces from an address on, in order."""
    space = prefix_space(pool.id)
    while claims := reader.claimed_from(space, span_start(start, pool.ip_version)):
        yield from map(claimed_span, claims)
        start = claimed_span(claims[-1]).last + 1


def _fit(gap: Span, range: Range, length: int) -> int | None:
    """The first address in a gap at which a prefix of this length begins and fits."""
    size = 1 << (range.max_prefixlen - length)
    first = -(-gap.first // size) * size
    return first if first + size - 1 <= gap.last else None


def _check_length(pool: SubnetPool, length: int) -> None:
    if length > pool.max_prefixlen:
        text = f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is {pool.max_prefixlen}."
        raise ApiError(400, "MaxPrefixSubnetAllocationError", text)
    if length < pool.min_prefixlen:
        text = f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {pool.min_prefixlen}."
        raise ApiError(400, "MinPrefixSubnetAllocationError", text)


def _check_quota(reader: Reader, pool: SubnetPool, project: str, length: int) -> None:
    if not pool.default_quota:
        return
    held = [claimed_prefix(claim) for claim in reader.claimed(prefix_space(pool.id, project))]
    if sum(2.0 ** (QUOTA_UNIT[pool.ip_version] - each) for each in (*held, length)) > pool.default_quota:
        raise conflict("SubnetPoolQuotaExceeded", "Per-tenant subnet pool prefix quota exceeded.")


def _holds(range: Range, wanted: Range) -> bool:
    (first, last), (start, end) = _span(range), _span(wanted)
    return range.version == wanted.version and first <= start and end <= last


def _span(range: Range) -> Span:
    return Span(int(range.network_address), int(range.broadcast_address))


def _refused(reason: str) -> ApiError:
    return conflict("SubnetAllocationError", f"Failed to allocate subnet: {reason}.")
