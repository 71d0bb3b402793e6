"""DHCP that is not ours: machines of a network that ask each other, where the platform tells them no address.

As OpenStack Networking has it: whoever has no address yet may ask all others of its network for one, whatever its rules
say, and hears what a machine without port security answers. Nothing of this is a connection, and none of it is routed.
"""

from netplane.base.addresses import MAPPED
from netplane.tables.decisions import EndpointFlag
from netplane.tables.lookup import EndpointValue
from netplane.tables.packet import UDP, Packet

NOBODY, EVERYBODY = MAPPED + bytes(4), MAPPED + b"\xff" * 4
CLIENT, SERVER = {False: 68, True: 546}, {False: 67, True: 547}
"""The ports of DHCP, by whether it is DHCPv6 (RFC 2131, RFC 8415)."""
TOLD = 5
"""What the step CONNECTION says of an answer."""


def asks_all(frame: bytes, packet: Packet) -> bool:
    """Whether a client asks all."""
    numbers = CLIENT[packet.is_ipv6], SERVER[packet.is_ipv6]
    return packet.protocol == UDP and (packet.sport, packet.dport) == numbers and bool(frame[0] & 1)


def is_told(source: EndpointValue, packet: Packet) -> bool:
    """Whether it is an answer of a machine that may be a server."""
    numbers = SERVER[packet.is_ipv6], CLIENT[packet.is_ipv6]
    is_answer = packet.protocol == UDP and (packet.sport, packet.dport) == numbers
    return is_answer and bool(source.flags & EndpointFlag.OPEN)


def is_nobody(source: EndpointValue, frame: bytes, packet: Packet) -> bool:
    """Whether a machine speaks from no address, and not to ask for one."""
    if source.flags & EndpointFlag.OPEN or packet.source != NOBODY:
        return False
    return not asks_all(frame, packet) or packet.destination != EVERYBODY
