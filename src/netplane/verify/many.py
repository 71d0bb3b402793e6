"""Who is spoken to when a machine speaks to a group, or to all on its network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

from netplane.model import Host, Network, Port, Subnet
from netplane.verify.datagram import Address, Datagram, read_arp
from netplane.verify.world import World

IGMP, ICMPV6 = 2, 58
TO_ALL = b"\xff\xff\xff\xff\xff\xff"
EVERYBODY = IPv4Address("255.255.255.255")
NOBODY = IPv4Address(0)
ALL_NODES = IPv6Address("ff02::1")
LOCAL_GROUPS = IPv4Network("224.0.0.0/24")
"""Nobody has to say that he listens to these (RFC 4541, section 2.1.2)."""


def speaks_of_groups(datagram: Datagram) -> bool:
    """Whether it is IGMP, or MLD (RFC 2710, RFC 3810)."""
    if datagram.source.version == 4:
        return datagram.protocol == IGMP
    return datagram.protocol == ICMPV6 and datagram.icmp[0] in (130, 131, 132, 143)


def is_report(datagram: Datagram) -> bool:
    """Whether such a message says what its sender listens to, or no longer does (RFC 1112, RFC 2236, RFC 3376)."""
    if datagram.more or datagram.offset or len(datagram.payload) < 8:
        return False
    return datagram.payload[0] in ((0x12, 0x16, 0x17, 0x22) if datagram.protocol == IGMP else (131, 132, 143))


def is_for_many(world: World, network: Network, mac: bytes, address: Address) -> bool:
    """Whether the addresses of frame and packet mean the same group (RFC 1112, RFC 2464), or all of a network."""
    if isinstance(address, IPv6Address):
        wide = address.is_multicast and address.packed[1] % 16 >= 2
        return wide and int.from_bytes(mac, "big") == 0x333300000000 | int(address) & 0xFFFFFFFF
    if mac == TO_ALL:
        subnets = [ip_network(subnet.cidr) for subnet in world.all(Subnet) if subnet.network_id == network.id]
        ends = [subnet.broadcast_address for subnet in subnets if subnet.version == 4 and subnet.prefixlen < 31]
        return address == EVERYBODY or address in ends
    group = 0x01005E000000 | int(address) & 0x7FFFFF
    return address.is_multicast and int.from_bytes(mac, "big") == group


def is_joined(address: Address) -> bool:
    """Whether only those hear it who have said that they listen."""
    return address.is_multicast and address != ALL_NODES and address not in LOCAL_GROUPS


def is_announcement(frame: bytes) -> bool:
    """Whether an ARP packet tells everybody where its sender is (RFC 5227, section 3)."""
    told = read_arp(frame) if frame[12:14] == b"\x08\x06" and frame[0:6] == TO_ALL else None
    if told is None or told.operation not in (1, 2):
        return False
    return told.sender_mac == frame[6:12] and told.sender == told.target and told.sender != NOBODY


def listeners(world: World, source: Port, host: Host) -> list[Port]:
    """The other machines on a port's network that a host carries."""
    return [
        port
        for port in world.neighbours(world.network(source))
        if port != source and world.plugged(port) and world.host(port) == host
    ]


def others(world: World, source: Port) -> list[Host]:
    """The other hosts that carry machines of a port's network."""
    machines = [port for port in world.neighbours(world.network(source)) if not port.is_router_interface]
    return [host for host in world.all(Host) if host != world.host(source) and host in map(world.host, machines)]
