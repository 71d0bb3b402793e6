"""Routers' own routes: what they send on to a machine, or to another router, instead of to its owner.

Networks that a router is connected to are its interfaces' matter (`routing`), and come first where both speak of the
very same range: an interface owns the entry by its name.
"""

from collections.abc import Iterator
from typing import NamedTuple

from netplane.base.addresses import MAPPED_BITS, pack_address, pack_mac, pack_prefix, prefix_contains
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import Malformed, bits_before, feature, problem
from netplane.compiler.firewall import guarded
from netplane.compiler.routing import EVERY_IPV4
from netplane.model import Network, Port, Router, Subnet, Wall
from netplane.tables.decisions import Limit
from netplane.tables.pipeline import HOP, ROUTE

BEFORE_PREFIX = bits_before(ROUTE, "address")
WHOLE = 128

Prefix = tuple[bytes, int]
"""16 bytes and a length in 128 bits."""


class Connected(NamedTuple):
    """A network that the router has an address on."""

    prefix: Prefix
    address: bytes
    vni: int
    mac: bytes
    mtu: int
    firewall: int


@feature
def routes(router: Router, view: View) -> Iterator[Item]:
    """A `route` for each range, and a `hop` for each of its next hops; nothing while the router is down."""
    if not router.admin_state_up or not router.routes:
        return
    networks = list(connected(router, view))
    ranges: dict[Prefix, set[bytes]] = {}
    for route in router.routes:
        try:
            ranges.setdefault(pack_prefix(route.destination), set()).add(pack_address(route.nexthop))
        except Malformed as error:
            yield problem(router, error)
    led = {prefix for prefix, hops in ranges.items() if any(leads_to(each, hop) for each in networks for hop in hops)}
    if any(contains_ipv4(prefix) for prefix in led) and EVERY_IPV4 not in led:
        # IPv4's addresses stand within IPv6's: what is said of all of those is not meant for them.
        address, length = EVERY_IPV4
        yield ROUTE.entry((BEFORE_PREFIX + length, router.number, address), (0, bytes(6), 0, Limit.NOWHERE, length, 0))
    own = dict(kept_own(ranges, networks))
    for (address, length), network in own.items():
        yield ROUTE.entry(
            (BEFORE_PREFIX + length, router.number, address),
            (network.vni, network.mac, network.mtu, 0, 0, network.firewall),
        )
    for prefix, next_hops in ranges.items():
        if prefix not in own:
            yield from one_range(router, prefix, sorted(next_hops), networks)


def contains_ipv4(prefix: Prefix) -> bool:
    """Whether a prefix of IPv6 has every IPv4 address in it."""
    return prefix[1] < MAPPED_BITS and prefix_contains(prefix, EVERY_IPV4)


def one_range(router: Router, prefix: Prefix, next_hops: list[bytes], networks: list[Connected]) -> Iterator[Item]:
    """The entries of a range with all its next hops. What no interface leads to is left out."""
    address, length = prefix
    ways = [(hop, network) for hop in next_hops for network in networks if leads_to(network, hop)][: Limit.NEXT_HOPS]
    if len(ways) < len(next_hops):
        yield problem(router, f"{len(next_hops) - len(ways)} of its next hops are on no network of it, or too many")
    for index, (hop, network) in enumerate(ways):
        value = hop, network.vni, network.mac, network.mtu, network.firewall
        yield HOP.entry((router.number, address, length, index), value)
    if ways:
        yield ROUTE.entry((BEFORE_PREFIX + length, router.number, address), (0, bytes(6), 0, len(ways), length, 0))


def connected(router: Router, view: View) -> Iterator[Connected]:
    """The networks behind a router's interfaces; what is wrong with one, its port says."""
    for port in view.find(Port, "device_id", router.id):
        network, guard = view.get(Network, port.network_id), guarded(view.get(Wall, port.id))
        for fixed in port.fixed_ips if network is not None else ():
            subnet = view.get(Subnet, fixed.subnet_id)
            if network is None or subnet is None:
                continue
            try:
                mac, address = pack_mac(port.mac_address), pack_address(fixed.ip_address)
                yield Connected(pack_prefix(subnet.cidr), address, network.vni, mac, network.mtu, guard)
            except Malformed:
                continue


def leads_to(network: Connected, next_hop: bytes) -> bool:
    """Whether a next hop is a neighbour of the router there."""
    return next_hop != network.address and prefix_contains(network.prefix, (next_hop, WHOLE))


def kept_own(ranges: dict[Prefix, set[bytes]], networks: list[Connected]) -> Iterator[tuple[Prefix, Connected]]:
    """The router's own addresses in ranges longer than their network's: they stay its own (RFC 1812, section 5.2.3)."""
    for network in networks:
        own = network.address, WHOLE
        if any(network.prefix[1] < prefix[1] and prefix_contains(prefix, own) for prefix in ranges):
            yield own, network
