"""DHCP (RFC 2131, RFC 8415) among machines: who may ask whom for an address that the network does not tell."""

from ipaddress import IPv4Address

from netplane.model import Port, Subnet
from netplane.verify.datagram import UDP, Datagram
from netplane.verify.world import World

DHCP = {False: (68, 67), True: (546, 547)}
"""The ports of clients and servers, by whether it is DHCPv6."""
NOBODY, EVERYBODY = IPv4Address(0), IPv4Address("255.255.255.255")


def is_question(datagram: Datagram) -> bool:
    """Whether a client asks a server."""
    return datagram.protocol == UDP and datagram.ports == DHCP[datagram.is_ipv6]


def is_answer(datagram: Datagram) -> bool:
    """Whether a server answers a client."""
    return datagram.protocol == UDP and datagram.ports == DHCP[datagram.is_ipv6][::-1]


def may_ask(world: World, port: Port) -> bool:
    """Whether a machine has addresses of IPv4 and the platform tells it none of them."""
    subnets = [world.get(Subnet, fixed.subnet_id) for fixed in port.fixed_ips]
    told = [subnet.enable_dhcp for subnet in subnets if subnet is not None and subnet.ip_version == 4]
    return port.port_security_enabled and bool(told) and not any(told)


def is_nobody(port: Port, frame: bytes, datagram: Datagram) -> bool:
    """Whether a machine that is held to its addresses speaks from none, and not to ask all for one."""
    if not port.port_security_enabled or datagram.source != NOBODY:
        return False
    return not (frame[0] & 1 and datagram.destination == EVERYBODY and is_question(datagram))
