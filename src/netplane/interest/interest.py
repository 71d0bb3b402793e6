"""Every host's slice, kept current change by change.

    changes ─▶ World (records, look-ups) ─▶ placements ─▶ Domains (who holds what) ─▶ Touched ─▶ what hosts are told
                                                             ▲
                              routers' interfaces join ──────┘

Each change *touches* the keys that a host may have gained or lost, or must see anew (`touched`). When all changes are
in, each touched key is looked at once, in the world as it then is: the host needs the record or does not (`telling`).
So what hosts are told depends on the current state only; touching too much would cost bytes, never correctness.
Touching no more than need is what the order of steps is about: what a host gains is touched before it counts as held,
what it loses after.

Work is proportional to the hosts that need the change and to the records that each gains or loses. A port that joins
a group of ten thousand costs the hosts of its domain and nothing else. A split also walks the domain's networks and
the placements of the smaller part.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from netplane.interest.domain import Domain, held_by
from netplane.interest.loading import load
from netplane.interest.placement import Placement
from netplane.interest.sections import Section, records_in, sections_of
from netplane.interest.slices import Slices
from netplane.interest.standing import Standing
from netplane.interest.telling import tell
from netplane.interest.touched import Touched
from netplane.interest.world import Key
from netplane.model import (
    Announcement,
    Change,
    FirewallGroup,
    Host,
    Identity,
    LogResource,
    Network,
    Port,
    Record,
    SecurityGroupRule,
    Subnet,
)

R = TypeVar("R", bound=Record)
Said = TypeVar("Said")


class Interest:
    """The world and the slices of all hosts."""

    def __init__(self) -> None:
        self.revision = 0
        """The revision of the last change taken in."""
        self._slices = Slices()
        self._touched = Touched(self._slices)
        self._handlers = {
            "host": self._host,
            "network": self._network,
            "subnet": self._subnet,
            "router": self._router,
            "security_group_rule": self._rule,
            "address_group": self._address_group,
            "identity": self._identity,
            "port": self._port,
            "binding": self._binding,
            "announcement": self._announcement,
            "log": self._log,
            "firewall_rule": self._firewall,
            "firewall_policy": self._firewall,
            "firewall_group": self._firewall,
        }

    def load(self, records: Iterable[Record], revision: int) -> None:
        """Take in a whole world as of a revision, before anything else, without any delta."""
        load(self._slices, records)
        self.revision = revision

    def apply(self, changes: Iterable[Change]) -> dict[str, dict[Key, Record | None]]:
        """Take in changes in their order; what each host whose slice they touch must be told of them, by key."""
        return self.tell(changes, lambda record: record)

    def tell(self, changes: Iterable[Change], say: Callable[[Record], Said]) -> dict[str, dict[Key, Said | None]]:
        """The same, with each record that hosts are told said as it shall be; None for what a host needs no more."""
        for change in changes:
            self._set((change.kind, change.id), change.record)
            self.revision = max(self.revision, change.revision)
        touched, self._touched = self._touched, Touched(self._slices)
        return tell(self._slices, touched, say)

    def slice(self, host: str) -> list[Record]:
        """All records that a host needs now."""
        return [*self.own(host), *(record for section in self.sections(host) for record in self.records(section))]

    def own(self, host: str) -> list[Record]:
        """The part of a host's slice that concerns it alone."""
        return self._slices.own_of(host)

    def sections(self, host: str) -> Sequence[Section]:
        """What the rest of its slice is made of."""
        return sections_of(self._slices, host)

    def records(self, section: Section) -> list[Record]:
        """What a section says now."""
        return records_in(self._slices, section)

    def take_stale(self) -> Collection[Section]:
        """The sections that say something else than when this was called last, or are no more."""
        stale = list(self._slices.stale)
        self._slices.stale.clear()
        return stale

    def get(self, key: Key) -> Record | None:
        """A record of the world by kind and id."""
        return self._slices.world.at(key)

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        return self._slices.world.all(kind)

    def bound(self) -> Mapping[str, Iterable[str]]:
        """The ids of the ports that are bound to each host."""
        return self._slices.world.found("bound_to")

    def bound_to(self, host: str) -> list[str]:
        """The ids of the ports that are bound to a host."""
        return list(self._slices.world.find("bound_to", host))

    # One handler for each kind: put the record into the world, touch what follows.

    def _set(self, key: Key, new: Record | None) -> None:
        old = self._slices.world.at(key)
        if old == new:
            return
        handler = self._handlers.get(key[0])
        if handler:
            handler(key, old, new)

    def _put(self, key: Key, record: Record | None) -> None:
        old = self._slices.world.at(key)
        if old is not None:
            self._slices.outdate(key, old)
        if record is None:
            self._slices.world.remove(key)
        else:
            self._slices.outdate(key, record)
            self._slices.world.put(key, record)

    def _host(self, key: Key, old: Record | None, new: Record | None) -> None:
        name = key[1]
        bound = self.bound_to(name)
        self._touched.touch((name,), key)
        self._touched.holders(key, key)
        if old is None or new is None:
            self._put(key, old or new)
            for port in bound:
                self._touched.carrier(port)
        self._put(key, new)
        if not (isinstance(old, Host) and isinstance(new, Host) and old.number == new.number):
            self._settle(bound)

    def _network(self, key: Key, old: Record | None, new: Record | None) -> None:
        self._put(key, new)
        self._touched.touch(self._slices.domains.hosts_on(key[1]), key)
        if not (isinstance(old, Network) and isinstance(new, Network) and old.vni == new.vni):
            self._settle(list(self._slices.world.find("machines_on", key[1])))

    def _subnet(self, key: Key, old: Record | None, new: Record | None) -> None:
        for subnet in (old, new):
            if isinstance(subnet, Subnet):
                self._touched.touch(self._slices.domains.hosts_on(subnet.network_id), key)
        self._put(key, new)
        if _told(old) != _told(new):
            for subnet in (old, new):
                if isinstance(subnet, Subnet):
                    self._settle(list(self._slices.world.find("machines_on", subnet.network_id)))

    def _router(self, key: Key, _old: Record | None, new: Record | None) -> None:
        self._put(key, new)
        for network in self._slices.networks_of(key[1]):
            self._touched.touch(self._slices.domains.hosts_on(network), key)
            break

    def _rule(self, key: Key, old: Record | None, new: Record | None) -> None:
        for rule in (old, new):
            if isinstance(rule, SecurityGroupRule):
                self._touched.holders(("security_group", rule.security_group_id), key)
        self._touched.address_group(new)
        self._put(key, new)
        self._touched.address_group(old)

    def _address_group(self, key: Key, _old: Record | None, new: Record | None) -> None:
        self._put(key, new)
        for group in self._slices.naming(key[1]):
            self._touched.holders(("security_group", group), key)

    def _identity(self, key: Key, old: Record | None, new: Record | None) -> None:
        self._put(key, new)
        if old != new:
            self._settle(list(self._slices.world.find("machines_with", key[1])))
        if isinstance(old, Identity) and isinstance(new, Identity):
            self._touched.holders(key, key)

    def _binding(self, key: Key, _old: Record | None, new: Record | None) -> None:
        self._touched.carrier(key[1])
        self._put(key, new)
        self._touched.carrier(key[1])
        self._settle((key[1],))

    def _log(self, key: Key, old: Record | None, new: Record | None) -> None:
        logs = [log for log in (old, new) if isinstance(log, LogResource)]
        before = {port: self._slices.logged(port) for log in logs for port in self._slices.covered(log)}
        self._put(key, new)
        for port, was in before.items():
            host = self._slices.carrier(port)
            if host and self._slices.logged(port) != was:
                self._touched.touch((host,), ("logged", port))

    def _firewall(self, key: Key, old: Record | None, new: Record | None) -> None:
        ports = [*self._slices.walled(key), *(new.ports if isinstance(new, FirewallGroup) else ())]
        before = {port: self._slices.wall(port) for port in ports}
        self._put(key, new)
        for port, was in before.items():
            interface = self._slices.world.get(Port, port)
            if interface is not None and self._slices.wall(port) != was:
                self._slices.outdate_domain(interface.network_id)
                self._touched.touch(self._slices.domains.hosts_on(interface.network_id), ("wall", port))

    def _announcement(self, key: Key, old: Record | None, new: Record | None) -> None:
        self._put(key, new)
        self._settle({said.port_id: None for said in (old, new) if isinstance(said, Announcement)})

    def _port(self, key: Key, old: Record | None, new: Record | None) -> None:
        if old and new and _link(old) != _link(new):
            self._port(key, old, None)
            self._port(key, None, new)
        elif link := _link(new or old):
            self._interface(key, link, old, new)
        else:
            self._touched.carrier(key[1])
            self._put(key, new)
            self._touched.carrier(key[1])
            self._settle((key[1],))

    def _interface(self, key: Key, link: tuple[str, str], old: Record | None, new: Record | None) -> None:
        network, router = link
        if old is None:
            self._join(network, router)
        self._touched.touch(self._slices.domains.hosts_on(network), key)
        wall = self._slices.wall(key[1])
        alone = old is None and not self._slices.world.find("interfaces_of", router)
        self._put(key, new)
        if self._slices.wall(key[1]) != wall:
            self._touched.touch(self._slices.domains.hosts_on(network), ("wall", key[1]))
        alone = alone or (new is None and not self._slices.world.find("interfaces_of", router))
        if alone and self._slices.world.at(("router", router)):
            self._touched.touch(self._slices.domains.hosts_on(network), ("router", router))
        if new is None:
            self._part(network)

    # Placements come and go.

    def _settle(self, ports: Iterable[str]) -> None:
        for port in ports:
            old, new = self._slices.placed.get(port), self._slices.place(port)
            if old != new:
                self._move(port, old, new)

    def _move(self, port: str, old: Placement | None, new: Placement | None) -> None:
        """The new place is taken before the old one is left, so that what both give is never lost between."""
        key = ("endpoint", port)
        seen = old and new and old.endpoint == new.endpoint and old.network_id == new.network_id
        if old and not seen:
            self._touched.touch(self._slices.domains.hosts_on(old.network_id), key)
        if new:
            self._hold(new)
            self._appear(new)
        if old:
            self._slices.outdate_parts(old.network_id, (self._slices.standing[old.network_id].remove(port),))
            del self._slices.placed[port]
        if new:
            self._slices.placed[port] = new
            self._slices.outdate_parts(new.network_id, self._slices.standing[new.network_id].add(port))
        if old:
            self._disappear(old)
            self._release(old)
        if new and not seen:
            self._touched.touch(self._slices.domains.hosts_on(new.network_id), key)

    def _appear(self, placement: Placement) -> None:
        """One more machine of a host on a network; the first makes the host present there."""
        network = placement.network_id
        standing = self._slices.standing.get(network)
        if standing is None:
            standing = self._slices.standing[network] = Standing(network)
        if standing.appear(placement.endpoint.host):
            self._touch_presence(network)

    def _disappear(self, placement: Placement) -> None:
        """One machine less."""
        network = placement.network_id
        if self._slices.standing[network].disappear(placement.endpoint.host):
            self._touch_presence(network)

    def _touch_presence(self, network: str) -> None:
        self._slices.outdate_domain(network)
        self._touched.touch(self._slices.domains.hosts_on(network), ("presence", network))

    def _hold(self, placement: Placement) -> None:
        domain = self._slices.domains.open(placement.network_id)
        for held in held_by(placement):
            if held not in domain.held:
                self._touched.shared(domain, held)
                if held[0] == "host":
                    self._touched.enter(held[1], placement.network_id, domain)
            self._slices.domains.count(domain, held, 1)

    def _release(self, placement: Placement) -> None:
        network = placement.network_id
        domain = self._slices.domains.open(network)
        for held in held_by(placement):
            self._slices.domains.count(domain, held, -1)
            if held not in domain.held:
                self._touched.shared(domain, held)
                if held[0] == "host":
                    self._touched.domain((held[1],), domain)
        if not self._slices.standing[network]:
            del self._slices.standing[network]
        self._slices.domains.close(network)

    # Routers' interfaces join networks and part them.

    def _join(self, network: str, router: str) -> None:
        """Its network's domain and its router's become one."""
        domain = self._slices.domains.open(network)
        other = next((self._slices.domains.open(far) for far in self._slices.networks_of(router)), domain)
        if other is domain:
            return
        small, large = sorted((domain, other), key=lambda each: len(each.networks) + len(each.held))
        for here, there in ((small, large), (large, small)):
            self._touched.domain([host for host in here.hosts if host not in there.hosts], there)
        self._slices.domains.merge(small, large)

    def _part(self, network: str) -> None:
        """After the interface has left the world: its network may have come apart from the rest of the domain."""
        domain = self._slices.domains.open(network)
        near = self._slices.component(network)
        if len(near) < len(domain.networks):
            far = [other for other in domain.networks if other not in near]
            self._split(domain, min(near, far, key=len))
            self._slices.domains.close(far[0])
        self._slices.domains.close(network)

    def _split(self, domain: Domain, networks: Collection[str]) -> None:
        hosts = list(domain.hosts)
        entered = {host for host in hosts if self._touched.has_entered(host, domain)}
        standing = (port for network in networks for port in self._slices.standing.get(network, ()))
        part = self._slices.domains.split(domain, networks, (self._slices.placed[port] for port in standing))
        for host in hosts:
            for each in (domain, part):
                if host not in each.hosts:
                    self._touched.domain((host,), each)
                elif host in entered:
                    self._touched.entered(host, each)


def _told(record: Record | None) -> tuple[str, int, bool] | None:
    """What the placements of machines depend on of a subnet."""
    return (record.network_id, record.ip_version, record.enable_dhcp) if isinstance(record, Subnet) else None


def _link(port: Record | None) -> tuple[str, str] | None:
    """The network and the router that a port joins; None for a machine's."""
    return (port.network_id, port.device_id) if isinstance(port, Port) and port.is_router_interface else None
