"""Whether a host needs a record, answered from the current state alone."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from netplane.interest.domain import Domain, Domains
from netplane.interest.logging import logged
from netplane.interest.placement import Placement, place
from netplane.interest.walls import wall
from netplane.interest.world import Key, World
from netplane.model import (
    AddressGroup,
    Announcement,
    Binding,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Host,
    Identity,
    Logged,
    LogResource,
    Network,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    Wall,
    kind_of,
    presence,
)


class Slices:
    """The world, its placements and its domains; `Interest` writes them, the methods here only look."""

    def __init__(self) -> None:
        self.world = World()
        self.domains = Domains()
        self.placed: dict[str, Placement] = {}
        self.standing: dict[str, dict[str, None]] = {}
        """The ports that stand on each network."""
        self.present: dict[str, Counter[str]] = {}
        """How many of them each host carries."""

    def keys(self, host: str) -> Iterator[Key]:
        """The keys of all that a host may need; some may come twice or not exist."""
        yield "host", host
        for port in self.world.find("bound_to", host):
            yield "port", port
            yield "logged", port
        for domain in self.domains.holding(("host", host)):
            yield from self.own_keys(domain)
            for held in domain.held:
                yield from self.shared_keys(held)
                yield from self.named_keys(held)

    def own_keys(self, domain: Domain) -> Iterator[Key]:
        """The keys that belong to one domain alone; routers may come twice."""
        for network in domain.networks:
            yield "network", network
            for subnet in self.world.find("subnets_on", network):
                yield "subnet", subnet
            for port in self.world.find("interfaces_on", network):
                yield "port", port
                yield "wall", port
                yield "router", self.router_of(port)
            for port in self.standing.get(network, ()):
                yield "endpoint", port
            for host in self.present.get(network, ()):
                yield "presence", presence(network, host).id

    def shared_keys(self, held: Key) -> Iterable[Key]:
        """The keys that come with something held: a group comes as its rules."""
        kind, id = held
        return (
            [("security_group_rule", rule) for rule in self.world.find("rules_of", id)] if kind == _GROUP else (held,)
        )

    def named_keys(self, held: Key) -> Iterator[Key]:
        """The address groups that the rules of something held name; several groups' rules may name the same."""
        kind, id = held
        for rule in self.world.find("rules_of", id) if kind == _GROUP else ():
            record = self.world.get(SecurityGroupRule, rule)
            if record and record.remote_address_group_id is not None:
                yield "address_group", record.remote_address_group_id

    def naming(self, address_group: str) -> Iterator[str]:
        """The security groups whose rules name an address group; some may come twice."""
        for rule in self.world.find("rules_naming", address_group):
            record = self.world.get(SecurityGroupRule, rule)
            if record:
                yield record.security_group_id

    def needed(self, host: str, key: Key) -> Record | None:
        """The record with this key if the host needs it."""
        kind, id = key
        if kind == "endpoint":
            placement = self.placed.get(id)
            return placement.endpoint if placement and self.near(host, placement.network_id) else None
        if kind == "logged":
            return self.logged(id) if self.carrier(id) == host else None
        if kind == "presence":
            network, _, present = id.partition("/")
            return presence(network, present) if self.exists(key) and self.near(host, network) else None
        if kind == "wall":
            interface = self.world.get(Port, id)
            return self.wall(id) if interface and self.near(host, interface.network_id) else None
        record = self.world.at(key)
        return record if record is not None and self._needs(host, record) else None

    def logged(self, port: str) -> Logged | None:
        """What is logged at a machine's port."""
        record = self.world.get(Port, port)
        if record is None:
            return None
        places = [("logs_at", port), ("logs_of", record.project_id)]
        places += [("logs_by", group) for group in record.security_groups]
        logs = (self.world.get(LogResource, id) for place in places for id in self.world.find(*place))
        return logged(record, [log for log in logs if log is not None])

    def wall(self, port: str) -> Wall | None:
        """What a firewall lets pass a router's port; of several groups on it, the first by its id counts."""
        record = self.world.get(Port, port)
        groups = sorted(self.world.find("walled_by", port))
        group = self.world.get(FirewallGroup, groups[0]) if groups else None
        if record is None or not record.is_router_interface or group is None:
            return None
        policies, rules = partial(self.world.get, FirewallPolicy), partial(self.world.get, FirewallRule)
        return wall(port, group, policies, rules)

    def walled(self, key: Key) -> Iterable[str]:
        """The ports whose walls a firewall's group, policy or rule has a part in."""
        kind, id = key
        if kind == "firewall_rule":
            return [
                port for one in self.world.find("policies_with", id) for port in self.walled(("firewall_policy", one))
            ]
        if kind == "firewall_policy":
            return [port for one in self.world.find("groups_with", id) for port in self.walled(("firewall_group", one))]
        group = self.world.get(FirewallGroup, id)
        return () if group is None else group.ports

    def covered(self, log: LogResource) -> Iterable[str]:
        """The ports that a log may be about."""
        if log.target_id is not None:
            return (log.target_id,)
        if log.resource_id is None:
            return self.world.find("machines_of", log.project_id)
        return self.world.find("machines_in", log.resource_id)

    def exists(self, key: Key) -> bool:
        """Whether there is a record with this key, for whomever."""
        kind, id = key
        match kind:
            case "presence":
                network, _, host = id.partition("/")
                return host in self.present.get(network, ())
            case "endpoint":
                return id in self.placed
            case "wall":
                return self.wall(id) is not None
        return self.world.at(key) is not None

    def near(self, host: str, network: str) -> bool:
        """Whether a machine of the host stands in the domain of the network."""
        return host in self.domains.hosts_on(network)

    def carrier(self, port: str) -> str | None:
        """The host that a machine's port is bound to, if that host exists."""
        binding = self.world.get(Binding, port)
        return binding.host_id if binding and self.world.get(Host, binding.host_id) else None

    def networks_of(self, router: str) -> Iterator[str]:
        """The networks that a router has interfaces in."""
        for port in self.world.find("interfaces_of", router):
            interface = self.world.get(Port, port)
            if interface:
                yield interface.network_id

    def router_of(self, interface: str) -> str:
        """The router that an interface belongs to."""
        port = self.world.get(Port, interface)
        return port.device_id if port else ""

    def component(self, network: str) -> dict[str, None]:
        """The networks that routers join with this one, itself included."""
        found = {network: None}
        waiting = [network]
        walked = set()
        while waiting:
            for port in self.world.find("interfaces_on", waiting.pop()):
                router = self.router_of(port)
                if router not in walked:
                    walked.add(router)
                    new = [other for other in self.networks_of(router) if other not in found]
                    found.update(dict.fromkeys(new))
                    waiting.extend(new)
        return found

    def place(self, port_id: str) -> Placement | None:
        """Where a port stands now."""
        port = self.world.get(Port, port_id)
        binding = self.world.get(Binding, port_id)
        if port is None or binding is None:
            return None
        host = self.world.get(Host, binding.host_id)
        network = self.world.get(Network, port.network_id)
        identity = self.world.get(Identity, port.identity_id)
        found = (self.world.get(Announcement, said) for said in self.world.find("announced_by", port_id))
        said = [one for one in found if one is not None]
        subnets = (self.world.get(Subnet, fixed.subnet_id) for fixed in port.fixed_ips)
        return place(port, binding, host, network, identity, said, [one for one in subnets if one is not None])

    def _needs(self, host: str, record: Record) -> bool:
        match record:
            case Port() if record.is_router_interface:
                return self.near(host, record.network_id)
            case Port():
                return self.carrier(record.id) == host
            case Network():
                return self.near(host, record.id)
            case Subnet():
                return self.near(host, record.network_id)
            case Router():
                return any(self.near(host, network) for network in self.networks_of(record.id))
            case SecurityGroupRule():
                return self.domains.sees(host, (_GROUP, record.security_group_id))
            case AddressGroup():
                return any(self.domains.sees(host, (_GROUP, group)) for group in self.naming(record.id))
            case Identity():
                return self.domains.sees(host, ("identity", record.id))
            case Host():
                return record.id == host or self.domains.sees(host, (kind_of(record), record.id))
        return False


_GROUP = "security_group"
