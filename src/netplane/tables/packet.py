"""Packets taken apart and put together, byte for byte as the datapath does it: what both families share, and IPv4.

Nothing here knows a table. A frame is what a wire carries from the destination MAC on, without its checksum.
"""

from struct import pack
from typing import NamedTuple

from netplane.base.addresses import MAPPED, is_ipv4
from netplane.tables.decisions import Punt, Reason

ETHERNET = 14
ARP = 0x0806
VLAN, VLAN_ID, TAG = 0x8100, 0x0FFF, 4
"""The EtherType of a VLAN tag, which of its bits are the id, and how many bytes it has."""
IPV4, IPV6 = 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PORTED = {33: 12, 132: 12, 136: 8}
"""DCCP, SCTP and UDP-Lite (RFC 4340, 9260, 3828): ports as in UDP, of which rules speak, in a header so long."""
ECHO_REPLY, ECHO_REQUEST = 0, 8
ECHO_REQUEST_V6, ECHO_REPLY_V6 = 128, 129
"""RFC 4443, section 4."""
ERRORS = (3, 11, 12)
"""ICMP's types that say what became of a packet (RFC 792); source quench is to be ignored (RFC 6633)."""
MORE, OFFSET = 0x2000, 0x1FFF
"""Of the field about fragments (RFC 791, section 3.1): more follow, and where this one stands."""
LONGEST = 65_535
"""Bytes of the longest packet."""
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
ANSWER_TTL = 64
QUOTED = 20
"""Bytes of an offender's payload in an ICMP error: a whole TCP header; 8 would do (RFC 792)."""
ANSWERABLE = (0, 8, 13, 14)
"""Types of ICMP that are no errors themselves: errors about errors are never sent (RFC 1122, section 3.2.2)."""
GROUPS = MAPPED + bytes((224, 0, 0, 0))
"""The first address of groups; nor are errors about packets to groups, or to all, sent."""
INTERNETWORK_CONTROL = 0xC0
"""The precedence of ICMP errors (RFC 1812, section 4.3.2.5)."""


class Packet(NamedTuple):
    """What the stages ask of a frame that holds IPv4 or IPv6."""

    source: bytes
    """16 bytes, IPv4 mapped."""
    destination: bytes
    ttl: int
    protocol: int
    header: int
    """The length of the IP header with its options or extension headers, in bytes."""
    length: int
    """Header and payload, in bytes; what the frame holds after that is padding."""
    sport: int = 0
    dport: int = 0
    flags: int = 0
    """TCP's."""
    type: int = 0
    """ICMP's."""
    code: int = 0
    echo: int = 0
    """The identifier of an ICMP echo; of other messages, what stands in its place."""
    id: int = 0
    """What fragments of one packet have in common; 0 for a whole packet."""
    offset: int = 0
    """Where a fragment stands in its packet, in units of 8 bytes."""
    more: bool = False
    """Whether fragments follow this one."""
    end: int = 0
    """Where a first fragment of IPv6 ends in its packet, in units of 8 bytes."""

    @property
    def is_ipv6(self) -> bool:
        """Of which family it is."""
        return not is_ipv4(self.source)

    @property
    def is_icmp(self) -> bool:
        """Whether it is of its family's ICMP."""
        return self.protocol == (ICMPV6 if self.is_ipv6 else ICMP)

    @property
    def service(self) -> int:
        """What a rule's range of ports speaks of: the destination port, or ICMP's type and code."""
        return self.type << 8 | self.code if self.is_icmp else self.dport

    @property
    def numbers(self) -> tuple[int, int]:
        """What tells connections between two addresses apart: both ports, or an echo's identifier twice."""
        return (self.echo, self.echo) if self.is_echo else (self.sport, self.dport)

    @property
    def is_echo(self) -> bool:
        """Whether it belongs to an exchange of echo requests and replies."""
        answers = self.type == (ECHO_REPLY_V6 if self.is_ipv6 else ECHO_REPLY)
        return self.asks or (self.is_icmp and answers)

    @property
    def asks(self) -> bool:
        """Whether it is an echo request."""
        return self.is_icmp and self.type == (ECHO_REQUEST_V6 if self.is_ipv6 else ECHO_REQUEST)

    @property
    def starts(self) -> bool:
        """Whether it may open a connection: a bare SYN, an echo request, or anything of the other protocols.

        A later fragment is of one that is open.
        """
        if self.offset:
            return False
        if self.protocol == TCP:
            return self.flags & (SYN | ACK | RST | FIN) == SYN
        return not self.is_icmp or self.asks


class ArpRequest(NamedTuple):
    """The fields of an ARP packet (RFC 826); addresses are 16 bytes, IPv4 mapped."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target: bytes


def take_tag(frame: bytes) -> tuple[int, bytes]:
    """The VLAN id of a frame, and the frame without the tag (IEEE 802.1Q); 0 also for a tag of priority only."""
    if len(frame) < ETHERNET + TAG or ethertype(frame) != VLAN:
        return 0, frame
    return _u16(frame, ETHERNET) & VLAN_ID, frame[:12] + frame[12 + TAG :]


def put_tag(frame: bytes, vlan: int) -> bytes:
    """The frame with a tag; as it is if the id is 0."""
    return frame[:12] + pack("!HH", VLAN, vlan) + frame[12:] if vlan else frame


def ethertype(frame: bytes) -> int:
    """The type field of a frame of at least 14 bytes."""
    return int.from_bytes(frame[12:14], "big")


def parse(frame: bytes) -> Packet | Reason:
    """The IPv4 packet in a frame, or why it is not one that we carry."""
    ip = frame[ETHERNET:]
    if len(ip) < 20 or ip[0] >> 4 != 4:
        return Reason.MALFORMED
    header, length = (ip[0] & 15) * 4, int.from_bytes(ip[2:4], "big")
    if not 20 <= header <= length <= len(ip):
        return Reason.MALFORMED
    packet = Packet(MAPPED + ip[12:16], MAPPED + ip[16:20], ip[8], ip[9], header, length)
    if fragment := _u16(ip, 6) & (MORE | OFFSET):
        packet = packet._replace(id=_u16(ip, 4), offset=fragment & OFFSET, more=bool(fragment & MORE))
        if not is_possible(packet):
            return Reason.MALFORMED
    return packet if packet.offset else parse_payload(packet, ip[header:length])


def is_possible(fragment: Packet) -> bool:
    """Whether a fragment may be one: not empty, of whole units but for the last, and of a packet that can be.

    One of TCP that begins within the flags would change what was judged (RFC 1858, section 4; RFC 3128).
    """
    size = fragment.length - fragment.header
    whole = size > 0 and not (fragment.more and size % 8) and fragment.offset * 8 + fragment.length <= LONGEST
    return whole and not (fragment.protocol == TCP and fragment.offset == 1)


def parse_payload(packet: Packet, payload: bytes) -> Packet | Reason:
    """The packet with what its own payload says."""
    parsers = {TCP: parse_tcp, UDP: parse_udp, **dict.fromkeys(PORTED, parse_ported)}
    parser = parse_icmp if packet.is_icmp else parsers.get(packet.protocol)
    return packet if parser is None else parser(packet, payload) or Reason.MALFORMED


def parse_tcp(packet: Packet, payload: bytes) -> Packet | None:
    """RFC 9293, section 3.1; None if the header does not fit."""
    if len(payload) < 20 or not 20 <= (payload[12] >> 4) * 4 <= len(payload):
        return None
    return packet._replace(sport=_u16(payload, 0), dport=_u16(payload, 2), flags=payload[13])


def parse_udp(packet: Packet, payload: bytes) -> Packet | None:
    """RFC 768; None if the header or its length does not fit."""
    if len(payload) < 8 or _u16(payload, 4) < 8:
        return None
    if _u16(payload, 4) > len(payload) and not packet.more:  # A first fragment tells the length of the whole.
        return None
    return packet._replace(sport=_u16(payload, 0), dport=_u16(payload, 2))


def parse_ported(packet: Packet, payload: bytes) -> Packet | None:
    """Any protocol that has ports; None if the header does not fit. The rest is for the receiver to judge."""
    if len(payload) < PORTED[packet.protocol]:
        return None
    return packet._replace(sport=_u16(payload, 0), dport=_u16(payload, 2))


def parse_icmp(packet: Packet, payload: bytes) -> Packet | None:
    """RFC 792, RFC 4443; None if the header does not fit."""
    if len(payload) < 8:
        return None
    return packet._replace(type=payload[0], code=payload[1], echo=_u16(payload, 4))


def parse_quote(frame: bytes, packet: Packet) -> Packet | None:
    """The packet that an ICMP error is about; None unless its receiver may have sent it to its sender.

    Of its payload only as much counts as every error quotes: 8 bytes (RFC 792).
    """
    if packet.protocol != ICMP or packet.type not in ERRORS or packet.more or packet.offset:
        return None
    ip = frame[ETHERNET + packet.header + 8 : ETHERNET + packet.length]
    if len(ip) < 20 or ip[0] >> 4 != 4:
        return None
    header, ends = (ip[0] & 15) * 4, (MAPPED + ip[12:16], MAPPED + ip[16:20])
    if not 20 <= header <= len(ip) - 8 or ends != (packet.destination, packet.source) or _u16(ip, 6) & OFFSET:
        return None
    return parse_quoted_payload(Packet(*ends, ip[8], ip[9], header, _u16(ip, 2)), ip[header:])


def parse_quoted_payload(quote: Packet, payload: bytes) -> Packet | None:
    """A quoted packet with what the first 8 bytes of its payload say; None if it is of no connection."""
    if quote.is_icmp:
        about = quote._replace(type=payload[0], code=payload[1], echo=_u16(payload, 4))
        return about if about.is_echo else None
    has_ports = quote.protocol in (TCP, UDP, *PORTED)
    return quote._replace(sport=_u16(payload, 0), dport=_u16(payload, 2)) if has_ports else quote


def is_answerable(packet: Packet) -> bool:
    """Whether ICMP errors may be sent about it: no error, nothing to many, no later fragment (RFC 1122, 3.2.2)."""
    is_error = packet.is_icmp and packet.type not in ANSWERABLE
    return not (packet.offset or is_error or packet.destination >= GROUPS)


def parse_arp(frame: bytes) -> ArpRequest | None:
    """ARP for IPv4 over Ethernet; None if it is something else."""
    if len(frame) < 42 or frame[14:20] != pack("!HHBB", 1, IPV4, 6, 4):
        return None
    return ArpRequest(_u16(frame, 20), frame[22:28], MAPPED + frame[28:32], MAPPED + frame[38:42])


def answer_arp(frame: bytes, mac: bytes) -> bytes:
    """The reply to an ARP request: the address that it asks for is at `mac`."""
    asker, asker_address, target_address = frame[22:28], frame[28:32], frame[38:42]
    answer = asker + mac + frame[12:20] + pack("!H", 2) + mac + target_address + asker + asker_address
    return answer + frame[42:]


def answer_echo(frame: bytes, packet: Packet) -> bytes:
    """The reply to an ICMP echo request (RFC 792), or a fragment of it: the same data sent back."""
    ip = bytearray(frame[ETHERNET:])
    icmp = packet.header
    _set_ttl(ip, ANSWER_TTL)
    ip[12:16], ip[16:20] = ip[16:20], ip[12:16]
    if not packet.offset:
        before = _u16(ip, icmp)
        ip[icmp] = ECHO_REPLY
        ip[icmp + 2 : icmp + 4] = adjusted(_u16(ip, icmp + 2), before, _u16(ip, icmp))
    return frame[6:12] + frame[0:6] + frame[12:14] + bytes(ip)


def answer_error(frame: bytes, packet: Packet, type_code: tuple[int, int], source: bytes, mtu: int = 0) -> bytes:
    """The ICMP error that `source` (16 bytes) sends to the machine that sent the frame (RFC 792).

    `mtu` is what would pass, where the error is about that (RFC 1191, section 4).
    """
    quoted = frame[ETHERNET : ETHERNET + min(packet.header + QUOTED, packet.length)]
    icmp = _with_checksum(pack("!BBHI", *type_code, 0, mtu) + quoted, 2)
    length = 20 + len(icmp)
    header = pack("!BBHHHBBH", 0x45, INTERNETWORK_CONTROL, length, 0, 0, ANSWER_TTL, ICMP, 0)
    ip = _with_checksum(header + source[12:] + packet.source[12:], 10)
    return frame[6:12] + frame[0:6] + frame[12:14] + ip + icmp


def forwarded(frame: bytes, routers: int, source_mac: bytes, destination_mac: bytes) -> bytes:
    """The frame after some routers: new MAC addresses, and that many hops less to live (RFC 1812, section 5.3.1)."""
    ip = bytearray(frame[ETHERNET:])
    _set_ttl(ip, ip[8] - routers)
    return destination_mac + source_mac + frame[12:14] + bytes(ip)


def punted(frame: bytes, kind: Punt, ifindex: int) -> bytes:
    """The frame as the agent gets it: its destination says what it is and which device it came in by."""
    return pack("!BBI", 2, kind, ifindex) + frame[6:]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of data whose checksum field is zero."""
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[i : i + 2], "big") for i in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with_checksum(data: bytes, offset: int) -> bytes:
    return data[:offset] + pack("!H", checksum(data)) + data[offset + 2 :]


def _set_ttl(ip: bytearray, ttl: int) -> None:
    before = _u16(ip, 8)
    ip[8] = ttl
    ip[10:12] = adjusted(_u16(ip, 10), before, _u16(ip, 8))


def adjusted(old: int, before: int, after: int) -> bytes:
    """A checksum after one word has changed (RFC 1624, equation 3); a wrong one stays wrong."""
    total = (~old & 0xFFFF) + (~before & 0xFFFF) + after
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return pack("!H", ~total & 0xFFFF)


def _u16(data: bytes | bytearray, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "big")
