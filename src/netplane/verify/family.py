"""What is read and written alike in both families; who is spoken to in one answers in it."""

from ipaddress import IPv4Address, IPv6Address

from netplane.verify import datagram as ipv4
from netplane.verify import datagram6 as ipv6
from netplane.verify.datagram import Address, Datagram


def read_packet(frame: bytes) -> Datagram | None:
    """The packet in a frame; None unless it is well formed."""
    return ipv6.read_ipv6(frame) if frame[12:14] == b"\x86\xdd" else ipv4.read_ipv4(frame)


def read_quote(error: Datagram) -> Datagram | None:
    """What an ICMP error is about: the beginning of a packet that its receiver sent to its sender."""
    return ipv6.read_quote(error) if error.is_ipv6 else ipv4.read_quote(error)


def may_be_told(packet: Datagram) -> bool:
    """Whether an ICMP error may be sent about it."""
    return ipv6.may_be_told(packet) if packet.is_ipv6 else ipv4.may_be_told(packet)


def write_echo_reply(frame: bytes, packet: Datagram) -> bytes:
    """The same frame turned into an answer to its echo request, or to its part of one."""
    return ipv6.write_echo_reply(frame, packet) if packet.is_ipv6 else ipv4.write_echo_reply(frame)


def write_routed(frame: bytes, packet: Datagram, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The same frame so many routers further."""
    write = ipv6.write_routed if packet.is_ipv6 else ipv4.write_routed
    return write(frame, routers, source_mac, destination_mac)


def write_error(frame: bytes, packet: Datagram, kind: tuple[int, int], sender: Address, mtu: int) -> bytes:
    """An ICMP error about a frame, sent back to where it came from; with the MTU that it is about, or 0."""
    if isinstance(sender, IPv6Address):
        return ipv6.write_error(frame, packet, kind, sender, mtu)
    return ipv4.write_error(frame, packet, kind, IPv4Address(sender), mtu)
