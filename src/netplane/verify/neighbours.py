"""Neighbour discovery (RFC 4861, RFC 4862) as machines should meet it: the network answers, and machines only ask."""

from ipaddress import IPv6Address

from netplane.model import Port
from netplane.verify.datagram import Datagram
from netplane.verify.datagram6 import write_icmp
from netplane.verify.fate import DROPPED, Fate, Kind
from netplane.verify.places import answered_at, is_named, is_news, speaker
from netplane.verify.services import SERVICES_MAC, SERVICES_V6
from netplane.verify.world import World

ROUTERS_ASKED, ASKED, TOLD = 133, 135, 136
KINDS = range(133, 138)
EVERYBODY = IPv6Address("ff02::1")


def discovers(datagram: Datagram) -> bool:
    """Whether it is a message of neighbour discovery."""
    return datagram.is_ipv6 and datagram.is_icmp and datagram.icmp[0] in KINDS


def discovered(world: World, port: Port, frame: bytes, datagram: Datagram) -> Fate:
    """The network answers who has an address, and leaves it to the agent to tell of routers."""
    kind, code = datagram.icmp
    if datagram.more or datagram.offset or datagram.ttl != 255 or code != 0:
        return DROPPED
    if kind == ROUTERS_ASKED:
        return Fate(Kind.PUNTED, port.id, frame[6:]) if world.configures(port, 6) else DROPPED
    if kind not in (ASKED, TOLD) or len(datagram.payload) < 24:
        return DROPPED
    if kind == TOLD:
        return told(world, port, frame, IPv6Address(datagram.payload[8:24]))
    sender, wanted = datagram.source, IPv6Address(datagram.payload[8:24])
    if not sender.is_unspecified and speaker(world, world.network(port), frame[6:12], sender) != port:
        return DROPPED
    if wanted == SERVICES_V6 and not is_named(world, world.network(port), wanted):
        said = write_advertisement(frame[6:12], datagram, wanted, SERVICES_MAC, is_router=False)
        return Fate(Kind.ANSWERED, port.id, said)
    place = answered_at(world, port, wanted, is_probe=sender.is_unspecified)
    if wanted.is_multicast or wanted.ipv4_mapped is not None or place is None:
        return DROPPED
    is_router = place.port.is_router_interface
    return Fate(
        Kind.ANSWERED,
        port.id,
        write_advertisement(frame[6:12], datagram, wanted, place.mac, is_router=is_router),
    )


def told(world: World, port: Port, frame: bytes, address: IPv6Address) -> Fate:
    """Nobody has asked; but whoever says that it has an address now which others may have is heard."""
    if address.is_multicast or address.is_unspecified or address.ipv4_mapped is not None:
        return DROPPED
    return Fate(Kind.PUNTED, port.id, frame[6:]) if is_news(world, port, frame[6:12], address) else DROPPED


def write_advertisement(mac: bytes, datagram: Datagram, wanted: IPv6Address, owner: bytes, *, is_router: bool) -> bytes:
    """That an address is at its owner's MAC address; who has no address of its own hears it as all on the link do."""
    anonymous = datagram.source.is_unspecified
    receiver = EVERYBODY if anonymous else datagram.source
    flags = 0x20 | (0x80 if is_router else 0) | (0 if anonymous else 0x40)
    message = bytes((TOLD, 0, 0, 0, flags, 0, 0, 0)) + wanted.packed + b"\x02\x01" + owner
    packet = write_icmp(wanted, receiver.packed, message, hops=255)
    return (b"\x33\x33\0\0\0\x01" if anonymous else mac) + owner + b"\x86\xdd" + packet
