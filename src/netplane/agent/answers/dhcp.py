"""The platform's DHCPv4 server (RFC 2131, 2132), without a socket: frame in, frame or nothing out.

Answers are read off records and nothing is remembered, so every host answers for its own machines alike, with or
without a controller. An address is leased to whom its port belongs; a lease only makes the machine ask again, and
what has changed meanwhile reaches it then.

- A port may have several addresses. A machine is leased the one that it asks for, if it is the port's, else the
  first whose subnet has DHCP; a client has one address a device, so whoever wants the others sets them by hand.
- The server is called by the subnet's gateway address (option 54), so that renewals, which are unicast, find it by
  ARP where a router is; without one machines renew by broadcast (rebinding). Without a gateway it is called
  169.254.169.254.
- A client that says what it wants to know is told that, in its order, and then the options of its port's own; of the
  subnet's nothing else (RFC 2131, section 4.3.1). A client that does not say is told everything.
- There are no relays: `giaddr` is ignored. DECLINE and RELEASE need no answer and there is no state to change.
- Whatever is malformed, not a request, or asks for a MAC other than the port's gets no answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from struct import pack, unpack
from typing import NamedTuple

from netplane.agent.answers.bootp import (
    ANY,
    BROADCAST_FLAG,
    CLIENT_PORT,
    SERVER_PORT,
    Message,
    Option,
    Reply,
    Request,
    parse,
    write,
)
from netplane.agent.answers.frames import BROADCAST_MAC, ETHERTYPE_IPV4, UDP, ethernet, ipv4, udp
from netplane.agent.answers.resolvers import resolvers
from netplane.base.addresses import pack_mac
from netplane.base.dhcp import DOMAINS, FOREVER, route
from netplane.model import DhcpOption, Network, Port, Subnet
from netplane.model.dhcp import NEXT_SERVER, encode_option
from netplane.tables.decisions import Service

LEASE = 86_400
"""Seconds; machines ask again after half of them, and everybody after seven eighths (RFC 2131, section 4.4.5)."""

SERVER_MAC = bytes.fromhex("026e70000001")
"""The source of answers' frames: locally administered, and no machine's."""

NAMELESS_SERVER = IPv4Address(int(Service.ADDRESS))
SERVICES, ON_LINK = IPv4Network(NAMELESS_SERVER), IPv4Address(0)
"""A route without a router (RFC 3442)."""

BROADCAST = b"\xff" * 4
DEFAULT_ROUTE = IPv4Network("0.0.0.0/0")
SMALLEST = 576
"""Bytes of an IP packet that every client takes (RFC 2131, section 2); more if it says so by option 57."""

NAMING = frozenset({Option.HOSTNAME, Option.DOMAIN, Option.SEARCH})
"""What a machine can do without."""

ADDRESSING = frozenset({Option.MASK, Option.LEASE, Option.RENEWAL, Option.REBINDING})
"""What comes with an address, asked for or not."""


class Lease(NamedTuple):
    """One address of a port and what its machine is told."""

    address: bytes
    server: bytes
    told: Mapping[int, bytes]
    """All options by number; those of `ADDRESSING` included."""
    own: tuple[int, ...]
    """Which of them are the port's own."""
    next_server: bytes
    """Whom a boot file is fetched from."""
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
    lease = next((lease for lease in leases if lease.address == asked), leases[0])
    message = _decide(request, lease, {lease.server for lease in leases})
    return None if message is None else _frame(request, lease, message)


def read_declined(frame: bytes) -> str | None:
    """The address that a machine has found in use by another, if that is what a frame says."""
    request = parse(frame)
    if request is None or request.message is not Message.DECLINE:
        return None
    return str(IPv4Address(request.options.get(Option.REQUESTED, ANY)))


def _decide(request: Request, lease: Lease, servers: set[bytes]) -> Message | None:
    """What to say (RFC 2131, section 4.3); `servers` are our names."""
    if request.message is Message.DISCOVER:
        return Message.ACK if Option.RAPID in request.options else Message.OFFER
    if request.message is Message.INFORM:
        return Message.ACK
    if request.message is not Message.REQUEST:
        return None
    if request.options.get(Option.SERVER, lease.server) not in servers:
        # It has chosen another server's offer.
        return None
    # Selecting and init-reboot name the address in an option, renewing and rebinding in `ciaddr`.
    asked = request.options.get(Option.REQUESTED, request.ciaddr)
    return Message.ACK if asked == lease.address else Message.NAK


def _leases(port: Port, subnets: Mapping[str, Subnet], network: Network) -> Iterator[Lease]:
    """A lease for each address; records that make no sense lease nothing."""
    own = _encode(port.extra_dhcp_opts)
    for fixed in port.fixed_ips:
        subnet = subnets.get(fixed.subnet_id)
        if subnet is not None and subnet.enable_dhcp and subnet.ip_version == 4:
            with suppress(ValueError):
                yield _lease(fixed.ip_address, subnet, network.mtu, _named(port, fixed.ip_address, network), own)


def _named(port: Port, address: str, network: Network) -> dict[int, bytes]:
    """What the machine is called, and what names end with where it is."""
    told: dict[int, bytes] = {
        Option.HOSTNAME: (port.dns_name.partition(".")[0] or "host-" + address.replace(".", "-")).encode()
    }
    domain = network.dns_domain.rstrip(".")
    return told | {Option.DOMAIN: domain.encode(), Option.SEARCH: DOMAINS.encode(domain)} if domain else told


def _encode(options: Iterable[DhcpOption]) -> dict[int, bytes]:
    """A port's own options by number; one that makes no sense is none."""
    found: dict[int, bytes] = {}
    for option in options:
        if option.ip_version == 4:
            with suppress(ValueError):
                code, value = encode_option(option)
                found[code] = value
    return found


def _lease(address: str, subnet: Subnet, mtu: int, named: dict[int, bytes], own: dict[int, bytes]) -> Lease:
    gateway = b"" if subnet.gateway_ip is None else IPv4Address(subnet.gateway_ip).packed
    told = dict[int, bytes](_from_subnet(subnet, mtu, own.get(Option.ROUTER, gateway))) | named | own | _times(own)
    boot = told.pop(NEXT_SERVER, None) or told.get(Option.TFTP_ADDRESS) or _literal(told.get(Option.TFTP_SERVER, b""))
    return Lease(
        address=IPv4Address(address).packed,
        server=gateway or NAMELESS_SERVER.packed,
        told={code: value for code, value in told.items() if value},
        own=tuple(code for code in own if code != NEXT_SERVER),
        next_server=boot[:4],
        mtu=mtu,
    )


def _from_subnet(subnet: Subnet, mtu: int, router: bytes) -> Iterator[tuple[int, bytes]]:
    """What a subnet says; `router` is what the machine is told of gateways, the subnet's or its port's own."""
    network = IPv4Network(subnet.cidr, strict=False)
    yield Option.MASK, network.netmask.packed
    yield Option.ROUTER, router
    yield Option.DNS, b"".join(IPv4Address(dns).packed for dns in resolvers(subnet))
    yield Option.MTU, pack("!H", mtu)
    if network.prefixlen < 31:
        yield Option.BROADCAST, network.broadcast_address.packed
    routes = [(IPv4Network(one.destination, strict=False), IPv4Address(one.nexthop)) for one in subnet.host_routes]
    # Who reads option 121 must ignore option 3 (RFC 3442), so the default route is in both. Both are told to who asks
    # for both, though the RFC would rather leave option 3 out: clients ask for 121 and then do not apply it.
    # The host's services are on every link, whatever becomes of the gateway.
    if all(destination != SERVICES for destination, _ in routes):
        routes.append((SERVICES, ON_LINK))
    if router and all(destination != DEFAULT_ROUTE for destination, _ in routes):
        routes.append((DEFAULT_ROUTE, IPv4Address(router[:4])))
    yield Option.ROUTES, b"".join(route(*one) for one in routes)


def _times(own: Mapping[int, bytes]) -> dict[int, bytes]:
    """How long a lease lasts, and when to renew it and to rebind: in that order, or the port's wishes do not count."""
    seconds = _seconds(own.get(Option.LEASE, pack("!I", LEASE)))
    if seconds == FOREVER:
        return {Option.LEASE: pack("!I", FOREVER), Option.RENEWAL: b"", Option.REBINDING: b""}
    usual = seconds // 2, seconds * 7 // 8
    wanted = tuple(
        _seconds(own[code]) if code in own else standard
        for code, standard in zip((Option.RENEWAL, Option.REBINDING), usual, strict=True)
    )
    renewal, rebinding = wanted if wanted[0] <= wanted[1] <= seconds else usual
    return {
        Option.LEASE: pack("!I", seconds),
        Option.RENEWAL: pack("!I", renewal),
        Option.REBINDING: pack("!I", rebinding),
    }


def _seconds(octets: bytes) -> int:
    (seconds,) = unpack("!I", octets)
    return int(seconds)


def _literal(text: bytes) -> bytes:
    """The address that a name is, if it is one: many write the TFTP server's address where its name belongs."""
    with suppress(ValueError):
        return IPv4Address(text.decode()).packed
    return ANY


def _frame(request: Request, lease: Lease, message: Message) -> bytes:
    """RFC 2131, section 4.1: who has an address is spoken to there; who has none, there or by broadcast as it asks."""
    if message is Message.NAK or (request.ciaddr == ANY and request.flags & BROADCAST_FLAG):
        mac, address = BROADCAST_MAC, BROADCAST
    else:
        mac, address = request.chaddr, lease.address if request.ciaddr == ANY else request.ciaddr
    bootp = write(request, _reply(request, lease, message), _size(request, lease))
    datagram = udp(lease.server, address, SERVER_PORT, CLIENT_PORT, bootp)
    return ethernet(mac, SERVER_MAC, ETHERTYPE_IPV4, ipv4(lease.server, address, UDP, datagram))


def _size(request: Request, lease: Lease) -> int:
    """Bytes that an IP packet to a client may have: what it takes, and what surely comes through."""
    asked = int.from_bytes(request.options.get(Option.SIZE, b""), "big")
    return max(SMALLEST, min(asked, lease.mtu))


def _reply(request: Request, lease: Lease, message: Message) -> Reply:
    """RFC 2131, table 3."""
    refused, informed = message is Message.NAK, request.message is Message.INFORM
    told: Mapping[int, bytes] = {} if refused else lease.told
    return Reply(
        ciaddr=request.ciaddr if message is Message.ACK else ANY,
        yiaddr=ANY if refused or informed else lease.address,
        siaddr=ANY if refused else lease.next_server,
        # Also in the fields that are older than options: boot ROMs look there. A zero ends what is in them.
        sname=_field(told.get(Option.TFTP_SERVER, b""), 63),
        file=_field(told.get(Option.BOOT_FILE, b""), 127),
        options=[*_protocol(request, lease, message), *(() if refused else _configuration(request, lease))],
    )


def _field(name: bytes, most: int) -> bytes:
    return name if len(name) <= most else b""


def _protocol(request: Request, lease: Lease, message: Message) -> Iterator[tuple[int, bytes]]:
    """The options that every answer has."""
    yield Option.TYPE, bytes((message,))
    yield Option.SERVER, lease.server
    if Option.CLIENT in request.options:
        # RFC 6842: repeated as it came.
        yield Option.CLIENT, request.options[Option.CLIENT]
    if message is Message.ACK and request.message is Message.DISCOVER:
        # RFC 4039, section 3.1.
        yield Option.RAPID, b""


def _configuration(request: Request, lease: Lease) -> Iterator[tuple[int, bytes]]:
    """The options that configure a machine, in order; the mask precedes routers (RFC 2132, section 3.5)."""
    times = () if request.message is Message.INFORM else (Option.LEASE, Option.RENEWAL, Option.REBINDING)
    asked = request.options.get(Option.PARAMETERS) or tuple(lease.told)
    others = dict.fromkeys(code for code in (*asked, *lease.own) if code not in ADDRESSING)
    # There may be no room for all: a machine can do without a name that nobody has given it.
    in_order = sorted(others, key=lambda code: code in NAMING and code not in lease.own)
    for code in (*times, Option.MASK, *in_order):
        if code in lease.told:
            yield code, lease.told[code]
