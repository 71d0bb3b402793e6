"""Subnets."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import conflict, invalid
from netplane.api.rules.kind import Extra, Rules, Services, new_id, own, simply_delete
from netplane.api.rules.ranges import (
    Address,
    Range,
    check_pools,
    default_pools,
    is_usable,
    parse_address,
    parse_range,
    usable,
)
from netplane.api.views import View
from netplane.model import Network, Subnet
from netplane.model.network import HostRoute
from netplane.model.port import address_claim
from netplane.store import Reader, Transaction

NOT_FOR_MACHINES = tuple(map(parse_range, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3")))
"""This network, loopback, groups and reserved addresses (RFC 6890, RFC 1112)."""


def create(transaction: Transaction, context: Context, wish: Wish) -> Subnet:
    """A subnet that overlaps no other of its network, with a gateway and pools unless the client says otherwise."""
    network = own(transaction, context, Network, wish["network_id"])
    cidr = _check_version(parse_range(wish["cidr"]), wish.get("ip_version", 4))
    _check_overlap(network, cidr, transaction.find(Subnet, "network_id", network.id))
    gateway = _choose_gateway(cidr, wish)
    _check_told(cidr, wish)
    pools = wish.pop("allocation_pools", None)
    chosen = default_pools(cidr, gateway) if pools is None else check_pools(cidr, gateway, pools)
    wish |= {"cidr": str(cidr), "gateway_ip": None if gateway is None else str(gateway), "allocation_pools": chosen}
    return transaction.add(Subnet(id=new_id(), **wish))


def update(transaction: Transaction, _context: Context, subnet: Subnet, wish: Wish) -> Subnet:
    """A change of gateway or pools is checked against the range; a gateway that a router has stays."""
    cidr = parse_range(subnet.cidr)
    wish.setdefault("gateway_ip", subnet.gateway_ip)
    gateway = _choose_gateway(cidr, wish)
    wish["gateway_ip"] = None if gateway is None else str(gateway)
    if wish["gateway_ip"] != subnet.gateway_ip:
        _check_gateway_free(transaction, subnet)
    _check_told(cidr, wish)
    wish["allocation_pools"] = check_pools(cidr, gateway, wish.get("allocation_pools", subnet.allocation_pools))
    return transaction.put(replace(subnet, **wish))


EXTRAS = (Extra("subnetpool_id"),)


def show(_reader: Reader, _services: Services, _context: Context, subnets: Sequence[Subnet]) -> list[View]:
    """Fields that clients expect of every subnet, IPv4 or not."""
    return [{extra.name: None for extra in EXTRAS} for _ in subnets]


def _check_version(cidr: Range, version: int) -> Range:
    if version != 4:
        raise invalid(f"'ip_version' {version} is not supported")
    if cidr.version != version:
        raise invalid(f"cidr '{cidr}' does not match the ip_version '{version}'")
    if cidr.prefixlen == 0:
        raise invalid("a subnet cannot have a prefix length of 0")
    if any(cidr.overlaps(other) for other in NOT_FOR_MACHINES):
        raise invalid(f"cidr '{cidr}' holds addresses that no machine can have")
    return cidr


def _check_overlap(network: Network, cidr: Range, others: Iterable[Subnet]) -> None:
    for other in others:
        if parse_range(other.cidr).overlaps(cidr):
            text = f"requested subnet with cidr: {cidr} for network: {network.id} overlaps with another subnet"
            raise invalid(text)


def _choose_gateway(cidr: Range, wish: Wish) -> Address | None:
    if "gateway_ip" not in wish:
        low, high = usable(cidr)
        return type(cidr.network_address)(low) if low < high else None
    if wish["gateway_ip"] is None:
        return None
    gateway = parse_address(wish["gateway_ip"])
    if not is_usable(cidr, gateway):
        raise invalid(f"gateway '{gateway}' is not a usable address of subnet '{cidr}'")
    return gateway


def _check_gateway_free(transaction: Transaction, subnet: Subnet) -> None:
    if subnet.gateway_ip is None:
        return
    if transaction.holder(f"address:{subnet.id}", address_claim(subnet.gateway_ip)) is not None:
        text = f"Current gateway ip {subnet.gateway_ip} already in use by a port. Unable to update."
        raise conflict("GatewayIpInUse", text)


def _check_told(cidr: Range, wish: Wish) -> None:
    """What DHCP tells machines is made of addresses of the subnet's version, written in one way."""
    if "dns_nameservers" in wish:
        servers = tuple(str(parse_address(server)) for server in wish["dns_nameservers"])
        if len(set(servers)) < len(servers):
            raise invalid("'dns_nameservers' has a duplicate")
        wish["dns_nameservers"] = servers
    if "host_routes" in wish:
        wish["host_routes"] = tuple(_check_route(cidr, route) for route in wish["host_routes"])


def _check_route(cidr: Range, route: HostRoute) -> HostRoute:
    destination, nexthop = parse_range(route.destination), parse_address(route.nexthop)
    if destination.version != cidr.version or nexthop.version != cidr.version:
        raise invalid(f"the route to {destination} by {nexthop} is not of IP version {cidr.version}")
    return HostRoute(str(destination), str(nexthop))


SUBNETS = Rules(Subnet, create, update, simply_delete, EXTRAS, show, indexed=("network_id",))
