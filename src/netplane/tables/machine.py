"""The datapath's executable specification: what the kernel's programs do, said in Python over the same tables.

    from_machine   PORT -+- ARP: LOCAL_ANSWER
                         +- PARSE -+- neighbour discovery, DHCP, reports: LOCAL_ANSWER
                                   +- ANTI_SPOOF -+- names, metadata: POLICY_OUT, SERVICE
                                                  +- ROUTING -+- router: POLICY_OUT, answered
    from_tunnel             PARSE ---- SOURCE ----+           +- POLICY_OUT, POLICY_IN, FIREWALL - CONNECTION - DELIVERY
                                                  +- to many: POLICY_OUT - FLOOD (POLICY_IN - DELIVERY) ...
    from_service            PARSE ---- SERVICE

A packet crosses the underlay under its source's VNI and unmodified, also when it will be routed: both hosts resolve
source and destination alike, and the receiving one does what a router does to the packet. So the receiver can look up
exactly the inner source, compare its host with the outer source, and overlapping prefixes never confuse it.

A stage returns what it found or ends the packet's way by raising `End`. Nothing is written before the end.
"""

from collections.abc import Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from netplane.base.addresses import MAPPED, NO_ADDRESS, NO_MAC
from netplane.tables import fragments, lookup, owners, services
from netplane.tables.announcing import hear
from netplane.tables.asking import TOLD, is_nobody, is_told
from netplane.tables.connection import sides
from netplane.tables.decisions import Class, Direction, EndpointFlag, PortFlag, Punt, Reason, Stage, Verdict
from netplane.tables.family import answer_echo, answer_error, forwarded, is_answerable, parse
from netplane.tables.flooding import Sent, announces, flood, flood_packet, hear_report
from netplane.tables.logging import write_down
from netplane.tables.lookup import EndpointValue, PortValue
from netplane.tables.neighbours import answer_neighbours, refuse_neighbours
from netplane.tables.outcome import Outcome
from netplane.tables.packet import (
    ARP,
    ETHERNET,
    UDP,
    ArpRequest,
    Packet,
    answer_arp,
    ethertype,
    parse_arp,
    put_tag,
    take_tag,
)
from netplane.tables.pipeline import COUNTER, ROOMS, TABLES
from netplane.tables.policing import Pair, allowed, connect
from netplane.tables.routing import Hop, is_behind, is_too_long, note_route, route
from netplane.tables.run import End, Run
from netplane.tables.serving import owned, pay_for_punt, punt, serve, sought
from netplane.tables.walls import Walls

UNSPECIFIED = MAPPED + bytes(4)
ERRORS = {
    Reason.NO_ROUTE: ((3, 0), (1, 0)),
    Reason.NO_ENDPOINT: ((3, 1), (1, 3)),
    Reason.ROUTER_CLOSED: ((3, 3), (1, 4)),
    Reason.FRAGMENTATION_NEEDED: ((3, 4), (2, 0)),
    Reason.TTL_EXCEEDED: ((11, 0), (3, 0)),
    Reason.LINK_LOCAL: ((3, 0), (1, 2)),
    Reason.FIREWALL_REJECTED: ((3, 13), (1, 1)),
}
"""The ICMP type and code, and the ICMPv6 ones, that each reason is told the sender by (RFC 792, RFC 4443)."""


class Dhcp(NamedTuple):
    """How DHCP is known, in each family."""

    served: PortFlag
    client: int
    server: int
    kind: Punt


DHCP_V4 = Dhcp(PortFlag.DHCP, 68, 67, Punt.DHCP)
DHCP_V6 = Dhcp(PortFlag.DHCP6, 546, 547, Punt.DHCP6)


def empty_tables() -> dict[str, dict[bytes, bytes]]:
    """All tables without an entry."""
    return {table.name: {} for table in TABLES}


class Machine:
    """The datapath of one host, over tables of which it writes those that are the datapath's."""

    def __init__(
        self, tables: Mapping[str, MutableMapping[bytes, bytes]], rooms: Mapping[str, int] = MappingProxyType(ROOMS)
    ) -> None:
        self.tables = tables
        self.rooms = rooms
        """How many entries each table holds at most."""
        self.decisions: list[bytes] = []
        """What stands in the ring `decision`; whoever reads it takes it out."""

    def run_from_machine(self, ifindex: int, frame: bytes, *, now_ns: int = 0, dry: bool = False) -> Outcome:
        """What becomes of a frame that the machine behind a device sends."""
        vlan, untagged = take_tag(frame)
        owner = lookup.port(self.tables, ifindex, vlan)
        counter = (0, NO_MAC, Direction.EGRESS) if owner is None else (owner.vni, owner.mac, Direction.EGRESS)
        run = Run(self.tables, untagged, now_ns, self.rooms)
        run.vlan = vlan
        return self._finish(run, counter, lambda: from_machine(run, ifindex), dry=dry)

    def run_from_tunnel(
        self, vni: int, outer_source: bytes, frame: bytes, *, now_ns: int = 0, dry: bool = False
    ) -> Outcome:
        """What becomes of a frame from another host's underlay address (16 bytes) under a VNI."""
        run = Run(self.tables, frame, now_ns, self.rooms)
        counter = (0, NO_MAC, Direction.INGRESS)
        return self._finish(run, counter, lambda: from_tunnel(run, vni, outer_source), dry=dry)

    def run_from_service(self, frame: bytes, *, now_ns: int = 0, dry: bool = False) -> Outcome:
        """What becomes of a frame that the host's services send."""
        run = Run(self.tables, frame, now_ns, self.rooms)
        return self._finish(run, (0, NO_MAC, Direction.INGRESS), lambda: from_service(run), dry=dry)

    def _finish(
        self, run: Run, counter: tuple[int, bytes, Direction], way: Callable[[], NoReturn], *, dry: bool
    ) -> Outcome:
        try:
            way()
        except End as end:
            if end.verdict is Verdict.DROP:
                run.counts = [(*counter, Class.DROPPED + end.reason)]
            if end.reason is not Reason.NONE:
                run.fragments = {}
            if not dry:
                write_down(run, end)
                self._write(run)
            return Outcome(
                end.verdict,
                end.reason,
                end.target,
                end.vni,
                end.frame or put_tag(run.frame, run.vlan),
                tuple(run.steps),
            )

    def _write(self, run: Run) -> None:
        self.tables["connection"].update(run.connections)
        self.tables["budget"].update(run.budgets)
        self.tables["project"].update(run.projects)
        self.tables["pace"].update(run.paces)
        self.tables["fragment"].update(run.fragments)
        self.tables["logging"].update(run.logging)
        self.decisions += run.decisions
        for count in run.counts:
            key = COUNTER.pack_key(*count)
            before = COUNTER.unpack_value(self.tables["counter"].get(key, bytes(COUNTER.value.size)))
            packed = COUNTER.pack_value(before["packets"] + 1, before["bytes"] + len(run.frame))
            self.tables["counter"][key] = packed


def from_machine(run: Run, ifindex: int) -> NoReturn:
    """All stages of a frame that a machine sends."""
    port = find_port(run, ifindex)
    if ethertype(run.frame) == ARP:
        answer_neighbour(run, port, ifindex)
    packet = take_apart(run, port.vni)
    answer_neighbours(run, port, ifindex, packet)
    intercept_dhcp(run, port, ifindex, packet)
    if is_to_many(run):
        hear_report(run, port, ifindex, packet)
    run.own[Direction.EGRESS] = (port.vni, port.mac)
    source = check_source(run, port, packet)
    if is_to_many(run):
        flood_packet(run, port.vni, port.mac, source, packet, here=True)
    if services.is_for_service(run, port.vni, packet):
        hand_to_services(run, port, ifindex, packet, source)
    hop = route(run, port.vni, packet)
    if hop.is_router:
        answer_as_router(run, port, ifindex, packet, source, hop)
    note_route(run, hop, hop.reason)
    if hop.endpoint is None:
        answer_with_error(run, port, ifindex, packet, hop)
    local = hop.endpoint.host == run.settings.host != 0
    if local:
        run.own[Direction.INGRESS] = (hop.vni, hop.endpoint.mac)
    behind = is_behind(run, hop, packet)
    pair = Pair(source, hop.endpoint, True, local, sides(packet, port.vni, hop.vni), behind, walls=Walls(hop.walls))
    try:
        judge(run, packet, hop, pair)
    except End as end:
        if end.reason is Reason.FIREWALL_REJECTED:
            answer_with_error(run, port, ifindex, packet, hop._replace(endpoint=None, reason=end.reason))
        raise
    run.counts.append((port.vni, port.mac, Direction.EGRESS, traffic_class(hop)))
    if run.settings.host == 0:
        run.drop(Stage.DELIVERY, Reason.NO_HOST)
    if local:
        deliver(run, packet, hop, hop.endpoint)
    send(run, port.vni, hop, hop.endpoint)


def from_tunnel(run: Run, vni: int, outer_source: bytes) -> NoReturn:
    """All stages of a frame that another host sends."""
    if is_to_many(run) and announces(run.frame):
        pass_on(run, vni, outer_source)
    packet = take_apart(run, vni)
    refuse_neighbours(run, packet)
    source = check_sender(run, vni, outer_source, packet.source, packet)
    if is_to_many(run):
        flood_packet(run, vni, source.mac, source, packet, here=False)
    hop = route(run, vni, packet)
    if hop.is_router:
        run.drop(Stage.ROUTING, Reason.FROM_TUNNEL)
    note_route(run, hop, hop.reason)
    if hop.endpoint is None:
        raise End(Verdict.DROP, hop.reason)
    if hop.endpoint.host != run.settings.host:
        run.drop(Stage.DELIVERY, Reason.NOT_HERE)
    run.own[Direction.INGRESS] = (hop.vni, hop.endpoint.mac)
    behind = is_behind(run, hop, packet)
    pair = Pair(source, hop.endpoint, False, True, sides(packet, vni, hop.vni), behind, walls=Walls(hop.walls))
    judge(run, packet, hop, pair)
    deliver(run, packet, hop, hop.endpoint)


def judge(run: Run, packet: Packet, hop: Hop, pair: Pair) -> None:
    """CONNECTION, unless it is what a DHCP server of the network's own tells a client, of which no rule is asked."""
    if hop.gateway is None and is_told(pair.source, packet):
        run.step(Stage.CONNECTION, Reason.NONE, TOLD)
    else:
        connect(run, packet, pair)


def from_service(run: Run) -> NoReturn:
    """All stages of a frame that the host's services send: it goes to the machine that their peer stands for."""
    packet = take_apart(run, 0)
    peer = lookup.peer(run.entries, packet.destination)
    if packet.protocol not in services.CHECKSUMS:
        run.drop(Stage.SERVICE, Reason.UNSUPPORTED)
    if peer is None:
        run.drop(Stage.SERVICE, Reason.NO_CLIENT)
    run.step(Stage.SERVICE, Reason.NONE, peer.ifindex, packet.sport)
    run.counts.append((peer.vni, peer.mac, Direction.INGRESS, Class.SERVICE))
    frame = services.from_service(run.frame, packet, peer.mac, peer.address)
    raise End(Verdict.DELIVER, Reason.NONE, peer.ifindex, 0, put_tag(frame, peer.vlan))


def find_port(run: Run, ifindex: int) -> PortValue:
    """PORT: who sends, and whether the frame carries its MAC address, or one of its pairs'."""
    port = lookup.port(run.entries, ifindex, run.vlan)
    if port is None:
        run.drop(Stage.PORT, Reason.NO_PORT)
    if len(run.frame) < ETHERNET:
        run.drop(Stage.PORT, Reason.MALFORMED)
    mac = run.frame[6:12]
    if mac != port.mac and not (
        port.flags & PortFlag.STATIONS and lookup.is_station(run.entries, ifindex, run.vlan, mac)
    ):
        run.drop(Stage.PORT, Reason.SPOOFED_MAC)
    run.step(Stage.PORT, Reason.NONE, ifindex, port.vni, port.flags)
    return port


def take_apart(run: Run, vni: int) -> Packet:
    """PARSE: the IPv4 or IPv6 packet; well formed, and if it is a later fragment then with what its first said."""
    if len(run.frame) < ETHERNET:
        run.drop(Stage.PARSE, Reason.MALFORMED)
    parsed = parse(run.frame)
    packet = parsed if isinstance(parsed, Reason) else fragments.follow(run, vni, parsed)
    if isinstance(packet, Reason):
        run.drop(Stage.PARSE, packet)
    fragments.remember(run, vni, packet)
    run.packet = packet
    sport, dport = packet.numbers
    run.step(Stage.PARSE, Reason.NONE, ethertype(run.frame), packet.protocol, sport << 16 | dport)
    return packet


def answer_neighbour(run: Run, port: PortValue, ifindex: int) -> NoReturn:
    """LOCAL_ANSWER: we answer ARP for every address of the network, and nobody else may."""
    asked = parse_arp(run.frame)
    if asked is None:
        run.drop(Stage.LOCAL_ANSWER, Reason.MALFORMED)
    if announces(run.frame):
        if port.flags & PortFlag.ANNOUNCES:
            hear(run, port, ifindex, asked.sender)
        announce(run, port, asked)
    if asked.operation != 1:
        run.drop(Stage.LOCAL_ANSWER, Reason.ARP_NOT_ASKED)
    # A probe (RFC 5227, section 2.1.1) has no sender address yet.
    is_probe = asked.sender == UNSPECIFIED
    if asked.sender_mac != run.frame[6:12] or not (is_probe or owned(run, port, asked.sender)):
        run.drop(Stage.LOCAL_ANSWER, Reason.SPOOFED_ARP)
    is_free = lookup.endpoint(run.entries, port.vni, asked.target) is None
    is_service = is_free and asked.target == services.ADDRESS and run.settings.service
    target = None if is_service else sought(run, port, asked.target, is_probe=is_probe)
    mac = services.MAC if is_service else target and target.mac
    if mac is None:
        run.drop(Stage.LOCAL_ANSWER, Reason.ARP_UNKNOWN)
    run.step(Stage.LOCAL_ANSWER, Reason.NONE, ARP)
    serve(run, port, Verdict.ANSWER, ifindex, answer_arp(run.frame, mac))


def announce(run: Run, port: PortValue, told: ArpRequest) -> NoReturn:
    """What a machine says of its own address everybody on the network may hear."""
    source = owned(run, port, told.sender)
    if source is None:
        run.drop(Stage.LOCAL_ANSWER, Reason.SPOOFED_ARP)
    flood(run, Sent(port.vni, port.mac, source.identity, None, here=True))


def pass_on(run: Run, vni: int, outer_source: bytes) -> NoReturn:
    """The same from another host."""
    run.step(Stage.PARSE, Reason.NONE, ARP)
    source = check_sender(run, vni, outer_source, MAPPED + run.frame[28:32])
    flood(run, Sent(vni, source.mac, source.identity, None, here=False))


def intercept_dhcp(run: Run, port: PortValue, ifindex: int, packet: Packet) -> None:
    """LOCAL_ANSWER: the agent answers DHCP, from whichever address (a former one may be renewed); machines do not."""
    dhcp = DHCP_V6 if packet.is_ipv6 else DHCP_V4
    if packet.protocol != UDP:
        return
    if (packet.sport, packet.dport) == (dhcp.server, dhcp.client) and not port.flags & PortFlag.OPEN:
        run.drop(Stage.LOCAL_ANSWER, Reason.ROGUE_DHCP)
    if (packet.sport, packet.dport) == (dhcp.client, dhcp.server) and port.flags & dhcp.served:
        punt(run, port, ifindex, dhcp.kind, in_fragments=packet.more or packet.offset > 0)


def hand_to_services(run: Run, port: PortValue, ifindex: int, packet: Packet, source: EndpointValue) -> NoReturn:
    """SERVICE: what the machine may ask by its rules goes to the host's services, which answer whoever has asked."""
    is_judged = not source.flags & EndpointFlag.OPEN
    if is_judged and not allowed(run, Direction.EGRESS, source.identity, 0, packet.destination, packet, packet.service):
        run.drop(Stage.SERVICE, Reason.POLICY_OUT)
    if run.settings.service == 0:
        run.drop(Stage.SERVICE, Reason.SERVICE_OFF)
    peer = lookup.client(run.entries, ifindex, run.vlan, packet.source)
    if peer is None:
        run.drop(Stage.SERVICE, Reason.NO_CLIENT)
    pay_for_punt(run, port, Punt.SERVICE, Stage.SERVICE)
    run.step(Stage.SERVICE, Reason.NONE, ifindex, packet.dport)
    serve(run, port, Verdict.SERVE, run.settings.service, services.to_service(run.frame, packet, peer))


def check_source(run: Run, port: PortValue, packet: Packet) -> EndpointValue:
    """ANTI_SPOOF: the packet comes from an address of the port."""
    source = owned(run, port, packet.source)
    if source is None or is_nobody(source, run.frame, packet):
        run.drop(Stage.ANTI_SPOOF, Reason.SPOOFED_ADDRESS)
    run.identities[Direction.EGRESS] = source.identity
    if is_too_long(run, port.mtu):
        run.drop(Stage.ANTI_SPOOF, Reason.TOO_LONG)
    run.step(Stage.ANTI_SPOOF, Reason.NONE, source.identity, source.host)
    return source


def check_sender(
    run: Run, vni: int, outer_source: bytes, address: bytes, packet: Packet | None = None
) -> EndpointValue:
    """SOURCE: the packet comes from a machine of the domain, and from the host that carries it."""
    source = owners.speaker(run.entries, vni, run.frame[6:12], address)
    if source is None or (packet is not None and is_nobody(source, run.frame, packet)):
        run.drop(Stage.SOURCE, Reason.FORGED_SOURCE)
    if source.host == run.settings.host or lookup.host_address(run.entries, source.host) != outer_source:
        run.drop(Stage.SOURCE, Reason.FORGED_HOST)
    run.identities[Direction.EGRESS] = source.identity
    run.step(Stage.SOURCE, Reason.NONE, source.identity, source.host)
    return source


def is_to_many(run: Run) -> bool:
    """Whether a frame goes to a group, or to all."""
    return bool(run.frame[0:1] and run.frame[0] & 1)


def answer_as_router(
    run: Run, port: PortValue, ifindex: int, packet: Packet, source: EndpointValue, hop: Hop
) -> NoReturn:
    """POLICY_OUT: a router answers pings and refuses the rest, if the machine may speak to it."""
    is_judged = not source.flags & EndpointFlag.OPEN
    if is_judged and not allowed(run, Direction.EGRESS, source.identity, 0, packet.destination, packet, packet.service):
        run.drop(Stage.ROUTING, Reason.POLICY_OUT)
    if packet.asks and packet.code == 0:
        note_route(run, hop, Reason.NONE)
        serve(run, port, Verdict.ANSWER, ifindex, answer_echo(run.frame, packet))
    if packet.protocol != UDP or packet.offset:
        run.drop(Stage.ROUTING, Reason.ROUTER_CLOSED)
    note_route(run, hop, Reason.ROUTER_CLOSED)
    answer = answer_error(run.frame, packet, ERRORS[Reason.ROUTER_CLOSED][packet.is_ipv6], packet.destination)
    serve(run, port, Verdict.ANSWER, ifindex, answer, reason=Reason.ROUTER_CLOSED)


def answer_with_error(run: Run, port: PortValue, ifindex: int, packet: Packet, hop: Hop) -> NoReturn:
    """The router tells the machine why its packet goes no further, unless it was an ICMP error itself, or to many.

    Nor is anything said about a later fragment.
    """
    if hop.reason not in ERRORS or not is_answerable(packet):
        raise End(Verdict.DROP, hop.reason)
    speaker = NO_ADDRESS if hop.gateway is None else hop.gateway.address
    mtu = hop.mtu if hop.reason is Reason.FRAGMENTATION_NEEDED else 0
    answer = answer_error(run.frame, packet, ERRORS[hop.reason][packet.is_ipv6], speaker, mtu)
    serve(run, port, Verdict.ANSWER, ifindex, answer, reason=hop.reason)


def traffic_class(hop: Hop) -> Class:
    """What an account calls the packet."""
    return Class.SAME_NETWORK if hop.gateway is None else Class.ROUTED


def deliver(run: Run, packet: Packet, hop: Hop, destination: EndpointValue) -> NoReturn:
    """DELIVERY: to a machine of this host, through the router if the packet was routed."""
    device = lookup.device(run.entries, hop.vni, destination.mac)
    if device is None:
        run.drop(Stage.DELIVERY, Reason.NO_DEVICE)
    run.counts.append((hop.vni, destination.mac, Direction.INGRESS, traffic_class(hop)))
    frame = run.frame if hop.gateway is None else forwarded(run.frame, packet, hop.routers, hop.mac, hop.to)
    run.step(Stage.DELIVERY, Reason.NONE, Verdict.DELIVER, device.ifindex, hop.vni)
    raise End(Verdict.DELIVER, Reason.NONE, device.ifindex, 0, put_tag(frame, device.vlan))


def send(run: Run, vni: int, hop: Hop, destination: EndpointValue) -> NoReturn:
    """DELIVERY: to the host that carries the destination, under the source's VNI and unmodified."""
    if lookup.host_address(run.entries, destination.host) is None:
        run.drop(Stage.DELIVERY, Reason.NO_HOST)
    run.step(Stage.DELIVERY, Reason.NONE, Verdict.TUNNEL, destination.host, hop.vni)
    raise End(Verdict.TUNNEL, Reason.NONE, destination.host, vni, run.frame)
