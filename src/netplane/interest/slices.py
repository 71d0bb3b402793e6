"""Whether a host needs a record, answered from the current state alone."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from netplane.interest.crowds import Crowd, Crowds
from netplane.interest.domain import Domain, Domains
from netplane.interest.logging import logged
from netplane.interest.placement import Placement, place
from netplane.interest.standing import Stand, Standing
from netplane.interest.walls import wall
from netplane.interest.world import Key, World
from netplane.model import (
    AddressGroup,
    Announcement,
    Binding,
    Endpoint,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Host,
    Identity,
    Logged,
    LogResource,
    Network,
    Port,
    Presence,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    Wall,
)


class Slices:
    """The world, its placements and its domains; `Interest` writes them, the methods here only look."""

    def __init__(self) -> None:
        self.world = World()
        self.stale: set[Domain | Stand | Crowd | Key] = set()
        """Sections that say something else than before."""
        self.apart: dict[Domain, dict[Stand | Key, None]] = {}
        """What a domain's hosts need that is no part of its section, hosts not among it; made when it is asked for."""
        self.domains = Domains(self.spoil)
        self.crowds = Crowds()
        self.placed: dict[str, Placement] = {}
        self.standing: dict[str, Standing] = {}
        """The ports that stand on each network."""

    def own(self, domain: Domain) -> dict[Key, Record]:
        """What belongs to one domain alone."""
        found, placed = self.frame(domain), self.placed
        for network in domain.networks:
            for port in self.standing.get(network, ()):
                found["endpoint", port] = placed[port].endpoint
        return found

    def frame(self, domain: Domain) -> dict[Key, Record]:
        """The same but for its endpoints."""
        found: dict[Key, Record] = {}
        networks, subnets, routers = self.world.all(Network), self.world.all(Subnet), self.world.all(Router)
        find, ports = self.world.find, self.world.all(Port)
        for id in domain.networks:
            if network := networks.get(id):
                found["network", id] = network
            for subnet in find("subnets_on", id):
                found["subnet", subnet] = subnets[subnet]
            for port in find("interfaces_on", id):
                found["port", port] = interface = ports[port]
                if wall := self.wall(port):
                    found["wall", port] = wall
                if router := routers.get(interface.device_id):
                    found["router", interface.device_id] = router
            if id in self.standing:
                found["presence", id] = self.standing[id].presence
        return found

    def shared(self, held: Key) -> dict[Key, Record]:
        """What comes with something held."""
        if held[0] == GROUP:
            rules = self.world.all(SecurityGroupRule)
            return {("security_group_rule", rule): rules[rule] for rule in self.world.find("rules_of", held[1])}
        record = self.world.at(held)
        return {} if record is None else {held: record}

    def own_of(self, host: str) -> list[Record]:
        """What concerns one host alone, but for its record, which others need too."""
        if host not in self.world.all(Host):
            return []
        ports = self.world.all(Port)
        bound = (ports.get(id) for id in self.world.find("bound_to", host))
        found: list[Record] = [port for port in bound if port is not None and not port.is_router_interface]
        if self.world.all(LogResource):
            logged = [self.logged(port.id) for port in found]
            found += [each for each in logged if each is not None]
        return found

    def shared_keys(self, held: Key) -> Iterable[Key]:
        """The keys that come with something held: a group comes as its rules."""
        kind, id = held
        return [("security_group_rule", rule) for rule in self.world.find("rules_of", id)] if kind == GROUP else (held,)

    def named_keys(self, held: Key) -> Iterator[Key]:
        """The address groups that the rules of something held name; several groups' rules may name the same."""
        kind, id = held
        for rule in self.world.find("rules_about", id) if kind == GROUP else ():
            record = self.world.get(SecurityGroupRule, rule)
            if record and record.remote_address_group_id is not None:
                yield "address_group", record.remote_address_group_id

    def naming(self, address_group: str) -> Iterator[str]:
        """The security groups whose rules name an address group; some may come twice."""
        for rule in self.world.find("rules_naming", address_group):
            record = self.world.get(SecurityGroupRule, rule)
            if record:
                yield record.security_group_id

    def at(self, key: Key) -> Record | None:
        """The record with this key, for whomever; what nobody wrote is made of what was."""
        kind, id = key
        if kind not in MADE:
            return self.world.at(key)
        match kind:
            case "endpoint":
                placement = self.placed.get(id)
                return placement.endpoint if placement else None
            case "presence":
                standing = self.standing.get(id)
                return standing.presence if standing else None
            case "logged":
                return self.logged(id)
        return self.wall(id)

    def logged(self, port: str) -> Logged | None:
        """What is logged at a machine's port."""
        record = self.world.get(Port, port)
        if record is None or not self.world.all(LogResource):
            return None
        places = [("logs_at", port), ("logs_of", record.project_id)]
        places += [("logs_by", group) for group in record.security_groups]
        logs = (self.world.get(LogResource, id) for place in places for id in self.world.find(*place))
        return logged(record, [log for log in logs if log is not None])

    def wall(self, port: str) -> Wall | None:
        """What a firewall lets pass a router's port; of several groups on it, the first by its id counts."""
        groups = self.world.find("walled_by", port)
        if not groups:
            return None
        record, group = self.world.get(Port, port), self.world.get(FirewallGroup, min(groups))
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
            return self.world.machines("machines_of", log.project_id)
        return self.world.machines("machines_in", log.resource_id)

    def outdate(self, key: Key, record: Record) -> None:
        """A record comes or goes that sections are made of."""
        match record:
            case Port():
                if record.is_router_interface:
                    self.outdate_domain(record.network_id)
            case Network():
                self.outdate_domain(record.id)
            case Subnet():
                self.outdate_domain(record.network_id)
            case Router():
                for network in self.networks_of(record.id):
                    self.outdate_domain(network)
            case SecurityGroupRule():
                self._outdate_held((GROUP, record.security_group_id))
            case Identity():
                self._outdate_held(key)
            case Host():
                self.stale.add(key)
                self.stale.update(self.crowds.forget())
            case AddressGroup():
                self.stale.add(key)

    def outdate_domain(self, network: str) -> None:
        """Something has changed in the domain of a network."""
        domain = self.domains.get(network)
        if domain is not None:
            self.spoil(domain)

    def outdate_parts(self, network: str, parts: Iterable[Stand]) -> None:
        """The ports of these parts of a network have changed; small networks have no sections of their own."""
        self.stale.update(parts)
        if len(self.standing[network].parts) <= 2:
            self.outdate_domain(network)

    def spoil(self, domain: Domain) -> None:
        """What a domain's section says, or what it leaves out, has changed."""
        self.stale.add(domain)
        self.apart.pop(domain, None)

    def _outdate_held(self, held: Key) -> None:
        self.stale.add(held)
        for domain in self.domains.holding(held):
            self.spoil(domain)

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
        (placement,) = self.places((port_id,))
        return placement

    def places(self, ports: Iterable[str]) -> Iterator[Placement | None]:
        """Where each of some ports stands now."""
        of, bindings, hosts = self.world.all(Port).get, self.world.all(Binding).get, self.world.all(Host).get
        networks, identities = self.world.all(Network).get, self.world.all(Identity).get
        subnets, announcements = self.world.all(Subnet).get, self.world.all(Announcement).get
        announced = self.world.found("announced_by").get
        for id in ports:
            port, binding = of(id), bindings(id)
            if port is None or binding is None:
                yield None
                continue
            told = [subnet for fixed in port.fixed_ips if (subnet := subnets(fixed.subnet_id))]
            said = [one for each in announced(id) or () if (one := announcements(each))]
            host, network = hosts(binding.host_id), networks(port.network_id)
            yield place(port, binding, host, network, identities(port.identity_id), said, told)

    def among(self, hosts: Collection[str], record: Record) -> Collection[str]:
        """Those of these hosts that need a record that there is."""
        network = self._network_of(record)
        if network is not None:
            return _within(hosts, self.domains.hosts_on(network))
        match record:
            case Port() | Logged():
                return _within(hosts, (self.carrier(record.id),))
            case Router():
                near = [self.domains.hosts_on(network) for network in self.networks_of(record.id)]
                return {host: None for host in hosts if any(host in each for each in near)}
            case SecurityGroupRule():
                return self.domains.seeing(hosts, (GROUP, record.security_group_id))
            case AddressGroup():
                groups = [(GROUP, group) for group in self.naming(record.id)]
                return {host: None for group in groups for host in self.domains.seeing(hosts, group)}
            case Identity():
                return self.domains.seeing(hosts, ("identity", record.id))
            case Host():
                return self.domains.seeing(hosts, ("host", record.id))
        return ()

    def _network_of(self, record: Record) -> str | None:
        """The network that a record belongs to, if it is for all hosts of that one's domain."""
        match record:
            case Endpoint():
                return self.placed[record.id].network_id
            case Network() | Presence():
                return record.id
            case Subnet():
                return record.network_id
            case Port():
                return record.network_id if record.is_router_interface else None
            case Wall():
                interface = self.world.get(Port, record.id)
                return interface.network_id if interface else None
        return None


def _within(hosts: Collection[str], near: Collection[str | None]) -> Collection[str]:
    return {host: None for host in hosts if host in near}


GROUP = "security_group"
MADE = frozenset(("endpoint", "presence", "logged", "wall"))
"""Kinds that nobody writes."""
