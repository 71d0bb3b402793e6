"""Subnet pools: their ranges in one notation, their bounds, and what comes and goes while subnets are cut from them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, invalid
from netplane.api.ids import new_id
from netplane.api.policy import allowed, may
from netplane.api.policy.sharing import shared_among
from netplane.api.rules.kind import Rules, Services
from netplane.api.rules.prefixes import collapse, is_free
from netplane.api.rules.ranges import Range, parse_range
from netplane.api.rules.scopes import check_joined, check_rescoped, check_scope
from netplane.api.views import View
from netplane.model import DEFAULT_POOL, PREFIX_LIMIT, AddressScope, Network, Subnet, SubnetPool
from netplane.store import Reader, Transaction

SHORTEST = {4: 8, 6: 64}
"""Bits of the shortest prefix that a subnet may ask for by default."""
LONGEST = {4: 32, 6: 128}
"""Bits of an address."""
BOUNDS = ("min_prefixlen", "max_prefixlen", "default_prefixlen")


class PrefixesWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of add_prefixes and remove_prefixes."""

    prefixes: Annotated[tuple[str, ...], Meta(max_length=PREFIX_LIMIT)]


class OnboardWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of onboard_network_subnets."""

    network_id: str


_prefixes = Decoder(PrefixesWish)
_onboard = Decoder(OnboardWish)


def create(transaction: Transaction, context: Context, wish: Wish) -> SubnetPool:
    """A pool of ranges of one IP version; the first that is a default is the only one."""
    ranges = _collapsed(wish["prefixes"])
    version = ranges[0].version
    wish |= {"prefixes": tuple(map(str, ranges)), "ip_version": version}
    wish.setdefault("min_prefixlen", SHORTEST[version])
    wish.setdefault("max_prefixlen", LONGEST[version])
    wish.setdefault("default_prefixlen", wish["min_prefixlen"])
    pool = SubnetPool(id=new_id(), **wish)
    _check(transaction, pool)
    check_scope(transaction, context, pool)
    return transaction.add(pool)


def update(transaction: Transaction, context: Context, pool: SubnetPool, wish: Wish) -> SubnetPool:
    """Ranges may only be added; those of another IP version never."""
    if "prefixes" in wish:
        ranges = _collapsed(wish["prefixes"])
        if collapse([*ranges, *_ranges(pool)] if ranges[0].version == pool.ip_version else ()) != ranges:
            text = "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes."
            raise ApiError(400, "IllegalSubnetPoolPrefixUpdate", text)
        wish["prefixes"] = tuple(map(str, ranges))
    return _put(transaction, context, pool, replace(pool, **wish))


def delete(transaction: Transaction, _context: Context, pool: SubnetPool) -> None:
    """Only if no subnet is cut from it."""
    if transaction.find(Subnet, "subnetpool_id", pool.id):
        text = "Unable to delete subnet pool: Subnet pool has existing allocations."
        raise ApiError(400, "SubnetPoolDeleteError", text)
    transaction.delete(pool)


def show(reader: Reader, _services: Services, context: Context, pools: Sequence[SubnetPool]) -> list[View]:
    """Whether it is shared with the caller's project, if not with all."""
    shared = shared_among(reader, context.project, [pool.id for pool in pools])
    return [{"shared": pool.shared or pool.id in shared} for pool in pools]


def add_prefixes(transaction: Transaction, context: Context, pool: SubnetPool, body: bytes) -> View:
    """More ranges; one that is there already changes nothing."""
    wish: PrefixesWish = parse_struct(_prefixes, body)
    return _widened(transaction, context, pool, map(parse_range, wish.prefixes))


def remove_prefixes(transaction: Transaction, context: Context, pool: SubnetPool, body: bytes) -> View:
    """Fewer ranges, if no subnet is cut from them; one that is not there is gone anyway."""
    wish: PrefixesWish = parse_struct(_prefixes, body)
    left = _ranges(pool)
    for gone in map(parse_range, wish.prefixes):
        if gone.version != pool.ip_version:
            continue
        if not is_free(transaction.reader, pool, gone):
            text = "Illegal update to prefixes: One or more the prefixes to be removed is in use by a subnet."
            raise ApiError(400, "IllegalSubnetPoolPrefixUpdate", text)
        left = _without(left, gone)
        _check_number(left)
    return _set_prefixes(transaction, context, pool, left)


def onboard(transaction: Transaction, context: Context, pool: SubnetPool, body: bytes) -> list[View]:
    """Subnets that a network has become pieces of the pool, which gets their ranges."""
    wish: OnboardWish = parse_struct(_onboard, body)
    network = allowed(transaction, context, "update", Network, wish.network_id)
    subnets = [one for one in transaction.find(Subnet, "network_id", network.id) if one.ip_version == pool.ip_version]
    for subnet in subnets:
        if not is_free(transaction.reader, pool, parse_range(subnet.cidr)):
            text = (
                f"Illegal subnetpool update : Onboarding subnet {subnet.id}: {subnet.cidr} conflicts with allocated "
                f"prefixes in subnet pool {pool.id}."
            )
            raise ApiError(400, "IllegalSubnetPoolUpdate", text)
    _widened(transaction, context, pool, [parse_range(subnet.cidr) for subnet in subnets])
    check_joined(transaction, [transaction.put(replace(subnet, subnetpool_id=pool.id)) for subnet in subnets])
    return [{"id": subnet.id, "cidr": subnet.cidr} for subnet in subnets]


def _widened(transaction: Transaction, context: Context, pool: SubnetPool, ranges: Iterable[Range]) -> View:
    return _set_prefixes(transaction, context, pool, [*_ranges(pool), *ranges])


def _set_prefixes(transaction: Transaction, context: Context, pool: SubnetPool, ranges: Sequence[Range]) -> View:
    after = replace(pool, prefixes=tuple(map(str, _collapsed_ranges(ranges))))
    return {"prefixes": list(_put(transaction, context, pool, after).prefixes)}


def _put(transaction: Transaction, context: Context, before: SubnetPool, after: SubnetPool) -> SubnetPool:
    """A pool in somebody else's scope stays as it is, but for its name: the scope's owner relies on it."""
    _check(transaction, after)
    scope = None if before.address_scope_id is None else transaction.get(AddressScope, before.address_scope_id)
    if scope is not None and not may(transaction, context, "update", scope):
        text = (
            f"Illegal subnetpool update : subnetpool {after.id} cannot be updated when associated with shared address "
            f"scope {scope.id}."
        )
        raise ApiError(400, "IllegalSubnetPoolUpdate", text)
    check_scope(transaction, context, after, before)
    stored = transaction.put(after)
    check_rescoped(transaction, before, stored)
    return stored


def _collapsed(prefixes: Sequence[str]) -> tuple[Range, ...]:
    if not prefixes:
        raise ApiError(400, "EmptySubnetPoolPrefixList", "Empty subnet pool prefix list.")
    return _collapsed_ranges([parse_range(prefix) for prefix in prefixes])


def _collapsed_ranges(ranges: Sequence[Range]) -> tuple[Range, ...]:
    if len({range.version for range in ranges}) > 1:
        text = "Cannot mix IPv4 and IPv6 prefixes in a subnet pool."
        raise ApiError(400, "PrefixVersionMismatch", text)
    collapsed = collapse(ranges)
    _check_number(collapsed)
    return collapsed


def _check_number(ranges: Sequence[Range]) -> None:
    if len(ranges) > PREFIX_LIMIT:
        raise invalid(f"a subnet pool has at most {PREFIX_LIMIT} prefixes")


def _ranges(pool: SubnetPool) -> list[Range]:
    return [parse_range(prefix) for prefix in pool.prefixes]


def _without(ranges: Sequence[Range], gone: Any) -> list[Range]:
    """What is left of ranges when another goes; both sides of it in order and apart, as a pool's are."""
    start = bisect_left(ranges, gone.network_address, key=lambda range: range.broadcast_address)
    end = bisect_right(ranges, gone.broadcast_address, lo=start, key=lambda range: range.network_address)
    cut: Sequence[Any] = ranges[start:end]
    parts = [part for range in cut if not range.subnet_of(gone) for part in range.address_exclude(gone)]
    return [*ranges[:start], *sorted(parts), *ranges[end:]]


def _check(transaction: Transaction, pool: SubnetPool) -> None:
    """400 for bounds that cannot be kept, or a second default."""
    _check_bound("min_prefixlen", pool.min_prefixlen, "max_prefixlen", pool.max_prefixlen)
    _check_bound("max_prefixlen", pool.max_prefixlen, "ip_version_max", LONGEST[pool.ip_version])
    _check_bound("default_prefixlen", pool.default_prefixlen, "max_prefixlen", pool.max_prefixlen)
    if pool.default_prefixlen < pool.min_prefixlen:
        raise _out_of_bounds("default_prefixlen", pool.default_prefixlen, "min_prefixlen", pool.min_prefixlen)
    if pool.is_default and transaction.holder(DEFAULT_POOL, str(pool.ip_version)) not in (None, pool.id):
        raise invalid(
            "A default subnetpool for this IP family has already been set. Only one default may exist per IP family"
        )


def _check_bound(name: str, value: int, base: str, bound: int) -> None:
    if value > bound:
        raise _out_of_bounds(name, value, base, bound)


def _out_of_bounds(name: str, value: int, base: str, bound: int) -> ApiError:
    return ApiError(400, "IllegalSubnetPoolPrefixBounds", f"Illegal prefix bounds: {name}={value}, {base}={bound}.")


SUBNET_POOLS = Rules(
    SubnetPool,
    create,
    update,
    delete,
    (),
    show,
    filled=frozenset({"ip_version", *BOUNDS}),
    actions={
        "add_prefixes": add_prefixes,
        "remove_prefixes": remove_prefixes,
        "onboard_network_subnets": onboard,
    },
)
