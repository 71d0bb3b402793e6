"""What routers do with a packet, from their records alone: the longest prefix, and of equal ways one for each flow."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from netplane.base.protocols import WITH_PORTS
from netplane.model import Port, Router
from netplane.verify.datagram import Address, Datagram
from netplane.verify.world import World, given, mac_of, subnet_range

MOST_ROUTERS = 8
"""Routers that a packet passes before it is given up."""
MASK = 2**64 - 1

Range = IPv4Network | IPv6Network


class Onward(NamedTuple):
    """What comes after a router: the interface that a packet leaves by, and who is there; None if nobody is."""

    interface: Port | None
    neighbour: Port | None
    is_destination: bool
    """Whether the neighbour is there by the packet's own destination, not as a next hop."""


def interfaces(world: World, router: Router) -> list[Port]:
    """A router's own ports."""
    return [port for port in world.all(Port) if port.is_router_interface and port.device_id == router.id]


def onward(world: World, router: Router, datagram: Datagram) -> Onward | None:
    """Where a router sends a packet; None if it knows no way."""
    near = [
        (subnet_range(world, fixed).prefixlen, port)
        for port in interfaces(world, router)
        for fixed in port.fixed_ips
        if datagram.destination in subnet_range(world, fixed)
    ]
    ranges = {range for range in routed_ranges(world, router) if datagram.destination in range}
    far = max(ranges, key=lambda range: range.prefixlen, default=None)
    if near and (far is None or far.prefixlen <= near[0][0]):
        interface = near[0][1]
        neighbour = world.owner(world.network(interface), datagram.destination)
        return Onward(interface, neighbour, is_destination=True)
    return None if far is None else shared_out(world, router, far, datagram)


def routed_ranges(world: World, router: Router) -> dict[Range, list[tuple[Address, Port]]]:
    """The ranges of a router's routes, with all next hops that lie on a network of it and the way there."""
    found: dict[Range, list[tuple[Address, Port]]] = {}
    for route in router.routes:
        range, hop = ip_network(route.destination), ip_address(route.nexthop)
        for port in interfaces(world, router):
            own = [fixed for fixed in port.fixed_ips if hop in subnet_range(world, fixed)]
            if own and hop not in given(port):
                found.setdefault(range, []).append((hop, port))
    return found


def shared_out(world: World, router: Router, range: Range, datagram: Datagram) -> Onward:
    """The next hop of a range for this flow, of those that are there: the one that suits it best."""
    there = []
    for hop, interface in routed_ranges(world, router)[range]:
        neighbour = world.owner(world.network(interface), hop)
        if neighbour is not None and (not neighbour.is_router_interface or is_up(world, neighbour, datagram)):
            there.append((suits(datagram, hop), hop, interface, neighbour))
    if not there:
        return Onward(None, None, is_destination=False)
    _, hop, interface, neighbour = max(there, key=lambda each: each[0])
    return Onward(interface, neighbour, is_destination=hop == datagram.destination)


def is_up(world: World, interface: Port, datagram: Datagram) -> bool:
    """Whether a router's interface leads on."""
    return world.router_at(world.network(interface), mac_of(interface), ipv6=datagram.is_ipv6) is not None


def suits(datagram: Datagram, hop: Address) -> int:
    """How well a flow suits a next hop: 64 bits stirred out of its addresses, protocol, ports and the hop's address."""
    numbers = (0, 0)
    if not datagram.more and not datagram.offset:
        if datagram.protocol in WITH_PORTS:
            numbers = datagram.ports
        elif datagram.asks or datagram.replies:
            numbers = (datagram.identifier,) * 2
    state = 0
    for word in (
        *halves(datagram.source),
        *halves(datagram.destination),
        datagram.protocol * 2**32 + numbers[0] * 2**16 + numbers[1],
        *halves(hop),
    ):
        state = stirred(state ^ word)
    return state


def halves(address: Address) -> tuple[int, int]:
    """An address in its IPv6 form, as two numbers."""
    return divmod(int(address) if address.version == 6 else 0xFFFF * 2**32 + int(address), 2**64)


def stirred(number: int) -> int:
    """MurmurHash3's last steps."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        number ^= number // 2**33
        number = number * factor & MASK
    return number ^ number // 2**33
