"""Which hosts must look at which keys again, noted while changes come in.

A host that comes into a domain is not touched key by key: that it has come is noted, and what comes with the domain is
put together once for all that have, when all changes are in (`telling`). What a host may have lost is touched by key
at once, since later nobody knows what it had.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from netplane.interest.domain import Domain
from netplane.interest.slices import Slices
from netplane.interest.world import Key
from netplane.model import Port, Record, SecurityGroupRule


class Touched:
    """What was touched since all that was is told."""

    def __init__(self, slices: Slices) -> None:
        self._slices = slices
        self.keys: dict[Key, dict[str, None]] = {}
        """The hosts that must look at each key again."""
        self.held: dict[Key, dict[str, None]] = {}
        """The hosts that must look at all that something held comes as."""
        self.networks: dict[str, dict[str, None]] = defaultdict(dict)
        """The networks by which each host has come into domains."""

    def touch(self, hosts: Iterable[str], key: Key) -> None:
        """These hosts must look at this key again."""
        known = self.keys.get(key)
        if known is None:
            if fresh := dict.fromkeys(hosts):
                self.keys[key] = fresh
        else:
            known.update(dict.fromkeys(hosts))

    def carrier(self, port: str) -> None:
        """The host that a machine's port is bound to must look at the port again."""
        host = self._slices.carrier(port)
        record = self._slices.world.get(Port, port)
        if host and record and not record.is_router_interface:
            self.touch((host,), ("port", port))
            if self._slices.logged(port) is not None:
                self.touch((host,), ("logged", port))

    def holders(self, held: Key, key: Key) -> None:
        """All hosts of the domains that hold something must look at a key again."""
        for domain in self._slices.domains.holding(held):
            self.touch(domain.hosts, key)

    def shared(self, domain: Domain, held: Key) -> None:
        """All hosts of a domain that hold this through no domain must look at its keys again."""
        lacking = self._slices.domains.blind(domain.hosts, held)
        for key in self._slices.shared_keys(held):
            self.touch(lacking, key)
        self._named(lacking, held)

    def enter(self, host: str, network: str, domain: Domain) -> None:
        """A host that is not of the domain of a network, but about to be, must be told of all that is then in it."""
        self.networks[host][network] = None
        for held in self._slices.domains.unseen(host, domain.held):
            hosts = self.held.get(held)
            if hosts is None:
                hosts = self.held[held] = {}
            hosts[host] = None
            self._named((host,), held)

    def has_entered(self, host: str, domain: Domain) -> bool:
        """Whether a host must be told of all that is in a domain, if it is of it still."""
        return not domain.networks.keys().isdisjoint(self.networks.get(host, ()))

    def entered(self, host: str, domain: Domain) -> None:
        """What a host must be told of all of is now this domain too."""
        self.networks[host][next(iter(domain.networks))] = None

    def domain(self, hosts: Collection[str], domain: Domain) -> None:
        """Hosts that are not, or no longer, of a domain must look at all in it again."""
        if hosts:
            for key in self._slices.own(domain):
                self.touch(hosts, key)
        for host in hosts:
            for held in self._slices.domains.unseen(host, domain.held):
                for key in self._slices.shared_keys(held):
                    self.touch((host,), key)
                self._named((host,), held)

    def address_group(self, rule: Record | None) -> None:
        """Hosts that have a rule but nothing else that names its address group must look at that again."""
        if not isinstance(rule, SecurityGroupRule) or rule.remote_address_group_id is None:
            return
        key = ("address_group", rule.remote_address_group_id)
        for domain in self._slices.domains.holding(("security_group", rule.security_group_id)):
            self._lacking(domain.hosts, key)

    def _named(self, hosts: Collection[str], held: Key) -> None:
        """Hosts that have address groups by nothing but this must look at them again."""
        for key in self._slices.named_keys(held):
            self._lacking(hosts, key)

    def _lacking(self, hosts: Collection[str], key: Key) -> None:
        record = self._slices.at(key)
        if record is not None:
            having = self._slices.among(hosts, record)
            self.touch((host for host in hosts if host not in having), key)
