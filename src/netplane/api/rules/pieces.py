"""The range of a new subnet: what the client says, or a piece of a subnet pool."""

from collections.abc import Sequence

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError
from netplane.api.policy import sees, visible
from netplane.api.rules.prefixes import cut, cut_certain
from netplane.api.rules.ranges import Range, parse_range
from netplane.api.rules.scopes import affinity_error, network_scope
from netplane.model import DEFAULT_POOL, Subnet, SubnetPool
from netplane.store import Transaction


def choose_range(transaction: Transaction, context: Context, others: Sequence[Subnet], wish: Wish) -> Range:
    """The range that a wish names or gets of a pool; `others` are the subnets that its network has already.

    What is asked for in other words than the fields of a subnet is taken out of the wish.
    """
    length = wish.pop("prefixlen", None)
    wanted = parse_range(wish["cidr"]) if "cidr" in wish else None
    if wanted is not None and length is not None:
        raise _bad("cidr and prefixlen must not be supplied together")
    pool = _pool(transaction, context, wish, wanted)
    if pool is not None:
        wish |= {"subnetpool_id": pool.id, "ip_version": _version(pool, wish)}
    _check_affinity(transaction, others, pool, wish.get("ip_version", 4))
    if pool is None:
        if wanted is None:
            raise _bad("a subnetpool must be specified in the absence of a cidr")
        return wanted
    if wanted is not None:
        cut_certain(transaction, pool, wish["project_id"], wanted)
        return wanted
    if wish.get("allocation_pools"):
        raise _bad("allocation_pools allowed only for specific subnet requests.")
    return cut(transaction, pool, wish["project_id"], pool.default_prefixlen if length is None else length)


def _pool(transaction: Transaction, context: Context, wish: Wish, wanted: Range | None) -> SubnetPool | None:
    named = wish.get("subnetpool_id")
    if not wish.pop("use_default_subnetpool", False):
        return None if named is None else visible(transaction, context, SubnetPool, named)
    if named is not None:
        raise _bad("subnetpool_id and use_default_subnetpool cannot both be specified")
    version = wish.get("ip_version") if wanted is None else wanted.version
    if version is None:
        raise _bad("ip_version must be specified in the absence of cidr and subnetpool_id")
    held = transaction.holder(DEFAULT_POOL, str(version))
    pool = None if held is None else transaction.get(SubnetPool, held)
    if pool is None or not sees(transaction, context, pool):
        raise _bad(f"No default subnetpool found for IPv{version}")
    return pool


def _version(pool: SubnetPool, wish: Wish) -> int:
    asked: int = wish.get("ip_version", pool.ip_version)
    if asked != pool.ip_version:
        raise _bad(f"Cannot allocate IPv{asked} subnet from IPv{pool.ip_version} subnet pool")
    return asked


def _check_affinity(transaction: Transaction, others: Sequence[Subnet], pool: SubnetPool | None, version: int) -> None:
    """The subnets of a network come of pools of one scope, of one pool, or of none, as in OpenStack Networking."""
    scope = network_scope(transaction, others, version)
    if scope is not None and pool is not None:
        if pool.address_scope_id != scope:
            raise affinity_error()
        return
    id = None if pool is None else pool.id
    if any(other.ip_version == version and other.subnetpool_id != id for other in others):
        text = "Subnets hosted on the same network must be allocated from the same subnet pool."
        raise ApiError(400, "NetworkSubnetPoolAffinityError", text)


def _bad(reason: str) -> ApiError:
    return ApiError(400, "BadRequest", f"Bad subnets request: {reason}.")
