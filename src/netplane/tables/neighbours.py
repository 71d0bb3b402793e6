"""LOCAL_ANSWER, neighbour discovery (RFC 4861): solicitations are answered here, and none of it crosses the overlay.

Machines ask; that they need not tell is all that keeps them from telling lies. What a machine asks of routers goes to
the agent. A question from the unspecified address is whether an address is free (RFC 4862): silence says that it is.
"""

from struct import pack
from typing import NoReturn

from netplane.base.addresses import NO_ADDRESS, is_ipv4
from netplane.tables import lookup, services
from netplane.tables.announcing import hear
from netplane.tables.decisions import EndpointFlag, PortFlag, Punt, Reason, Stage, Verdict
from netplane.tables.ipv6 import header, is_multicast, with_checksum
from netplane.tables.lookup import EndpointValue, PortValue
from netplane.tables.packet import ETHERNET, IPV6, Packet
from netplane.tables.run import Run
from netplane.tables.serving import owned, punt, serve, sought

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT, REDIRECT = range(133, 138)
HOPS = 255
"""Every message still has this hop limit, since no router forwards one (RFC 4861, section 6.1)."""
LEAST = {ROUTER_SOLICITATION: 8, SOLICITATION: 24, ADVERTISEMENT: 24}
"""Bytes of a message without its options."""
FROM_ROUTER, SOLICITED, OVERRIDE = 0x80, 0x40, 0x20
TARGET_LINK_LAYER = 2
ALL_NODES, ALL_NODES_MAC = b"\xff\x02" + bytes(13) + b"\x01", b"\x33\x33\0\0\0\x01"


def is_neighbour_discovery(packet: Packet) -> bool:
    """Whether it is one of the messages of RFC 4861."""
    return packet.is_icmp and packet.is_ipv6 and ROUTER_SOLICITATION <= packet.type <= REDIRECT


def refuse_neighbours(run: Run, packet: Packet) -> None:
    """From the tunnel comes none of it: every host answers for itself."""
    if is_neighbour_discovery(packet):
        run.drop(Stage.LOCAL_ANSWER, Reason.ND_NOT_ASKED)


def answer_neighbours(run: Run, port: PortValue, ifindex: int, packet: Packet) -> None:
    """What becomes of such a message; of any other nothing here."""
    if not is_neighbour_discovery(packet):
        return
    if packet.type == ROUTER_ADVERTISEMENT:
        run.drop(Stage.LOCAL_ANSWER, Reason.ROGUE_ROUTER)
    if packet.type not in LEAST or (packet.type == ADVERTISEMENT and not port.flags & PortFlag.ANNOUNCES):
        run.drop(Stage.LOCAL_ANSWER, Reason.ND_NOT_ASKED)
    if packet.more or packet.offset:  # RFC 6980
        run.drop(Stage.LOCAL_ANSWER, Reason.FRAGMENT)
    if packet.ttl != HOPS or packet.code or packet.length - packet.header < LEAST[packet.type]:
        run.drop(Stage.LOCAL_ANSWER, Reason.MALFORMED)
    if packet.type == SOLICITATION:
        answer_solicitation(run, port, ifindex, packet)
    if packet.type == ADVERTISEMENT:
        hear_advertisement(run, port, ifindex, packet)
    if not port.flags & PortFlag.DHCP6:
        run.drop(Stage.LOCAL_ANSWER, Reason.ND_UNKNOWN)
    punt(run, port, ifindex, Punt.ROUTER_SOLICITATION, in_fragments=False)


def hear_advertisement(run: Run, port: PortValue, ifindex: int, packet: Packet) -> NoReturn:
    """Nobody has asked: it tells that an address is here now."""
    at = ETHERNET + packet.header + 8
    address = run.frame[at : at + 16]
    if is_multicast(address) or is_ipv4(address) or address == NO_ADDRESS:
        run.drop(Stage.LOCAL_ANSWER, Reason.MALFORMED)
    hear(run, port, ifindex, address)
    run.drop(Stage.LOCAL_ANSWER, Reason.ND_NOT_ASKED)


def answer_solicitation(run: Run, port: PortValue, ifindex: int, packet: Packet) -> None:
    """Tell the MAC address of an address of the network, unless it is the asker's own."""
    at = ETHERNET + packet.header + 8
    address = run.frame[at : at + 16]
    if is_multicast(address) or is_ipv4(address):
        run.drop(Stage.LOCAL_ANSWER, Reason.MALFORMED)
    if packet.source != NO_ADDRESS and owned(run, port, packet.source) is None:
        run.drop(Stage.LOCAL_ANSWER, Reason.SPOOFED_ADDRESS)
    is_free = lookup.endpoint(run.entries, port.vni, address) is None
    if is_free and address == services.ADDRESS_V6 and run.settings.service:
        target: EndpointValue | None = EndpointValue(services.MAC, 0, 0, 0)
    else:
        target = sought(run, port, address, is_probe=packet.source == NO_ADDRESS)
    if target is None:
        run.drop(Stage.LOCAL_ANSWER, Reason.ND_UNKNOWN)
    run.step(Stage.LOCAL_ANSWER, Reason.NONE, IPV6)
    serve(run, port, Verdict.ANSWER, ifindex, advertisement(run.frame[6:12], packet, address, target))


def advertisement(asker: bytes, packet: Packet, address: bytes, owner: EndpointValue) -> bytes:
    """The answer that an address is at its owner's MAC; to all on the link if the asker has no address yet."""
    flags = OVERRIDE | (FROM_ROUTER if owner.flags & EndpointFlag.ROUTER else 0)
    destination, mac = (packet.source, asker), owner.mac
    if packet.source == NO_ADDRESS:
        destination = ALL_NODES, ALL_NODES_MAC
    else:
        flags |= SOLICITED
    message = pack("!BBHI", ADVERTISEMENT, 0, 0, flags << 24) + address + pack("!BB", TARGET_LINK_LAYER, 1) + mac
    message = with_checksum(address, destination[0], message)
    return destination[1] + mac + pack("!H", IPV6) + header(address, destination[0], len(message), HOPS) + message
