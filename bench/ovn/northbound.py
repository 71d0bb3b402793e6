"""A cloud as Neutron's driver for OVN (ML2/OVN) writes it to the northbound database.

Pure: values in, operations out. Networks, routers, ports, groups and rules become the rows that `ovn_client.py` and
`acl.py` of openstack/neutron make of them: a port group for each security group, which brings its address sets along,
one for all ports, which drops what no rule lets pass, and OVN's own DHCP. Two things are left out, in OVN's favour:
a metadata port on each network, and DNS records.
"""

from collections.abc import Iterable, Iterator

from bench.cloud import Group, Network, Port, Project, Rule
from bench.ovn.ovsdb import Operation, insert, many, mapping, mutate, named

DROP = "neutron_pg_drop"
DROP_PRIORITY, ALLOW_PRIORITY = 1001, 1002
MTU = "1442"
LEASE = "43200"
"""Seconds, Neutron's default for OVN."""
DIRECTIONS = {"ingress": ("to-lport", "outport", "src"), "egress": ("from-lport", "inport", "dst")}
PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp4", "ipv6-icmp": "icmp6"}
"""Those that clouds' rules speak of."""
FAMILIES = {"IPv4": "ip4", "IPv6": "ip6"}
REVISION = {"neutron:revision_number": "1"}


def begin() -> list[Operation]:
    """What Neutron writes before there is any network: the group of all ports, and its two rules."""
    acls = [
        insert("ACL", direction, priority=DROP_PRIORITY, action="drop", direction=way, match=f"{end} == @{DROP} && ip")
        for direction, (way, end, _) in DIRECTIONS.items()
    ]
    return [*acls, insert("Port_Group", name=DROP, acls=many([named(direction) for direction in DIRECTIONS]))]


def project_rows(project: Project) -> list[Operation]:
    """All that a project has."""
    return [
        *(row for network in project.networks for row in network_rows(project, network)),
        *router_rows(project),
        *(row for group in project.groups for row in group_rows(group)),
        *(row for port in project.ports for row in port_rows(project, port, dhcp=named(_dhcp(port.network)))),
    ]


def network_rows(project: Project, network: Network) -> Iterator[Operation]:
    """A switch, what its DHCP tells, and the port by which the router joins it."""
    yield insert("DHCP_Options", _dhcp(network.id), **_dhcp_columns(network))
    yield insert(
        "Logical_Switch_Port",
        _row("l", network.interface),
        name=network.interface,
        type="router",
        addresses="router",
        options=mapping({"router-port": f"lrp-{network.interface}"}),
        enabled=True,
        external_ids=mapping(_port_ids(project, network.id, f"{network.gateway}/{_length(network)}", ())),
    )
    yield insert(
        "Logical_Switch",
        name=f"neutron-{network.id}",
        ports=named(_row("l", network.interface)),
        other_config=mapping({"mcast_snoop": "false", "mcast_flood_unregistered": "false", "vlan-passthru": "false"}),
        external_ids=mapping({"neutron:network_name": network.name, "neutron:mtu": MTU} | REVISION),
    )


def router_rows(project: Project) -> Iterator[Operation]:
    """The router and its port on each network."""
    router = project.router
    for network in project.networks:
        yield insert(
            "Logical_Router_Port",
            _row("r", network.interface),
            name=f"lrp-{network.interface}",
            mac=network.interface_mac,
            networks=f"{network.gateway}/{_length(network)}",
            external_ids=mapping({"neutron:router_name": router.id, "neutron:subnet_ids": network.subnet} | REVISION),
        )
    yield insert(
        "Logical_Router",
        name=f"neutron-{router.id}",
        ports=many([named(_row("r", network.interface)) for network in project.networks]),
        enabled=True,
        options=mapping({"always_learn_from_arp_request": "false", "dynamic_neigh_routers": "true"}),
        external_ids=mapping({"neutron:router_name": router.name} | REVISION),
    )


def group_rows(group: Group) -> Iterator[Operation]:
    """A port group without ports, and a rule of its own for each rule."""
    yield from (rule_row(group, rule) for rule in group.rules)
    acls = many([named(_row("a", rule.id)) for rule in group.rules])
    ids = mapping({"neutron:security_group_id": group.id} | REVISION)
    yield insert("Port_Group", name=group_name(group.id), acls=acls, external_ids=ids)


def rule_row(group: Group, rule: Rule) -> Operation:
    """The row of a rule, without saying that the group has it."""
    return insert(
        "ACL",
        _row("a", rule.id),
        priority=ALLOW_PRIORITY,
        action="allow-related",
        direction=DIRECTIONS[rule.direction][0],
        match=rule_match(group, rule),
        external_ids=mapping({"neutron:security_group_rule_id": rule.id}),
    )


def rule_match(group: Group, rule: Rule) -> str:
    """Which packets a rule lets pass, as OVN says it. KeyError for a protocol that clouds do not speak of."""
    _, end, remote = DIRECTIONS[rule.direction]
    family = FAMILIES[rule.ethertype]
    terms = [f"{end} == @{group_name(group.id)}", family]
    if rule.remote_prefix is not None:
        terms.append(f"{family}.{remote} == {rule.remote_prefix}")
    if rule.remote_group is not None:
        terms.append(f"{family}.{remote} == ${group_name(rule.remote_group)}_{family}")
    if rule.protocol is not None:
        protocol = PROTOCOLS[rule.protocol]
        terms.append(protocol)
        if rule.first is not None and rule.first == rule.last:
            terms.append(f"{protocol}.dst == {rule.first}")
        elif rule.first is not None and rule.last is not None:
            terms += [f"{protocol}.dst >= {rule.first}", f"{protocol}.dst <= {rule.last}"]
    return " && ".join(terms)


def add_rule(group: Group, rule: Rule) -> list[Operation]:
    """One more rule in a group that is stored."""
    where = [("name", "==", group_name(group.id))]
    return [rule_row(group, rule), mutate("Port_Group", where, ("acls", "insert", many([named(_row("a", rule.id))])))]


def port_rows(project: Project, port: Port, *, dhcp: list[str]) -> Iterator[Operation]:
    """A machine's port, on its switch and in its groups; `dhcp` is the row of its network's DHCP."""
    name = _row("l", port.id)
    yield insert(
        "Logical_Switch_Port",
        name,
        name=port.id,
        addresses=f"{port.mac} {port.address}",
        port_security=f"{port.mac} {port.address}",
        dhcpv4_options=dhcp,
        enabled=True,
        options=mapping({"requested-chassis": port.host, "mcast_flood_reports": "true"}),
        external_ids=mapping(_port_ids(project, port.network, port.address, port.groups)),
    )
    yield _insert_into("Logical_Switch", f"neutron-{port.network}", name)
    for group in (DROP, *(group_name(group) for group in port.groups)):
        yield _insert_into("Port_Group", group, name)


def move_port(port: Port, host: str) -> list[Operation]:
    """A port that is to be on another host."""
    options = mapping({"requested-chassis": host, "mcast_flood_reports": "true"})
    return [
        {
            "op": "update",
            "table": "Logical_Switch_Port",
            "where": [("name", "==", port.id)],
            "row": {"options": options},
        }
    ]


def join_group(row: list[str], group: str) -> list[Operation]:
    """A stored port, by its row, joins a group."""
    return [mutate("Port_Group", [("name", "==", group_name(group))], ("ports", "insert", many([row])))]


def remove_port(port: Port, row: list[str]) -> Iterator[Operation]:
    """A stored port leaves its switch, and with that its groups and the database."""
    where = [("name", "==", f"neutron-{port.network}")]
    yield mutate("Logical_Switch", where, ("ports", "delete", many([row])))
    for group in (DROP, *(group_name(group) for group in port.groups)):
        yield mutate("Port_Group", [("name", "==", group)], ("ports", "delete", many([row])))


def group_name(group: str) -> str:
    """What the port group of a security group is called."""
    return f"pg_{group.replace('-', '_')}"


def _insert_into(table: str, name: str, port: str) -> Operation:
    return mutate(table, [("name", "==", name)], ("ports", "insert", many([named(port)])))


def _dhcp_columns(network: Network) -> dict[str, object]:
    options = {
        "server_id": network.gateway,
        "server_mac": network.interface_mac,
        "router": network.gateway,
        "lease_time": LEASE,
        "mtu": MTU,
    }
    return {
        "cidr": network.range,
        "options": mapping(options),
        "external_ids": mapping({"subnet_id": network.subnet} | REVISION),
    }


def _port_ids(project: Project, network: str, cidr: str, groups: Iterable[str]) -> dict[str, str]:
    return {
        "neutron:cidrs": cidr,
        "neutron:device_id": "",
        "neutron:network_name": f"neutron-{network}",
        "neutron:project_id": project.id,
        "neutron:security_group_ids": " ".join(groups),
    } | REVISION


def _length(network: Network) -> str:
    return network.range.partition("/")[2]


def _dhcp(network: str) -> str:
    return _row("d", network)


def _row(letter: str, id: str) -> str:
    """A name for a row of a transaction: a letter, and an id without hyphens."""
    return letter + id.replace("-", "")
