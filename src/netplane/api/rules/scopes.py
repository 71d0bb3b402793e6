"""Address scopes: which pools are in one, and that no router joins two.

OpenStack Networking's routers drop what goes from one scope to another without translation. Here a router joins
subnets of one scope only (of none, if the first has none), for each IP version: so nothing has to be dropped.
"""

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import visible
from netplane.api.policy.sharing import shared_among
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.rules.prefixes import is_met
from netplane.api.views import View
from netplane.model import AddressScope, Port, Router, Subnet, SubnetPool
from netplane.model.prefixes import prefix_claim, scope_space, span_of
from netplane.store import Reader, Transaction


def create(transaction: Transaction, _context: Context, wish: Wish) -> AddressScope:
    """A scope without pools."""
    if wish["ip_version"] not in (4, 6):
        raise invalid(f"ip_version: '{wish['ip_version']}' is not in [4, 6]")
    return transaction.add(AddressScope(id=new_id(), **wish))


def update(transaction: Transaction, _context: Context, scope: AddressScope, wish: Wish) -> AddressScope:
    """What is shared stays so: others may have pools in it."""
    if scope.shared and not wish.get("shared", True):
        text = f"Unable to update address scope {scope.id} : Shared address scope can't be unshared."
        raise ApiError(400, "AddressScopeUpdateError", text)
    return transaction.put(replace(scope, **wish))


def show(reader: Reader, _services: Services, context: Context, scopes: Sequence[AddressScope]) -> list[View]:
    """Whether it is shared with the caller's project, if not with all."""
    shared = shared_among(reader, context.project, [scope.id for scope in scopes])
    return [{"shared": scope.shared or scope.id in shared} for scope in scopes]


def check_scope(transaction: Transaction, context: Context, pool: SubnetPool, before: SubnetPool | None = None) -> None:
    """404, 400 or 409 if a pool, as it was `before` and as it shall be, cannot be in its scope."""
    if pool.address_scope_id is None:
        return
    scope = visible(transaction, context, AddressScope, pool.address_scope_id)
    if scope.ip_version != pool.ip_version:
        text = (
            f"Illegal subnetpool association: subnetpool {pool.id} cannot associate with address scope {scope.id} "
            f"because subnetpool ip_version is not {scope.ip_version}."
        )
        raise ApiError(400, "IllegalSubnetPoolIpVersionAssociationToAddressScope", text)
    held = before.prefixes if before is not None and before.address_scope_id == scope.id else ()
    new = sorted(set(pool.prefixes).difference(held), key=span_of)
    own = set(map(prefix_claim, held))
    if is_met(transaction.reader, scope_space(scope.id), pool.ip_version, new, own):
        text = "Failed to associate address scope: subnetpools within an address scope must have unique prefixes."
        raise conflict("AddressScopePrefixConflict", text)


def check_rescoped(transaction: Transaction, before: SubnetPool, after: SubnetPool) -> None:
    """400 if subnets of a pool, as it is now, are with such of another scope on a network, or on a router."""
    if before.address_scope_id == after.address_scope_id:
        return
    subnets = transaction.find(Subnet, "subnetpool_id", after.id)
    for network in dict.fromkeys(subnet.network_id for subnet in subnets):
        others = transaction.find(Subnet, "network_id", network)
        if any(one.ip_version == after.ip_version and one.subnetpool_id != after.id for one in others):
            raise affinity_error()
    check_joined(transaction, subnets)


def check_routable(transaction: Transaction, router: Router, subnets: Iterable[Subnet]) -> None:
    """400 if a router would join subnets of two scopes."""
    _check_one_scope(transaction, router, [*_joined(transaction, router), *subnets])


def check_joined(transaction: Transaction, subnets: Iterable[Subnet]) -> None:
    """400 if a router joins some subnets, as they are now, with such of another scope."""
    ports = (port for subnet in subnets for port in transaction.find(Port, "fixed_ips", subnet.id))
    for id in dict.fromkeys(port.device_id for port in ports if port.is_router_interface):
        router = transaction.get(Router, id)
        if router is not None:
            _check_one_scope(transaction, router, _joined(transaction, router))


def network_scope(transaction: Transaction, subnets: Iterable[Subnet], version: int) -> str | None:
    """The scope that the subnets of a network with this IP version are in, or None."""
    return next((_scope(transaction, subnet) for subnet in subnets if subnet.ip_version == version), None)


def scopes_of(reader: Reader, subnets: Collection[Subnet]) -> dict[str, str | None]:
    """The scopes of subnets, by their ids."""
    pools = {subnet.subnetpool_id for subnet in subnets if subnet.subnetpool_id is not None}
    found = {pool.id: pool.address_scope_id for pool in reader.list(SubnetPool, None, pools)} if pools else {}
    return {subnet.id: found.get(subnet.subnetpool_id or "") for subnet in subnets}


def affinity_error() -> ApiError:
    """Subnets of two scopes on one network."""
    text = (
        "Subnets of the same address family hosted on the same network must all be allocated from the same address "
        "scope."
    )
    return ApiError(400, "NetworkAddressScopeAffinityError", text)


def _check_one_scope(transaction: Transaction, router: Router, subnets: Sequence[Subnet]) -> None:
    for version in (4, 6):
        scopes = {_scope(transaction, subnet) for subnet in subnets if subnet.ip_version == version}
        if len(scopes) > 1:
            text = f"Bad router request: router {router.id} cannot join subnets of two address scopes."
            raise ApiError(400, "BadRequest", text)


def _joined(transaction: Transaction, router: Router) -> list[Subnet]:
    ports = transaction.find(Port, "device_id", router.id)
    found = (transaction.get(Subnet, id) for id in {fixed.subnet_id for port in ports for fixed in port.fixed_ips})
    return [subnet for subnet in found if subnet is not None]


def _scope(transaction: Transaction, subnet: Subnet) -> str | None:
    pool = None if subnet.subnetpool_id is None else transaction.get(SubnetPool, subnet.subnetpool_id)
    return None if pool is None else pool.address_scope_id


ADDRESS_SCOPES = Rules(AddressScope, create, update, simply_delete, (), show)
