"""Routes of routers: each leads to a neighbour on a network of the router, and keeps the router there."""

from collections import Counter
from collections.abc import Iterable, Sequence

from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.rules.ranges import parse_address, parse_range
from netplane.model import MOST_ROUTES, Port, Route, Router, Subnet
from netplane.store import Transaction
from netplane.tables.decisions import Limit


def check_routes(transaction: Transaction, router: Router, routes: Iterable[Route]) -> tuple[Route, ...]:
    """Routes in canonical form and order; 400 if one is there twice, leads nowhere, or there are too many."""
    routes = tuple(routes)
    if len(routes) > MOST_ROUTES:
        text = f"Unable to complete operation for {router.id}. The number of routes exceeds the maximum {MOST_ROUTES}."
        raise ApiError(400, "RoutesExhausted", text)
    parsed = [_parse(route) for route in routes]
    if twice := [route for route, count in Counter(parsed).items() if count > 1]:
        raise invalid(f"duplicate route to '{twice[0].destination}' by '{twice[0].nexthop}' in 'routes'")
    interfaces = transaction.find(Port, "device_id", router.id)
    own = {fixed.ip_address for port in interfaces for fixed in port.fixed_ips}
    subnets = [transaction.get(Subnet, fixed.subnet_id) for port in interfaces for fixed in port.fixed_ips]
    ranges = [parse_range(subnet.cidr) for subnet in subnets if subnet is not None]
    for route in parsed:
        hop = parse_address(route.nexthop)
        if not any(hop in range for range in ranges):
            raise _refused(route, "the nexthop is not connected with router")
        if route.nexthop in own:
            raise _refused(route, "the nexthop is used by router")
    _check_hops(parsed)
    return tuple(sorted(parsed, key=_order))


def more_routes(before: Sequence[Route], added: Iterable[Route]) -> tuple[Route, ...]:
    """All of them; one that is there already is no second one."""
    return tuple(dict.fromkeys([*before, *map(_parse, added)]))


def fewer_routes(before: Sequence[Route], removed: Iterable[Route]) -> tuple[Route, ...]:
    """What is left; one that is not there is gone anyway."""
    gone = {_parse(route) for route in removed}
    return tuple(route for route in before if route not in gone)


def check_unneeded(transaction: Transaction, router: Router, subnets: Iterable[str]) -> None:
    """409 if a route leads to a neighbour on one of these subnets."""
    for subnet in (transaction.get(Subnet, id) for id in subnets):
        if subnet is not None and any(
            parse_address(route.nexthop) in parse_range(subnet.cidr) for route in router.routes
        ):
            text = (
                f"Router interface for subnet {subnet.id} on router {router.id} cannot be deleted, as it is required "
                "by one or more routes."
            )
            raise conflict("RouterInterfaceInUseByRoute", text)


def _parse(route: Route) -> Route:
    destination, nexthop = parse_range(route.destination), parse_address(route.nexthop)
    if destination.version != nexthop.version:
        raise _refused(route, "destination and nexthop are of different IP versions")
    return Route(str(destination), str(nexthop))


def _check_hops(routes: Sequence[Route]) -> None:
    shared = Counter(route.destination for route in routes)
    for route in routes:
        if shared[route.destination] > Limit.NEXT_HOPS:
            raise _refused(route, f"a destination has at most {Limit.NEXT_HOPS} nexthops")


def _order(route: Route) -> tuple[int, bytes, int, bytes]:
    destination = parse_range(route.destination)
    place = destination.version, destination.network_address.packed, destination.prefixlen
    return *place, parse_address(route.nexthop).packed


def _refused(route: Route, reason: str) -> ApiError:
    text = f"Invalid format for routes: destination '{route.destination}', nexthop '{route.nexthop}', {reason}"
    return ApiError(400, "InvalidRoutes", text)
