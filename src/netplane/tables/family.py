"""What is done alike to packets of both families: one name, and the family's own way."""

from netplane.tables import ipv6
from netplane.tables import packet as ipv4
from netplane.tables.decisions import Reason
from netplane.tables.packet import Packet


def parse(frame: bytes) -> Packet | Reason:
    """The packet in a frame of at least 14 bytes, or why it is not one that we carry."""
    match ipv4.ethertype(frame):
        case ipv4.IPV4:
            return ipv4.parse(frame)
        case ipv4.IPV6:
            return ipv6.parse(frame)
        case _:
            return Reason.UNSUPPORTED


def parse_quote(frame: bytes, packet: Packet) -> Packet | None:
    """The packet that an ICMP error is about; None unless its receiver may have sent it to its sender."""
    return ipv6.parse_quote(frame, packet) if packet.is_ipv6 else ipv4.parse_quote(frame, packet)


def is_answerable(packet: Packet) -> bool:
    """Whether ICMP errors may be sent about a packet."""
    return ipv6.is_answerable(packet) if packet.is_ipv6 else ipv4.is_answerable(packet)


def answer_echo(frame: bytes, packet: Packet) -> bytes:
    """The reply to an echo request, or to a fragment of it."""
    return ipv6.answer_echo(frame, packet) if packet.is_ipv6 else ipv4.answer_echo(frame, packet)


def answer_error(frame: bytes, packet: Packet, type_code: tuple[int, int], source: bytes, mtu: int = 0) -> bytes:
    """The ICMP error that `source` (16 bytes) sends to the machine that sent the frame; `mtu` if it is about that."""
    answer = ipv6.answer_error if packet.is_ipv6 else ipv4.answer_error
    return answer(frame, packet, type_code, source, mtu)


def forwarded(frame: bytes, packet: Packet, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The frame after some routers: new MAC addresses, and that many hops less to live."""
    forward = ipv6.forwarded if packet.is_ipv6 else ipv4.forwarded
    return forward(frame, routers, source_mac, destination_mac)
