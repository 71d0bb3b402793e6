"""Who speaks from an address and who is found at it: ports have addresses of their own, and by their address pairs.

A port's own address is nobody else's. What several ports may use is found at the port with the smallest id, ranges
after single addresses and the longest first; a range of everything only says what a port may send from.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from netplane.model import Announcement, Network, Port
from netplane.verify.datagram import Address
from netplane.verify.dhcp import NOBODY, may_ask
from netplane.verify.world import World, mac_of, parse_mac

Range = IPv4Network | IPv6Network
EVERYTHING = 0
"""The length of the range of all addresses."""
SAID, PAIRED, SAID_BY_ANYBODY = range(3)
"""What counts first of what is known of an address: that a machine with a pair of it says it is there; that a pair
names it; that a machine without port security says so."""


class Place(NamedTuple):
    """Where an address is found."""

    port: Port
    mac: bytes
    """What frames to it are sent to."""


def pairs_of(port: Port) -> list[tuple[Range, bytes]]:
    """The ranges that a port may use besides its own addresses, each with a MAC address."""
    if not port.port_security_enabled:
        return []
    return [
        (ip_network(pair.ip_address, strict=False), parse_mac(pair.mac_address)) for pair in port.allowed_address_pairs
    ]


def macs_of(port: Port) -> set[bytes]:
    """The MAC addresses that a port may use."""
    if not port.port_security_enabled:
        return {mac_of(port)}
    return {mac_of(port), *(parse_mac(pair.mac_address) for pair in port.allowed_address_pairs)}


def speaker(world: World, network: Network, mac: bytes, address: Address) -> Port | None:
    """Who may send from these two addresses on a network."""
    owner = world.owner(network, address)
    if owner is not None and not owner.is_router_interface and mac_of(owner) == mac:
        return owner
    return paired(world, network, mac, address)


def paired(world: World, network: Network, mac: bytes, address: Address) -> Port | None:
    """Who has these two addresses by a pair, or for being open; nobody, if the address is another's own."""
    ways: list[tuple[int, bool, str]] = [
        (-address.max_prefixlen, False, said.port.id) for said in said_of(world, network, address) if said.mac == mac
    ]
    ways += [
        (-range.prefixlen, True, port.id)
        for port in machines(world, network)
        for range, other in pairs_of(port)
        if other == mac and address in range
    ]
    ways += [
        (EVERYTHING, False, port.id)
        for port in machines(world, network)
        if not port.port_security_enabled and mac_of(port) == mac
    ]
    if address == NOBODY:
        asking = [port for port in machines(world, network) if mac_of(port) == mac and may_ask(world, port)]
        ways += [(-address.max_prefixlen - 1, False, port.id) for port in asking]
    if not ways:
        return None
    _, _, id = min(ways)
    owner = world.owner(network, address)
    return world.get(Port, id) if owner is None or owner.id == id else None


def found_at(world: World, network: Network, address: Address) -> Place | None:
    """Where an address is found."""
    owner = world.owner(network, address)
    if owner is not None:
        return Place(owner, mac_of(owner))
    ways = [
        (-range.prefixlen, PAIRED, port.id, order, mac)
        for port in machines(world, network)
        for order, (range, mac) in enumerate(pairs_of(port))
        if address in range and range.prefixlen != EVERYTHING
    ]
    ways += [
        (
            -address.max_prefixlen,
            SAID if place.port.port_security_enabled else SAID_BY_ANYBODY,
            place.port.id,
            0,
            place.mac,
        )
        for place in said_of(world, network, address, open=True)
    ]
    if not ways:
        return None
    _, _, id, _, mac = min(ways)
    port = world.get(Port, id)
    return None if port is None else Place(port, mac)


def is_named(world: World, network: Network, address: Address) -> bool:
    """Whether an address is a port's own, or a machine's that says so, or a pair's by itself and not of a range."""
    if world.owner(network, address) is not None or said_of(world, network, address, open=True):
        return True
    ranges = (range for port in machines(world, network) for range, _ in pairs_of(port))
    return any(address in range and range.prefixlen == address.max_prefixlen for range in ranges)


def said_of(world: World, network: Network, address: Address, *, open: bool = False) -> list[Place]:
    """The machine that has said it has an address, if it may; `open` for those without port security too."""
    found = []
    for said in world.all(Announcement):
        port = next((port for port in machines(world, network) if port.id == said.port_id), None)
        if port is None or ip_address(said.address) != address:
            continue
        mac = parse_mac(said.mac)
        may = any(address in range and mac == other for range, other in pairs_of(port))
        if may or (open and not port.port_security_enabled and mac == mac_of(port)):
            found.append(Place(port, mac))
    return found


def is_news(world: World, port: Port, mac: bytes, address: Address) -> bool:
    """Whether the agent shall hear that a machine says it has an address: one that others may have, and do by now."""
    network = world.network(port)
    if port.port_security_enabled and not port.allowed_address_pairs:
        return False
    if world.owner(network, address) is not None:
        return False
    place = found_at(world, network, address)
    return place != Place(port, mac) or place not in said_of(world, network, address, open=True)


def answered_at(world: World, port: Port, address: Address, *, is_probe: bool) -> Place | None:
    """What the network tells a machine that asks for an address; nothing of its own.

    A probe asks whether an address is free: one of pairs is, for whoever takes it over.
    """
    place = found_at(world, world.network(port), address)
    if place is None or place.port == port or (is_probe and world.owner(world.network(port), address) is None):
        return None
    return place


def machines(world: World, network: Network) -> list[Port]:
    """The machines of a network that a host carries."""
    return [port for port in world.neighbours(network) if not port.is_router_interface]
