"""What machines ask the services of their host, names and metadata, and what those answer."""

from ipaddress import IPv4Address, IPv6Address

from netplane.model import Host, Port
from netplane.verify.datagram import TCP, UDP, Address, Datagram
from netplane.verify.family import read_packet
from netplane.verify.fate import DROPPED, Fate, Kind
from netplane.verify.tags import on_the_wire
from netplane.verify.world import World, addresses, mac_of

SERVICES, SERVICES_MAC = IPv4Address("169.254.169.254"), bytes.fromhex("026e70000002")
"""Where every machine finds the services of its host."""
SERVICES_V6 = IPv6Address("fe80::a9fe:a9fe")


def is_for_services(world: World, port: Port, datagram: Datagram) -> bool:
    """Whether a packet asks for names or metadata."""
    if datagram.protocol not in (TCP, UDP):
        return False
    service = datagram.ports[1]
    if datagram.destination in (SERVICES, SERVICES_V6):
        return service == 53 or (service, datagram.protocol) == (80, TCP)
    return service == 53 and world.resolves(world.network(port), datagram.destination)


def intent_of_services(world: World, host: Host, port_id: str, address: Address, frame: bytes) -> Fate:
    """What becomes of a frame that a host's services send to a machine, of which they know an address.

    The frame's destination is that address.
    """
    port, datagram = world.get(Port, port_id), read_packet(frame)
    if port is None or datagram is None or datagram.protocol not in (TCP, UDP) or datagram.offset:
        return DROPPED
    if world.host(port) != host or not world.plugged(port) or address not in addresses(port):
        return DROPPED
    return on_the_wire(world, Fate(Kind.DELIVERED, port.id, mac_of(port) + SERVICES_MAC + frame[12:]))
