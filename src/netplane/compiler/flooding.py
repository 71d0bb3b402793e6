"""What goes to all of a network: the hosts that carry its machines, the machines here, and the addresses that mean all.

The lists stand in the order in which their members mostly come, so that a new one is written at the end.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
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
def flooding(network: Network, view: View) -> list[Item]:
    """`spread`, `crowd` and `broadcast` entries of a network that is up."""
    if not network.admin_state_up:
        return []
    vni = network.vni
    here = sorted((device.ifindex, mac) for device, mac in plugged(network, view))
    presence = view.get(Presence, network.id) if here else None
    items = _spread(vni, presence.hosts) if presence else []
    meant = [broadcast(subnet.cidr) for subnet in view.find(Subnet, "network_id", network.id)]
    items += [CROWD.entry((vni, index), (mac,)) for index, (_, mac) in enumerate(here)]
    items += [BROADCAST.entry((vni, address), ()) for address in meant if address is not None]
    return items


def _spread(vni: int, hosts: Sequence[int]) -> list[Item]:
    """The hosts of a network, an entry for each sixteen of them; the last is filled up with zeros."""
    packed, size = array("I", hosts).tobytes(), SPREAD.value.size
    return [
        SPREAD.entry((vni, index), (packed[start : start + size],))
        for index, start in enumerate(range(0, len(packed), size))
    ]


def plugged(network: Network, view: View) -> Iterator[tuple[Device, bytes]]:
    """The machines of a network that are up and have a device here."""
    for port in view.find(Port, "network_id", network.id):
        if not port.is_router_interface and port.admin_state_up:
            device = view.get(Device, port.id)
            if device is not None:
                with suppress(ValueError):  # Of such an address its port complains.
                    yield device, pack_mac(port.mac_address)


@lru_cache(maxsize=4096)
def broadcast(cidr: str) -> bytes | None:
    """The address that means all of a subnet; None if it has none, or is no range."""
    try:
        range = ip_network(cidr, strict=False)
    except ValueError:
        return None
    if not isinstance(range, IPv4Network) or range.prefixlen >= POINT_TO_POINT:
        return None
    return pack_address(str(range.broadcast_address))
