"""Router interfaces: addresses that are everywhere, MAC addresses that route, and the routes they connect."""

from collections.abc import Iterator

from netplane.base.addresses import is_ipv4, pack_address, pack_mac, pack_prefix
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import bits_before, feature, problem
from netplane.model import Network, Port, Router, Subnet
from netplane.tables.decisions import EndpointFlag
from netplane.tables.pipeline import ENDPOINT, GATEWAY, ROUTE

BEFORE_PREFIX = bits_before(ROUTE, "address")


@feature
def routing(port: Port, view: View) -> Iterator[Item]:
    """For a router's interface: an `endpoint` for each address, a `gateway` and a `route` for each subnet.

    The interface's addresses are there whatever becomes of the router; it routes only while it is up.
    """
    network = view.get(Network, port.network_id)
    if network is None:
        yield problem(port, f"network {port.network_id} is missing")
        return
    mac = pack_mac(port.mac_address)
    addresses = [pack_address(fixed.ip_address) for fixed in port.fixed_ips]
    for address in addresses:
        yield ENDPOINT.entry((network.vni, address), (mac, EndpointFlag.ROUTER, 0, 0))
    router = view.get(Router, port.device_id)
    if router is None:
        yield problem(port, f"router {port.device_id} is missing")
    elif router.admin_state_up:
        # A MAC address has one entry, so a router speaks ICMP from its interface's first IPv4 address.
        speaker = next(filter(is_ipv4, addresses), None)
        if speaker is not None:
            yield GATEWAY.entry((network.vni, mac), (router.number, speaker))
        yield from connected(port, router, network, mac, view)


def connected(port: Port, router: Router, network: Network, mac: bytes, view: View) -> Iterator[Item]:
    """A `route` for each subnet in which the interface has an address."""
    for id in dict.fromkeys(fixed.subnet_id for fixed in port.fixed_ips):
        subnet = view.get(Subnet, id)
        if subnet is None:
            yield problem(port, f"subnet {id} is missing")
        else:
            prefix, length = pack_prefix(subnet.cidr)
            yield ROUTE.entry((BEFORE_PREFIX + length, router.number, prefix), (network.vni, mac))
