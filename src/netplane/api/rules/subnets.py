"""Subnets."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import visible
from netplane.api.rules.addresses import add_made, take_made
from netplane.api.rules.kind import Extra, Rules, Services
from netplane.api.rules.modes import check_dhcp_stays, check_modes, check_mtu
from netplane.api.rules.pieces import choose_range
from netplane.api.rules.ranges import (
    Address,
    Range,
    check_pools,
    default_pools,
    is_link_local,
    is_usable,
    parse_address,
    parse_range,
    usable,
)
from netplane.api.views import View
from netplane.model import Network, Route, Subnet
from netplane.model.network import MOST_HOST_ROUTES
from netplane.model.port import address_claim
from netplane.store import Reader, Transaction

NOT_FOR_MACHINES = tuple(
    map(
        ip_network,
        ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "::ffff:0.0.0.0/96", "fe80::/10", "ff00::/8"),
    )
)
"""This network, loopback, groups, reserved addresses, those of one link, and IPv4's in IPv6 (RFC 6890, RFC 4291)."""

OWNERS = ("network:", "neutron:", "compute:", "baremetal:", "trunk:")
"""What `device_owner` begins with, where it says something."""

FURTHER = (("prefixlen", int | None), ("use_default_subnetpool", bool), ("segment_id", str | None))
"""What a create may ask for besides its fields: how a range is cut from a pool; and a segment, which must be none."""

LONGEST_WITH_DHCP = {4: 32, 6: 126}
"""Bits of a prefix in which DHCP may serve."""


def create(transaction: Transaction, context: Context, wish: Wish) -> Subnet:
    """A subnet that overlaps no other of its network, with a gateway and pools unless the client says otherwise."""
    network = visible(transaction, context, Network, wish["network_id"])
    if wish.pop("segment_id", None) is not None:
        raise invalid(f"network {network.id} has one segment, which reaches all hosts: 'segment_id' must be null")
    others = transaction.find(Subnet, "network_id", network.id)
    cidr = _check_version(choose_range(transaction, context, others, wish), wish.setdefault("ip_version", 4))
    _check_overlap(network, cidr, others)
    check_modes(cidr, wish)
    _check_service_types(wish)
    _check_dhcp(cidr, is_on=wish.get("enable_dhcp", True))
    if cidr.version == 6:
        check_mtu(network.id, network.mtu)
    gateway = _choose_gateway(cidr, wish)
    _check_told(cidr, wish)
    pools = wish.pop("allocation_pools", None)
    chosen = default_pools(cidr, gateway) if pools is None else check_pools(cidr, gateway, pools)
    wish |= {"cidr": str(cidr), "gateway_ip": None if gateway is None else str(gateway), "allocation_pools": chosen}
    subnet = transaction.add(Subnet(id=new_id(), **wish))
    add_made(transaction, subnet)
    return subnet


def update(transaction: Transaction, _context: Context, subnet: Subnet, wish: Wish) -> Subnet:
    """A change of gateway or pools is checked against the range; a gateway that a router has stays."""
    if of_create := [name for name, _ in FURTHER if name in wish]:
        raise bad_request(f"Attribute '{of_create[0]}' not allowed in PUT")
    cidr = parse_range(subnet.cidr)
    check_dhcp_stays(subnet, wish)
    _check_service_types(wish)
    if not subnet.enable_dhcp:
        _check_dhcp(cidr, is_on=wish.get("enable_dhcp", False))
    wish.setdefault("gateway_ip", subnet.gateway_ip)
    gateway = _choose_gateway(cidr, wish)
    wish["gateway_ip"] = None if gateway is None else str(gateway)
    if wish["gateway_ip"] != subnet.gateway_ip:
        _check_gateway_free(transaction, subnet)
    _check_told(cidr, wish)
    wish["allocation_pools"] = check_pools(cidr, gateway, wish.get("allocation_pools", subnet.allocation_pools))
    return transaction.put(replace(subnet, **wish))


def delete(transaction: Transaction, _context: Context, subnet: Subnet) -> None:
    """Addresses that machines make themselves go with it; one that was given keeps it, and so does a router."""
    take_made(transaction, subnet)
    transaction.delete(subnet)


def show(_reader: Reader, _services: Services, _context: Context, subnets: Sequence[Subnet]) -> list[View]:
    """The segment that it is kept to: none."""
    return [{"segment_id": None} for _ in subnets]


def _check_version(cidr: Range, version: int) -> Range:
    if version not in (4, 6):
        raise invalid(f"'ip_version' {version} is not supported")
    if cidr.version != version:
        raise invalid(f"cidr '{cidr}' does not match the ip_version '{version}'")
    if cidr.prefixlen == 0:
        raise invalid("a subnet cannot have a prefix length of 0")
    if any(cidr.overlaps(other) for other in NOT_FOR_MACHINES):
        raise invalid(f"cidr '{cidr}' holds addresses that no machine can have")
    return cidr


def _check_service_types(wish: Wish) -> None:
    """400 for what no `device_owner` is."""
    types = wish.get("service_types", ())
    for type in types:
        if not type.startswith(OWNERS):
            text = f"Subnet service type {type} does not correspond to a valid device owner."
            raise ApiError(400, "InvalidSubnetServiceType", text)
    if len(set(types)) < len(types):
        raise invalid("'service_types' has a duplicate")


def _check_dhcp(cidr: Range, *, is_on: bool) -> None:
    if is_on and cidr.prefixlen > LONGEST_WITH_DHCP[cidr.version]:
        raise invalid("Subnet has a prefix length that is incompatible with DHCP service enabled")


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
    if cidr.version == 6 and (gateway == cidr.network_address or is_link_local(gateway)):
        # The first address is every router's (RFC 4291, section 2.6.1); one on the link is somebody else's.
        return gateway
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
        servers = tuple(str(_check_server(cidr, server)) for server in wish["dns_nameservers"])
        if len(set(servers)) < len(servers):
            raise invalid("'dns_nameservers' has a duplicate")
        wish["dns_nameservers"] = servers
    if "host_routes" in wish:
        if len(wish["host_routes"] or ()) > MOST_HOST_ROUTES:
            text = f"Unable to complete operation. The number of host routes exceeds the limit {MOST_HOST_ROUTES}."
            raise ApiError(400, "HostRoutesExhausted", text)
        wish["host_routes"] = tuple(_check_route(cidr, route) for route in wish["host_routes"] or ())


def _check_server(cidr: Range, text: str) -> Address:
    server = parse_address(text)
    if server.version != cidr.version:
        raise invalid(f"dns_nameserver '{text}' does not match the ip_version '{cidr.version}'")
    return server


def _check_route(cidr: Range, route: Route) -> Route:
    destination, nexthop = parse_range(route.destination), parse_address(route.nexthop)
    if destination.version != cidr.version or nexthop.version != cidr.version:
        raise invalid(f"the route to {destination} by {nexthop} is not of IP version {cidr.version}")
    return Route(str(destination), str(nexthop))


SUBNETS = Rules(
    Subnet,
    create,
    update,
    delete,
    (Extra("segment_id"),),
    show,
    filled=frozenset({"cidr"}),
    indexed=("network_id", "subnetpool_id"),
    further=FURTHER,
)
