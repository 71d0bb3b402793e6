"""The world as operators and tenants describe it, asked by plain searches through all records."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

from netplane.model import (
    AddressGroup,
    AnyRecord,
    Binding,
    Device,
    FixedIP,
    Host,
    Network,
    Port,
    Record,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from netplane.verify.datagram import Address

R = TypeVar("R", bound=Record)


class World:
    """Records, and what they mean for a packet."""

    def __init__(self, records: Iterable[AnyRecord]) -> None:
        self.records = tuple(records)

    def all(self, kind: type[R]) -> list[R]:
        """All records of a kind."""
        return [record for record in self.records if isinstance(record, kind)]

    def get(self, kind: type[R], id: str) -> R | None:
        """One record."""
        return next((record for record in self.all(kind) if record.id == id), None)

    def network(self, port: Port) -> Network:
        """The network that a port lies on."""
        return next(network for network in self.all(Network) if network.id == port.network_id)

    def host(self, port: Port) -> Host | None:
        """The host that carries a port."""
        binding = self.get(Binding, port.id)
        return None if binding is None else self.get(Host, binding.host_id)

    def plugged(self, port: Port) -> bool:
        """Whether packets go in and out of a port: it has a device, a host, and nobody has switched it off."""
        on = port.admin_state_up and self.network(port).admin_state_up and not port.is_router_interface
        return on and self.get(Device, port.id) is not None and self.host(port) is not None

    def neighbours(self, network: Network) -> list[Port]:
        """The ports of a network that can be reached: routers' everywhere, machines' where a host carries them."""
        return [
            port
            for port in self.all(Port)
            if port.network_id == network.id and (port.is_router_interface or self.host(port) is not None)
        ]

    def owner(self, network: Network, address: Address) -> Port | None:
        """Whose an address is on a network."""
        return next((port for port in self.neighbours(network) if address in addresses(port)), None)

    def router_at(self, network: Network, mac: bytes, *, ipv6: bool) -> tuple[Router, Address] | None:
        """The router that answers to a MAC address on a network in one family, and the address that it speaks from."""
        for port in self.neighbours(network):
            spoken = [address for address in given(port) if isinstance(address, IPv6Address) == ipv6]
            if port.is_router_interface and mac_of(port) == mac and spoken:
                router = self.get(Router, port.device_id)
                return (router, spoken[0]) if router is not None and router.admin_state_up else None
        return None

    def rules(self, port: Port, direction: str) -> list[SecurityGroupRule]:
        """The rules of a port's groups for one direction."""
        return [
            rule
            for rule in self.all(SecurityGroupRule)
            if rule.security_group_id in port.security_groups and rule.direction == direction
        ]

    def keeps_connections(self, port: Port) -> bool:
        """Whether replies pass for a port that has rules without one: a group that is stateful is enough for that."""
        if not port.port_security_enabled:
            return False
        groups = [self.get(SecurityGroup, id) for id in port.security_groups]
        return not groups or any(group is None or group.stateful for group in groups)

    def lists(self, address_group: str, address: Address) -> bool:
        """Whether an address lies in a range of an address group."""
        group = self.get(AddressGroup, address_group)
        return group is not None and any(address in ip_network(range) for range in group.addresses)

    def joined(self, network: Network) -> list[Network]:
        """The networks that routers join with one, itself included."""
        interfaces = [port for port in self.all(Port) if port.is_router_interface]
        found, before = {network.id}, set[str]()
        while found != before:
            before = set(found)
            routers = {port.device_id for port in interfaces if port.network_id in found}
            found |= {port.network_id for port in interfaces if port.device_id in routers}
        return [one for one in self.all(Network) if one.id in found]

    def resolves(self, network: Network, address: Address) -> bool:
        """Whether the platform answers what machines of a network ask a resolver of theirs: not if it is in reach."""
        if isinstance(address, IPv6Address):
            return False
        subnets = self.all(Subnet)
        named = any(str(address) in one.dns_nameservers for one in subnets if one.network_id == network.id)
        reach = {one.id for one in self.joined(network)}
        return named and not any(address in ip_network(one.cidr) for one in subnets if one.network_id in reach)

    def configures(self, port: Port, version: int) -> bool:
        """Whether the platform tells a port's machine its addresses of a version of IP."""
        subnets = (self.get(Subnet, fixed.subnet_id) for fixed in port.fixed_ips)
        return any(subnet is not None and subnet.enable_dhcp and subnet.ip_version == version for subnet in subnets)


def addresses(port: Port) -> list[Address]:
    """All addresses of a port: who has one of IPv6 also has that of its MAC on the link (RFC 4291, appendix A)."""
    own, mac = given(port), mac_of(port)
    if any(isinstance(address, IPv6Address) for address in own):
        interface = bytes((mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]))
        own.append(IPv6Address(bytes.fromhex("fe80000000000000") + interface))
    return own


def given(port: Port) -> list[Address]:
    """The addresses that a port was given, in order."""
    return [ip_address(fixed.ip_address) for fixed in port.fixed_ips]


def mac_of(port: Port) -> bytes:
    """The MAC address of a port."""
    return parse_mac(port.mac_address)


def parse_mac(text: str) -> bytes:
    """A MAC address as frames have it."""
    return bytes(int(part, 16) for part in text.split(":"))


def subnet_range(world: World, fixed: FixedIP) -> IPv4Network | IPv6Network:
    """The range that an address of a port comes from; that of nobody if it is not known."""
    subnet = world.get(Subnet, fixed.subnet_id)
    return IPv4Network("0.0.0.0/32") if subnet is None else ip_network(subnet.cidr)
