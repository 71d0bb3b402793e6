"""What the routers of a network say to a machine on it: read off records, as `advert` writes it.

- A router says what concerns the subnets in which it has an interface. It is a default router while it is up, if it is
  the gateway of one of them.
- Subnets without a router are the platform's own to speak of, as nobody's default router: machines get addresses there
  too, and whoever had a router before it went hears that it has none.
- Nothing is said of a subnet without `ipv6_ra_mode`: its advertisements are another's.
- A port's own `dns-server` and `domain-search`, among its DHCPv6 options, replace what its subnets say of resolvers and
  its network's domain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network
from typing import NamedTuple

from netplane.agent.answers.advert import Advert, Prefix, PrefixFlag, Says
from netplane.agent.answers.resolvers import resolvers
from netplane.base.addresses import pack_mac
from netplane.base.dhcp6 import NAMES
from netplane.model import Network, Port, Router, Subnet
from netplane.model.dhcp6 import encode_option
from netplane.model.network import DHCPV6_STATEFUL, DHCPV6_STATELESS

PLATFORM_MAC = bytes.fromhex("026e70000001")
"""Whose the platform's own answers are: locally administered, and no machine's."""

LONGEST_PAUSE, SHORTEST_PAUSE = 600, 200
"""Seconds between two advertisements (RFC 4861, section 6.2.1: MaxRtrAdvInterval, MinRtrAdvInterval)."""

LIFETIME = 3 * LONGEST_PAUSE
"""Seconds for which a router and what it says of resolvers hold (there, and RFC 8106, section 5.1)."""

VALID, PREFERRED = 2_592_000, 604_800
"""Seconds for which addresses of a prefix hold: 30 days, and 7 (RFC 4861, section 6.2.1)."""

RESOLVERS, SEARCH = 23, 24
"""The DHCPv6 options that say the same (RFC 3646)."""


class Link(NamedTuple):
    """A network, as far as its routers speak of it."""

    network: Network
    """With the domain that holds for it."""
    subnets: Sequence[Subnet]
    interfaces: Sequence[Port]
    """Of routers."""
    routers: Mapping[str, Router]


def adverts(link: Link, port: Port) -> tuple[Advert, ...]:
    """What the machine of a port is told, by whom."""
    spoken = {subnet.id: subnet for subnet in link.subnets if subnet.ip_version == 6 and subnet.ipv6_ra_mode}
    if not spoken:
        return ()
    return tuple(_speakers(link, spoken, own_options(port)))


def _speakers(link: Link, spoken: Mapping[str, Subnet], own: Mapping[int, bytes]) -> Iterator[Advert]:
    left = dict(spoken)
    for interface in link.interfaces:
        addresses = {fixed.ip_address: fixed.subnet_id for fixed in interface.fixed_ips}
        subnets = [spoken[id] for id in dict.fromkeys(addresses.values()) if id in spoken]
        if subnets:
            router = link.routers.get(interface.device_id)
            is_up = router is not None and router.admin_state_up
            is_default = is_up and any(subnet.gateway_ip in addresses for subnet in subnets)
            yield _advert(pack_mac(interface.mac_address), LIFETIME if is_default else 0, subnets, link.network, own)
            for subnet in subnets:
                left.pop(subnet.id, None)
    if left:
        yield _advert(PLATFORM_MAC, 0, list(left.values()), link.network, own)


def _advert(mac: bytes, lifetime: int, subnets: Sequence[Subnet], network: Network, own: Mapping[int, bytes]) -> Advert:
    modes = {subnet.ipv6_ra_mode for subnet in subnets}
    said = dict.fromkeys(server for subnet in subnets for server in resolvers(subnet, on_link=True))
    servers = own.get(RESOLVERS, b"".join(IPv6Address(server).packed for server in said))
    search = own.get(SEARCH) or search_list(network)
    return Advert(
        mac=mac,
        says=Says(0)
        | (Says.MANAGED if DHCPV6_STATEFUL in modes else Says(0))
        | (Says.OTHER if DHCPV6_STATELESS in modes else Says(0)),
        lifetime=lifetime,
        prefixes=tuple(map(_prefix, subnets)),
        mtu=network.mtu,
        resolvers=tuple(servers[at : at + 16] for at in range(0, len(servers), 16)),
        search=(search,) if search else (),
        told=LIFETIME,
    )


def search_list(network: Network) -> bytes:
    """What names end with on a network, as options say it; nothing if it has no domain, or one that makes no sense."""
    domain = network.dns_domain.rstrip(".")
    if domain:
        with suppress(ValueError):
            return NAMES.encode(domain)
    return b""


def _prefix(subnet: Subnet) -> Prefix:
    network = IPv6Network(subnet.cidr, strict=False)
    is_autonomous = subnet.ipv6_ra_mode != DHCPV6_STATEFUL
    flags = PrefixFlag.ON_LINK | (PrefixFlag.AUTONOMOUS if is_autonomous else PrefixFlag(0))
    return Prefix(network.network_address.packed, network.prefixlen, flags, VALID, PREFERRED)


def own_options(port: Port) -> dict[int, bytes]:
    """What a port's own options say; one that makes no sense says nothing."""
    found: dict[int, bytes] = {}
    for option in port.extra_dhcp_opts:
        if option.ip_version == 6:
            with suppress(ValueError):
                code, value = encode_option(option)
                found[code] = value
    return found


def changed(before: Iterable[Advert], after: Sequence[Advert]) -> tuple[Advert, ...]:
    """What to say when it changes: whoever spoke before takes back what does not hold any more, then what holds now."""
    current = {advert.mac: advert for advert in after}
    kept = {prefix[:2] for advert in after for prefix in advert.prefixes}
    farewells = [_farewell(advert, kept) for advert in before if advert.mac not in current]
    taken = {advert.mac: _taken(advert.prefixes, kept) for advert in before}
    return (
        *farewells,
        *(advert._replace(prefixes=(*advert.prefixes, *taken.get(advert.mac, ()))) for advert in after),
    )


def _farewell(advert: Advert, kept: set[tuple[bytes, int]]) -> Advert:
    """RFC 4861, section 6.2.5."""
    return advert._replace(lifetime=0, prefixes=_taken(advert.prefixes, kept), told=0)


def _taken(prefixes: Iterable[Prefix], kept: set[tuple[bytes, int]]) -> tuple[Prefix, ...]:
    return tuple(prefix._replace(valid=0, preferred=0) for prefix in prefixes if prefix[:2] not in kept)
