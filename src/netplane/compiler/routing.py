"""Router interfaces: addresses that are everywhere, MAC addresses that route, and the routes they connect."""

from collections.abc import Iterable, Iterator

from netplane.base.addresses import (
    MAPPED,
    MAPPED_BITS,
    is_ipv4,
    link_local,
    pack_address,
    pack_mac,
    pack_prefix,
    prefix_contains,
)
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import bits_before, feature, problem
from netplane.compiler.firewall import guarded
from netplane.model import Network, Port, Router, Subnet, Wall
from netplane.tables.decisions import EndpointFlag, Family
from netplane.tables.pipeline import ENDPOINT, GATEWAY, ROUTE

BEFORE_PREFIX = bits_before(ROUTE, "address")
# Plain numbers: those of an enumeration are hashed and packed in Python.
FAMILIES = {True: int(Family.IPV4), False: int(Family.IPV6)}
EVERYWHERE = int(EndpointFlag.ROUTER)
EVERY_IPV4 = MAPPED + bytes(4), MAPPED_BITS
"""0.0.0.0/0."""


@feature
def routing(port: Port, view: View) -> Iterator[Item]:
    """For a router's interface: an `endpoint` for each address, a `gateway` for each family, a `route` for each subnet.

    The interface's addresses are there whatever becomes of the router; it routes only while it is up.
    """
    network = view.get(Network, port.network_id)
    if network is None:
        yield problem(port, f"network {port.network_id} is missing")
        return
    mac, vni = pack_mac(port.mac_address), network.vni
    addresses = [pack_address(fixed.ip_address) for fixed in port.fixed_ips]
    everywhere = ENDPOINT.pack_value(mac, EVERYWHERE, 0, 0)
    for address in own_addresses(addresses, mac):
        yield ENDPOINT.name, ENDPOINT.pack_key(vni, address), everywhere
    router = view.get(Router, port.device_id)
    if router is None:
        yield problem(port, f"router {port.device_id} is missing")
    elif router.admin_state_up:
        # Of a family there is one entry, so a router speaks ICMP from its interface's first address of it.
        speakers = {FAMILIES[is_ipv4(address)]: address for address in reversed(addresses)}
        guard = guarded(view.get(Wall, port.id))
        for family, speaker in speakers.items():
            key, value = GATEWAY.pack_key(vni, mac, family), GATEWAY.pack_value(router.number, speaker, guard)
            yield GATEWAY.name, key, value
        value = ROUTE.pack_value(vni, mac, network.mtu, 0, 0, guard)
        yield from connected(port, router, value, view)


def own_addresses(addresses: list[bytes], mac: bytes) -> Iterable[bytes]:
    """An interface's, and if one is of IPv6, that on its own link: machines know their router by it (RFC 4861)."""
    return dict.fromkeys(addresses if all(map(is_ipv4, addresses)) else (*addresses, link_local(mac)))


def connected(port: Port, router: Router, value: bytes, view: View) -> Iterator[Item]:
    """A `route` for each subnet in which the interface has an address."""
    for id in dict.fromkeys(fixed.subnet_id for fixed in port.fixed_ips):
        subnet = view.get(Subnet, id)
        if subnet is None:
            yield problem(port, f"subnet {id} is missing")
        else:
            prefix, length = pack_prefix(subnet.cidr)
            if length < MAPPED_BITS and prefix_contains((prefix, length), EVERY_IPV4):
                raise ValueError(f"{subnet.cidr} has every IPv4 address in it (RFC 4291, section 2.5.5.2)")
            yield ROUTE.name, ROUTE.pack_key(BEFORE_PREFIX + length, router.number, prefix), value
