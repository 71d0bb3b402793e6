"""What a host needs, said as plainly as possible: the definition that `Interest` must agree with.

    slice(host) = the host's own record
                + the full ports of the machines bound to it, and what is logged at them
                + for every domain in which a machine of it stands:
                    networks, subnets, the routers' interfaces and what firewalls let pass them, routers,
                    the endpoint of every machine that stands there, the hosts that carry them, and which
                    of those have any on each network,
                    their identities, the rules of the identities' groups, and the address groups that those name

A domain is a connected component of networks, joined by the interfaces that a router has in them. Records that
something refers to but that do not exist are left out; a reference alone still joins networks.
"""

from collections.abc import Iterable

from netplane.interest.logging import logged
from netplane.interest.placement import Placement, place
from netplane.interest.walls import wall
from netplane.interest.world import Key
from netplane.model import (
    AddressGroup,
    Announcement,
    Binding,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Host,
    Identity,
    LogResource,
    Network,
    Port,
    Presence,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    Wall,
    kind_of,
)


def slice_of(records: Iterable[Record], host: str) -> dict[Key, Record]:
    """All records that the host needs of a world, by kind and id; quadratic, for tests."""
    world = {(kind_of(record), record.id): record for record in records}
    placements = _placements(world)
    networks = _joined(world, {place.network_id for place in placements if place.host == host})
    near = [place for place in placements if place.network_id in networks]
    identities = {place.identity.id for place in near if place.identity}
    groups = {group for place in near if place.identity for group in place.identity.groups}
    rules = [rule for rule in world.values() if isinstance(rule, SecurityGroupRule)]
    address_groups = {rule.remote_address_group_id for rule in rules if rule.security_group_id in groups}
    interfaces = _interfaces(world)
    routers = {port.device_id for port in interfaces if port.network_id in networks}
    hosts = {place.host for place in near} | {host}

    def needed(record: Record) -> bool:
        match record:
            case Host():
                return record.id in hosts
            case Network():
                return record.id in networks
            case Subnet():
                return record.network_id in networks
            case Router():
                return record.id in routers
            case Identity():
                return record.id in identities
            case SecurityGroupRule():
                return record.security_group_id in groups
            case AddressGroup():
                return record.id in address_groups
            case Port() if record.is_router_interface:
                return record.network_id in networks
            case Port():
                binding = world.get(("binding", record.id))
                return isinstance(binding, Binding) and binding.host_id == host and ("host", host) in world
        return False

    found = {key: record for key, record in world.items() if needed(record)}
    logs = [record for record in world.values() if isinstance(record, LogResource)]
    ports = [record for record in found.values() if isinstance(record, Port) and not record.is_router_interface]
    walls = [_wall(world, record) for record in found.values() if isinstance(record, Port)]
    told = [what for what in (logged(port, logs) for port in ports) if what is not None]
    present: dict[str, set[int]] = {}
    for one in near:
        present.setdefault(one.network_id, set()).add(one.endpoint.host)
    return (
        found
        | {("endpoint", place.endpoint.id): place.endpoint for place in near}
        | {("presence", id): Presence(id=id, hosts=tuple(sorted(hosts))) for id, hosts in present.items()}
        | {("logged", what.id): what for what in told}
        | {("wall", wall.id): wall for wall in walls if wall is not None}
    )


def _placements(world: dict[Key, Record]) -> list[Placement]:
    found = []
    for port in world.values():
        if not isinstance(port, Port):
            continue
        binding = world.get(("binding", port.id))
        assert binding is None or isinstance(binding, Binding)
        host = world.get(("host", binding.host_id)) if binding else None
        network, identity = world.get(("network", port.network_id)), world.get(("identity", port.identity_id))
        assert host is None or isinstance(host, Host)
        assert network is None or isinstance(network, Network)
        assert identity is None or isinstance(identity, Identity)
        said = [one for one in world.values() if isinstance(one, Announcement) and one.port_id == port.id]
        subnets = [world.get(("subnet", fixed.subnet_id)) for fixed in port.fixed_ips]
        known = [subnet for subnet in subnets if isinstance(subnet, Subnet)]
        placement = place(port, binding, host, network, identity, said, known)
        if placement:
            found.append(placement)
    return found


def _wall(world: dict[Key, Record], port: Port) -> Wall | None:
    """What the firewall on a router's port lets pass; of several groups the one with the first id counts."""
    groups = [record for record in world.values() if isinstance(record, FirewallGroup) and port.id in record.ports]
    if not groups or not port.is_router_interface:
        return None

    def policy(id: str) -> FirewallPolicy | None:
        found = world.get(("firewall_policy", id))
        return found if isinstance(found, FirewallPolicy) else None

    def rule(id: str) -> FirewallRule | None:
        found = world.get(("firewall_rule", id))
        return found if isinstance(found, FirewallRule) else None

    return wall(port.id, min(groups, key=lambda group: group.id), policy, rule)


def _interfaces(world: dict[Key, Record]) -> list[Port]:
    return [record for record in world.values() if isinstance(record, Port) and record.is_router_interface]


def _joined(world: dict[Key, Record], networks: set[str]) -> set[str]:
    interfaces = _interfaces(world)
    while True:
        routers = {port.device_id for port in interfaces if port.network_id in networks}
        wider = networks | {port.network_id for port in interfaces if port.device_id in routers}
        if wider == networks:
            return networks
        networks = wider
