"""Routers and their interfaces."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import RouteWish, Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, conflict
from netplane.api.ids import new_id
from netplane.api.policy import allowed, may, visible
from netplane.api.rules.addresses import interface_address
from netplane.api.rules.availability import check_hints
from netplane.api.rules.firewall_groups import leave_firewall
from netplane.api.rules.kind import Extra, Rules, Services, simply_delete
from netplane.api.rules.macs import new_mac
from netplane.api.rules.ranges import parse_range
from netplane.api.rules.routes import check_routes, check_unneeded, fewer_routes, more_routes
from netplane.api.rules.scopes import check_routable
from netplane.api.rules.security import release_identity
from netplane.api.rules.subports import check_in_no_trunk
from netplane.api.views import View, view
from netplane.model import ROUTER_INTERFACE, Network, Port, Route, Router, Subnet, shared_with
from netplane.store import Reader, Transaction
from netplane.store.announcements import drop_announcements
from netplane.store.bindings import NUMBERS, bind_requested

MOST_ASKED = 1_000
"""Routes that one call may name: each is read while other writers wait."""


class InterfaceWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of add_router_interface and remove_router_interface."""

    subnet_id: str | None = None
    port_id: str | None = None


class RoutesWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Some routes."""

    routes: Annotated[tuple[RouteWish, ...], Meta(max_length=MOST_ASKED)]


class RouterWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of add_extraroutes and remove_extraroutes."""

    router: RoutesWish


_interface = Decoder(InterfaceWish)
_routes = Decoder(RouterWish)


def create(transaction: Transaction, _context: Context, wish: Wish) -> Router:
    """A router with a number for the datapath."""
    check_hints(transaction, wish)
    return transaction.add(Router(id=new_id(), number=transaction.allocate("router", *NUMBERS), **wish))


def update(transaction: Transaction, _context: Context, router: Router, wish: Wish) -> Router:
    """Routes are replaced as a whole, and checked."""
    if "routes" in wish:
        wish["routes"] = check_routes(transaction, router, wish["routes"] or ())
    return transaction.put(replace(router, **wish))


EXTRAS = (Extra("status"), Extra("external_gateway_info"), Extra("availability_zones"))


def show(_reader: Reader, _services: Services, _context: Context, routers: Sequence[Router]) -> list[View]:
    """What follows from its fields, or is the same for all."""
    return [_shown(router) for router in routers]


def add_routes(transaction: Transaction, context: Context, router: Router, body: bytes) -> View:
    """More routes, whatever there were."""
    wish: RouterWish = parse_struct(_routes, body)
    return _rerouted(transaction, context, router, more_routes(router.routes, wish.router.routes))


def remove_routes(transaction: Transaction, context: Context, router: Router, body: bytes) -> View:
    """Fewer routes, whatever is left."""
    wish: RouterWish = parse_struct(_routes, body)
    return _rerouted(transaction, context, router, fewer_routes(router.routes, wish.router.routes))


def add_interface(transaction: Transaction, context: Context, router: Router, body: bytes) -> View:
    """Join a router to a subnet, by the subnet's gateway address or by a port that the client made."""
    wish: InterfaceWish = parse_struct(_interface, body)
    if (wish.subnet_id is None) == (wish.port_id is None):
        raise bad_request("Either a 'subnet_id' or a 'port_id' must be specified, not both")
    if wish.subnet_id is not None:
        port = _join_subnet(transaction, context, router, visible(transaction, context, Subnet, wish.subnet_id))
        return _answer(router, port, [wish.subnet_id])
    port = _join_port(transaction, router, allowed(transaction, context, "update", Port, wish.port_id or ""))
    return _answer(router, port, _subnets_of(port))


def remove_interface(transaction: Transaction, context: Context, router: Router, body: bytes) -> View:
    """Take a router off a subnet, or off all those of a port; a port that has no other subnet goes."""
    wish: InterfaceWish = parse_struct(_interface, body)
    if wish.subnet_id is None and wish.port_id is None:
        raise bad_request("Either a 'subnet_id' or a 'port_id' must be specified")
    if wish.subnet_id is not None:
        visible(transaction, context, Subnet, wish.subnet_id)
    port = next((port for port in _interfaces(transaction, router) if _is_meant(port, wish)), None)
    if port is None:
        raise _no_interface(router, wish)
    others = tuple(fixed for fixed in port.fixed_ips if fixed.subnet_id != wish.subnet_id)
    check_unneeded(transaction, router, _subnets_of(port) if wish.port_id or not others else [wish.subnet_id or ""])
    if wish.port_id is None and others:
        transaction.put(replace(port, fixed_ips=others))
        return _answer(router, port, [wish.subnet_id or ""])
    leave_firewall(transaction, port)
    transaction.delete(port)
    return _answer(router, port, _subnets_of(port))


def _join_subnet(transaction: Transaction, context: Context, router: Router, subnet: Subnet) -> Port:
    """By a port of its own, or by the one that already has IPv6 subnets of the network."""
    if subnet.gateway_ip is None:
        raise _bad_router(f"Subnet {subnet.id} for router interface must have a gateway IP")
    by_name = shared_with(context.project), subnet.network_id
    # As in Neutron: whoever shares a network with all projects gives its gateway address to none of them.
    if not may(transaction, context, "join", subnet) and transaction.holder(*by_name) is None:
        raise _bad_router(
            f"Cannot add interface to router because subnet {subnet.id} is not owned by project making the request"
        )
    _check_advertised(subnet)
    _check_apart(transaction, router, [subnet])
    network = transaction.get(Network, subnet.network_id)
    assert network is not None, "a subnet refers to its network"
    fixed = interface_address(subnet, subnet.gateway_ip)
    joined = _ipv6_interface(transaction, router, network.id) if subnet.ip_version == 6 else None
    if joined is not None:
        return transaction.put(replace(joined, fixed_ips=(*joined.fixed_ips, fixed)))
    port = Port(
        id=new_id(),
        project_id=router.project_id,
        network_id=network.id,
        mac_address=new_mac(transaction, network),
        fixed_ips=(fixed,),
        device_id=router.id,
        device_owner=ROUTER_INTERFACE,
        port_security_enabled=False,
    )
    return transaction.add(port)


def _join_port(transaction: Transaction, router: Router, port: Port) -> Port:
    if port.device_id or port.device_owner:
        text = f"Unable to complete operation on port {port.id}. Port already has an attached device {port.device_id}."
        raise conflict("PortInUse", text)
    check_in_no_trunk(transaction, port)
    if not port.fixed_ips:
        raise _bad_router("Router port must have at least one fixed IP")
    found = (transaction.get(Subnet, id) for id in _subnets_of(port))
    subnets = [subnet for subnet in found if subnet is not None]
    _check_apart(transaction, router, subnets)
    _check_versions(transaction, router, port, subnets)
    interface = replace(
        port,
        device_id=router.id,
        device_owner=ROUTER_INTERFACE,
        security_groups=(),
        identity_id="",
        host_id="",
        port_security_enabled=False,
        allowed_address_pairs=(),
    )
    after = transaction.put(interface)
    bind_requested(transaction, after, port)
    drop_announcements(transaction, after)
    release_identity(transaction, port.identity_id)
    return after


def _check_versions(transaction: Transaction, router: Router, port: Port, subnets: Sequence[Subnet]) -> None:
    """As OpenStack Networking has it: one IPv4 subnet a port, and one port with IPv6 a network."""
    for subnet in subnets:
        _check_advertised(subnet)
    if sum(subnet.ip_version == 4 for subnet in subnets) > 1:
        raise _bad_router("Cannot have multiple IPv4 subnets on router port")
    if any(subnet.ip_version == 6 for subnet in subnets):
        joined = _ipv6_interface(transaction, router, port.network_id)
        if joined is not None:
            raise _bad_router(
                f"Router already contains IPv6 port {joined.id} belonging to network id {port.network_id}. Only one "
                "IPv6 port from the same network subnet can be connected to a router."
            )


def _check_advertised(subnet: Subnet) -> None:
    if subnet.ip_version == 6 and subnet.ipv6_ra_mode is None and subnet.ipv6_address_mode is not None:
        raise _bad_router(
            f"IPv6 subnet {subnet.id} configured to receive RAs from an external router cannot be added to Neutron "
            "Router."
        )


def _check_apart(transaction: Transaction, router: Router, subnets: Sequence[Subnet]) -> None:
    """No two subnets of a router overlap or are of two address scopes: it could not tell where a packet goes."""
    check_routable(transaction, router, subnets)
    joined = {fixed.subnet_id for port in _interfaces(transaction, router) for fixed in port.fixed_ips}
    for subnet in subnets:
        if subnet.id in joined:
            raise _bad_router(f"Router already has a port on subnet {subnet.id}")
        for other in (transaction.get(Subnet, id) for id in joined):
            if other is not None and parse_range(other.cidr).overlaps(parse_range(subnet.cidr)):
                text = f"Cidr {subnet.cidr} of subnet {subnet.id} overlaps with cidr {other.cidr} of subnet {other.id}"
                raise _bad_router(text)


def _ipv6_interface(transaction: Transaction, router: Router, network: str) -> Port | None:
    """The port by which a router has joined IPv6 subnets of a network."""
    return next(
        (
            port
            for port in _interfaces(transaction, router)
            if port.network_id == network and any(":" in fixed.ip_address for fixed in port.fixed_ips)
        ),
        None,
    )


def _subnets_of(port: Port) -> list[str]:
    return list(dict.fromkeys(fixed.subnet_id for fixed in port.fixed_ips))


def _rerouted(transaction: Transaction, context: Context, router: Router, routes: tuple[Route, ...]) -> View:
    after = transaction.put(replace(router, routes=check_routes(transaction, router, routes)))
    return {"router": view(after, context) | _shown(after)}


def _shown(router: Router) -> View:
    return {"status": "ACTIVE", "external_gateway_info": None, "availability_zones": router.availability_zone_hints}


def _interfaces(transaction: Transaction, router: Router) -> list[Port]:
    return transaction.find(Port, "device_id", router.id)


def _is_meant(port: Port, wish: InterfaceWish) -> bool:
    on_subnet = wish.subnet_id is None or any(fixed.subnet_id == wish.subnet_id for fixed in port.fixed_ips)
    return on_subnet and wish.port_id in (None, port.id)


def _no_interface(router: Router, wish: InterfaceWish) -> ApiError:
    if wish.port_id is None:
        text = f"Router {router.id} has no interface on subnet {wish.subnet_id}."
        return ApiError(404, "RouterInterfaceNotFoundForSubnet", text)
    text = f"Router {router.id} does not have an interface with id {wish.port_id}."
    return ApiError(404, "RouterInterfaceNotFound", text)


def _bad_router(reason: str) -> ApiError:
    return ApiError(400, "BadRequest", f"Bad router request: {reason}.")


def _answer(router: Router, port: Port, subnets: list[str]) -> View:
    """What was done, and on which subnets."""
    return {
        "id": router.id,
        "tenant_id": router.project_id,
        "project_id": router.project_id,
        "port_id": port.id,
        "network_id": port.network_id,
        "subnet_id": subnets[-1],
        "subnet_ids": subnets,
    }


ROUTERS = Rules(
    Router,
    create,
    update,
    simply_delete,
    EXTRAS,
    show,
    filled=frozenset({"number"}),
    actions={
        "add_router_interface": add_interface,
        "remove_router_interface": remove_interface,
        "add_extraroutes": add_routes,
        "remove_extraroutes": remove_routes,
    },
)
