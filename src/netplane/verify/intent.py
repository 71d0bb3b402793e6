"""What the network shall do with a packet, said from the records alone: the reference that everything is tested with.

It is slow and plain on purpose. Hosts appear only because connections are remembered where their machines are, and
because a host may lie about whom it speaks for. How much a machine may take of what it shares with others is limited;
nothing is said of that here.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, ip_address
from typing import NamedTuple

from netplane.model import Host, Network, Port, Router
from netplane.verify.agreement import PASSED, Decided, Party, agreed, agreed_alone, keeps
from netplane.verify.datagram import UDP, Address, Datagram, read_arp, write_arp_reply
from netplane.verify.dhcp import DHCP, is_answer, is_nobody, is_question
from netplane.verify.family import may_be_told, read_packet, read_quote, write_echo_reply, write_error, write_routed
from netplane.verify.fate import DROPPED, Fate, Kind
from netplane.verify.firewalls import Crossing, guards, turned
from netplane.verify.logs import is_noted
from netplane.verify.many import is_announcement, is_for_many, is_joined, is_report, listeners, others, speaks_of_groups
from netplane.verify.neighbours import discovered, discovers
from netplane.verify.places import answered_at, found_at, is_named, is_news, macs_of, paired, speaker
from netplane.verify.routers import MOST_ROUTERS, interfaces, onward
from netplane.verify.rules import continued, opening, permits
from netplane.verify.services import SERVICES, SERVICES_MAC, is_for_services
from netplane.verify.tags import on_the_wire, read_tag, spoken_for
from netplane.verify.talks import Memory, Side, begins
from netplane.verify.world import World, addresses, given, mac_of

__all__ = ["DROPPED", "Fate", "Kind", "Way", "intent", "intent_of_tunnel"]

NOBODY = IPv4Address(0)
NET_UNREACHABLE, HOST_UNREACHABLE, PORT_UNREACHABLE, TIME_EXCEEDED = (3, 0), (3, 1), (3, 3), (11, 0)
FRAGMENTATION_NEEDED = (3, 4)
PROHIBITED = (3, 13)
SAID_IN_IPV6 = {
    PROHIBITED: (1, 1),
    NET_UNREACHABLE: (1, 0),
    HOST_UNREACHABLE: (1, 3),
    PORT_UNREACHABLE: (1, 4),
    FRAGMENTATION_NEEDED: (2, 0),
    TIME_EXCEEDED: (3, 0),
}
BEYOND_SCOPE = (1, 2)
"""What only IPv6 has: an address of one link is not heard of on another."""


class Way(NamedTuple):
    """A packet's way between two machines."""

    source: Port
    destination: Port
    interface: Port | None = None
    """The last router's interface that it leaves by, if it is routed."""
    routers: int = 0
    """How many it passes."""
    mac: bytes = b""
    """What it is then sent to."""
    behind: bool = False
    """Whether it goes to somebody behind the destination, for whom that one does not speak itself."""
    source_behind: bool = False
    """The same of the source, of a way turned round."""
    crossings: tuple[Crossing, ...] = ()
    """The routers' ports on it."""
    speaker: Address = NOBODY
    """The address that the router speaks from."""

    @property
    def back(self) -> "Way":
        """The same for who goes the other way."""
        return Way(self.destination, self.source, None, crossings=turned(self.crossings), source_behind=self.behind)


def intent(world: World, port_id: str, frame: bytes, memory: Memory | None = None, now: int = 0) -> Fate:
    """What becomes of a frame that the machine at a port sends, or at another of its device; `now` in ns."""
    vlan, untagged = read_tag(frame)
    return on_the_wire(world, sent(world, spoken_for(world, port_id, vlan), untagged, memory or Memory(), now))


def sent(world: World, port: Port | None, frame: bytes, memory: Memory, now: int) -> Fate:
    """What becomes of a frame of a port, tags apart."""
    if port is None or not world.plugged(port) or len(frame) < 14 or frame[6:12] not in macs_of(port):
        return DROPPED
    if frame[12:14] == b"\x08\x06":
        return resolved(world, port, frame)
    host, read = world.host(port), read_packet(frame)
    if read is None or host is None:
        return DROPPED
    datagram = memory.completed(host.id, sender_of(port, frame), read, now)
    if datagram is None:
        return DROPPED
    asked = asked_of_network(world, port, frame, datagram)
    if asked is not None:
        return asked
    own = speaker(world, world.network(port), frame[6:12], datagram.source) == port
    if not own or is_nobody(port, frame, datagram) or not fits(frame, world.network(port)):
        note(world, memory, port, "egress", "DROP")
        return DROPPED
    if frame[0] & 1:
        return flooded(world, port, frame, datagram, memory, now)
    if is_for_services(world, port, datagram):
        return served(world, host, port, frame, datagram, memory, now)
    found = find_way(world, port, frame, datagram)
    if isinstance(found, Way):
        return carried(world, found, frame, datagram, memory, now)
    if found == DROPPED:
        note(world, memory, port, "egress", "DROP")
    if is_ping(datagram) and found == Fate(Kind.ANSWERED, port.id, write_echo_reply(frame, datagram)):
        memory.begin(host.id, sender_of(port, frame), datagram, now)
    return found


def intent_of_tunnel(
    world: World,
    host: Host,
    vni: int,
    outer_source: IPv4Address,
    frame: bytes,
    memory: Memory | None = None,
    now: int = 0,
) -> Fate:
    """What becomes of a frame that reaches a host by the tunnel from an underlay address."""
    memory = memory or Memory()
    network = next((network for network in world.all(Network) if network.vni == vni), None)
    if network is None:
        return DROPPED
    if is_announcement(frame):
        source = believed(world, host, network, outer_source, IPv4Address(frame[28:32]), frame[6:12])
        return DROPPED if source is None else copied(frame, listeners(world, source, host))
    read = read_packet(frame)
    source = read and believed(world, host, network, outer_source, read.source, frame[6:12])
    if read is None or source is None:
        return DROPPED
    datagram = memory.completed(host.id, sender_of(source, frame), read, now)
    if datagram is None or discovers(datagram) or is_nobody(source, frame, datagram):
        return DROPPED
    if frame[0] & 1:
        if speaks_of_groups(datagram) or not is_for_many(world, network, frame[0:6], datagram.destination):
            return DROPPED
        memory.begin(host.id, sender_of(source, frame), datagram, now)
        return copied(frame, heard(world, source, host, datagram, memory))
    found = find_way(world, source, frame, datagram)
    if not isinstance(found, Way) or world.host(found.destination) != host:
        return DROPPED
    return on_the_wire(world, arrived(world, host, found, frame, datagram, memory, now))


def believed(
    world: World, host: Host, network: Network, outer_source: IPv4Address, address: Address, mac: bytes
) -> Port | None:
    """Whose packet has reached a host by the tunnel; None if nobody's, or not from the host of its sender."""
    source = speaker(world, network, mac, address)
    if source is None:
        return None
    sender = world.host(source)
    if sender is None or sender.id == host.id or ip_address(sender.address) != outer_source:
        return None
    return source


def flooded(world: World, port: Port, frame: bytes, datagram: Datagram, memory: Memory, now: int) -> Fate:
    """What a machine says to many: its own rules are asked about the group, and each receiver's about the sender."""
    here, network = world.host(port), world.network(port)
    if (
        here is None
        or not is_for_many(world, network, frame[0:6], datagram.destination)
        or (
            port.port_security_enabled
            and not is_question(datagram)
            and not permits(world, port, "egress", (datagram.destination, None), opening(datagram))
        )
    ):
        note(world, memory, port, "egress", "DROP")
        return DROPPED
    sender = sender_of(port, frame)
    memory.begin(here.id, sender, datagram, now)
    found = heard(world, port, here, datagram, memory)
    for there in others(world, port):
        passed = memory.completed(there.id, sender, datagram, now)
        if passed is not None:
            memory.begin(there.id, sender, passed, now)
            found += heard(world, port, there, passed, memory)
    return copied(frame, found)


def heard(world: World, source: Port, host: Host, datagram: Datagram, memory: Memory) -> list[Port]:
    """The machines of a host that get what another has said to many, and may."""
    to = datagram.destination
    may_hear = []
    for port in listeners(world, source, host):
        if is_joined(to) and (port.id, to) not in memory.members:
            continue
        is_judged = port.port_security_enabled and (source.port_security_enabled or not is_answer(datagram))
        if not is_judged or permits(world, port, "ingress", (datagram.source, source), opening(datagram)):
            may_hear.append(port)
        else:
            note(world, memory, port, "ingress", "DROP")
    return may_hear


def copied(frame: bytes, ports: list[Port]) -> Fate:
    """A frame for several machines, or for none."""
    return Fate(Kind.FLOODED, "", frame, tuple(sorted(port.id for port in ports))) if ports else DROPPED


def served(world: World, host: Host, port: Port, frame: bytes, datagram: Datagram, memory: Memory, now: int) -> Fate:
    """The host's services hear what the machine may ask by its rules, from its own addresses."""
    may_ask = not port.port_security_enabled or permits(
        world, port, "egress", (datagram.destination, None), opening(datagram)
    )
    if not may_ask or datagram.source not in addresses(port):
        note(world, memory, port, "egress", "DROP")
        return DROPPED
    memory.begin(host.id, sender_of(port, frame), datagram, now)
    return Fate(Kind.SERVED, port.id, SERVICES_MAC + frame[6:])


def resolved(world: World, port: Port, frame: bytes) -> Fate:
    """The network itself answers ARP, for every address on it but the asker's own; that one it may tell all others."""
    request, network = read_arp(frame), world.network(port)
    if request is not None and is_announcement(frame):
        if is_news(world, port, frame[6:12], request.sender):
            return Fate(Kind.PUNTED, port.id, frame[6:])
        everybody = [other for host in world.all(Host) for other in listeners(world, port, host)]
        return copied(frame, everybody) if speaker(world, network, frame[6:12], request.sender) == port else DROPPED
    if request is None or request.operation != 1 or request.sender_mac != frame[6:12]:
        return DROPPED
    if request.sender != NOBODY and speaker(world, network, frame[6:12], request.sender) != port:
        return DROPPED
    if request.target == SERVICES and not is_named(world, network, request.target):
        return Fate(Kind.ANSWERED, port.id, write_arp_reply(frame, SERVICES_MAC))
    place = answered_at(world, port, request.target, is_probe=request.sender == NOBODY)
    return DROPPED if place is None else Fate(Kind.ANSWERED, port.id, write_arp_reply(frame, place.mac))


def asked_of_network(world: World, port: Port, frame: bytes, datagram: Datagram) -> Fate | None:
    """What becomes of questions that the network itself answers, or its agent; None for other packets."""
    if discovers(datagram):
        return discovered(world, port, frame, datagram)
    if frame[0] & 1 and speaks_of_groups(datagram):
        return Fate(Kind.PUNTED, port.id, frame[6:]) if is_report(datagram) else DROPPED
    if datagram.protocol == UDP:
        client, server = DHCP[datagram.is_ipv6]
        if datagram.ports == (server, client) and port.port_security_enabled:
            return DROPPED
        if datagram.ports == (client, server) and world.configures(port, 6 if datagram.is_ipv6 else 4):
            return DROPPED if datagram.more or datagram.offset else Fate(Kind.PUNTED, port.id, frame[6:])
    return None


def find_way(world: World, port: Port, frame: bytes, datagram: Datagram) -> Way | Fate:
    """Where a packet goes, or what a router says to it."""
    network, mac = world.network(port), frame[0:6]
    neighbour = world.owner(network, datagram.destination)
    if neighbour is not None and mac_of(neighbour) == mac:
        if neighbour.is_router_interface:
            return to_router(world, port, frame, datagram)
        return Way(port, neighbour)
    at = world.router_at(network, mac, ipv6=datagram.is_ipv6)
    if at is None:
        other = paired(world, network, mac, datagram.destination)
        return DROPPED if other is None else Way(port, other)
    entrance = next(one for one in world.neighbours(network) if one.is_router_interface and mac_of(one) == mac)
    return through_routers(world, port, frame, datagram, at, entrance)


def through_routers(
    world: World,
    port: Port,
    frame: bytes,
    datagram: Datagram,
    at: tuple[Router, Address] | None,
    entrance: Port,
) -> Way | Fate:
    """From router to router, each with one hop less to live, until somebody has the packet or nobody wants it."""
    crossings: list[Crossing] = []
    for passed in range(MOST_ROUTERS):
        if at is None:
            break
        router, spokesman = at
        further = None if datagram.is_ipv6 and stays(datagram.destination) else onward(world, router, datagram)
        if further is None:
            return told(port, frame, datagram, NET_UNREACHABLE, spokesman)
        if any(datagram.destination in given(own) for own in interfaces(world, router)):
            return to_router(world, port, frame, datagram)
        if datagram.is_ipv6 and datagram.source.is_link_local:
            return told(port, frame, datagram, BEYOND_SCOPE, spokesman)
        if datagram.ttl - passed <= 1:
            return told(port, frame, datagram, TIME_EXCEEDED, spokesman)
        interface, neighbour, is_destination = further
        if interface is not None and not fits(frame, beyond := world.network(interface)):
            return told(port, frame, datagram, FRAGMENTATION_NEEDED, spokesman, beyond.mtu)
        place = found_at(world, world.network(interface), datagram.destination) if interface is not None else None
        sent_to = b"" if neighbour is None else mac_of(neighbour)
        if neighbour is None and is_destination and place is not None:
            neighbour, sent_to = place
        if interface is None or neighbour is None:
            return told(port, frame, datagram, HOST_UNREACHABLE, spokesman)
        crossings += (Crossing(entrance, is_left=False), Crossing(interface, is_left=True))
        if not neighbour.is_router_interface:
            beyond = world.network(interface)
            behind = not is_destination and speaker(world, beyond, sent_to, datagram.destination) != neighbour
            return Way(
                port, neighbour, interface, passed + 1, sent_to, behind, crossings=tuple(crossings), speaker=spokesman
            )
        if is_destination:
            return to_router(world, port, frame, datagram)
        at = world.router_at(world.network(interface), mac_of(neighbour), ipv6=datagram.is_ipv6)
        entrance = neighbour
    return DROPPED


def fits(frame: bytes, network: Network) -> bool:
    """Whether a network carries what a frame holds, padding included; nothing is ever cut in pieces."""
    return len(frame) - 14 <= network.mtu


def stays(address: Address) -> bool:
    """Whether an address of IPv6 is known on one link only, or of a group: routers carry nothing there."""
    return address.is_link_local or address.is_multicast


def to_router(world: World, port: Port, frame: bytes, datagram: Datagram) -> Fate:
    """Routers answer pings; all their ports are closed."""
    is_judged = port.port_security_enabled
    if is_judged and not permits(world, port, "egress", (datagram.destination, None), opening(datagram)):
        return DROPPED
    if is_ping(datagram):
        return Fate(Kind.ANSWERED, port.id, write_echo_reply(frame, datagram))
    if datagram.protocol == UDP:
        return told(port, frame, datagram, PORT_UNREACHABLE, datagram.destination)
    return DROPPED


def sender_of(port: Port, frame: bytes) -> str:
    """Whose packet a fragment is part of: a network and a MAC address."""
    return f"{port.network_id} {frame[6:12].hex()}"


def is_ping(datagram: Datagram) -> bool:
    """Whether it asks for an echo."""
    return datagram.asks and datagram.icmp[1] == 0


def told(port: Port, frame: bytes, datagram: Datagram, kind: tuple[int, int], speaker: Address, mtu: int = 0) -> Fate:
    """An ICMP error for the sender; never about an ICMP error, a later fragment, or what goes to a group or to all.

    `mtu` is what would pass, if the error is about that.
    """
    if datagram.offset or not may_be_told(datagram):
        return DROPPED
    said = SAID_IN_IPV6.get(kind, kind) if datagram.is_ipv6 else kind
    return Fate(Kind.ANSWERED, port.id, write_error(frame, datagram, said, speaker, mtu))


def carried(world: World, path: Way, frame: bytes, datagram: Datagram, memory: Memory, now: int) -> Fate:
    """From machine to machine: each host asks its own machines' rules."""
    here, there = world.host(path.source), world.host(path.destination)
    if here is None or there is None:
        return DROPPED
    if here != there:
        decided = admitted(world, here, path, datagram, memory, now)
        if not noted(world, here, path, memory, decided):
            return refused(path, frame, datagram, decided)
        memory.begin(here.id, sender_of(path.source, frame), datagram, now)
        passed = memory.completed(there.id, sender_of(path.source, frame), datagram, now)
        if passed is None:
            return DROPPED
        datagram = passed
    return arrived(world, there, path, frame, datagram, memory, now)


def arrived(world: World, host: Host, path: Way, frame: bytes, datagram: Datagram, memory: Memory, now: int) -> Fate:
    """On the host of the machine that shall get it."""
    decided = admitted(world, host, path, datagram, memory, now)
    if decided in PASSED and not world.plugged(path.destination):
        decided = Decided.LOST
    if not noted(world, host, path, memory, decided):
        return refused(path, frame, datagram, decided) if world.host(path.source) == host else DROPPED
    memory.begin(host.id, sender_of(path.source, frame), datagram, now)
    if path.interface is None:
        return Fate(Kind.DELIVERED, path.destination.id, frame)
    routed = write_routed(frame, datagram, path.routers, mac_of(path.interface), path.mac)
    return Fate(Kind.DELIVERED, path.destination.id, routed)


def refused(path: Way, frame: bytes, datagram: Datagram, decided: Decided) -> Fate:
    """What becomes of a packet that its sender's own host refuses."""
    if decided is not Decided.REJECTED:
        return DROPPED
    return told(path.source, frame, datagram, PROHIBITED, path.speaker)


def admitted(world: World, host: Host, path: Way, datagram: Datagram, memory: Memory, now: int) -> Decided:
    """Whether a host lets a packet pass: new, of a connection, or an error about a packet of one.

    Ends that keep no connections are asked about this very packet, and where none keeps any that is all.
    """
    if path.interface is None and not path.source.port_security_enabled and is_answer(datagram):
        return Decided.KNOWN
    kept = [port for port in (path.source, path.destination) if keeps(world, host, port)]
    alone = agreed_alone(world, host, *ends(path, datagram), opening(datagram))
    if alone is not Decided.OPENED:
        return alone
    if not kept and not any(guards(world, crossing.interface) for crossing in path.crossings):
        return Decided.OPENED if begins(datagram) else Decided.KNOWN
    quote = read_quote(datagram)
    if quote is not None:
        back = path.back
        if memory.concerns(host.id, *sides(back, quote), quote, now, goes_on(world, host, back, quote)):
            return Decided.KNOWN
    asked: list[Decided] = []

    def may_open() -> bool:
        asked.append(agreed(world, host, path.crossings, *ends(path, datagram), opening(datagram)))
        return asked[0] is Decided.OPENED

    may_go_on = goes_on(world, host, path, datagram)
    passes = memory.admits(host.id, *sides(path, datagram), datagram, now, may_open, may_go_on)
    return asked[0] if asked else Decided.KNOWN if passes else Decided.LOST


def noted(world: World, host: Host, path: Way, memory: Memory, decided: Decided) -> bool:
    """Write down what was decided about the ends on a host; whether the packet passes."""
    event = "ACCEPT" if decided is Decided.OPENED else "DROP"
    if decided is not Decided.KNOWN:
        if world.host(path.source) == host and decided is not Decided.REFUSED_IN:
            note(world, memory, path.source, "egress", event)
        if world.host(path.destination) == host and decided is not Decided.REFUSED_OUT:
            note(world, memory, path.destination, "ingress", event)
    return decided in PASSED


def note(world: World, memory: Memory, port: Port, direction: str, event: str) -> None:
    """Write down a decision about a port, if somebody wishes it; of one that is not plugged in nothing is known."""
    if world.plugged(port) and is_noted(world, port, event):
        memory.noted.append((port.id, direction, event))


def sides(path: Way, datagram: Datagram) -> tuple[Side, Side]:
    """The ends of the connection that a packet belongs to, its sender first."""
    numbers = (datagram.identifier,) * 2 if datagram.is_icmp else datagram.ports
    source = Side(path.source.network_id, datagram.source, numbers[0])
    return source, Side(path.destination.network_id, datagram.destination, numbers[1])


def ends(path: Way, datagram: Datagram) -> tuple[Party, Party]:
    """The same, and whose they are."""
    source, destination = sides(path, datagram)
    return Party(path.source, source, path.source_behind), Party(path.destination, destination, path.behind)


def goes_on(world: World, host: Host, path: Way, datagram: Datagram) -> Callable[[bool], bool]:
    """Asks a host's rules whether a packet's connection may stand; it is turned if the packet's receiver opened it."""
    source, destination = ends(path, datagram)

    def may_go_on(is_turned: bool) -> bool:
        if is_turned:
            opener, other, crossings, port = destination, source, path.back.crossings, 0
        else:
            opener, other, crossings, port = source, destination, path.crossings, 1
        said = continued(datagram, datagram.ports[port])
        return agreed(world, host, crossings, opener, other, said) is Decided.OPENED

    return may_go_on
