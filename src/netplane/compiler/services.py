"""The host's services for its machines: as whom they see each machine, and where machines ask for names.

A resolver that lies within reach of its network's routers is a machine of the tenant's own, or meant to be one: what is
asked there goes there. All others are asked through the host's services.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from netplane.base.addresses import is_ipv4, link_local, pack_address, pack_mac
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import feature, problem
from netplane.model import Device, Network, Port, Subnet
from netplane.tables.decisions import DeviceFlag
from netplane.tables.peers import ADDRESSES, peer_of, slot_of
from netplane.tables.pipeline import CLIENT, PEER, RESOLVER


@feature
def clients(port: Port, view: View) -> Iterator[Item]:
    """A `client` and a `peer` entry for each address of a port that is up and whose device is here.

    One with an IPv6 address also has that of its MAC address on the link.
    """
    device, network = view.get(Device, port.id), view.get(Network, port.network_id)
    if device is None or network is None or not (port.admin_state_up and network.admin_state_up):
        return
    flags, mac = DeviceFlag.PEER if device.peer else 0, pack_mac(port.mac_address)
    packed = list(dict.fromkeys(pack_address(fixed.ip_address) for fixed in port.fixed_ips))
    own = [address for address in packed if is_ipv4(address)]
    own_v6 = [] if len(own) == len(packed) else [address for address in packed if not is_ipv4(address)]
    if own_v6:
        own_v6 = list(dict.fromkeys((link_local(mac), *own_v6)))
    if max(len(own), len(own_v6)) > ADDRESSES:
        yield problem(port, f"only its first {ADDRESSES} addresses are served names and metadata")
    for ipv6, addresses in ((False, own), (True, own_v6)):
        for which, address in enumerate(addresses[:ADDRESSES]):
            peer = peer_of(slot_of(device.ifindex, device.vlan), which, ipv6=ipv6)
            yield CLIENT.entry((device.ifindex, device.vlan, address), (peer,))
            yield PEER.entry((peer,), (address, device.ifindex, flags, device.vlan, network.vni, mac))


@feature
def resolvers(subnet: Subnet, view: View) -> Iterator[Item]:
    """A `resolver` entry for each IPv4 resolver of a subnet that is in no network joined with its own."""
    named = [text for text in subnet.dns_nameservers if is_ipv4(pack_address(text))]
    network = view.get(Network, subnet.network_id) if named else None
    if network is None:
        return
    inside = [ip_network(one.cidr) for id in joined(network.id, view) for one in view.find(Subnet, "network_id", id)]
    for text in named:
        if not any(ip_address(text) in prefix for prefix in inside):
            yield RESOLVER.entry((network.vni, pack_address(text)), (0,))


def joined(network: str, view: View) -> set[str]:
    """The networks that routers join with one, itself included."""
    found, waiting = {network}, [network]
    while waiting:
        for port in view.find(Port, "network_id", waiting.pop()):
            if port.is_router_interface:
                others = {other.network_id for other in view.find(Port, "device_id", port.device_id)}
                waiting += others - found
                found |= others
    return found
