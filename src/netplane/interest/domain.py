"""Domains: sets of joined networks, and what the machines in them make shared."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from netplane.interest.placement import Placement
from netplane.interest.world import Key
from netplane.model import Identity


def held_by(placement: Placement) -> Iterator[Key]:
    """What a placement makes its domain hold. Its host stands last: when it joins, the rest is already there."""
    if placement.identity:
        yield "identity", placement.identity.id
        for group in placement.identity.groups:
            yield "security_group", group
    yield "host", placement.host


def held_by_all(placements: Iterable[Placement]) -> dict[Key, int]:
    """What placements make a domain hold, and for how many of them."""
    identities: dict[str, list[Identity]] = {}
    hosts: dict[str, int] = {}
    for placement in placements:
        host, identity = placement.host, placement.identity
        hosts[host] = hosts.get(host, 0) + 1
        if identity is not None:
            identities.setdefault(identity.id, []).append(identity)
    held: dict[Key, int] = {}
    for id, several in identities.items():
        held["identity", id] = len(several)
        for group in several[0].groups:
            held["security_group", group] = held.get(("security_group", group), 0) + len(several)
    held.update({("host", host): count for host, count in hosts.items()})
    return held


class Domain:
    """Networks that routers join. It counts for how many placements it holds each identity, group and host."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.networks = dict.fromkeys(networks)
        self.held: dict[Key, int] = {}
        self.hosts: dict[str, None] = {}


_NONE: dict[Domain, None] = {}


class Domains:
    """The domain of each network that has a machine or a router in it, and which domains hold a shared thing.

    A network that stands alone with no machine in it may be missing: it would hold nothing.
    """

    def __init__(self, outdate: Callable[[Domain], None]) -> None:
        """`outdate` is told of domains whose networks or own things change, and of those that are no more."""
        self._outdate = outdate
        self._of: dict[str, Domain] = {}
        self._holding: dict[Key, dict[Domain, None]] = {}

    def get(self, network: str) -> Domain | None:
        """The domain of a network; None if no machine and no other network is in it."""
        return self._of.get(network)

    def open(self, network: str) -> Domain:
        """The domain of a network, made if there is none."""
        domain = self._of.get(network)
        if domain is None:
            domain = self._of[network] = Domain((network,))
        return domain

    def close(self, network: str) -> None:
        """Forget the domain of a network if it stands alone and holds nothing."""
        domain = self._of.get(network)
        if domain and len(domain.networks) == 1 and not domain.held:
            self._outdate(domain)
            del self._of[network]

    def hosts_on(self, network: str) -> Collection[str]:
        """The hosts with machines in the domain of a network."""
        domain = self._of.get(network)
        return domain.hosts if domain else ()

    def holding(self, key: Key) -> Collection[Domain]:
        """The domains that hold an identity, a group or a host."""
        return self._holding.get(key, ())

    def seeing(self, hosts: Collection[str], key: Key) -> Collection[str]:
        """Those hosts of which some domain holds this; each knows itself."""
        holding = self._holding.get(key, _NONE)
        # Who asks mostly asks for the hosts of the domain that came to hold it last.
        near = next(reversed(holding)).hosts if holding else ()
        rest = [host for host in hosts if host not in near]
        lacking = set(self.blind(rest, key)) if rest else ()
        return {host: None for host in hosts if host not in lacking} if lacking else hosts

    def blind(self, hosts: Iterable[str], key: Key) -> list[str]:
        """Those hosts of which no domain holds this; each knows itself."""
        # It walks the fewer of both: a host may be of hundreds of domains, a group is mostly of one.
        of, holding = self._holding, self._holding.get(key, _NONE).keys()
        own = key[1] if key[0] == "host" else ""
        return [host for host in hosts if host != own and holding.isdisjoint(of.get(("host", host), _NONE).keys())]

    def unseen(self, host: str, keys: Iterable[Key]) -> list[Key]:
        """Those of these that no domain of the host holds; it knows itself."""
        of, own = self._holding, ("host", host)
        there = of.get(own)
        if there is None:
            return [key for key in keys if key != own]
        theirs = there.keys()
        return [key for key in keys if key != own and theirs.isdisjoint(of.get(key, _NONE).keys())]

    def count(self, domain: Domain, key: Key, by: int) -> None:
        """Let a domain hold something for so many more placements; fewer if negative."""
        count = domain.held.get(key, 0) + by
        if not count:
            self._forget(domain, key)
            return
        is_new = key not in domain.held
        domain.held[key] = count
        if is_new:
            self._enter(domain, key)
            if key[0] != "host":
                self._outdate_few(key)

    def fill(self, network: str, held: Mapping[Key, int]) -> None:
        """Let the domain of a network hold things for so many more placements, before anybody has asked for any."""
        domain = self.open(network)
        for key, count in held.items():
            before = domain.held.get(key, 0)
            domain.held[key] = before + count
            if not before:
                self._enter(domain, key)

    def merge(self, source: Domain, target: Domain) -> None:
        """Move everything from one domain to another; the first is then empty."""
        self._move(source, target, list(source.networks), dict(source.held))

    def split(self, domain: Domain, networks: Iterable[str], placements: Iterable[Placement]) -> Domain:
        """A new domain of some of a domain's networks, with what the placements in those make it hold."""
        part = Domain()
        self._move(domain, part, networks, held_by_all(placements))
        return part

    def _move(self, source: Domain, target: Domain, networks: Iterable[str], held: dict[Key, int]) -> None:
        self._outdate(source)
        self._outdate(target)
        for network in networks:
            del source.networks[network]
            target.networks[network] = None
            self._of[network] = target
        for key, count in held.items():
            self.count(target, key, count)
            self.count(source, key, -count)

    def _enter(self, domain: Domain, key: Key) -> None:
        self._holding.setdefault(key, {})[domain] = None
        if key[0] == "host":
            domain.hosts[key[1]] = None

    def _forget(self, domain: Domain, key: Key) -> None:
        del domain.held[key]
        if key[0] == "host":
            del domain.hosts[key[1]]
        else:
            self._outdate(domain)
        holding = self._holding[key]
        del holding[domain]
        if not holding:
            del self._holding[key]
        elif key[0] != "host":
            self._outdate_few(key)

    def _outdate_few(self, key: Key) -> None:
        """One more domain holds this, or one less: is it now one's alone, or no longer?"""
        holding = self._holding[key]
        for domain in holding if len(holding) <= 2 else tuple(holding)[-1:]:
            self._outdate(domain)
