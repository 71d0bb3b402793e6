"""Which addresses a port gets."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from netplane.api.bodies import FixedIPWish
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.rules.ranges import Address, is_usable, parse_address, parse_range, pool_span
from netplane.base.addresses import eui64, pack_mac, unpack_address
from netplane.model import FixedIP, Network, Port, Subnet
from netplane.store import Exhausted, Transaction

MOST = 16
"""Addresses that one port may have."""


def assign(
    transaction: Transaction,
    network: Network,
    mac: str,
    wishes: Sequence[FixedIPWish] | None,
    held: Iterable[FixedIP] = (),
    *,
    owner: str = "",
) -> tuple[FixedIP, ...]:
    """The addresses of a machine's port: what it wishes for, or one of each IP version of which there are subnets.

    Besides, it has the address that its machine makes itself in each subnet where machines do: wished for or not, and
    no other there. A wish for any address of a subnet is met by one that the port holds already. `owner` is the port's
    `device_owner`: some subnets are for some.
    """
    subnets = transaction.find(Subnet, "network_id", network.id)
    made = tuple(_make(subnet, mac) for subnet in subnets if subnet.is_auto_addressed)
    if wishes is None:
        return _take_any(transaction, network, subnets, owner) + made
    if len(wishes) > MOST:
        raise invalid(f"a port may have at most {MOST} addresses")
    return _grant(transaction, network, subnets, wishes, tuple(held), made) + made


def remake(transaction: Transaction, network: Network, mac: str, held: Iterable[FixedIP]) -> tuple[FixedIP, ...]:
    """The addresses of a machine's port whose MAC address changes: those that its machine makes are others."""
    subnets = transaction.find(Subnet, "network_id", network.id)
    made = tuple(_make(subnet, mac) for subnet in subnets if subnet.is_auto_addressed)
    return tuple(fixed for fixed in held if fixed.subnet_id not in {one.subnet_id for one in made}) + made


def interface_address(subnet: Subnet, text: str) -> FixedIP:
    """An address of a router: in IPv6 also the subnet's first (RFC 4291, section 2.6.1); 400 if it is not usable."""
    cidr, address = parse_range(subnet.cidr), parse_address(text)
    if not (address.version == 6 and address == cidr.network_address):
        _check_usable(subnet, address)
    return FixedIP(subnet.id, str(address))


def add_made(transaction: Transaction, subnet: Subnet) -> None:
    """Machines make themselves an address in a new subnet: their ports on its network get it."""
    if subnet.is_auto_addressed:
        for port in transaction.find(Port, "network_id", subnet.network_id):
            if not port.is_router_interface:
                fixed = (*port.fixed_ips, _make(subnet, port.mac_address))
                transaction.put(replace(port, fixed_ips=fixed))


def take_made(transaction: Transaction, subnet: Subnet) -> None:
    """Take away what `add_made` and `assign` gave; routers keep theirs."""
    if subnet.is_auto_addressed:
        for port in transaction.find(Port, "fixed_ips", subnet.id):
            if not port.is_router_interface:
                fixed = tuple(one for one in port.fixed_ips if one.subnet_id != subnet.id)
                transaction.put(replace(port, fixed_ips=fixed))


def _make(subnet: Subnet, mac: str) -> FixedIP:
    prefix = parse_range(subnet.cidr).network_address.packed
    return FixedIP(subnet.id, unpack_address(eui64(prefix, pack_mac(mac))))


def _grant(
    transaction: Transaction,
    network: Network,
    subnets: Sequence[Subnet],
    wishes: Sequence[FixedIPWish],
    held: Sequence[FixedIP],
    made: Sequence[FixedIP],
) -> tuple[FixedIP, ...]:
    """What wishes come to in subnets where the platform chooses; those for what machines make come to nothing here."""
    certain = [_certain(network, subnets, wish) for wish in wishes if wish.ip_address is not None]
    certain = [fixed for fixed in certain if not _is_made(fixed, made, held)]
    left = [fixed for fixed in held if fixed not in certain]
    for wish in (wish for wish in wishes if wish.ip_address is None):
        subnet = _subnet(network, subnets, wish.subnet_id)
        if subnet.is_auto_addressed:
            continue
        same = next((fixed for fixed in left if fixed.subnet_id == subnet.id), None)
        if same is None:
            certain.append(_take_one(transaction, network, (subnet,)))
        else:
            left.remove(same)
            certain.append(same)
    if len(set(certain)) < len(certain):
        raise invalid("duplicate IP address in 'fixed_ips'")
    return tuple(certain)


def _is_made(fixed: FixedIP, made: Sequence[FixedIP], held: Sequence[FixedIP]) -> bool:
    """Whether an address is what the machine makes itself, or has so far; 400 if it is another where machines do so."""
    own = next((one for one in made if one.subnet_id == fixed.subnet_id), None)
    if own is not None and fixed != own and fixed not in held:
        text = (
            f"IPv6 address {fixed.ip_address} cannot be directly assigned to a port on subnet {fixed.subnet_id} as the "
            "subnet is configured for automatic addresses."
        )
        raise ApiError(400, "AllocationOnAutoAddressSubnet", text)
    return own is not None


def _take_any(transaction: Transaction, network: Network, subnets: Sequence[Subnet], owner: str) -> tuple[FixedIP, ...]:
    """One address of each IP version of which there are subnets where the platform chooses; 409 if all are others'."""
    given = [subnet for subnet in subnets if not subnet.is_auto_addressed]
    chosen = [subnet for subnet in given if not subnet.service_types or owner in subnet.service_types]
    if given and not chosen:
        text = "No valid service subnet for the given device owner."
        raise conflict("IpAddressGenerationFailureNoMatchingSubnet", text)
    by_version = ([subnet for subnet in chosen if subnet.ip_version == version] for version in (4, 6))
    return tuple(_take_one(transaction, network, alike) for alike in by_version if alike)


def _take_one(transaction: Transaction, network: Network, subnets: Sequence[Subnet]) -> FixedIP:
    for subnet in subnets:
        try:
            return _take_free(transaction, subnet)
        except Exhausted:
            continue
    raise _used_up(network)


def _take_free(transaction: Transaction, subnet: Subnet) -> FixedIP:
    space = f"address:{subnet.id}"
    for pool in subnet.allocation_pools:
        span = pool_span(pool)
        try:
            number = transaction.allocate(space, span.low, span.high, span.claim)
        except Exhausted:
            continue
        return FixedIP(subnet.id, span.text(number))
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
