"""Random worlds: projects with overlapping ranges, odd routers, ports of all conditions and groups of all shapes.

Everything comes from a `random.Random`, so a seed names a world; `worlds()` makes hypothesis choose.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from random import Random
from uuid import UUID

from hypothesis import strategies
from msgspec.structs import replace

from netplane.base.addresses import pack_address, pack_mac
from netplane.compiler import compile_slice
from netplane.interest import slice_of
from netplane.model import (
    ROUTER_INTERFACE,
    AddressGroup,
    AddressPair,
    Announcement,
    AnyRecord,
    Binding,
    Device,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    FixedIP,
    Host,
    Identity,
    LogResource,
    Network,
    Port,
    Record,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubPort,
    announcement_id,
    identity_id,
)
from netplane.tables.machine import empty_tables
from netplane.tables.pipeline import MEMBER, SETTINGS
from netplane.verify.datagram import Address
from tests.routes import random_routes

RESOLVERS = ("8.8.8.8", "192.0.2.53", "10.0.0.2", "10.0.1.3")
"""Two far away, and two that may be machines."""

RANGES = ("10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/25", "10.0.0.128/26", "172.16.0.0/30")
RANGES_V6 = (
    "fd00:0:0:1::/64",
    "fd00:0:0:2::/64",
    "fd00:0:0:3::/64",
    "fd00:0:0:4::/64",
    "fd00:0:0:1:8000::/65",
    "2001:db8::/120",
)
MTUS = (1450, 1400, 200, 150)
FAMILIES = ((RANGES,), (RANGES_V6,), (RANGES, RANGES_V6), (RANGES, RANGES_V6))
MAZE = tuple((f"10.0.{number}.0/24", f"fd00:0:0:{number}::/64") for number in range(2, 6))
"""What is joined by routers with a few networks each, so that packets pass many."""

TUNNEL, PUNT, SERVICE = 9001, 9002, 9003
OF_PORTS = ("groups", "security", "pairs", "said")
"""Changes of a machine's port."""
VIRTUAL_MACS = ("00:00:5e:00:01:01", "00:00:5e:00:01:02")
SAID = ("10.0.0.100", "10.0.0.101", "10.9.0.7", "10.9.8.9", "10.0.0.3", "fd00::5", "fd00::7")
"""What machines say they have."""
PAIRED = (
    *("10.0.0.100", "10.0.0.100", "10.0.0.3", "10.0.1.100", "10.0.0.1", "10.9.0.1/32", "fd00::5"),
    *("10.9.0.0/16", "10.9.8.0/24", "10.0.0.96/27", "0.0.0.0/0", "10.0.0.0/24", "fd00::/64", "::/0"),
)
"""What is in address pairs: shared addresses, other ports' own ones, ranges that lie in each other."""
PREFIXES = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/25", "10.0.0.2/31", "10.0.1.0/24", "192.0.2.0/24")
PREFIXES_V6 = ("::/0", "::/1", "fd00::/8", "fd00:0:0:1::/64", "fd00:0:0:1::2/127", "fe80::/10", "2001:db8::/32")
PORTS = (53, 80, 1000, 1001, 4096)

GROUPS = ("224.0.0.251", "224.0.1.5", "239.1.2.3", "239.129.2.3")
GROUPS_V6 = ("ff02::1", "ff02::fb", "ff05::1:3", "ff15::101:3", "ff0e::1:3")
"""Ones that nobody has to join, and ones that have one MAC address."""

Tables = dict[str, dict[bytes, bytes]]
Members = Set[tuple[str, Address]]
"""Which ports have said that they listen to which groups."""


@dataclass
class Draft:
    """A world in the making."""

    random: Random
    records: list[AnyRecord] = field(default_factory=list)
    number: int = 0
    networks: list[tuple[Network, list[Subnet]]] = field(default_factory=list)
    """Of all projects so far."""

    def id(self) -> str:
        """A new UUID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def next(self) -> int:
        """A number not used yet, of anything."""
        self.number += self.random.choice((1, 1, 1, 7, 300))
        return self.number

    def chance(self, probability: float) -> bool:
        """Whether something rare happens."""
        return self.random.random() < probability

    def announce(self, port: Port) -> None:
        """The machine at a port says that it has an address, mostly one that it may have."""
        pairs = [pair for pair in port.allowed_address_pairs if "/" not in pair.ip_address] if self.chance(0.8) else []
        said = self.random.choice(pairs or [AddressPair(self.random.choice(SAID), port.mac_address)])
        id = announcement_id(port.network_id, said.ip_address)
        record = Announcement(id=id, port_id=port.id, address=said.ip_address, mac=said.mac_address)
        self.records[:] = replaced(self.records, record)

    def add(self, record: AnyRecord) -> None:
        """One more record."""
        self.records.append(record)


def random_world(random: Random) -> list[AnyRecord]:
    """All records of a world, devices included."""
    draft, hosts = begin(random)
    for project in range(random.randint(1, 2)):
        add_project(draft, f"project-{project}", hosts, is_maze=draft.chance(0.2))
    return with_routes(draft)


def random_maze(random: Random) -> list[AnyRecord]:
    """A world in which most packets pass several routers, and rules keep few of them from it."""
    draft, hosts = begin(random)
    add_project(draft, "project", hosts, is_maze=True)
    for group in [record.id for record in draft.records if isinstance(record, SecurityGroup)]:
        for direction in ("ingress", "egress"):
            draft.add(SecurityGroupRule(id=draft.id(), security_group_id=group, direction=direction))
    return with_routes(draft)


def begin(random: Random) -> tuple[Draft, list[Host]]:
    """A world of nothing but hosts."""
    draft = Draft(random)
    hosts = [Host(id=f"h{i}", number=draft.next(), address=f"192.0.2.{i}") for i in range(1, random.randint(2, 4))]
    draft.records.extend(hosts)
    return draft, hosts


def with_routes(draft: Draft) -> list[AnyRecord]:
    """All records, once every router has got its routes."""
    for router in [record for record in draft.records if isinstance(record, Router)]:
        routed = replace(router, routes=random_routes(draft.random, draft.records, router))
        draft.records = replaced(draft.records, routed)
    return draft.records


def add_project(draft: Draft, project: str, hosts: list[Host], *, is_maze: bool) -> None:
    """Networks, routers that join some of them, groups, and machines.

    Some are on a network that another project shares, or in a group that one does.
    """
    random = draft.random
    groups = [add_group(draft, project) for _ in range(random.randint(1, 3))]
    if is_maze:
        networks = [add_network(draft, project, ((ipv4,), (ipv6,))) for ipv4, ipv6 in MAZE]
    else:
        networks = [add_network(draft, project, random.choice(FAMILIES)) for _ in range(random.randint(1, 4))]
    if draft.networks and draft.chance(0.4):
        networks.append(random.choice(draft.networks))
    draft.networks += networks
    address_groups = [add_address_group(draft, project) for _ in range(random.randint(0, 2))]
    known = {record.id: record for record in draft.records if isinstance(record, Identity)}
    identities = dict(known)
    lent = [record.id for record in draft.records if isinstance(record, SecurityGroup) and record.id not in groups]
    shared = [random.choice(lent)] if lent and draft.chance(0.4) else []
    for group in groups:
        add_rules(draft, group, groups + shared, address_groups)
    groups += shared
    for _ in range(random.randint(4, 6) if is_maze else random.choice((0, 1, 1, 2, 3))):
        add_router(draft, project, random.sample(networks, random.choice((2, 2, 3))) if is_maze else networks)
    for network, subnets in networks:
        taken: set[str] = {host_of(cidr, 1) for cidr in (*RANGES, *RANGES_V6)}
        for last in range(2, 2 + random.randint(1, 4)):
            add_machine(
                draft, network, subnets, last, taken | addresses_on(draft, network), (groups, identities, hosts)
            )
    draft.records.extend(identity for id, identity in identities.items() if id not in known)
    add_trunks(draft)
    for _ in range(random.randint(0, 3)):
        draft.add(random_log(draft, project))
    if draft.chance(0.6):
        add_firewalls(draft, project)


def add_firewalls(draft: Draft, project: str) -> None:
    """Rules, policies of some of them, and groups on most routers' ports."""
    random = draft.random
    rules = [random_wall_rule(draft, project) for _ in range(random.randint(1, 6))]
    most = FirewallRule(id=draft.id(), project_id=project, action="allow")
    policies = [
        FirewallPolicy(
            id=draft.id(),
            project_id=project,
            firewall_rules=(
                *random.sample([rule.id for rule in rules], random.randint(0, len(rules))),
                *([most.id] if draft.chance(0.8) else ()),
            ),
        )
        for _ in range(random.randint(1, 3))
    ]
    draft.records.extend((*rules, most, *policies))
    own = {record.id for record in draft.records if isinstance(record, Network) and record.project_id == project}
    for port in [record for record in draft.records if isinstance(record, Port) and record.is_router_interface]:
        if port.network_id in own and draft.chance(0.7):
            draft.add(random_wall(draft, project, policies, [port.id]))


def random_wall(draft: Draft, project: str, policies: list[FirewallPolicy], ports: list[str]) -> FirewallGroup:
    """A group on some ports, with any policies or none."""
    chosen = [*[policy.id for policy in policies] * 4, None]
    return FirewallGroup(
        id=draft.id(),
        project_id=project,
        admin_state_up=not draft.chance(0.05),
        ingress_firewall_policy_id=draft.random.choice(chosen),
        egress_firewall_policy_id=draft.random.choice(chosen),
        ports=tuple(sorted(ports)),
    )


def random_wall_rule(draft: Draft, project: str) -> FirewallRule:
    """A rule of any shape that the API accepts; most allow."""
    random = draft.random
    protocol = random.choice((None, None, "tcp", "udp", "icmp"))
    span = (None, None, None, "80", "1000:4096", "1:65535") if protocol in ("tcp", "udp") else (None,)
    version = random.choice((4, 4, 4, 6))
    ranges = (None, None, *((*PREFIXES, "10.0.0.3") if version == 4 else ("fd00::/8", "::/0")))
    return FirewallRule(
        id=draft.id(),
        project_id=project,
        enabled=not draft.chance(0.1),
        action=random.choice(("allow", "allow", "allow", "deny", "reject")),
        protocol=protocol,
        ip_version=version,
        source_ip_address=random.choice(ranges),
        destination_ip_address=random.choice(ranges),
        source_port=random.choice(span),
        destination_port=random.choice(span),
    )


def random_log(draft: Draft, project: str) -> LogResource:
    """A wish to have decisions logged, of any shape."""
    random = draft.random
    groups = [record.id for record in draft.records if isinstance(record, SecurityGroup)]
    ports = [record.id for record in draft.records if isinstance(record, Port) and not record.is_router_interface]
    return LogResource(
        id=draft.id(),
        project_id=project,
        resource_type="security_group",
        resource_id=random.choice((None, None, random.choice(groups))),
        target_id=random.choice((None, random.choice(ports))) if ports else None,
        event=random.choice(("ALL", "ALL", "ACCEPT", "DROP")),
        enabled=not draft.chance(0.1),
    )


def add_group(draft: Draft, project: str) -> str:
    """An empty group."""
    group = SecurityGroup(id=draft.id(), project_id=project, name="group", stateful=not draft.chance(0.3))
    draft.add(group)
    return group.id


def add_address_group(draft: Draft, project: str) -> str:
    """A few ranges under one name, or none."""
    group = AddressGroup(id=draft.id(), project_id=project, addresses=random_addresses(draft.random))
    draft.add(group)
    return group.id


def random_addresses(random: Random) -> tuple[str, ...]:
    """Ranges that contain each other, of both families."""
    return tuple(random.sample((*PREFIXES, *PREFIXES_V6, "10.0.0.3/32", "10.0.1.4/32"), random.randint(0, 6)))


def add_network(draft: Draft, project: str, families: tuple[tuple[str, ...], ...]) -> tuple[Network, list[Subnet]]:
    """A network with some of the ranges of each family, which do not overlap each other."""
    network = Network(
        id=draft.id(),
        project_id=project,
        vni=draft.next(),
        mtu=draft.random.choice(MTUS),
        admin_state_up=not draft.chance(0.05),
    )
    draft.add(network)
    ranges: list[str] = []
    for family in families:
        for cidr in draft.random.sample(family, min(draft.random.choice((1, 1, 1, 2, 3)), len(family))):
            if not overlaps(cidr, ranges):
                ranges.append(cidr)
    subnets = [
        Subnet(
            id=draft.id(),
            network_id=network.id,
            ip_version=ip_network(cidr).version,
            cidr=cidr,
            gateway_ip=host_of(cidr, 1),
            enable_dhcp=draft.chance(0.8),
            dns_nameservers=tuple(draft.random.sample(RESOLVERS, draft.random.choice((0, 0, 1, 2, 3)))),
        )
        for cidr in ranges
    ]
    draft.records.extend(subnets)
    return network, subnets


def add_router(draft: Draft, project: str, networks: list[tuple[Network, list[Subnet]]]) -> None:
    """A router with an interface in some of the networks, for one range or one of each family.

    It has the gateway's address there, or another that nobody has.
    """
    router = Router(id=draft.id(), project_id=project, number=draft.next(), admin_state_up=not draft.chance(0.1))
    draft.add(router)
    joined: set[str] = set()
    for network, subnets in networks:
        free = [subnet for subnet in subnets if not overlaps(subnet.cidr, joined) and free_address(draft, subnet)]
        if not free or draft.chance(0.2):
            continue
        chosen = [draft.random.choice(free)]
        chosen += [subnet for subnet in free if subnet.ip_version != chosen[0].ip_version][
            : draft.random.choice((0, 1, 1, 1, 2))
        ]
        joined.update(subnet.cidr for subnet in chosen)
        draft.add(
            Port(
                id=draft.id(),
                network_id=network.id,
                mac_address=random_mac(draft, network),
                fixed_ips=tuple(FixedIP(subnet.id, free_address(draft, subnet)) for subnet in chosen),
                device_id=router.id,
                device_owner=ROUTER_INTERFACE,
            )
        )


def overlaps(cidr: str, others: Iterable[str]) -> bool:
    """Whether a range has an address in common with another."""
    return any(overlap(cidr, other) for other in others)


def free_address(draft: Draft, subnet: Subnet) -> str:
    """The subnet's gateway address, or the last ones, for the next router; empty if there is none left."""
    ports = (record for record in draft.records if isinstance(record, Port))
    used = {fixed.ip_address for port in ports for fixed in port.fixed_ips if fixed.subnet_id == subnet.id}
    last = ip_network(subnet.cidr).num_addresses - 2
    wanted = (subnet.gateway_ip or "", *(host_of(subnet.cidr, last - number) for number in range(3) if last > 30))
    return next((address for address in wanted if address not in used), "")


def addresses_on(draft: Draft, network: Network) -> set[str]:
    """All that ports have on a network."""
    ports = (record for record in draft.records if isinstance(record, Port) and record.network_id == network.id)
    return {fixed.ip_address for port in ports for fixed in port.fixed_ips}


def add_machine(
    draft: Draft,
    network: Network,
    subnets: list[Subnet],
    last: int,
    taken: set[str],
    others: tuple[list[str], dict[str, Identity], list[Host]],
) -> None:
    """A machine's port, mostly bound to a host and plugged in there."""
    groups, identities, hosts = others
    random = draft.random
    chosen = random.sample(subnets, random.randint(1, len(subnets)))
    fixed = [
        (subnet, host_of(subnet.cidr, last)) for subnet in chosen if last < ip_network(subnet.cidr).num_addresses - 1
    ]
    if draft.chance(0.1):
        fixed += [
            (subnet, host_of(subnet.cidr, last + 10)) for subnet in chosen if ip_network(subnet.cidr).num_addresses > 16
        ]
    members = tuple(sorted(random.sample(groups, random.randint(0 if draft.chance(0.2) else 1, len(groups)))))
    secured = not draft.chance(0.15)
    if not secured:
        members = ()
    identity = identity_id(members) if secured else ""
    if secured and identity not in identities:
        identities[identity] = Identity(
            id=identity, number=draft.next(), groups=members, stateless=is_stateless(draft.records, members)
        )
    port = Port(
        id=draft.id(),
        project_id=network.project_id,
        network_id=network.id,
        admin_state_up=not draft.chance(0.06),
        mac_address=random_mac(draft, network),
        fixed_ips=tuple(FixedIP(subnet.id, address) for subnet, address in fixed if address not in taken),
        security_groups=members,
        identity_id=identity,
        port_security_enabled=secured,
    )
    if secured and draft.chance(0.4):
        port = replace(port, allowed_address_pairs=random_pairs(draft, port))
    draft.add(port)
    if draft.chance(0.4):
        draft.announce(port)
    if not draft.chance(0.08):
        draft.add(Binding(id=port.id, host_id=random.choice(hosts).id))
        if not draft.chance(0.06):
            draft.add(Device(id=port.id, ifindex=100 + draft.next()))


def is_stateless(records: list[AnyRecord], groups: tuple[str, ...]) -> bool:
    """Whether none of some groups keeps connections."""
    stateful = {record.id for record in records if isinstance(record, SecurityGroup) and record.stateful}
    return bool(groups) and stateful.isdisjoint(groups)


def random_pairs(draft: Draft, port: Port) -> tuple[AddressPair, ...]:
    """Addresses and ranges that several ports of a network are likely to share, and MAC addresses as well."""
    macs = (
        port.mac_address,
        port.mac_address,
        port.mac_address,
        *VIRTUAL_MACS,
        f"fa:16:3e:00:00:{draft.random.randint(0, 40):02x}",
    )
    addresses = draft.random.sample(PAIRED, draft.random.randint(1, 4))
    return tuple(AddressPair(address, draft.random.choice(macs)) for address in addresses)


def add_trunks(draft: Draft) -> None:
    """Some machines' ports move behind the device of another, each under a tag."""
    plugged = [record for record in draft.records if isinstance(record, Device) and not record.vlan]
    for device in plugged:
        ports = {record.id: record for record in draft.records if isinstance(record, Port)}
        parent = draft.random.choice(plugged)
        if parent.id == device.id or parent not in draft.records or draft.chance(0.75) or ports[device.id].sub_ports:
            continue
        vlan, port = draft.random.choice((1, 2, 3, 5, 4094)), ports[parent.id]
        if all(carried.segmentation_id != vlan for carried in port.sub_ports):
            host = next(r.host_id for r in draft.records if isinstance(r, Binding) and r.id == parent.id)
            carried = (*port.sub_ports, SubPort(device.id, vlan))
            for record in (
                replace(port, sub_ports=carried),
                Device(id=device.id, ifindex=parent.ifindex, vlan=vlan),
                Binding(id=device.id, host_id=host),
            ):
                draft.records[:] = replaced(draft.records, record)


def add_rules(draft: Draft, group: str, groups: list[str], address_groups: list[str]) -> None:
    """A group's rules; often among them those of a project's default group: all out, and in from the group."""
    if draft.chance(0.7):
        for ethertype in ("IPv4", "IPv6"):
            rule = SecurityGroupRule(id=draft.id(), security_group_id=group, direction="egress", ethertype=ethertype)
            draft.add(rule)
    for ethertype in ("IPv4", "IPv6"):
        if draft.chance(0.5):
            rule = SecurityGroupRule(
                id=draft.id(),
                security_group_id=group,
                direction="ingress",
                ethertype=ethertype,
                remote_group_id=group,
            )
            draft.add(rule)
    for _ in range(draft.random.randint(0, 5)):
        draft.add(random_rule(draft, group, groups, address_groups))


def random_rule(draft: Draft, group: str, groups: list[str], address_groups: list[str]) -> SecurityGroupRule:
    """A rule of any shape that the API accepts."""
    random = draft.random
    protocol = random.choice(
        (None, "tcp", "udp", "icmp", "6", "17", "1", "gre", "47", "sctp", "132", "dccp", "udplite", "ip", "0", "hopopt")
    )
    ipv6 = draft.chance(0.4)
    if ipv6 and protocol in ("icmp", "gre"):
        protocol = random.choice(("icmp", "icmpv6", "ipv6-icmp", "58", "1"))
    low, high = random_ports(random, protocol)
    remote = random.choice(("any", "prefix", "prefix", "group", *(["addresses"] if address_groups else [])))
    return SecurityGroupRule(
        id=draft.id(),
        security_group_id=group,
        direction=random.choice(("ingress", "egress")),
        ethertype="IPv6" if ipv6 else "IPv4",
        protocol=protocol,
        port_range_min=low,
        port_range_max=high,
        remote_ip_prefix=random.choice(PREFIXES_V6 if ipv6 else PREFIXES) if remote == "prefix" else None,
        remote_group_id=random.choice(groups) if remote == "group" else None,
        remote_address_group_id=random.choice(address_groups) if remote == "addresses" else None,
    )


def random_ports(random: Random, protocol: str | None) -> tuple[int | None, int | None]:
    """A range of ports, an ICMP type and code, or nothing."""
    if protocol in ("icmp", "1"):
        return random.choice(((None, None), (8, None), (8, 0), (0, 0), (3, None), (8, 5), (128, None)))
    if protocol in ("icmpv6", "ipv6-icmp", "58"):
        return random.choice(((None, None), (128, None), (128, 0), (129, 0), (1, None), (1, 4), (200, None)))
    if protocol in (None, "gre", "47", "ip", "0", "hopopt") or random.random() < 0.3:
        return None, None
    low = random.choice(PORTS)
    return low, random.choice((low, low + 1, 65535, max(low, 1001)))


def random_mac(draft: Draft, network: Network) -> str:
    """A MAC address that is new in the network, often used in another one."""
    used = {port.mac_address for port in draft.records if isinstance(port, Port) and port.network_id == network.id}
    while True:
        mac = f"fa:16:3e:00:00:{draft.random.randint(0, 40):02x}"
        if mac not in used:
            return mac


def overlap(one: str, other: str) -> bool:
    """Whether two ranges of one family have an address in common."""
    first, second = ip_network(one), ip_network(other)
    return first.version == second.version and (first[0] in second or second[0] in first)


def host_of(cidr: str, number: int) -> str:
    """The address with that number in a range."""
    return str(ip_network(cidr)[number])


def worlds() -> strategies.SearchStrategy[list[AnyRecord]]:
    """Random worlds, as hypothesis has them."""
    return randoms().map(random_world)


def randoms() -> strategies.SearchStrategy[Random]:
    """Sources of randomness that a number names."""
    return strategies.integers(0, 2**64 - 1).map(Random)


def changed(random: Random, records: list[AnyRecord]) -> list[AnyRecord]:
    """The world after one thing in it has changed."""
    draft = Draft(random, records)
    machines = [record for record in records if isinstance(record, Port) and not record.is_router_interface]
    rules = [record for record in records if isinstance(record, SecurityGroupRule)]
    groups = [record.id for record in records if isinstance(record, SecurityGroup)]
    address_groups = [record for record in records if isinstance(record, AddressGroup)]
    bindings = [record for record in records if isinstance(record, Binding)]
    switches = [record for record in records if isinstance(record, Port | Network | Router)]
    routers = [record for record in records if isinstance(record, Router)]
    kinds = (
        "rule",
        "rule",
        "no rule",
        "no rule",
        "groups",
        "addresses",
        "switch",
        "host",
        "log",
        "resolvers",
        "routes",
        "wall",
        "wall",
        "security",
        "pairs",
        "said",
    )
    kind = random.choice(kinds)
    if kind == "routes" and routers:
        router = random.choice(routers)
        return replaced(records, replace(router, routes=random_routes(random, records, router)))
    if kind == "rule":
        named = [record.id for record in address_groups]
        return [*records, random_rule(draft, random.choice(groups), groups, named)]
    if kind == "addresses" and address_groups:
        return replaced(records, replace(random.choice(address_groups), addresses=random_addresses(random)))
    if kind == "wall":
        return changed_wall(draft, records)
    if kind == "log":
        logs = [record for record in records if isinstance(record, LogResource)]
        if logs and random.random() < 0.5:
            return [record for record in records if record is not random.choice(logs)]
        return [*records, random_log(draft, "project-0")]
    if kind == "no rule" and rules:
        gone = random.choice(rules)
        return [record for record in records if record is not gone]
    if kind in OF_PORTS and machines:
        return changed_port(draft, kind, random.choice(machines))
    if kind == "resolvers":
        subnet = random.choice([record for record in records if isinstance(record, Subnet)])
        return replaced(records, replace(subnet, dns_nameservers=tuple(random.sample(RESOLVERS, random.randint(0, 2)))))
    if kind == "host" and bindings:
        host = random.choice(list(hosts_of(records)))
        return replaced(records, replace(random.choice(bindings), host_id=host))
    switch = random.choice([one for one in switches if not (isinstance(one, Port) and one.is_router_interface)])
    return replaced(records, replace(switch, admin_state_up=not switch.admin_state_up))


def changed_wall(draft: Draft, records: list[AnyRecord]) -> list[AnyRecord]:
    """The world after something of a firewall has changed, if there is one."""
    random = draft.random
    walls = [record for record in records if isinstance(record, FirewallGroup | FirewallPolicy | FirewallRule)]
    if not walls:
        return records
    one = random.choice(walls)
    match one:
        case FirewallRule():
            return replaced(records, replace(random_wall_rule(draft, one.project_id), id=one.id))
        case FirewallPolicy():
            return replaced(records, replace(one, firewall_rules=tuple(reversed(one.firewall_rules))[:2]))
        case FirewallGroup():
            return replaced(records, replace(one, admin_state_up=not one.admin_state_up))


def changed_port(draft: Draft, kind: str, port: Port) -> list[AnyRecord]:
    """The world after one thing about a machine's port has changed, or what its machine says."""
    identities = [record for record in draft.records if isinstance(record, Identity)]
    if kind == "groups" and identities:
        identity = draft.random.choice(identities)
        secured = replace(port, security_groups=identity.groups, identity_id=identity.id, port_security_enabled=True)
        return replaced(draft.records, secured)
    if kind == "said":
        draft.records = list(draft.records)
        draft.announce(port)
        return draft.records
    if kind == "pairs":
        pairs = random_pairs(draft, port) if port.port_security_enabled and draft.chance(0.7) else ()
        return replaced(draft.records, replace(port, allowed_address_pairs=pairs))
    opened = replace(port, port_security_enabled=False, security_groups=(), identity_id="", allowed_address_pairs=())
    return replaced(draft.records, opened)


def replaced(records: list[AnyRecord], record: AnyRecord) -> list[AnyRecord]:
    """The world with one record in a new state."""
    kept = [old for old in records if (type(old), old.id) != (type(record), record.id)]
    return [*kept, record]


def random_members(random: Random, records: list[AnyRecord]) -> Members:
    """Who listens to what: some machines to some groups."""
    machines = [record.id for record in records if isinstance(record, Port) and not record.is_router_interface]
    groups = [ip_address(group) for group in (*GROUPS, *GROUPS_V6)]
    return {(machine, group) for machine in machines for group in groups if random.random() < 0.4}


def tables_of(records: list[AnyRecord], host: Host, members: Members = frozenset()) -> Tables:
    """All tables of a host, compiled from its slice; and the machines of it that listen to groups."""
    stored: list[Record] = [record for record in records if not isinstance(record, Device)]
    bound = {record.id for record in records if isinstance(record, Binding) and record.host_id == host.id}
    devices = [record for record in records if isinstance(record, Device) and record.id in bound]
    compiled = compile_slice([*slice_of(stored, host.id).values(), *devices])
    settings = {SETTINGS.pack_key(0): SETTINGS.pack_value(host.number, TUNNEL, PUNT, SERVICE)}
    plugged = {device.id for device in devices}
    here = {(port, group) for port, group in members if port in plugged}
    return empty_tables() | compiled | {"settings": settings, "member": member_entries(records, here)}


def member_entries(records: list[AnyRecord], members: Members) -> dict[bytes, bytes]:
    """The lists of those on one host that listen to groups."""
    networks = {record.id: record for record in records if isinstance(record, Network)}
    ports = {record.id: record for record in records if isinstance(record, Port)}
    lists: dict[tuple[int, bytes], list[bytes]] = {}
    for id, group in sorted(members, key=str):
        port = ports[id]
        where = networks[port.network_id].vni, pack_address(str(group))
        lists.setdefault(where, []).append(pack_mac(port.mac_address))
    return {
        MEMBER.pack_key(*where, index): MEMBER.pack_value(mac)
        for where, macs in lists.items()
        for index, mac in enumerate(macs)
    }


def all_tables(records: list[AnyRecord], members: Members = frozenset()) -> dict[str, Tables]:
    """The tables of every host."""
    return {name: tables_of(records, host, members) for name, host in hosts_of(records).items()}


def hosts_of(records: list[AnyRecord]) -> dict[str, Host]:
    """The hosts of a world by name."""
    return {record.id: record for record in records if isinstance(record, Host)}


def underlay(host: Host) -> bytes:
    """A host's address as tables have it."""
    return pack_address(host.address)
