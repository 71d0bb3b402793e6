"""Slices of one host, small enough to read, each named for what it shows."""

from collections.abc import Callable

from msgspec.structs import replace

from netplane.base.addresses import pack_address, pack_mac
from netplane.model import (
    ROUTER_INTERFACE,
    AddressGroup,
    AddressPair,
    Device,
    Endpoint,
    FixedIP,
    Host,
    Identity,
    Network,
    Pair,
    Port,
    Record,
    Route,
    Router,
    SecurityGroupRule,
    Subnet,
    Wall,
    WallRule,
)

HOSTS = (Host(id="alpha", number=1, address="192.0.2.1"), Host(id="beta", number=2, address="198.51.100.2"))


def network(name: str, vni: int, cidr: str, *, dhcp: bool = True) -> list[Record]:
    """A network with one subnet of the same name."""
    return [Network(id=name, vni=vni), Subnet(id=name, network_id=name, cidr=cidr, enable_dhcp=dhcp)]


def machine(
    name: str,
    vni: int,
    address: str,
    *,
    identity: int = 0,
    host: int = 1,
    stateless: bool = False,
    secured: bool = True,
    pairs: tuple[Pair, ...] = (),
) -> Endpoint:
    """A machine whose MAC ends like its address."""
    mac = pack_mac(f"02:00:00:00:00:{int(address.rsplit('.', 1)[1]):02x}")
    return Endpoint.of(
        name,
        vni=vni,
        mac=mac,
        addresses=(pack_address(address),),
        identity=identity,
        host=host,
        stateless=stateless,
        secured=secured,
        pairs=pairs,
    )


def plugged(endpoint: Endpoint, network: str, ifindex: int) -> list[Record]:
    """What a machine on this host adds to its endpoint: the port in full, and its device."""
    fixed = tuple(FixedIP(network, f"10.0.0.{address[15]}") for address in endpoint.addresses)
    mac = endpoint.mac.hex(":")
    port = Port(id=endpoint.id, network_id=network, mac_address=mac, fixed_ips=fixed)
    return [endpoint, port, Device(id=endpoint.id, ifindex=ifindex, peer=True)]


def interface(router: str, network: str, address: str, mac: str) -> Port:
    """A router's interface in a network."""
    return Port(
        id=f"{router}-{network}",
        network_id=network,
        mac_address=mac,
        fixed_ips=(FixedIP(network, address),),
        device_id=router,
        device_owner=ROUTER_INTERFACE,
    )


def one_network() -> list[Record]:
    """Two machines on a network, one of them on another host; DHCP serves it."""
    here, there = machine("web", 100, "10.0.0.2"), machine("db", 100, "10.0.0.3", host=2)
    return [*HOSTS, *network("red", 100, "10.0.0.0/24"), *plugged(here, "red", 7), there]


def two_networks_and_a_router() -> list[Record]:
    """A router between two networks; its addresses are on every host, its MAC addresses route."""
    return [
        *HOSTS,
        *network("red", 100, "10.0.0.0/24"),
        *network("blue", 200, "10.0.1.0/25", dhcp=False),
        Router(id="r", number=5),
        interface("r", "red", "10.0.0.1", "02:00:00:00:01:01"),
        interface("r", "blue", "10.0.1.1", "02:00:00:00:01:02"),
        *plugged(machine("web", 100, "10.0.0.2"), "red", 7),
        machine("db", 200, "10.0.1.2", host=2),
    ]


def routers_in_series() -> list[Record]:
    """One router's route leads to the other and to a machine, which share its traffic; the other's leads back."""
    return [
        *HOSTS,
        *network("red", 100, "10.0.0.0/24"),
        *network("between", 150, "10.0.9.0/24", dhcp=False),
        *network("blue", 200, "10.0.1.0/25", dhcp=False),
        Router(id="r", number=5, routes=(Route("10.0.1.0/25", "10.0.9.2"), Route("10.0.1.0/25", "10.0.9.7"))),
        Router(id="s", number=6, routes=(Route("0.0.0.0/0", "10.0.9.1"),)),
        interface("r", "red", "10.0.0.1", "02:00:00:00:01:01"),
        interface("r", "between", "10.0.9.1", "02:00:00:00:01:02"),
        interface("s", "between", "10.0.9.2", "02:00:00:00:01:03"),
        interface("s", "blue", "10.0.1.1", "02:00:00:00:01:04"),
        *plugged(machine("web", 100, "10.0.0.2"), "red", 7),
        machine("leads-on", 150, "10.0.9.7", host=2),
        machine("db", 200, "10.0.1.2", host=2),
    ]


def overlapping_projects() -> list[Record]:
    """Two projects with the same range share a host, and nothing else."""
    return [
        *HOSTS,
        *network("ours", 100, "10.0.0.0/24"),
        *network("theirs", 101, "10.0.0.0/24"),
        Router(id="r", number=5),
        Router(id="s", number=6),
        interface("r", "ours", "10.0.0.1", "02:00:00:00:01:01"),
        interface("s", "theirs", "10.0.0.1", "02:00:00:00:01:01"),
        *plugged(machine("our-web", 100, "10.0.0.2"), "ours", 7),
        *plugged(machine("their-web", 101, "10.0.0.2"), "theirs", 8),
    ]


def standing(identity: Identity) -> list[Record]:
    """An identity, and a port here that has it."""
    return [identity, Port(id=identity.id, network_id="", mac_address="", identity_id=identity.id)]


def rule(id: str, group: str, direction: str, **fields: str | int) -> SecurityGroupRule:
    """A rule of a group."""
    return SecurityGroupRule(id=id, security_group_id=group, direction=direction, **fields)  # type: ignore[arg-type]


def default_groups() -> list[Record]:
    """The rules that every project starts with, one more group, and machines in one or both."""
    return [
        *HOSTS,
        *standing(Identity(id="both", number=11, groups=("default", "web"))),
        *standing(Identity(id="plain", number=12, groups=("default",))),
        rule("00000a01", "default", "egress"),
        rule("00000a02", "default", "egress", ethertype="IPv6"),
        rule("00000a03", "default", "ingress", remote_group_id="default"),
        rule("00000b01", "web", "ingress", protocol="tcp", port_range_min=80, port_range_max=83),
        rule("00000b02", "web", "ingress", protocol="icmp", port_range_min=8),
        machine("web", 100, "10.0.0.2", identity=11),
        machine("db", 100, "10.0.0.3", identity=12, host=2),
    ]


def nested_prefixes() -> list[Record]:
    """A longer prefix carries the rules of those that contain it; a range of ports falls into blocks."""
    return [
        *standing(Identity(id="i", number=11, groups=("g",))),
        rule("00000c01", "g", "ingress", protocol="icmp", remote_ip_prefix="0.0.0.0/0"),
        rule(
            "00000c02",
            "g",
            "ingress",
            protocol="tcp",
            port_range_min=22,
            port_range_max=25,
            remote_ip_prefix="10.0.0.0/8",
        ),
        rule("00000c03", "g", "ingress", remote_ip_prefix="10.0.0.7"),
        rule("00000c04", "g", "egress", protocol="udp", remote_ip_prefix="10.0.0.0/8"),
    ]


def address_groups() -> list[Record]:
    """A rule about an address group is a rule about each of its IPv4 ranges; who does not name it has none of them."""
    return [
        AddressGroup(id="partners", addresses=("10.0.0.0/8", "10.0.0.7/32", "192.0.2.0/24", "fd00::/8")),
        *standing(Identity(id="i", number=11, groups=("g",))),
        *standing(Identity(id="j", number=12, groups=("h",))),
        rule("00000d01", "g", "ingress", protocol="47", remote_address_group_id="partners"),
        rule("00000d02", "g", "ingress", protocol="icmp", port_range_min=8, remote_ip_prefix="10.0.0.0/24"),
        rule("00000d03", "g", "egress", remote_address_group_id="empty"),
        AddressGroup(id="empty"),
        rule("00000e01", "h", "ingress", protocol="ip"),
    ]


def dual_stack() -> list[Record]:
    """Two networks with both families behind a router; each address of the link is known with those that were given."""
    mac, group = pack_mac("02:00:00:00:00:02"), "g"
    both = (pack_address("10.0.0.2"), pack_address("fd00:1::2"))
    fixed = (FixedIP("red", "10.0.0.2"), FixedIP("red6", "fd00:1::2"))
    gates = (FixedIP("red", "10.0.0.1"), FixedIP("red6", "fd00:1::1"))
    return [
        *HOSTS,
        *network("red", 100, "10.0.0.0/24"),
        Subnet(id="red6", network_id="red", ip_version=6, cidr="fd00:1::/64"),
        Network(id="blue", vni=200),
        Subnet(id="blue6", network_id="blue", ip_version=6, cidr="fd00:2::/64"),
        Router(id="r", number=5),
        replace(interface("r", "red", "10.0.0.1", "02:00:00:00:01:01"), fixed_ips=gates),
        replace(interface("r", "blue", "fd00:2::1", "02:00:00:00:01:02"), fixed_ips=(FixedIP("blue6", "fd00:2::1"),)),
        Endpoint.of("web", vni=100, mac=mac, addresses=both, identity=11, host=1),
        Port(id="web", network_id="red", mac_address=mac.hex(":"), fixed_ips=fixed, identity_id="i"),
        Device(id="web", ifindex=7),
        Identity(id="i", number=11, groups=(group,)),
        rule("00000f01", group, "egress"),
        rule("00000f02", group, "egress", ethertype="IPv6"),
        rule("00000f03", group, "ingress", remote_group_id=group),
        rule("00000f04", group, "ingress", ethertype="IPv6", remote_group_id=group),
        rule("00000f05", group, "ingress", ethertype="IPv6", protocol="icmp", port_range_min=128),
        rule("00000f06", group, "ingress", ethertype="IPv6", remote_ip_prefix="::/0", protocol="tcp"),
        rule("00000f07", group, "ingress", remote_ip_prefix="10.0.0.0/8", protocol="udp"),
    ]


def firewall() -> list[Record]:
    """Rules in order, under a number that is made of them; gateway and route of the interface bear it."""
    ingress = (
        WallRule(id="00000f01", action="deny", ip_version=4, source="10.0.0.7"),
        WallRule(id="00000f02", action="allow", ip_version=4, protocol="tcp", destination_port="80:90"),
        WallRule(id="00000f03", action="reject", ip_version=4, protocol="udp", source_port="53"),
        WallRule(id="00000f04", action="allow", ip_version=6, protocol="icmp", destination="fd00::/8"),
    )
    egress = (WallRule(id="00000f05", action="allow", ip_version=4),)
    return [
        *HOSTS,
        *network("red", 100, "10.0.0.0/24", dhcp=False),
        *network("blue", 200, "10.0.1.0/25", dhcp=False),
        Router(id="r", number=5),
        interface("r", "red", "10.0.0.1", "02:00:00:00:01:01"),
        interface("r", "blue", "10.0.1.1", "02:00:00:00:01:02"),
        Wall(id="r-blue", ingress=ingress, egress=egress),
    ]


def switched_off() -> list[Record]:
    """What is administratively down opens no device and routes nothing; addresses stay known."""
    web, db = machine("web", 100, "10.0.0.2"), machine("db", 100, "10.0.0.3")
    down = Port(id="db", network_id="red", mac_address=db.mac.hex(":"), admin_state_up=False)
    return [
        HOSTS[0],
        *network("red", 100, "10.0.0.0/24"),
        Router(id="r", number=5, admin_state_up=False),
        interface("r", "red", "10.0.0.1", "02:00:00:00:01:01"),
        *plugged(web, "red", 7),
        *(db, down, Device(id="db", ifindex=8)),
    ]


def address_pairs() -> list[Record]:
    """A shared address is found at the port with the smallest id, and so is a range; everything is found nowhere."""
    shared, own = pack_mac("00:00:5e:00:01:01"), pack_mac("02:00:00:00:00:02")
    pairs = (
        Pair(pack_address("10.0.0.100"), 128, own),
        Pair(pack_address("10.0.0.101"), 128, shared),
        Pair(pack_address("10.9.0.0"), 112, own),
        Pair(pack_address("0.0.0.0"), 96, own),
    )
    web = machine("web", 100, "10.0.0.2", identity=11, pairs=pairs)
    theirs = (pairs[1], replace(pairs[2], mac=shared))
    db = machine("db", 100, "10.0.0.3", identity=11, host=2, pairs=theirs)
    plugged_web = plugged(web, "red", 7)
    told = tuple(AddressPair(f"10.0.0.{100 + n}", mac.hex(":")) for n, mac in enumerate((own, shared)))
    port = replace(plugged_web[1], allowed_address_pairs=told)
    return [*HOSTS, *network("red", 100, "10.0.0.0/24"), plugged_web[0], port, plugged_web[2], db]


def without_security() -> list[Record]:
    """A port without port security may send from any address by its own MAC, and answer DHCP; one that is stateless."""
    free = machine("free", 100, "10.0.0.2", secured=False)
    quick = machine("quick", 100, "10.0.0.3", identity=12, host=2, stateless=True)
    endpoint, port, device = plugged(free, "red", 7)
    opened = replace(port, port_security_enabled=False)
    return [*HOSTS, *network("red", 100, "10.0.0.0/24"), endpoint, opened, device, quick]


TOPOLOGIES: dict[str, Callable[[], list[Record]]] = {
    topology.__name__: topology
    for topology in (
        one_network,
        two_networks_and_a_router,
        routers_in_series,
        overlapping_projects,
        default_groups,
        nested_prefixes,
        address_groups,
        dual_stack,
        switched_off,
        firewall,
        address_pairs,
        without_security,
    )
}
