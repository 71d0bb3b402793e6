"""Where a machine's port stands, and the endpoint that its domain knows it by."""

from typing import NamedTuple

from netplane.base.addresses import pack_address, pack_mac
from netplane.model import Binding, Endpoint, Host, Identity, Network, Port


class Placement(NamedTuple):
    """A port on a host. A port stands somewhere only if all that its endpoint needs exists."""

    network_id: str
    host: str
    identity: Identity | None
    endpoint: Endpoint


def place(
    port: Port | None, binding: Binding | None, host: Host | None, network: Network | None, identity: Identity | None
) -> Placement | None:
    """The placement of a port, from its own binding, host, network and identity; None if it stands nowhere.

    A missing identity counts as none, an address that cannot be read as absent, and a MAC that cannot be read
    leaves the port without a place: hosts would have nothing to reach it by.
    """
    if port is None or port.is_router_interface or binding is None or host is None or network is None:
        return None
    try:
        mac = pack_mac(port.mac_address)
    except ValueError:
        return None
    endpoint = Endpoint(
        id=port.id,
        vni=network.vni,
        mac=mac,
        addresses=_addresses(port),
        identity=identity.number if identity else 0,
        host=host.number,
        stateless=identity is not None and identity.stateless,
        names=_names(port),
    )
    return Placement(port.network_id, host.id, identity, endpoint)


def _names(port: Port) -> tuple[str, ...]:
    if not port.dns_name:
        return ()
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
