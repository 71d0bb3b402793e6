"""What hosts are told when changes are in: each key that was touched is looked at once, in the world as it then is.

Every record is said once, as bytes or however whoever asks wants it, and handed to all hosts that need it. What a
domain says is put together once for all hosts that have come into it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from netplane.interest.domain import Domain
from netplane.interest.slices import Slices
from netplane.interest.touched import Touched
from netplane.interest.world import Key
from netplane.model import Record

Said = TypeVar("Said")


def tell(slices: Slices, touched: Touched, say: Callable[[Record], Said]) -> dict[str, dict[Key, Said | None]]:
    """What each host that was touched must add or replace, by key; None for what it needs no more."""
    teller = _Teller(slices, say)
    told: defaultdict[str, dict[Key, Said | None]] = defaultdict(dict)
    for host, networks in touched.networks.items():
        for domain in _domains_of(slices, host, networks):
            told[host].update(teller.domain(domain))
    for held, hosts in touched.held.items():
        coming, seeing = teller.held(held), slices.domains.seeing(hosts, held)
        for host in hosts:
            told[host].update(coming if host in seeing else dict.fromkeys(coming))
    for key, hosts in touched.keys.items():
        record = slices.at(key)
        needing = () if record is None else slices.among(hosts, record)
        said = teller.said(key, record) if record is not None and needing else None
        for host in needing:
            told[host][key] = said
        if len(needing) < len(hosts):
            for host in hosts:
                if host not in needing:
                    told[host][key] = None
    return told


class _Teller(Generic[Said]):
    """What domains and what they hold come as, each made once."""

    def __init__(self, slices: Slices, say: Callable[[Record], Said]) -> None:
        self._slices = slices
        self._say = say
        self._said: dict[Key, Said] = {}
        self._domains: dict[Domain, dict[Key, Said]] = {}

    def said(self, key: Key, record: Record) -> Said:
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = self._say(record)
        return said

    def domain(self, domain: Domain) -> Mapping[Key, Said]:
        """What belongs to a domain alone."""
        found = self._domains.get(domain)
        if found is None:
            found = self._domains[domain] = self._all(self._slices.own(domain))
        return found

    def held(self, held: Key) -> Mapping[Key, Said]:
        """What comes with something held."""
        return self._all(self._slices.shared(held))

    def _all(self, records: Mapping[Key, Record]) -> dict[Key, Said]:
        return {key: self.said(key, record) for key, record in records.items()}


def _domains_of(slices: Slices, host: str, networks: Iterable[str]) -> Iterable[Domain]:
    """The domains of networks, but for those that the host has left again."""
    found = dict.fromkeys(map(slices.domains.get, networks))
    return [domain for domain in found if domain is not None and host in domain.hosts]
