"""Availability zones, and how full networks are: worked out from agents, and from the addresses that are claimed."""

from collections.abc import Iterable, Sequence

from netplane.api.bodies import Wish
from netplane.api.computed import Filters, Rules
from netplane.api.context import Context
from netplane.api.errors import ApiError, invalid
from netplane.api.policy import sees_all
from netplane.api.rules.ranges import parse_address, parse_range
from netplane.model import Agent, AvailabilityZone, Network, NetworkAvailability, Subnet, SubnetAvailability
from netplane.store import Reader, Transaction

RESOURCES = ("network", "router")


def zones(reader: Reader, _context: Context, _filters: Filters) -> list[AvailabilityZone]:
    """All zones that agents are in, for networks and for routers: hosts serve both."""
    up: dict[str, bool] = {}
    for agent in reader.list(Agent):
        up[agent.availability_zone] = up.get(agent.availability_zone, False) or agent.admin_state_up
    return [
        AvailabilityZone(
            id=f"{zone} {resource}", name=zone, resource=resource, state="available" if is_up else "unavailable"
        )
        for zone, is_up in sorted(up.items())
        for resource in RESOURCES
    ]


def check_hints(transaction: Transaction, wish: Wish) -> None:
    """404 if hints name a zone that no agent is in, 400 if they name one twice."""
    hints = wish.get("availability_zone_hints", ())
    if len(set(hints)) < len(hints):
        raise invalid("Duplicate items in the list: 'availability_zone_hints'")
    known = {agent.availability_zone for agent in transaction.list(Agent)} if hints else set()
    for hint in hints:
        if hint not in known:
            raise ApiError(404, "AvailabilityZoneNotFound", f"AvailabilityZone {hint} could not be found.")


def availabilities(reader: Reader, context: Context, filters: Filters) -> list[NetworkAvailability]:
    """How full networks are, for administrators."""
    if not sees_all(context, NetworkAvailability):
        return []
    owners = filters.get("project_id", filters.get("tenant_id", ()))
    networks = reader.list(Network, owners[0] if len(owners) == 1 else None, filters.get("network_id"))
    return _availabilities(reader, networks, filters.get("ip_version", ()))


def availability(reader: Reader, context: Context, id: str) -> NetworkAvailability | None:
    """How full a network is, for administrators."""
    network = reader.get(Network, id) if sees_all(context, NetworkAvailability) else None
    return None if network is None else _availabilities(reader, [network], ())[0]


def _availabilities(reader: Reader, networks: Sequence[Network], versions: Sequence[str]) -> list[NetworkAvailability]:
    found = reader.group(Subnet, "network_id", [network.id for network in networks])
    if versions:
        found = {id: [one for one in subnets if str(one.ip_version) in versions] for id, subnets in found.items()}
        networks = [network for network in networks if found[network.id]]
    used = reader.counts(f"address:{subnet.id}" for subnets in found.values() for subnet in subnets)
    return [
        _availability(network, [_part(one, used[f"address:{one.id}"]) for one in found[network.id]])
        for network in networks
    ]


def _availability(network: Network, parts: Iterable[SubnetAvailability]) -> NetworkAvailability:
    subnets = tuple(parts)
    return NetworkAvailability(
        id=network.id,
        network_id=network.id,
        network_name=network.name,
        project_id=network.project_id,
        total_ips=sum(part.total_ips for part in subnets),
        used_ips=sum(part.used_ips for part in subnets),
        subnet_ip_availability=subnets,
    )


def _part(subnet: Subnet, used: int) -> SubnetAvailability:
    sizes = [int(parse_address(pool.end)) - int(parse_address(pool.start)) + 1 for pool in subnet.allocation_pools]
    total = sum(sizes) if sizes else parse_range(subnet.cidr).num_addresses
    return SubnetAvailability(
        subnet_id=subnet.id,
        subnet_name=subnet.name,
        cidr=subnet.cidr,
        ip_version=subnet.ip_version,
        total_ips=total,
        used_ips=used,
    )


AVAILABILITY_ZONES = Rules(AvailabilityZone, zones)
NETWORK_AVAILABILITIES = Rules(
    NetworkAvailability, availabilities, further=frozenset({"ip_version"}), show=availability
)
