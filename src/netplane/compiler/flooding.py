"""What goes to all of a network: the hosts that carry its machines, the machines here, and the addresses that mean all.

The lists stand in the order in which their members mostly come, so that a new one is written at the end.
"""

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network, ip_network

from netplane.base.addresses import pack_address, pack_mac
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import feature
from netplane.model import Device, Network, Port, Presence, Subnet
from netplane.tables.pipeline import BROADCAST, CROWD, SPREAD

POINT_TO_POINT = 31
"""From this length on, a prefix has no address for all (RFC 3021)."""


@feature
def flooding(network: Network, view: View) -> Iterator[Item]:
    """`spread`, `crowd` and `broadcast` entries of a network that is up."""
    if not network.admin_state_up:
        return
    presence = view.get(Presence, network.id)
    for index, number in enumerate(presence.hosts if presence else ()):
        yield SPREAD.entry((network.vni, index), (number,))
    here = sorted((device.ifindex, mac) for device, mac in plugged(network, view))
    for index, (_, mac) in enumerate(here):
        yield CROWD.entry((network.vni, index), (mac,))
    for subnet in view.find(Subnet, "network_id", network.id):
        address = broadcast(subnet)
        if address is not None:
            yield BROADCAST.entry((network.vni, address), ())


def plugged(network: Network, view: View) -> Iterator[tuple[Device, bytes]]:
    """The machines of a network that are up and have a device here."""
    for port in view.find(Port, "network_id", network.id):
        if not port.is_router_interface and port.admin_state_up:
            device = view.get(Device, port.id)
            if device is not None:
                with suppress(ValueError):  # Of such an address its port complains.
                    yield device, pack_mac(port.mac_address)


def broadcast(subnet: Subnet) -> bytes | None:
    """The address that means all of a subnet; None if it has none, or is no range."""
    try:
        range = ip_network(subnet.cidr, strict=False)
    except ValueError:
        return None
    if not isinstance(range, IPv4Network) or range.prefixlen >= POINT_TO_POINT:
        return None
    return pack_address(str(range.broadcast_address))
