"""The platform's DHCPv6 server (RFC 8415), without a socket: frame in, frame or nothing out.

As `dhcp` for IPv4: answers are read off records and nothing is remembered, so every host answers for its own machines
alike, with or without a controller.

- A machine is given the addresses of its port in subnets whose addresses come by DHCPv6, all of them in its first
  association (IA_NA); in `slaac` and `dhcpv6-stateless` subnets it makes them itself and is told the rest.
- An address that the machine believes to have and its port has not is given back with lifetimes of zero when it renews,
  and is not on the link when it confirms: what has changed reaches it then.
- A client is told what it asks for (option 6), and its port's own options; one that does not say is told everything.
  It is told its name (option 39) if it asks for that or says one itself: its port's `dns_name`, or else its own.
- Prefixes and temporary addresses are not given. RELEASE and DECLINE are acknowledged, and there is no state to change.
- Whatever is malformed, for another server, or from another MAC address than the port's gets no answer.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv6Address
from struct import pack, unpack
from typing import NamedTuple

from netplane.agent.answers.dhcp6_messages import (
    Association,
    Message,
    Option,
    Request,
    Sender,
    Status,
    parse,
    write,
    write_address,
    write_association,
    write_status,
)
from netplane.agent.answers.link import PLATFORM_MAC, RESOLVERS, SEARCH, own_options, search_list
from netplane.agent.answers.resolvers import resolvers
from netplane.base.addresses import link_local, pack_mac
from netplane.base.dhcp6 import NAMES
from netplane.model import Network, Port, Subnet

LEASE = 86_400
"""Seconds; machines ask again after half of them, and everybody after four fifths (section 21.4)."""

SERVER = Sender(PLATFORM_MAC, link_local(PLATFORM_MAC))
IDENTITY = pack("!HH", 3, 1) + PLATFORM_MAC
"""The server's (section 11.4: DUID-LL of Ethernet); all hosts are one server to machines."""

FIRST = b"\xff"
"""The preference that lets a client wait for no other server (section 18.2.1)."""

NOT_OURS_TO_SAY = b"\x04"
"""RFC 4704, section 4.1: the server updates no DNS."""

WITHOUT_SERVER = frozenset({Message.SOLICIT, Message.CONFIRM, Message.REBIND})
WITH_SERVER = frozenset({Message.REQUEST, Message.RENEW, Message.RELEASE, Message.DECLINE})
"""Messages that must not, and that must name a server (section 16)."""


class Lease(NamedTuple):
    """What a port's machine is given and told."""

    addresses: tuple[bytes, ...]
    told: Mapping[int, bytes]
    """All options by number."""
    own: frozenset[int]
    """Which of them are the port's own."""
    name: bytes
    """What the machine is called, as a domain name; empty if nobody has said."""


def answer(frame: bytes, port: Port, subnets: Mapping[str, Subnet], network: Network) -> bytes | None:
    """The frame that answers a machine's frame, or None if it gets none; the network with the domain that holds."""
    request = parse(frame)
    if request is None or request.mac != pack_mac(port.mac_address) or not _is_for_us(request):
        return None
    served = [subnet for subnet in subnets.values() if subnet.tells_by_dhcpv6]
    if not served or request.message in (Message.ADVERTISE, Message.REPLY):
        return None
    lease = _lease(port, subnets, network)
    if request.message is Message.CONFIRM and not any(one.addresses for one in request.associations):
        # Section 18.3.3: there is nothing that could be on the link or not.
        return None
    is_offer = request.message is Message.SOLICIT and Option.RAPID not in request.options
    return write(request, SERVER, Message.ADVERTISE if is_offer else Message.REPLY, _options(request, lease))


def read_declined(frame: bytes) -> str | None:
    """The addresses that a machine has found in use by another, if that is what a frame says."""
    request = parse(frame)
    if request is None or request.message is not Message.DECLINE:
        return None
    return ", ".join(str(IPv6Address(address)) for one in request.associations for address in one.addresses)


def _is_for_us(request: Request) -> bool:
    """Section 16."""
    server = request.options.get(Option.SERVER)
    if request.message is Message.INFORMATION_REQUEST:
        return server in (None, IDENTITY) and not request.associations
    if Option.CLIENT not in request.options:
        return False
    if request.message in WITHOUT_SERVER:
        return server is None
    return request.message in WITH_SERVER and server == IDENTITY


def _lease(port: Port, subnets: Mapping[str, Subnet], network: Network) -> Lease:
    addresses = []
    servers: dict[bytes, None] = {}
    for fixed in port.fixed_ips:
        subnet = subnets.get(fixed.subnet_id)
        if subnet is not None and subnet.tells_by_dhcpv6:
            with suppress(ValueError):
                servers |= dict.fromkeys(IPv6Address(server).packed for server in resolvers(subnet))
            if subnet.gives_by_dhcpv6:
                with suppress(ValueError):
                    addresses.append(IPv6Address(fixed.ip_address).packed)
    own = own_options(port)
    told = {RESOLVERS: b"".join(servers), SEARCH: search_list(network), Option.REFRESH: pack("!I", LEASE)} | own
    return Lease(
        addresses=tuple(addresses),
        told={code: value for code, value in told.items() if value},
        own=frozenset(own) - {Option.REFRESH},
        name=_name(port, network),
    )


def _name(port: Port, network: Network) -> bytes:
    """What the machine is called, as a domain name; empty if nobody has said."""
    if not port.dns_name:
        return b""
    name = port.dns_name if port.dns_name.endswith(".") else f"{port.dns_name}.{network.dns_domain}"
    with suppress(ValueError):
        return NAMES.encode(name.rstrip("."))
    return b""


def _options(request: Request, lease: Lease) -> Iterator[tuple[int, bytes]]:
    yield Option.SERVER, IDENTITY
    if Option.CLIENT in request.options:
        yield Option.CLIENT, request.options[Option.CLIENT]
    match request.message:
        case Message.SOLICIT:
            yield (Option.RAPID, b"") if Option.RAPID in request.options else (Option.PREFERENCE, FIRST)
            yield from _given(request, lease)
        case Message.REQUEST | Message.RENEW | Message.REBIND:
            yield from _given(request, lease)
        case Message.CONFIRM:
            yield _status(_confirmed(request, lease))
        case Message.RELEASE | Message.DECLINE:
            yield _status(Status.SUCCESS)
            return
    yield from _configuration(request, lease)


def _status(status: Status) -> tuple[int, bytes]:
    return Option.STATUS, write_status(status)[4:]


def _confirmed(request: Request, lease: Lease) -> Status:
    """Whether what a machine has is its port's; that it would fit on the link does not do."""
    held = {address for one in request.associations for address in one.addresses}
    return Status.SUCCESS if held <= set(lease.addresses) else Status.NOT_ON_LINK


def _given(request: Request, lease: Lease) -> Iterator[tuple[int, bytes]]:
    """An answer to each association: the first that wants addresses gets all."""
    left = lease.addresses
    for association in request.associations:
        if association.kind is Option.IA_NA:
            yield _association(request, association, left)
            left = ()
        elif association.kind is Option.IA_PD:
            yield write_association(association, 0, 0, write_status(Status.NO_PREFIX, "No prefixes available"))
        else:
            yield write_association(association, 0, 0, write_status(Status.NO_ADDRESSES, "No temporary addresses"))


def _association(request: Request, association: Association, addresses: tuple[bytes, ...]) -> tuple[int, bytes]:
    content = b"".join(write_address(address, LEASE, LEASE) for address in addresses)
    if request.message in (Message.RENEW, Message.REBIND):
        content += b"".join(write_address(gone, 0, 0) for gone in association.addresses if gone not in addresses)
    if content:
        return write_association(association, LEASE // 2, LEASE * 4 // 5, content)
    status = Status.NO_ADDRESSES if request.message in (Message.SOLICIT, Message.REQUEST) else Status.NO_BINDING
    return write_association(association, 0, 0, write_status(status, "No addresses available"))


def _configuration(request: Request, lease: Lease) -> Iterator[tuple[int, bytes]]:
    """What else a machine is told."""
    octets = request.options.get(Option.REQUESTED, b"")
    asked = unpack(f"!{len(octets) // 2}H", octets[: len(octets) // 2 * 2]) or tuple(lease.told)
    for code in dict.fromkeys((*asked, *sorted(lease.own))):
        if code in lease.told and (code != Option.REFRESH or request.message is Message.INFORMATION_REQUEST):
            yield code, lease.told[code]
    name = lease.name or request.options.get(Option.NAME, b"")[1:]
    if name and (Option.NAME in request.options or Option.NAME in asked):
        # RFC 4704, section 6: its port's name, or else the one that it has said.
        yield Option.NAME, NOT_OURS_TO_SAY + name
