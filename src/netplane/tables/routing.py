"""ROUTING: where a packet goes, decided alike on the host that sends it and on the host that receives it.

    frame to a machine's MAC ──▶ that machine, if the address is its own
    frame to a router's MAC  ──▶ router ─┬─ connected ──▶ owner of the address: a machine, or a router itself
                                   ▲     └─ next hop ─┬─▶ a machine, whatever the destination
                                   ╰── another router ┘

A router's next hop is a port's own address on one of its networks. If a router has it, the packet goes on there, with
one hop less to live, as far as `Limit.ROUTERS`; so nothing goes round for ever, whatever the routes say.
"""

from typing import NamedTuple

from netplane.base.addresses import NO_ADDRESS, NO_MAC
from netplane.tables import lookup, owners
from netplane.tables.balance import flow_of, score
from netplane.tables.decisions import Direction, EndpointFlag, Family, Limit, Reason, Stage
from netplane.tables.ipv6 import is_link_local, is_multicast
from netplane.tables.lookup import EndpointValue, GatewayValue, RouteValue
from netplane.tables.packet import ETHERNET, Packet
from netplane.tables.run import Run
from netplane.tables.walls import Wall, crossing


class Passage(NamedTuple):
    """A router that a packet has passed on its way to another: where it came in, by which network it left, to whom."""

    gateway: GatewayValue
    vni: int
    via: bytes
    firewall: int
    """What guards the interface by which it left."""


class Hop(NamedTuple):
    """What routing found. `reason` names why it went no further, which `gateway` may tell; `endpoint` is then None."""

    vni: int
    endpoint: EndpointValue | None
    gateway: GatewayValue | None = None
    """The last router on the way."""
    mac: bytes = NO_MAC
    """The MAC address that a routed packet leaves the last router with."""
    to: bytes = NO_MAC
    """The MAC address that it is sent to."""
    reason: Reason = Reason.NONE
    mtu: int = 0
    """The largest IP packet that goes there, in bytes; 0 for any."""
    passed: tuple[Passage, ...] = ()
    """The routers before the last one."""
    via: bytes = NO_ADDRESS
    """The address that it is sent to; of a next hop, if the packet's destination lies somewhere behind it."""
    firewall: int = 0
    """What guards the interface by which it leaves the last router."""

    @property
    def is_router(self) -> bool:
        """Whether the destination is a router itself."""
        return self.endpoint is not None and bool(self.endpoint.flags & EndpointFlag.ROUTER)

    @property
    def routers(self) -> int:
        """How many routers it passes: that many hops less to live."""
        return 0 if self.gateway is None else len(self.passed) + 1

    @property
    def walls(self) -> tuple[Wall, ...]:
        """The firewalls on its way."""
        passages = [(passage.gateway.firewall, passage.firewall) for passage in self.passed]
        last = [] if self.gateway is None else [(self.gateway.firewall, self.firewall)]
        return tuple(wall for passage in (*passages, *last) for wall in crossing(*passage))


def route(run: Run, vni: int, packet: Packet) -> Hop:
    """Straight to a machine of the network, or through the router that the frame is addressed to."""
    mac = run.frame[0:6]
    neighbour = lookup.endpoint(run.entries, vni, packet.destination)
    if neighbour is not None and neighbour.mac == mac and not neighbour.flags & EndpointFlag.VIRTUAL:
        return Hop(vni, neighbour, via=packet.destination)
    gateway = lookup.gateway(run.entries, vni, mac, family_of(packet))
    if gateway is None:
        owner = owners.paired(run.entries, vni, mac, packet.destination, neighbour)
        if owner is None:
            run.drop(Stage.ROUTING, Reason.UNKNOWN_DESTINATION)
        return Hop(vni, owner, via=packet.destination)
    hop = through_routers(run, gateway, packet)
    for passage in hop.passed:
        run.step(Stage.ROUTING, Reason.NONE, passage.vni, passage.gateway.router)
    return hop


def note_route(run: Run, hop: Hop, reason: Reason) -> None:
    """Note what routing decided in the end."""
    router = 0 if hop.gateway is None else hop.gateway.router
    run.identities[Direction.INGRESS] = 0 if hop.endpoint is None else hop.endpoint.identity
    run.step(Stage.ROUTING, reason, hop.vni, router, 0 if hop.endpoint is None else hop.endpoint.identity)


def through_routers(run: Run, gateway: GatewayValue, packet: Packet) -> Hop:
    """What routers do with a packet, from the first one on."""
    passed: list[Passage] = []
    while True:
        hop = next_hop(run, gateway, packet, len(passed))._replace(passed=tuple(passed))
        further = router_at(run, hop, packet) if hop.is_router and hop.via != packet.destination else None
        if further is None:
            return hop
        if len(passed) + 1 == Limit.ROUTERS:
            return hop._replace(endpoint=None, reason=Reason.TOO_MANY_ROUTERS)
        passed.append(Passage(gateway, hop.vni, hop.via, hop.firewall))
        gateway = further


def next_hop(run: Run, gateway: GatewayValue, packet: Packet, passed: int) -> Hop:
    """What one router does (RFC 1812, section 5.2.1): its own first, then time to live, length, whoever is next.

    It comes after `passed` others.
    """
    found = None if stays(packet) else lookup.route(run.entries, gateway.router, packet.destination)
    if found is None or found.hops == Limit.NOWHERE:
        return Hop(0, None, gateway, reason=Reason.NO_ROUTE)
    if found.hops:
        hop = choose(run, gateway, found, packet)
    else:
        holder = owners.holder(run.entries, found.vni, packet.destination)
        owner = None if holder is None else owners.unmasked(run.entries, found.vni, packet.destination, holder)
        hop = Hop(found.vni, owner, gateway, found.mac, mtu=found.mtu, via=packet.destination)
        hop = hop._replace(firewall=found.firewall)
        if hop.is_router and owner is not None and owner.mac == hop.mac:
            return hop
        if holder is not None:
            hop = hop._replace(to=holder.mac)
    if packet.is_ipv6 and is_link_local(packet.source):
        return hop._replace(endpoint=None, reason=Reason.LINK_LOCAL)
    if packet.ttl - passed <= 1:
        return hop._replace(endpoint=None, reason=Reason.TTL_EXCEEDED)
    if is_too_long(run, hop.mtu):
        return hop._replace(endpoint=None, reason=Reason.FRAGMENTATION_NEEDED)
    return hop if hop.endpoint is not None else hop._replace(reason=Reason.NO_ENDPOINT)


def is_too_long(run: Run, mtu: int) -> bool:
    """Whether a frame is longer than a network carries: what is in it counts, padding too. An MTU of 0 is none."""
    return 0 < mtu < len(run.frame) - ETHERNET


def stays(packet: Packet) -> bool:
    """Whether it goes to an address of one link (RFC 4291, section 2.5.6) or to a group of IPv6: no router takes it."""
    return packet.is_ipv6 and (is_link_local(packet.destination) or is_multicast(packet.destination))


def choose(run: Run, gateway: GatewayValue, found: RouteValue, packet: Packet) -> Hop:
    """The next hop that a packet takes of a route's that are there; the first of those with the highest score."""
    flow, best, chosen = flow_of(packet), -1, Hop(0, None, gateway)
    for index in range(min(found.hops, Limit.NEXT_HOPS)):
        hop = lookup.hop(run.entries, gateway.router, packet.destination, found.length, index)
        if hop is None or (fit := score(flow, hop.via)) <= best:
            continue
        endpoint = lookup.endpoint(run.entries, hop.vni, hop.via)
        if endpoint is None or endpoint.flags & EndpointFlag.SHARED:
            continue
        way = Hop(hop.vni, endpoint, gateway, hop.mac, endpoint.mac, mtu=hop.mtu, via=hop.via, firewall=hop.firewall)
        if not (way.is_router and router_at(run, way, packet) is None):
            best, chosen = fit, way
    return chosen


def is_behind(run: Run, hop: Hop, packet: Packet) -> bool:
    """Whether a packet goes to somebody behind the machine that gets it: one that it does not speak for itself."""
    if hop.via == packet.destination or hop.endpoint is None:
        return False
    owner = owners.speaker(run.entries, hop.vni, hop.endpoint.mac, packet.destination)
    return owner is None or owner.mac != hop.endpoint.mac


def router_at(run: Run, hop: Hop, packet: Packet) -> GatewayValue | None:
    """The router whose interface a hop leads to, if it is up and speaks the packet's family."""
    return None if hop.endpoint is None else lookup.gateway(run.entries, hop.vni, hop.endpoint.mac, family_of(packet))


def family_of(packet: Packet) -> Family:
    """Of which family a packet is."""
    return Family.IPV6 if packet.is_ipv6 else Family.IPV4
