"""Where a machine's port stands, and the endpoint that its domain knows it by."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from netplane.base.addresses import pack_address, pack_mac, pack_prefix
from netplane.model import (
    Announcement,
    Binding,
    Endpoint,
    Host,
    Identity,
    Network,
    Pair,
    Port,
    Subnet,
    may_announce,
)


class Placement(NamedTuple):
    """A port on a host. A port stands somewhere only if all that its endpoint needs exists."""

    network_id: str
    host: str
    identity: Identity | None
    endpoint: Endpoint


def place(
    port: Port | None,
    binding: Binding | None,
    host: Host | None,
    network: Network | None,
    identity: Identity | None,
    announcements: Collection[Announcement] = (),
    subnets: Iterable[Subnet] = (),
) -> Placement | None:
    """The placement of a port, from its binding, host, network, identity, announcements and subnets; None if none.

    A missing identity counts as none, an address or pair that cannot be read as absent, and a MAC that cannot be read,
    or a number without room, leaves the port without a place: hosts would have nothing to reach it by.
    """
    if port is None or port.is_router_interface or binding is None or host is None or network is None:
        return None
    is_secured = port.port_security_enabled
    try:
        endpoint = Endpoint.of(
            port.id,
            vni=network.vni,
            mac=pack_mac(port.mac_address),
            addresses=_addresses(port),
            identity=identity.number if identity else 0,
            host=host.number,
            stateless=identity is not None and identity.stateless,
            names=_names(port) if port.dns_name else (),
            secured=is_secured,
            asks=is_secured and _asks(port, subnets),
            pairs=_pairs(port) if is_secured and port.allowed_address_pairs else (),
            announced=_announced(port, announcements) if announcements else (),
        )
    except ValueError:
        return None
    return Placement(port.network_id, host.id, identity, endpoint)


def _asks(port: Port, subnets: Iterable[Subnet]) -> bool:
    """Whether its machine must ask others for its addresses of IPv4; a subnet of another network says nothing."""
    asks = False
    for subnet in subnets:
        if subnet.ip_version == 4 and subnet.network_id == port.network_id:
            if subnet.enable_dhcp:
                return False
            asks = True
    return asks


def _names(port: Port) -> tuple[str, ...]:
    own = port.dns_name.lower()
    if own.endswith(".") or not port.dns_domain:
        return (own,)
    return own, f"{own}.{port.dns_domain.lower()}"


def _addresses(port: Port) -> tuple[bytes, ...]:
    packed = []
    for fixed in port.fixed_ips:
        try:
            packed.append(pack_address(fixed.ip_address))
        except ValueError:
            continue
    return tuple(packed)


def _pairs(port: Port) -> tuple[Pair, ...]:
    packed = []
    for pair in port.allowed_address_pairs:
        try:
            packed.append(Pair(*pack_prefix(pair.ip_address), pack_mac(pair.mac_address)))
        except ValueError:
            continue
    return tuple(packed)


def _announced(port: Port, announcements: Iterable[Announcement]) -> tuple[Pair, ...]:
    """What the port may announce still; its pairs may be others now."""
    packed = []
    for said in announcements:
        try:
            if may_announce(port, said.address, said.mac):
                packed.append(Pair(pack_address(said.address), 128, pack_mac(said.mac)))
        except ValueError:
            continue
    return tuple(sorted(packed))
