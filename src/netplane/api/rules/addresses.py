"""Which addresses a port gets."""

from collections.abc import Iterable, Sequence
from functools import partial

from netplane.api.bodies import FixedIPWish
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.rules.ranges import Address, is_usable, parse_address, parse_range
from netplane.model import FixedIP, Network, Subnet
from netplane.store import Exhausted, Transaction

MOST = 16
"""Addresses that one port may have."""


def assign(
    transaction: Transaction, network: Network, wishes: Sequence[FixedIPWish] | None, held: Iterable[FixedIP] = ()
) -> tuple[FixedIP, ...]:
    """The addresses of a port: what it wishes for, one of any subnet if it does not say, none if the network has none.

    A wish for any address of a subnet is met by one that the port holds already.
    """
    subnets = transaction.find(Subnet, "network_id", network.id)
    if wishes is None:
        return _take_any(transaction, network, subnets)
    if len(wishes) > MOST:
        raise invalid(f"a port may have at most {MOST} addresses")
    kept = list(held)
    certain = [_certain(network, subnets, wish) for wish in wishes if wish.ip_address is not None]
    left = [fixed for fixed in kept if fixed not in certain]
    for wish in (wish for wish in wishes if wish.ip_address is None):
        subnet = _subnet(network, subnets, wish.subnet_id)
        same = next((fixed for fixed in left if fixed.subnet_id == subnet.id), None)
        if same is None:
            certain.append(_take(transaction, network, subnet))
        else:
            left.remove(same)
            certain.append(same)
    if len(set(certain)) < len(certain):
        raise invalid("duplicate IP address in 'fixed_ips'")
    return tuple(certain)


def _take_any(transaction: Transaction, network: Network, subnets: Sequence[Subnet]) -> tuple[FixedIP, ...]:
    for subnet in subnets:
        try:
            return (_take_free(transaction, subnet),)
        except Exhausted:
            continue
    if subnets:
        raise _used_up(network)
    return ()


def _take(transaction: Transaction, network: Network, subnet: Subnet) -> FixedIP:
    try:
        return _take_free(transaction, subnet)
    except Exhausted as error:
        raise _used_up(network) from error


def _take_free(transaction: Transaction, subnet: Subnet) -> FixedIP:
    space = f"address:{subnet.id}"
    for pool in subnet.allocation_pools:
        start, end = parse_address(pool.start), parse_address(pool.end)
        try:
            number = transaction.allocate(space, int(start), int(end), partial(_hexadecimal, start.max_prefixlen // 4))
        except Exhausted:
            continue
        return FixedIP(subnet.id, str(type(start)(number)))
    raise Exhausted(space)


def _certain(network: Network, subnets: Sequence[Subnet], wish: FixedIPWish) -> FixedIP:
    address = parse_address(wish.ip_address or "")
    if wish.subnet_id is None:
        found = next((subnet for subnet in subnets if address in parse_range(subnet.cidr)), None)
        if found is None:
            text = f"IP address {address} is not a valid IP for any of the subnets on network {network.id}."
            raise ApiError(400, "InvalidIpForNetwork", text)
    else:
        found = _subnet(network, subnets, wish.subnet_id)
    _check_usable(found, address)
    return FixedIP(found.id, str(address))


def _check_usable(subnet: Subnet, address: Address) -> None:
    if not is_usable(parse_range(subnet.cidr), address):
        text = f"IP address {address} is not a valid IP for subnet {subnet.id}."
        raise ApiError(400, "InvalidIpForSubnet", text)


def _subnet(network: Network, subnets: Sequence[Subnet], id: str | None) -> Subnet:
    if id is None:
        raise invalid("each of 'fixed_ips' must name a 'subnet_id' or an 'ip_address'")
    found = next((subnet for subnet in subnets if subnet.id == id), None)
    if found is None:
        raise invalid(f"network {network.id} has no subnet {id}, which 'fixed_ips' names")
    return found


def _used_up(network: Network) -> ApiError:
    return conflict("IpAddressGenerationFailure", f"No more IP addresses available on network {network.id}.")


def _hexadecimal(width: int, number: int) -> str:
    """As `address_claim` writes it."""
    return f"{number:0{width}x}"
