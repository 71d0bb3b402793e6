"""The platform's DHCPv4 server (RFC 2131, 2132), without a socket: frame in, frame or nothing out.

Answers are read off records and nothing is remembered, so every host answers for its own machines alike, with or
without a controller. An address is leased to whom its port belongs; a lease only makes the machine ask again.

- The server is called by the subnet's gateway address (option 54), so that renewals, which are unicast, find it by
  ARP where a router is; without a gateway it is called 169.254.169.254 and machines renew by broadcast (rebinding).
- There are no relays: `giaddr` is ignored. DECLINE and RELEASE need no answer and there is no state to change.
- Whatever is malformed, not a request, or asks for a MAC other than the port's gets no answer.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network
from struct import pack, unpack_from
from typing import NamedTuple

from netplane.agent.frames import BROADCAST_MAC, ETHERTYPE_IPV4, UDP, ethernet, ipv4, udp
from netplane.base.addresses import pack_mac
from netplane.model import Network, Port, Subnet

LEASE = 86_400
"""Seconds; machines ask again after half of them, and everybody after seven eighths (RFC 2131, section 4.4.5)."""

SERVER_MAC = bytes.fromhex("026e70000001")
"""The source of answers' frames: locally administered, and no machine's."""

NAMELESS_SERVER = IPv4Address("169.254.169.254")
SERVER_PORT, CLIENT_PORT = 67, 68
ANY, BROADCAST = bytes(4), b"\xff" * 4
MAGIC = b"\x63\x82\x53\x63"
HEADER = 236
BROADCAST_FLAG = 0x8000
MINIMUM = 300
"""Bytes that a BOOTP message has at least (RFC 1542, section 2.1); some clients insist."""


class Message(IntEnum):
    """Option 53 (RFC 2132, section 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options that we read or write (RFC 2132, RFC 3442)."""

    PAD = 0
    MASK = 1
    ROUTER = 3
    DNS = 6
    MTU = 26
    REQUESTED = 50
    LEASE = 51
    OVERLOAD = 52
    TYPE = 53
    SERVER = 54
    RENEWAL = 58
    REBINDING = 59
    CLIENT = 61
    ROUTES = 121
    END = 255


class Request(NamedTuple):
    """What a machine has asked."""

    message: Message
    xid: bytes
    flags: int
    ciaddr: bytes
    chaddr: bytes
    options: Mapping[int, bytes]


class Lease(NamedTuple):
    """One address of a port and what its machine is told."""

    address: IPv4Address
    network: IPv4Network
    server: IPv4Address
    gateway: IPv4Address | None
    dns: tuple[IPv4Address, ...]
    routes: tuple[tuple[IPv4Network, IPv4Address], ...]
    mtu: int


def answer(frame: bytes, port: Port, subnets: Mapping[str, Subnet], network: Network) -> bytes | None:
    """The frame that answers a machine's frame, or None if it gets none."""
    request = parse(frame)
    if request is None or request.chaddr != pack_mac(port.mac_address):
        return None
    leases = tuple(_leases(port, subnets, network))
    if not leases:
        return None
    asked = request.options.get(Option.REQUESTED, request.ciaddr)
    lease = next((lease for lease in leases if lease.address.packed == asked), leases[0])
    message = _decide(request, lease)
    return None if message is None else _build(request, lease, message)


def parse(frame: bytes) -> Request | None:
    """A DHCP request in an Ethernet frame; None if it is anything else."""
    bootp = _datagram(frame)
    if bootp is None or len(bootp) < HEADER + 4 or bootp[:3] != b"\1\1\6" or bootp[HEADER : HEADER + 4] != MAGIC:
        return None
    options = _options(bootp)
    if options is None or len(options.get(Option.TYPE, b"")) != 1:
        return None
    if any(len(options.get(option, ANY)) != 4 for option in (Option.REQUESTED, Option.SERVER)):
        return None
    kind = options[Option.TYPE][0]
    if kind not in Message.__members__.values():
        return None
    (flags,) = unpack_from("!H", bootp, 10)
    return Request(Message(kind), bootp[4:8], flags, bootp[12:16], bootp[28:34], options)


def _datagram(frame: bytes) -> bytes | None:
    """What an Ethernet frame carries from a DHCP client's port to a server's."""
    if len(frame) < 42 or unpack_from("!H", frame, 12)[0] != ETHERTYPE_IPV4:
        return None
    header = (frame[14] & 0xF) * 4
    (total,) = unpack_from("!H", frame, 16)
    if frame[14] >> 4 != 4 or not 20 <= header <= total - 8 or total > len(frame) - 14 or frame[23] != UDP:
        return None
    sport, dport, length = unpack_from("!HHH", frame, 14 + header)
    if (sport, dport) != (CLIENT_PORT, SERVER_PORT) or not 8 <= length <= total - header:
        return None
    return frame[14 + header + 8 : 14 + header + length]


def _options(bootp: bytes) -> dict[int, bytes] | None:
    """All options, those in the overloaded `file` and `sname` fields included; None if one is cut short."""
    found: dict[int, bytes] = {}
    if not _read_options(bootp[HEADER + 4 :], found):
        return None
    overload = found.get(Option.OVERLOAD, b"\0")
    areas = (bootp[108:236] if overload in b"\1\3" else b"", bootp[44:108] if overload in b"\2\3" else b"")
    return found if all(_read_options(area, found) for area in areas) else None


def _read_options(area: bytes, found: dict[int, bytes]) -> bool:
    """Add an area's options; parts of one option are joined (RFC 3396)."""
    at = 0
    while at < len(area) and area[at] != Option.END:
        if area[at] == Option.PAD:
            at += 1
            continue
        if at + 2 > len(area) or at + 2 + area[at + 1] > len(area):
            return False
        end = at + 2 + area[at + 1]
        found[area[at]] = found.get(area[at], b"") + area[at + 2 : end]
        at = end
    return True


def _decide(request: Request, lease: Lease) -> Message | None:
    """What to say (RFC 2131, section 4.3)."""
    if request.message is Message.DISCOVER:
        return Message.OFFER
    if request.message is Message.INFORM:
        return Message.ACK
    if request.message is not Message.REQUEST:
        return None
    server = request.options.get(Option.SERVER)
    if server is not None and server != lease.server.packed:
        return None
    # Selecting and init-reboot name the address in an option, renewing and rebinding in `ciaddr`.
    asked = request.options.get(Option.REQUESTED, request.ciaddr)
    return Message.ACK if asked == lease.address.packed else Message.NAK


def _leases(port: Port, subnets: Mapping[str, Subnet], network: Network) -> Iterable[Lease]:
    """A lease for each address; records that make no sense lease nothing."""
    for fixed in port.fixed_ips:
        subnet = subnets.get(fixed.subnet_id)
        if subnet is not None and subnet.enable_dhcp and subnet.ip_version == 4:
            with suppress(ValueError):
                yield _lease(fixed.ip_address, subnet, network.mtu)


def _lease(address: str, subnet: Subnet, mtu: int) -> Lease:
    gateway = None if subnet.gateway_ip is None else IPv4Address(subnet.gateway_ip)
    routes = tuple(
        (IPv4Network(route.destination, strict=False), IPv4Address(route.nexthop)) for route in subnet.host_routes
    )
    default = IPv4Network("0.0.0.0/0")
    if gateway is not None and all(destination != default for destination, _ in routes):
        routes = (*routes, (default, gateway))
    return Lease(
        address=IPv4Address(address),
        network=IPv4Network(subnet.cidr, strict=False),
        server=gateway or NAMELESS_SERVER,
        gateway=gateway,
        dns=tuple(IPv4Address(dns) for dns in subnet.dns_nameservers if ":" not in dns),
        routes=routes,
        mtu=mtu,
    )


def _build(request: Request, lease: Lease, message: Message) -> bytes:
    refused, informed = message is Message.NAK, request.message is Message.INFORM
    yours = ANY if refused or informed else lease.address.packed
    ciaddr = ANY if refused else request.ciaddr
    bootp = (
        pack("!BBBB4sHH", 2, 1, 6, 0, request.xid, 0, request.flags)
        + (ciaddr + yours + ANY + ANY + request.chaddr).ljust(HEADER - 12, b"\0")
        + MAGIC
        + b"".join(pack("!BB", code, len(value)) + value for code, value in _told(request, lease, message))
        + bytes((Option.END,))
    )
    return _frame(request, lease, message, bootp.ljust(MINIMUM, b"\0"))


def _told(request: Request, lease: Lease, message: Message) -> Iterable[tuple[Option, bytes]]:
    """The options of an answer."""
    yield Option.TYPE, bytes((message,))
    yield Option.SERVER, lease.server.packed
    if Option.CLIENT in request.options:
        # RFC 6842: repeated as it came.
        yield Option.CLIENT, request.options[Option.CLIENT][:255]
    if message is Message.NAK:
        return
    if request.message is not Message.INFORM:
        yield Option.LEASE, pack("!I", LEASE)
        yield Option.RENEWAL, pack("!I", LEASE // 2)
        yield Option.REBINDING, pack("!I", LEASE * 7 // 8)
    yield from _configuration(lease)


def _configuration(lease: Lease) -> Iterable[tuple[Option, bytes]]:
    yield Option.MASK, lease.network.netmask.packed
    if lease.gateway is not None:
        yield Option.ROUTER, lease.gateway.packed
    if lease.dns:
        yield Option.DNS, b"".join(dns.packed for dns in lease.dns)
    yield Option.MTU, pack("!H", lease.mtu)
    if lease.routes:
        yield Option.ROUTES, b"".join(_route(*route) for route in lease.routes)


def _route(destination: IPv4Network, nexthop: IPv4Address) -> bytes:
    """RFC 3442: the prefix's length, its significant octets, the next hop."""
    octets = destination.network_address.packed[: (destination.prefixlen + 7) // 8]
    return bytes((destination.prefixlen,)) + octets + nexthop.packed


def _frame(request: Request, lease: Lease, message: Message, bootp: bytes) -> bytes:
    """RFC 2131, section 4.1: who has an address is spoken to there; who has none, there or by broadcast as it asks."""
    if message is Message.NAK or (request.ciaddr == ANY and request.flags & BROADCAST_FLAG):
        mac, address = BROADCAST_MAC, BROADCAST
    else:
        mac, address = request.chaddr, lease.address.packed if request.ciaddr == ANY else request.ciaddr
    source = lease.server.packed
    datagram = udp(source, address, SERVER_PORT, CLIENT_PORT, bootp)
    return ethernet(mac, SERVER_MAC, ETHERTYPE_IPV4, ipv4(source, address, UDP, datagram))
